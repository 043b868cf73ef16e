// Package booking is centres, seats, holds and appointments: their rules and
// states, and the Store that keeps them.
// It must not know about telephones, prompts or SQL.
package booking

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
)

// Errors a caller of the Store branches on.
var (
	ErrUnknownPostcode = errors.New("no centre is responsible for this postcode")
	ErrNothingFree     = errors.New("no seat is free")
	ErrHoldGone        = errors.New("the hold has expired and the seat is taken")
	ErrNoHold          = errors.New("no hold is open")
	ErrAlreadyBooked   = errors.New("this person already holds an appointment")
	ErrNoAppointment   = errors.New("no such appointment")
	ErrTooMany         = errors.New("too many appointments from this number")
)

// HoldFor is how long a seat stays held for a call from the moment it was
// spoken, and again from the moment the caller hangs up.
const HoldFor = 15 * time.Minute

// MaxPerNumber is how many persons may hold appointments under one calling
// number: a couple, or a daughter with both parents and herself.
const MaxPerNumber = 4

// Born is a date of birth: midnight UTC of that day. The zero value is unknown.
type Born = time.Time

// Centre is a place where appointments take place.
type Centre struct {
	ID       int64
	Name     string // as spoken and written in a sentence: "Dortmund"
	Address  string // written: "Phoenixseestraße 4, 44263 Dortmund"
	TimeZone string // IANA, for example "Europe/Berlin"
}

// zones are the time zones used so far: loading one parses a file.
var zones sync.Map // string to *time.Location

// Location returns the centre's time zone; UTC where the name is unknown,
// which the Store refuses to keep.
func (c Centre) Location() *time.Location {
	if l, ok := zones.Load(c.TimeZone); ok {
		return l.(*time.Location)
	}
	l, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return time.UTC
	}
	zones.Store(c.TimeZone, l)
	return l
}

// Place is what a postcode stands for.
type Place struct {
	Postcode string
	Name     string // of the town, as read back to the caller
	Centre   Centre // the responsible one
}

// Slot is a time at a centre. Start is in the centre's time zone.
type Slot struct {
	ID     int64
	Centre Centre
	Start  time.Time
}

// Person is somebody an appointment is for. A number may be shared: the person
// under it is told apart by the date of birth, and two of one number born on
// one day by Another.
type Person struct {
	Number   e164.Number // of the call; Withheld is never shared
	Born     Born
	Postcode string
	// Another says that the caller books for a further person although one
	// with this number and date of birth is known.
	Another bool
}

// Search says which seat to offer.
type Search struct {
	CallID uuid.UUID // a call holds at most one offer: a new one releases the old
	Person Person
	Centre int64
	After  time.Time // the slot starts later than this
	Not    []int64   // slots that were refused
}

// Hold is a seat kept for a call. It expires by itself.
type Hold struct {
	ID    uuid.UUID
	Slot  Slot
	Until time.Time
}

// Appointment is a booked seat.
type Appointment struct {
	ID    uuid.UUID
	Code  string // CodeLength digits, the last one a check digit
	Slot  Slot
	State AppointmentState
}

// Booking asks to turn a hold into an appointment.
type Booking struct {
	HoldID uuid.UUID
	CallID uuid.UUID
	Person Person
	// Operation makes the booking idempotent: the same one asked twice gives
	// the same appointment.
	Operation uuid.UUID
}

// Recording is what a caller spoke after a tone.
type Recording struct {
	ID     uuid.UUID
	Length time.Duration
	WAV    []byte // 16-bit PCM, 8 or 16 kHz, mono
}

// Store keeps all this. Every method is one transaction. Slots and seats in
// the past are never found.
type Store interface {
	// Place fails with ErrUnknownPostcode.
	Place(ctx context.Context, postcode string) (Place, error)
	// Nearby returns the other centres, nearest first, at most limit.
	Nearby(ctx context.Context, centre int64, limit int) ([]Centre, error)
	// Rule is who may book at present.
	Rule(ctx context.Context) (Rule, error)

	// Offer holds the earliest free seat that fits for HoldFor and releases
	// what the call held before. ErrNothingFree leaves the old hold in place.
	Offer(ctx context.Context, s Search) (Hold, error)
	// OpenHold finds what a dropped call of the same number and date of birth
	// left held, and gives it to this call. ErrNoHold, also for Withheld.
	OpenHold(ctx context.Context, callID uuid.UUID, p Person) (Hold, error)
	// KeepHold lets the call's hold, if any, last HoldFor from now.
	KeepHold(ctx context.Context, callID uuid.UUID) error
	// Release frees the call's hold, if any.
	Release(ctx context.Context, callID uuid.UUID) error
	// Book commits: ErrHoldGone, ErrAlreadyBooked, ErrTooMany. A hold that
	// has expired still counts while nobody else took the seat.
	Book(ctx context.Context, b Booking) (Appointment, error)

	// Appointments are the coming ones of the persons with this number and
	// date of birth, earliest first; none for Withheld.
	Appointments(ctx context.Context, number e164.Number, born Born) ([]Appointment, error)
	// AppointmentByCode finds a coming one by code and date of birth, both
	// right or ErrNoAppointment.
	AppointmentByCode(ctx context.Context, code string, born Born) (Appointment, error)
	// AppointmentByOperation finds what a Booking made, in whatever state it is
	// now, or ErrNoAppointment: for who did not hear the answer of Book.
	AppointmentByOperation(ctx context.Context, operation uuid.UUID) (Appointment, error)
	// Cancel frees the seat. Cancelling twice is no error. ErrNoAppointment.
	Cancel(ctx context.Context, appointment uuid.UUID) error
	// KeepName stores the spoken name with the appointment.
	KeepName(ctx context.Context, appointment uuid.UUID, r Recording) error
}

// Refused says whether err is an answer of the Store, one of the errors above,
// rather than a failure to ask it.
func Refused(err error) bool {
	for _, r := range []error{
		ErrUnknownPostcode, ErrNothingFree, ErrHoldGone, ErrNoHold,
		ErrAlreadyBooked, ErrNoAppointment, ErrTooMany,
	} {
		if errors.Is(err, r) {
			return true
		}
	}
	return false
}
