package memory

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
)

// current says that the appointment is still to come.
func (a *appointment) current() bool {
	return a.State == booking.AppointmentBooked && a.Slot.Start.After(time.Now())
}

// Book implements booking.Store.
func (s *Store) Book(_ context.Context, b booking.Booking) (booking.Appointment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.appointments {
		if a.operation == b.Operation {
			return a.Appointment, nil
		}
	}
	x := s.holdOf(b.CallID)
	if x == nil || x.hold != b.HoldID || !x.slot.Start.After(time.Now()) {
		return booking.Appointment{}, booking.ErrHoldGone
	}
	ordinal, err := s.ordinal(b.Person)
	if err != nil {
		return booking.Appointment{}, err
	}
	code, err := newCode()
	if err != nil {
		return booking.Appointment{}, err
	}
	a := &appointment{
		Appointment: booking.Appointment{ID: uuid.New(), Code: code, Slot: x.slot, State: booking.AppointmentBooked},
		number:      b.Person.Number, born: b.Person.Born, ordinal: ordinal,
		operation: b.Operation, seat: x,
	}
	*x = seat{slot: x.slot, state: booking.SeatBooked}
	s.appointments = append(s.appointments, a)
	return a.Appointment, nil
}

// ordinal says which person of this number and birthday is meant: the one
// already known, or the first one who holds no appointment.
func (s *Store) ordinal(p booking.Person) (int, error) {
	if p.Number == e164.Withheld {
		return 1, nil
	}
	var taken []int
	all := 0
	for _, a := range s.appointments {
		if a.number == p.Number && a.current() {
			all++
			if a.born.Equal(p.Born) {
				taken = append(taken, a.ordinal)
			}
		}
	}
	switch {
	case all >= booking.MaxPerNumber:
		return 0, booking.ErrTooMany
	case len(taken) > 0 && !p.Another:
		return 0, booking.ErrAlreadyBooked
	}
	n := 1
	for slices.Contains(taken, n) {
		n++
	}
	return n, nil
}

// Appointments implements booking.Store.
func (s *Store) Appointments(_ context.Context, number e164.Number, born booking.Born) ([]booking.Appointment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var coming []booking.Appointment
	for _, a := range s.appointments {
		if number != e164.Withheld && a.number == number && a.born.Equal(born) && a.current() {
			coming = append(coming, a.Appointment)
		}
	}
	slices.SortStableFunc(coming, func(a, b booking.Appointment) int { return a.Slot.Start.Compare(b.Slot.Start) })
	return coming, nil
}

// AppointmentByCode implements booking.Store.
func (s *Store) AppointmentByCode(_ context.Context, code string, born booking.Born) (booking.Appointment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.appointments {
		if a.Code == code && a.born.Equal(born) && a.current() {
			return a.Appointment, nil
		}
	}
	return booking.Appointment{}, booking.ErrNoAppointment
}

// AppointmentByOperation implements booking.Store.
func (s *Store) AppointmentByOperation(_ context.Context, operation uuid.UUID) (booking.Appointment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.appointments {
		if a.operation == operation {
			return a.Appointment, nil
		}
	}
	return booking.Appointment{}, booking.ErrNoAppointment
}

// Cancel implements booking.Store.
func (s *Store) Cancel(_ context.Context, id uuid.UUID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.appointments {
		if a.ID != id {
			continue
		}
		if a.State == booking.AppointmentBooked {
			a.State = booking.AppointmentCancelled
			a.seat.free()
		}
		return nil
	}
	return booking.ErrNoAppointment
}
