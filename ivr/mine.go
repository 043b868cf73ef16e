package ivr

import (
	"context"
	"errors"

	"ringback/booking"
	"ringback/prompts"
)

// byCode finds an appointment by its code, for a caller whose number and date
// of birth lead to none.
func (h *Hotline) byCode(ctx context.Context, s *Session) (SceneName, error) {
	_, err := s.digits(ctx, digitEntry{
		ask: prompts.AskCode,
		max: booking.CodeLength,
		check: func(ctx context.Context, code string) (*prompts.Line, error) {
			if !booking.ValidCode(code) {
				return &prompts.CodeUnknown, nil
			}
			a, err := try(ctx, s, func(ctx context.Context) (booking.Appointment, error) {
				return h.Bookings.AppointmentByCode(ctx, code, s.Born)
			})
			if errors.Is(err, booking.ErrNoAppointment) {
				return &prompts.CodeUnknown, nil
			}
			if err == nil {
				s.Booked = &a
			}
			return nil, err
		},
	})
	return sceneMine, err
}

// mine tells the appointment. The caller hears it again with its code, cancels
// it, or books for somebody else; silence ends the call.
func (h *Hotline) mine(ctx context.Context, s *Session) (SceneName, error) {
	slot := s.Booked.Slot
	s.won(Informed)
	k, err := s.MenuOrSilence(ctx, "123", prompts.TellAppointment(slot.Start, slot.Centre.Name), prompts.MineMenu)
	switch {
	case errors.Is(err, ErrSilence):
		return sceneBye, nil
	case err != nil:
		return "", err
	}
	switch k {
	case '1':
		return sceneCode, nil
	case '2':
		return sceneCancel, nil
	}
	s.OtherThan = s.Born
	s.Topic = TopicNew
	return sceneBorn, s.Say(ctx, prompts.ForAnother)
}

// cancel asks once more, then gives the seat back.
func (h *Hotline) cancel(ctx context.Context, s *Session) (SceneName, error) {
	yes, err := s.Commit(ctx, prompts.AskCancel(s.Booked.Slot.Start))
	if err != nil {
		return "", err
	}
	if !yes {
		return sceneAfter, s.Say(ctx, prompts.CancelKept)
	}
	_, err = try(ctx, s, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, h.Bookings.Cancel(ctx, s.Booked.ID)
	})
	if err != nil && !errors.Is(err, booking.ErrNoAppointment) {
		return "", err
	}
	s.won(Cancelled)
	return sceneAfter, s.Say(ctx, prompts.CancelDone)
}
