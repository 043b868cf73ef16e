package ivr

import (
	"cmp"
	"context"
	"errors"
	"time"

	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
)

// waiting is a caller's time in line.
type waiting struct {
	*Hotline
	s      *Session
	news   <-chan struct{}
	closes time.Time // zero: not today
}

// wait holds the line for a person: the caller hears where they stand and how
// long it will take, music, and now and then a word of news, and can be rung
// back, book alone or hear their appointment without losing the place. It ends
// when an agent is there, or with the promise of a callback.
func (h *Hotline) wait(ctx context.Context, s *Session) (SceneName, error) {
	if !s.waits() || s.Place.Parked {
		return sceneJoin, nil
	}
	news, stop := h.Bell.Listen(s.Place.Ticket)
	defer stop()
	w := waiting{h, s, news, h.Rules.Hours.Closes(s.now())}
	if next, err := w.turn(ctx); next != "" || err != nil {
		return next, err
	}
	every := h.Rules.Announce
	if every <= 0 {
		every = time.Minute
	}
	until := s.now().Add(every)
	if s.Place.Rung { // for an agent who is as good as free
		s.Place.Rung = false
		next, err := w.listen(ctx, []prompts.Line{prompts.AgentComes}, s.now().Add(h.Rules.RungWait))
		if next != "" || err != nil {
			return next, err
		}
		until = s.now().Add(every)
	}
	for round := 0; ; round++ {
		if next, err := w.turn(ctx); next != "" || err != nil { // whatever became of the bell
			return next, err
		}
		lines, err := w.announcement(ctx, round)
		if err != nil {
			return "", err
		}
		if next, err := w.listen(ctx, lines, until); next != "" || err != nil {
			return next, err
		}
		if !h.Rules.Hours.Open(s.now()) {
			return sceneCallback, s.SayWhole(ctx, prompts.Closing)
		}
		until = s.now().Add(every)
	}
}

// announcement is what is said in a round: on joining all there is to know; later
// what has changed, and by turns the news and what is offered.
func (w *waiting) announcement(ctx context.Context, round int) ([]prompts.Line, error) {
	lines, long, err := w.standing(ctx, round == 0)
	switch {
	case err != nil:
	case round == 0:
		lines = append(append(lines, w.ticketNumber()...), w.offers()...)
	case long, round%4 == 3:
		lines = append(lines, w.offers()...)
	case round%4 == 1:
		lines = append(lines, prompts.News)
	}
	return lines, err
}

// listen speaks the lines one by one, with a pause after each, and then plays
// music. A key and an agent who is there cut in at any time.
func (w *waiting) listen(ctx context.Context, lines []prompts.Line, until time.Time) (SceneName, error) {
	s := w.s
	for {
		rest := Rest{News: w.news, Wait: s.timing.Pause}
		if len(lines) > 0 {
			if err := w.speak(ctx, lines[0]); err != nil {
				return "", err
			}
			lines = lines[1:]
		} else {
			rest.Music, rest.Wait = true, w.untilClosing(until).Sub(s.now())
			if rest.Wait <= 0 {
				return "", nil
			}
		}
		k, err := s.call.Rest(ctx, rest)
		var next SceneName
		switch {
		case errors.Is(err, ErrNews):
			next, err = w.turn(ctx)
		case errors.Is(err, ErrSilence):
			err = nil
		case err == nil:
			s.pressed(prompts.WaitStay, k)
			next, lines, err = w.key(ctx, k)
		}
		if next != "" || err != nil {
			return next, err
		}
	}
}

// speak says a line; a ticket number to the end, because it is written down.
func (w *waiting) speak(ctx context.Context, l prompts.Line) error {
	if l.Key == prompts.TicketNumber("").Key {
		return w.s.Slowly(ctx, l)
	}
	return w.s.Say(ctx, l)
}

func (w *waiting) untilClosing(until time.Time) time.Time {
	if !w.closes.IsZero() && w.closes.Before(until) {
		return w.closes
	}
	return until
}

// key does what a key stands for: another scene, or more to say.
func (w *waiting) key(ctx context.Context, k Key) (SceneName, []prompts.Line, error) {
	s := w.s
	switch {
	case k == '1':
		return sceneCallback, nil, nil
	case k == '2' || k == '3':
		next, err := w.leave(ctx, k)
		return next, nil, err
	case k == '4' && s.mayKeyTicket():
		return sceneTicket, nil, nil
	case k == '9':
		s.slower()
	case k != '0' && k != '*': // who wants a person hears how it stands
		if err := s.apologise(ctx, prompts.WrongKey); err != nil {
			return "", nil, err
		}
	}
	lines, _, err := w.standing(ctx, true)
	return "", append(lines, w.offers()...), err
}

// leave lets the caller book or hear something while the place is kept. Nobody is
// bound to the ticket then, so no agent waits in vain; one who is there already
// comes first.
func (w *waiting) leave(ctx context.Context, k Key) (SceneName, error) {
	s := w.s
	if next, err := w.turn(ctx); next != "" || err != nil {
		return next, err
	}
	s.Topic = TopicNew
	if k == '3' {
		s.Topic = TopicMine
	}
	_, err := askOnce(ctx, s, func(ctx context.Context) (queue.Ticket, error) {
		return w.Queue.Join(ctx, s.arrival(queue.WishSelf))
	})
	switch {
	case ending(ctx, err):
		return "", err
	case err != nil:
		s.logger.Warn("park the ticket", "err", err)
	}
	s.Place.Parked = true
	if k == '2' && s.Hold != nil {
		return sceneChoose, nil // where they were when they asked for a person
	}
	return sceneBorn, nil
}

