package ivr

import (
	"context"
	"errors"

	"ringback/prompts"
)

// spokenName says that the appointment is booked, which no hang-up undoes any
// more, and takes down the name. A call without one is booked all the same.
func (h *Hotline) spokenName(ctx context.Context, s *Session) (SceneName, error) {
	if err := s.SayWhole(ctx, prompts.BookedDone); err != nil {
		return "", err
	}
	name, err := s.Record(ctx, s.timing.Name, prompts.SayYourName)
	if name.Length > 0 {
		keep, stop := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
		defer stop()
		if err := h.Bookings.KeepName(keep, s.Booked.ID, name); err != nil {
			s.logger.Error("keep spoken name", "err", err)
		}
	}
	if err != nil && (errors.Is(err, ErrHungUp) || ctx.Err() != nil) {
		return "", err
	}
	if err != nil {
		s.logger.Error("record name", "err", err)
	}
	return sceneCode, nil
}

// code gives the caller time for paper and pen, then reads the appointment
// code twice, and again on 9.
func (h *Hotline) code(ctx context.Context, s *Session) (SceneName, error) {
	if err := s.Ready(ctx, prompts.ReadyForCode); err != nil {
		return "", err
	}
	for {
		if err := s.Slowly(ctx, prompts.ReadCode(s.Booked.Code)); err != nil {
			return "", err
		}
		s.call.Flush()
		_, err := s.MenuOrSilence(ctx, "9", prompts.CodeAgain)
		switch {
		case errors.Is(err, ErrSilence):
			return sceneBye, s.Say(ctx, prompts.Bring(s.Booked.Slot.Centre.Address))
		case err != nil:
			return "", err
		}
	}
}

// bye ends the call.
func (h *Hotline) bye(ctx context.Context, s *Session) (SceneName, error) {
	return sceneEnd, s.SayWhole(ctx, prompts.Bye)
}
