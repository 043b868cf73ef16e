package ivr

import (
	"context"
	"errors"
	"strconv"
	"time"

	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
)

// spokenNumber is how long a name and a telephone number may take to say.
const spokenNumber = 30 * time.Second

// offeredHours is how many hours a caller chooses from: more are not remembered.
const offeredHours = 3

// callback promises to ring back. The number and the hour that are read out are
// promised at once, so that they hold for who hangs up satisfied; another number
// can be keyed in and another hour chosen, and correct them. Who has neither a
// shown number nor keys speaks it after a tone.
func (h *Hotline) callback(ctx context.Context, s *Session) (SceneName, error) {
	number, w := s.Number, h.hourFirst(ctx, s)
	given := e164.Withheld // the number that is promised to be rung
	for {
		if number == e164.Withheld {
			var err error
			number, err = h.keyedNumber(ctx, s)
			var p toPerson
			switch {
			case errors.As(err, &p): // keys do not work, or 0 once more
				s.Keyless = s.Keyless || p.reason == queue.NoKeys
				return h.withoutNumber(ctx, s)
			case err != nil:
				return "", err
			}
		}
		if number != given {
			switch err := h.promiseFrom(ctx, s, number, w); {
			case errors.Is(err, queue.ErrForbidden):
				if err := s.apologise(ctx, prompts.NumberForbidden); err != nil {
					return "", err
				}
				number = e164.Withheld
				continue
			case errors.Is(err, queue.ErrTooMany):
				return h.promisedBefore(ctx, s, number)
			case err != nil:
				return "", err
			}
			given = number
		}
		w = s.Place.Window
		k, err := s.ask(ctx, question{keys: "123", silence: silenceAgrees, lines: []prompts.Line{h.promised(ctx, s, number)}})
		switch {
		case errors.Is(err, errBack), k == '2': // from a read-back * leads to the entry
			number = e164.Withheld
		case k == '3':
			err := h.anotherHour(ctx, s, number)
			if err != nil && !errors.As(err, new(toPerson)) { // who is promised already
				return "", err
			}
			w = s.Place.Window
		case err == nil, errors.As(err, new(toPerson)): // promised already
			return sceneBye, s.SayWhole(ctx, prompts.CallbackDone)
		default:
			return "", err
		}
	}
}

// withoutNumber arranges a callback for who keys none: on the number of the line
// if that was promised, else on one that is spoken after a tone.
func (h *Hotline) withoutNumber(ctx context.Context, s *Session) (SceneName, error) {
	if s.promisedNow() {
		return sceneBye, s.SayWhole(ctx, prompts.CallbackDone)
	}
	spoken, err := s.Record(ctx, spokenNumber, prompts.SpeakNumber)
	if err != nil && spoken.Length == 0 {
		return "", err
	}
	if err := h.promise(ctx, s, e164.Withheld, queue.Window{}, &spoken); err != nil {
		return "", err
	}
	return sceneBye, s.SayWhole(ctx, prompts.CallbackDone)
}

// promisedNow says whether the caller is to be rung as it stands.
func (s *State) promisedNow() bool {
	return s.Place != nil && (s.Place.State == queue.StatePromised || s.Place.State == queue.StateDue)
}

// promisedBefore is for a number that may have no further ticket: those it has
// are rung, and whoever picks up is asked.
func (h *Hotline) promisedBefore(ctx context.Context, s *Session, number e164.Number) (SceneName, error) {
	found, err := try(ctx, s, func(ctx context.Context) ([]queue.Ticket, error) { return h.Queue.Find(ctx, number) })
	if err != nil {
		return "", err
	}
	if i := len(found) - 1; i >= 0 {
		s.placed(found[i])
		if err := h.promise(ctx, s, number, found[i].Window, nil); err != nil && !queue.Refused(err) {
			return "", err
		}
	}
	s.won(CalledBack)
	return sceneBye, s.SayWhole(ctx, prompts.NumberTooMany)
}

