package postgres

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// zeroable reads a moment; null is the zero time.
type zeroable struct{ t *time.Time }

// ScanTimestamptz implements pgtype.TimestamptzScanner.
func (z zeroable) ScanTimestamptz(v pgtype.Timestamptz) error {
	*z.t = time.Time{}
	if v.Valid {
		*z.t = v.Time
	}
	return nil
}

// nullableID reads an ID; null is uuid.Nil.
type nullableID uuid.UUID

// ScanUUID implements pgtype.UUIDScanner.
func (id *nullableID) ScanUUID(v pgtype.UUID) error {
	*id = nullableID{}
	if v.Valid {
		*id = nullableID(v.Bytes)
	}
	return nil
}

// textOrNull is the text, or null for an empty one.
func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// idOrNull is the ID, or null for uuid.Nil.
func idOrNull(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}
