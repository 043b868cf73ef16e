package queue

import (
	"fmt"

	"github.com/google/uuid"
)

// Swept is what one look over the line put right, each as a count.
type Swept struct {
	Due     int // promised tickets whose hour has come
	Expired int // tickets whose place is kept no longer
	Freed   int // agents whose reservation, wrap-up or pause was over
	Unknown int // attempts whose lease ended: they count as made
	Lost    int // tickets whose call ended, and nobody told the line
}

// Limit is what keeps a number from being rung.
type Limit string

// The limits.
const (
	LimitOff       Limit = "off"        // all calls out are switched off
	LimitPerDay    Limit = "per_day"    // Rules.OutPerDay calls were made today
	LimitPerNumber Limit = "per_number" // Rules.PerNumber attempts were made today
	LimitRegion    Limit = "region"     // not of an allowed region, premium, emergency, or our own
	LimitUnwanted  Limit = "unwanted"   // asked not to be rung
	LimitOpen      Limit = "open"       // the number has MaxPerNumber open tickets
	LimitLines     Limit = "lines"      // Rules.OutLines calls out of this node are up, or its lines are used up
	LimitRate      Limit = "rate"       // Rules.OutPerSecond calls were begun
)

// Limits are all limits.
var Limits = []Limit{LimitOff, LimitPerDay, LimitPerNumber, LimitRegion, LimitUnwanted, LimitOpen, LimitLines, LimitRate}

// HeldBack is an ErrNoneDue with its reason: somebody is to be rung, and a
// limit forbids it.
type HeldBack struct {
	By Limit
	// Ticket is the one that the limit put off, or closed, and others may be due
	// behind it. Nil: the limit holds back everybody.
	Ticket uuid.UUID
}

func (h HeldBack) Error() string { return fmt.Sprintf("held back by the limit %q", h.By) }

// Unwrap makes it an ErrNoneDue.
func (HeldBack) Unwrap() error { return ErrNoneDue }
