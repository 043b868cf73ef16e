package ivr

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/prompts"
	"ringback/queue"
)

// rung speaks to somebody we ring. 1 goes on: to the person they wait for, or
// with the dialogue. 2 is another time. A voice mailbox or another person presses
// neither, hears that we will try again, and was not reached.
func (h *Hotline) rung(ctx context.Context, s *Session) (SceneName, error) {
	if s.Attempt == uuid.Nil && s.Place != nil {
		return s.reached(), nil // and then another process came
	}
	attempt, err := try(ctx, s, func(ctx context.Context) (queue.Attempt, error) { return h.Queue.Rung(ctx, s.Attempt) })
	t := attempt.Ticket
	switch {
	case errors.Is(err, queue.ErrNoTicket), err == nil && t.State != queue.StateRinging:
		s.outcome = &Outcome{Informed, "not needed any more"}
		return sceneEnd, s.SayWhole(ctx, prompts.RungOver)
	case ending(ctx, err):
		return "", err
	case err != nil: // its fate is unknown, and counts as made
		s.logger.Error("look up what was rung for", "err", err)
		s.Attempt, s.outcome = uuid.Nil, &Outcome{Failed, "rung"}
		return sceneEnd, s.SayWhole(ctx, prompts.RungLater)
	}
	s.Number, s.Reason, s.Wish, s.Keyless = t.Number, t.Reason, t.Wish, t.Keyless
	for _, l := range s.texts.Languages() {
		if l == t.Language {
			s.Language = l
		}
	}
	s.keep()
	k, err := h.isThere(ctx, s)
	switch {
	case err != nil:
		return "", err
	case k == 0:
		return h.notReached(ctx, s)
	}
	if got, ok := h.resolve(ctx, s, queue.FateReached); ok {
		t = got
	}
	if kept, ok := decode(t.Known); ok && kept.Topic != "" {
		s.Kept = &Kept{Scene: SceneName(t.Scene), State: t.Known}
	}
	s.Later = k == '2'
	s.placed(t)
	s.Place.State = queue.StateTalking
	if t.Wish == queue.WishPerson {
		s.Kept = nil
		s.Place.State, s.Place.Rung = queue.StateWaiting, true
	} else if k == '0' {
		return "", toPerson{queue.Asked}
	}
	s.keep()
	return s.reached(), nil
}

// reached is the scene after somebody we rang has answered.
func (s *Session) reached() SceneName {
	switch {
	case s.Later:
		return sceneCallback
	case s.Place.State == queue.StateWaiting:
		return sceneWait
	}
	return sceneTakeUp
}

// isThere asks whether the right person is on the telephone, twice and in at most
// 25 seconds, and returns what they pressed: 1, 2 or 0; 0x00 is nobody. A
// telephone without keys answers by voice.
func (h *Hotline) isThere(ctx context.Context, s *Session) (Key, error) {
	line, voice := prompts.RungAsk, s.Keyless
	if voice {
		line = prompts.RungAskVoice
	}
	for range 2 {
		if err := s.Say(ctx, line); err != nil {
			return 0, err
		}
		k, err := s.call.Rest(ctx, Rest{Wait: s.timing.Rung, Voice: voice})
		switch {
		case errors.Is(err, ErrSpoke):
			return '1', nil
		case errors.Is(err, ErrSilence):
			continue
		case err != nil:
			return 0, err
		}
		s.pressed(line, k)
		switch k {
		case '0', '1', '2':
			return k, nil
		case '9':
			s.slower()
		}
	}
	return 0, nil
}

// notReached says that we will try again, or for the last time that we will not.
func (h *Hotline) notReached(ctx context.Context, s *Session) (SceneName, error) {
	t, _ := h.resolve(ctx, s, queue.FateDeclined)
	if t.State == queue.StateClosed {
		s.outcome = &Outcome{HungUp, "not reached for the last time"}
		return sceneEnd, s.SayWhole(ctx, prompts.RungLast)
	}
	s.outcome = &Outcome{CalledBack, "not reached"}
	return sceneEnd, s.SayWhole(ctx, prompts.RungLater)
}

// resolve says how the attempt ended. A caller who is there does not wait for
// that longer than a moment.
func (h *Hotline) resolve(ctx context.Context, s *Session, f queue.Fate) (queue.Ticket, bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	t, err := h.Queue.Resolve(ctx, s.Attempt, f)
	if err != nil {
		s.logger.Error("resolve an attempt", "attempt", s.Attempt, "fate", f, "err", err)
	}
	s.Attempt = uuid.Nil
	return t, err == nil
}

// takeUp goes on with the dialogue for which somebody was rung. What was keyed of
// a person is theirs who keys the date of birth once more.
func (h *Hotline) takeUp(ctx context.Context, s *Session) (SceneName, error) {
	if s.Reason == queue.Broken {
		if err := s.Say(ctx, prompts.RungBroke); err != nil {
			return "", err
		}
	}
	if s.Kept == nil || !isScene(s.Kept.Scene) {
		s.Kept = nil
		return sceneMain, nil
	}
	kept, _ := decode(s.Kept.State) // it could be decoded before
	s.Pace, s.Topic, s.Noticed = max(s.Pace, kept.Pace), kept.Topic, true
	if kept.Born.IsZero() {
		s.Kept = nil
		return sceneBorn, nil
	}
	return sceneBorn, s.Say(ctx, prompts.RungCheck)
}

// restoreKept goes on with what was kept, for who has just keyed this date of
// birth. It reports false where it was somebody else's.
func (h *Hotline) restoreKept(ctx context.Context, s *Session, born booking.Born) (SceneName, bool, error) {
	kept := *s.Kept
	s.Kept = nil
	before, ok := decode(kept.State)
	if !ok || !before.Born.Equal(born) {
		return "", false, nil
	}
	now := s.State
	s.State = before
	s.Number, s.Language, s.Pace, s.Won, s.Keyless = now.Number, now.Language, now.Pace, now.Won, now.Keyless
	s.Place, s.PlaceID, s.Attempt, s.Kept = now.Place, now.PlaceID, now.Attempt, nil
	s.Another, s.Brief, s.Later = false, false, false
	if s.Hold == nil {
		return kept.Scene, true, nil
	}
	// It may be booked, though nobody heard of it.
	if next, err := h.afterCommit(ctx, s, kept.Scene); err != nil || next != kept.Scene {
		return next, true, err
	}
	hold, err := try(ctx, s, func(ctx context.Context) (booking.Hold, error) {
		return h.Bookings.OpenHold(ctx, s.call.Info().ID, s.person())
	})
	switch {
	case err == nil:
		s.Hold = &hold
		return kept.Scene, true, nil
	case !errors.Is(err, booking.ErrNoHold):
		return "", true, err
	}
	s.Hold = nil
	if kept.Scene != sceneChoose && kept.Scene != sceneConfirm {
		return sceneKnown, true, nil
	}
	return sceneChoose, true, s.Say(ctx, prompts.JustTaken)
}
