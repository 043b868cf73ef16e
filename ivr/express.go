package ivr

import (
	"context"
	"errors"

	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
)

// Where few lines are left, nobody gets to hold one for long: the number is
// promised an hour, and the line is free for the next caller.

// express greets and promises to ring back, in fifteen seconds with the
// good-bye: silence is yes, 2 hears other hours. A number that is registered
// already hears its hour and nothing new. Who shows no number keys one.
func (h *Hotline) express(ctx context.Context, s *Session) (SceneName, error) {
	s.Brief, s.Reason, s.Wish = true, queue.Busy, queue.WishSelf
	if s.Number == e164.Withheld {
		return sceneCallback, s.Say(ctx, prompts.ExpressWithheld)
	}
	before, err := h.register(ctx, s)
	switch {
	case errors.Is(err, queue.ErrForbidden): // another number can be keyed
		return sceneCallback, s.Say(ctx, prompts.Greeting)
	case err != nil:
		return "", err
	case before:
		return sceneEnd, s.SayWhole(ctx, h.registered(s), prompts.ExpressBye)
	}
	k, err := s.ask(ctx, question{
		keys: "2", silence: silenceAnswers, wait: s.timing.Express,
		lines: []prompts.Line{prompts.ExpressPromise(s.Number, h.promisedHour(s))},
	})
	switch {
	case errors.Is(err, ErrSilence), errors.Is(err, errBack): // is yes
	case err != nil:
		return "", err
	case k == '2':
		if err := h.anotherHour(ctx, s, s.Number); err != nil {
			return "", err
		}
		if w := h.promisedHour(s); w != nil {
			return sceneEnd, s.SayWhole(ctx, prompts.ExpressOther(*w), prompts.ExpressBye)
		}
	}
	return sceneEnd, s.SayWhole(ctx, prompts.ExpressBye)
}

// early makes the same promise before the call is answered, so that the caller
// pays nothing, and refuses the call then. Who shows no number is answered.
func (h *Hotline) early(ctx context.Context, s *Session) (SceneName, error) {
	s.Brief, s.Reason, s.Wish = true, queue.Busy, queue.WishSelf
	if s.Number == e164.Withheld {
		return sceneExpress, nil
	}
	bounded, cancel := context.WithTimeout(ctx, s.timing.Early)
	defer cancel()
	before, err := h.register(ctx, s)
	switch {
	case errors.Is(err, queue.ErrForbidden):
		return sceneExpress, nil
	case err != nil:
		return "", err
	}
	line := prompts.EarlyPromise(s.Number, h.promisedHour(s))
	if before {
		line = h.registered(s)
	}
	if err := s.SayWhole(bounded, line); err != nil && (bounded.Err() == nil || ctx.Err() != nil) {
		return "", err
	}
	return sceneEnd, s.call.Refuse(ctx)
}

// register promises the next hour with room to the number of the line, and says
// whether it was promised one before.
func (h *Hotline) register(ctx context.Context, s *Session) (before bool, err error) {
	err = h.promiseFrom(ctx, s, s.Number, h.hourFirst(ctx, s))
	if errors.Is(err, queue.ErrTooMany) { // they are rung, whoever picks up
		s.won(CalledBack)
		return true, nil
	}
	return err == nil && s.resumed, err
}

// promisedHour is the hour that is promised; nil: as soon as it is their turn.
func (h *Hotline) promisedHour(s *Session) *prompts.Window {
	if s.Place == nil || s.Place.Window.IsZero() || !s.Place.Window.To.After(s.now()) {
		return nil
	}
	w := h.window(s.Place.Window)
	return &w
}

// registered tells a number that is registered already what it was promised.
func (h *Hotline) registered(s *Session) prompts.Line {
	if w := h.promisedHour(s); w != nil {
		return prompts.ExpressHour(*w)
	}
	return prompts.ExpressAgain
}
