package journal

import (
	"context"
	"encoding/json"
	"fmt"

	"ringback/queue"
)

// KindRegistration is the kind of records that hold a queue.Registration, as
// JSON.
const KindRegistration = "registration"

// Register writes down an attempt to ring, as Append does.
func (j *Journal) Register(ctx context.Context, r queue.Registration) error {
	payload, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write down a registration: %w", err)
	}
	return j.Append(ctx, KindRegistration, payload)
}

// Registration reads what Register wrote.
func (r Record) Registration() (queue.Registration, error) {
	var reg queue.Registration
	if r.Kind != KindRegistration {
		return reg, fmt.Errorf("record %d of the journal is no registration, but of the kind %q", r.Number, r.Kind)
	}
	if err := json.Unmarshal(r.Payload, &reg); err != nil {
		return reg, fmt.Errorf("record %d of the journal: %w", r.Number, err)
	}
	return reg, nil
}