// turn goes on to the agent when there is one. A ticket that is gone, because an
// operator or another call closed it, is asked for anew.
func (w *waiting) turn(ctx context.Context) (SceneName, error) {
	s := w.s
	turn, err := askOnce(ctx, s, func(ctx context.Context) (queue.Turn, error) {
		return w.Queue.Turn(ctx, s.Place.Ticket)
	})
	switch {
	case err == nil:
		s.Place.Turn = turn
		return sceneConnect, nil
	case ending(ctx, err):
		return "", err
	case errors.Is(err, queue.ErrOver), errors.Is(err, queue.ErrNoTicket):
		return sceneJoin, nil
	case !queue.Refused(err):
		s.logger.Warn("ask whose turn it is", "err", err)
	}
	return "", nil
}

// standing is what is said of the place and the wait, where that differs from
// what was said before or the caller wants to hear it. What has become worse has
// a reason. Long says that being rung back is to be offered now.
func (w *waiting) standing(ctx context.Context, anyway bool) (lines []prompts.Line, long bool, err error) {
	s := w.s
	st, err := askOnce(ctx, s, func(ctx context.Context) (queue.Standing, error) {
		return w.Queue.Standing(ctx, s.Place.Ticket)
	})
	if ending(ctx, err) {
		return nil, false, err
	}
	if err != nil {
		return nil, false, nil // what is not known is not said
	}
	told, now := s.Place.Told, s.Place.Told
	now.Once, now.Ahead, now.Low, now.High = true, int(prompts.People(st.Ahead).Rounded()), 0, 0
	expected := prompts.Wait{Low: st.Low, High: st.High}
	if st.High > 0 {
		r := expected.Rounded()
		now.Low, now.High = r.Low, r.High
	}
	if now == told && !anyway {
		return nil, false, nil
	}
	switch {
	case !told.Once:
	case now.Ahead > told.Ahead:
		lines = append(lines, prompts.PlaceWorse)
	case told.High > 0 && now.High > told.High:
		lines = append(lines, prompts.TimeWorse)
	}
	lines = append(lines, prompts.WaitPlace(st.Ahead))
	if st.High > 0 {
		lines = append(lines, prompts.WaitTime(expected))
	}
	if !told.LongWait && (st.Low+st.High)/2 >= w.Rules.LongWait && !s.Keyless {
		lines = append(lines, prompts.LongWait)
		now.LongWait, long = true, true
	}
	s.Place.Told = now
	s.keep()
	return lines, long, nil
}

// ticketNumber is how who shows no number finds the place again: said once, and
// not to who is next.
func (w *waiting) ticketNumber() []prompts.Line {
	p := w.s.Place
	if p.Short == "" || p.Told.Short || w.s.Keyless || w.s.Number != e164.Withheld || p.Told.Ahead == 0 {
		return nil
	}
	p.Told.Short = true
	return []prompts.Line{prompts.TicketNumber(p.Short)}
}

// offers are what can be had on a key. A telephone without keys is told what
// happens without.
func (w *waiting) offers() []prompts.Line {
	s := w.s
	if s.Keyless {
		if s.Number == e164.Withheld {
			return nil
		}
		s.won(CalledBack)
		return []prompts.Line{prompts.WaitKeyless}
	}
	lines := []prompts.Line{prompts.OfferCallback, prompts.OfferBooking, prompts.OfferMine}
	if s.mayKeyTicket() {
		lines = append(lines, prompts.WaitWithheld)
	}
	return append(lines, prompts.WaitStay)
}

// mostGuesses is how many ticket numbers that nobody left may be keyed in a call.
// They are short, to be written down and keyed by old hands, so some could be
// guessed.
const mostGuesses = 2

// mayKeyTicket says whether the caller may key a ticket number: who shows no
// number, and has not guessed too often.
func (s *State) mayKeyTicket() bool { return s.Number == e164.Withheld && s.Guesses < mostGuesses }

// ticket takes the ticket number of who hung up in line and shows no number, and
// gives the place back. It is good for a place that is kept and nothing else: who
// guesses one hears nothing of whose it is, and takes it neither from somebody
// on the line nor from somebody who is promised to be rung.
func (h *Hotline) ticket(ctx context.Context, s *Session) (SceneName, error) {
	var found queue.Ticket
	_, err := s.digits(ctx, digitEntry{
		ask: prompts.AskTicket,
		max: queue.ShortLength,
		check: func(ctx context.Context, short string) (*prompts.Line, error) {
			var err error
			found, err = try(ctx, s, func(ctx context.Context) (queue.Ticket, error) { return h.Queue.FindShort(ctx, short) })
			own := s.Place != nil && s.Place.Ticket == found.ID
			kept := err == nil && (own || found.State == queue.StateLeft && !found.Promised)
			if kept || err != nil && !errors.Is(err, queue.ErrNoTicket) {
				return nil, err
			}
			s.Guesses++
			s.keep()
			if !s.mayKeyTicket() {
				return nil, toPerson{queue.Errors}
			}
			return &prompts.TicketUnknown, nil
		},
	})
	if err != nil {
		return "", err
	}
	if s.Place != nil && s.Place.Ticket != found.ID {
		_, err := askOnce(ctx, s, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, h.Queue.Close(ctx, s.Place.Ticket, queue.EndRemoved)
		})
		if err != nil {
			s.logger.Warn("close a ticket for an older one", "err", err)
		}
	}
	s.placed(found)
	s.Place.Told = h.toldBefore(ctx, s, found)
	s.Place.State = queue.StateLeft // it is to be joined
	s.Reason = cmp.Or(s.Reason, queue.Asked)
	return sceneJoin, s.Say(ctx, prompts.TicketFound)
}
