package ivr

import (
	"context"
	"errors"

	"ringback/booking"
	"ringback/prompts"
	"ringback/queue"
)

// choose offers one time, as memory allows, and holds it from the moment it is
// spoken. The caller takes it or hears another time, day or centre.
func (h *Hotline) choose(ctx context.Context, s *Session) (SceneName, error) {
	if s.Hold == nil {
		if err := h.offerFirst(ctx, s); err != nil {
			return "", err
		}
	}
	slot := s.Hold.Slot
	k, err := s.Menu(ctx, "1234", prompts.OfferTime(slot.Start, slot.Centre.Name))
	if err != nil {
		return "", err
	}
	switch k {
	case '1':
		return sceneConfirm, nil
	case '2':
		err = h.offerLater(ctx, s, booking.AnotherTime)
	case '3':
		err = h.offerLater(ctx, s, booking.AnotherDay)
	default:
		err = h.offerElsewhere(ctx, s)
	}
	if errors.Is(err, booking.ErrNothingFree) { // the old offer is still held
		return sceneChoose, s.SayWhole(ctx, prompts.NoOther)
	}
	return sceneChoose, err
}

// offerFirst holds the earliest time at the responsible centre; where that is
// full it says so and looks near it.
func (h *Hotline) offerFirst(ctx context.Context, s *Session) error {
	err := h.offer(ctx, s, s.Trail)
	if !errors.Is(err, booking.ErrNothingFree) {
		return err
	}
	if err := s.Say(ctx, prompts.CentreFull(s.Centre.Name)); err != nil {
		return err
	}
	err = h.offerElsewhere(ctx, s)
	if errors.Is(err, booking.ErrNothingFree) {
		if err := s.SayWhole(ctx, prompts.NothingFree); err != nil {
			return err
		}
		return toPerson{queue.Full}
	}
	return err
}

// offerLater holds another time or day at the same centre.
func (h *Hotline) offerLater(ctx context.Context, s *Session, w booking.Want) error {
	trail := s.Trail
	trail.Next(w, s.Hold.Slot)
	return h.offer(ctx, s, trail)
}

// neighbours is how many centres are looked at for a time.
const neighbours = 20

// offerElsewhere holds the earliest time at the nearest centre not visited yet
// that has one.
func (h *Hotline) offerElsewhere(ctx context.Context, s *Session) error {
	near, err := try(ctx, s, func(ctx context.Context) ([]booking.Centre, error) {
		return h.Bookings.Nearby(ctx, s.Centre.ID, neighbours)
	})
	if err != nil {
		return err
	}
	for trail := s.Trail; trail.NextCentre(near); {
		if err := h.offer(ctx, s, trail); !errors.Is(err, booking.ErrNothingFree) {
			return err
		}
	}
	return booking.ErrNothingFree
}

// offer holds what the trail leads to, and only then follows the trail.
func (h *Hotline) offer(ctx context.Context, s *Session, trail booking.Trail) error {
	hold, err := try(ctx, s, func(ctx context.Context) (booking.Hold, error) {
		return trail.Offer(ctx, h.Bookings, s.call.Info().ID, s.person())
	})
	if err != nil {
		return err
	}
	s.Hold, s.Trail = &hold, trail
	s.keep()
	return nil
}

// confirm reads everything back and books it. A caller who hangs up here keeps
// the hold for a while and goes on here when they ring again.
func (h *Hotline) confirm(ctx context.Context, s *Session) (SceneName, error) {
	slot := s.Hold.Slot
	yes, err := s.Commit(ctx, prompts.ReadBack(slot.Start, slot.Centre.Name))
	if err != nil {
		return "", err
	}
	if !yes {
		return sceneChoose, nil
	}
	// The hold names the operation: the same hold booked twice, because an
	// answer was lost, is one appointment.
	booked, err := try(ctx, s, func(ctx context.Context) (booking.Appointment, error) {
		return h.Bookings.Book(ctx, booking.Booking{
			HoldID: s.Hold.ID, CallID: s.call.Info().ID, Person: s.person(), Operation: s.Hold.ID,
		})
	})
	switch {
	case errors.Is(err, booking.ErrHoldGone):
		s.Hold = nil
		return sceneChoose, s.Say(ctx, prompts.JustTaken)
	case errors.Is(err, booking.ErrAlreadyBooked): // by another call, meanwhile
		return sceneKnown, nil
	case errors.Is(err, booking.ErrTooMany):
		if err := s.SayWhole(ctx, prompts.TooMany); err != nil {
			return "", err
		}
		return "", toPerson{queue.Asked}
	case err != nil:
		return "", err
	}
	s.booked(booked)
	return sceneName, nil
}

// booked is where a call has what most calls are for. A place in line is not
// needed any more, unless the caller asks for a person after all.
func (s *Session) booked(a booking.Appointment) {
	s.Hold, s.Booked = nil, &a
	s.won(Booked)
	if s.Place != nil {
		s.Place.Served = true
	}
}
