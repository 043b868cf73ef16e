package memory

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
)

func (x *seat) expired() bool {
	return x.state == booking.SeatHeld && !x.until.After(time.Now())
}

func (x *seat) free() {
	*x = seat{slot: x.slot, state: booking.SeatFree}
}

// asHold is the seat's hold as callers see it.
func (x *seat) asHold() booking.Hold {
	return booking.Hold{ID: x.hold, Slot: x.slot, Until: x.until}
}

// holdOf finds the seat a call holds, expired or not.
func (s *Store) holdOf(call uuid.UUID) *seat {
	for _, x := range s.seats {
		if x.state == booking.SeatHeld && x.heldBy == call {
			return x
		}
	}
	return nil
}

// Offer implements booking.Store.
func (s *Store) Offer(_ context.Context, q booking.Search) (booking.Hold, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	old := s.holdOf(q.CallID)
	for _, x := range s.seats {
		taken := x.state != booking.SeatFree && !x.expired() && x != old
		if taken || x.slot.Centre.ID != q.Centre || !x.slot.Start.After(q.After) ||
			!x.slot.Start.After(now) || slices.Contains(q.Not, x.slot.ID) {
			continue
		}
		if old != nil {
			old.free()
		}
		*x = seat{
			slot: x.slot, state: booking.SeatHeld, hold: uuid.New(), heldBy: q.CallID,
			number: q.Person.Number, born: q.Person.Born, until: now.Add(booking.HoldFor),
		}
		return x.asHold(), nil
	}
	return booking.Hold{}, booking.ErrNothingFree
}

// OpenHold implements booking.Store.
func (s *Store) OpenHold(_ context.Context, call uuid.UUID, p booking.Person) (booking.Hold, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.Number == e164.Withheld {
		return booking.Hold{}, booking.ErrNoHold
	}
	now := time.Now()
	var found *seat
	for _, x := range s.seats {
		if x.state != booking.SeatHeld || x.expired() || !x.slot.Start.After(now) ||
			x.number != p.Number || !x.born.Equal(p.Born) {
			continue
		}
		if x.heldBy == call {
			found = x
			break
		}
		if found == nil || x.until.After(found.until) {
			found = x
		}
	}
	if found == nil {
		return booking.Hold{}, booking.ErrNoHold
	}
	if own := s.holdOf(call); own != nil && own != found {
		own.free()
	}
	found.heldBy, found.until = call, now.Add(booking.HoldFor)
	return found.asHold(), nil
}

// KeepHold implements booking.Store.
func (s *Store) KeepHold(_ context.Context, call uuid.UUID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.holdOf(call); x != nil {
		x.until = time.Now().Add(booking.HoldFor)
	}
	return nil
}

// Release implements booking.Store.
func (s *Store) Release(_ context.Context, call uuid.UUID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.holdOf(call); x != nil {
		x.free()
	}
	return nil
}