// promiseFrom promises the hour, or the next one with room where it was given
// away meanwhile, or in the end that the caller is rung as soon as it is their
// turn.
func (h *Hotline) promiseFrom(ctx context.Context, s *Session, number e164.Number, w queue.Window) error {
	for range 5 {
		err := h.promise(ctx, s, number, w, nil)
		if !errors.Is(err, queue.ErrWindowFull) {
			return err
		}
		w = h.hourFirst(ctx, s)
	}
	return h.promise(ctx, s, number, queue.Window{}, nil)
}

// hourFirst is the hour that is promised first: none, that is as soon as it is
// the caller's turn, while people are served, and else the next with room.
func (h *Hotline) hourFirst(ctx context.Context, s *Session) queue.Window {
	if !s.Brief && !s.Later && h.serving(s.now()) {
		return queue.Window{}
	}
	if ws := h.hours(ctx, s, 1); len(ws) > 0 {
		return ws[0]
	}
	return queue.Window{}
}

// hours are the next n hours with room; none where that cannot be found out.
func (h *Hotline) hours(ctx context.Context, s *Session, n int) []queue.Window {
	ws, err := askOnce(ctx, s, func(ctx context.Context) ([]queue.Window, error) { return h.Queue.Windows(ctx, n) })
	if err != nil {
		s.logger.Warn("look for hours", "err", err)
	}
	return ws
}

// promised is the line that reads number and hour back.
func (h *Hotline) promised(ctx context.Context, s *Session, number e164.Number) prompts.Line {
	if w := s.Place.Window; !w.IsZero() && w.To.After(s.now()) {
		return prompts.PromiseHour(number, h.window(w))
	}
	st, err := askOnce(ctx, s, func(ctx context.Context) (queue.Standing, error) {
		return h.Queue.Standing(ctx, s.Place.Ticket)
	})
	if err != nil || st.Agents == 0 {
		return prompts.PromiseCallback(number, 0, 0)
	}
	return prompts.PromiseCallback(number, st.Low, st.High)
}

// anotherHour offers hours and promises the one that is chosen. Who chooses none
// keeps what was promised; so does who wants a person, an error here.
func (h *Hotline) anotherHour(ctx context.Context, s *Session, number e164.Number) error {
	for {
		var offered []queue.Window
		for _, w := range h.hours(ctx, s, offeredHours+1) {
			if !w.Equal(s.Place.Window) && len(offered) < offeredHours {
				offered = append(offered, w)
			}
		}
		if len(offered) == 0 {
			return s.Say(ctx, prompts.NoHours)
		}
		q := question{silence: silenceAnswers, lines: []prompts.Line{prompts.OtherHours}}
		for i, w := range offered {
			key := strconv.Itoa(i + 1)
			q.keys += key
			q.lines = append(q.lines, prompts.OfferHour(h.window(w), key))
		}
		q.lines = append(q.lines, prompts.KeepHour)
		k, err := s.ask(ctx, q)
		switch {
		case errors.Is(err, ErrSilence), errors.Is(err, errBack):
			return nil
		case err != nil:
			return err
		}
		if err := h.promise(ctx, s, number, offered[k-'1'], nil); !errors.Is(err, queue.ErrWindowFull) {
			return err
		}
		if err := s.SayWhole(ctx, prompts.HourFull); err != nil {
			return err
		}
	}
}

// keyedNumber asks for a telephone number that can be rung.
func (h *Hotline) keyedNumber(ctx context.Context, s *Session) (e164.Number, error) {
	var number e164.Number
	_, err := s.digits(ctx, digitEntry{
		ask:    prompts.AskNumber,
		max:    15, // E.164 section 6.2.1: the longest number
		enough: func(d string) bool { return len(d) >= 3 },
		check: func(_ context.Context, d string) (*prompts.Line, error) {
			n, err := e164.Parse(d, h.Region)
			switch {
			case err != nil || n == e164.Withheld:
				return &prompts.NumberInvalid, nil
			case h.Rules.MayRing(n) != nil:
				return &prompts.NumberForbidden, nil
			}
			number = n
			return nil, nil
		},
	})
	return number, err
}
