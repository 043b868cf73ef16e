package ivr

import (
	"context"
	"errors"

	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
)

// person leads to one: into the line, back to the place the number has there, or
// to the promise of a callback.
func (h *Hotline) person(ctx context.Context, s *Session) (SceneName, error) {
	if line := s.introduction(); line != nil {
		if err := s.SayWhole(ctx, *line); err != nil {
			return "", err
		}
	}
	switch {
	case s.Brief || !holds(s.Reason):
		return sceneCallback, nil
	case s.Place != nil || s.Another || s.Number == e164.Withheld:
		return sceneJoin, nil
	}
	if _, found, err := h.placeBefore(ctx, s); err != nil || found {
		return sceneAgain, err
	}
	return sceneJoin, nil
}

// holds says whether who is to speak with a person for that reason can hold the
// line for one. The others are told that they will be rung.
func holds(r queue.Reason) bool {
	switch r {
	case queue.Full, queue.Trouble, queue.TooLong, queue.Overheard, queue.Busy:
		return false
	}
	return true
}

// introduction says why a person comes in, where the caller did not ask.
func (s *Session) introduction() *prompts.Line {
	switch s.Reason {
	case queue.Errors, queue.Overheard:
		return &prompts.ToPerson
	case queue.Trouble:
		return &prompts.TroubleSorry
	case queue.TooLong:
		if s.waits() {
			return &prompts.WaitTooLong
		}
		return &prompts.TroubleLong
	}
	return nil
}

// placeBefore finds the ticket the number has from another call. One whose
// caller talks just now is somebody else's.
func (h *Hotline) placeBefore(ctx context.Context, s *Session) (queue.Ticket, bool, error) {
	tickets, err := askOnce(ctx, s, func(ctx context.Context) ([]queue.Ticket, error) {
		return h.Queue.Find(ctx, s.Number)
	})
	if ending(ctx, err) {
		return queue.Ticket{}, false, err
	}
	for _, t := range tickets { // none where the line could not be asked
		if t.State != queue.StateTalking && t.CallID != s.placeID() {
			return t, true, nil
		}
	}
	return queue.Ticket{}, false, nil
}

// again tells a caller whose number is in line already how it stands. They leave
// it so, hold the line with the same place, or want another one for somebody
// else. Silence holds the line.
func (h *Hotline) again(ctx context.Context, s *Session) (SceneName, error) {
	t, found, err := h.placeBefore(ctx, s)
	if err != nil || !found {
		return sceneJoin, err
	}
	st, err := askOnce(ctx, s, func(ctx context.Context) (queue.Standing, error) { return h.Queue.Standing(ctx, t.ID) })
	if ending(ctx, err) {
		return "", err
	}
	hold, rung := err == nil && st.Agents > 0 && h.serving(s.now()), t.Promised
	if err != nil || !rung && !hold { // nothing can be said of it but that it is kept
		s.placed(t)
		return sceneJoin, nil
	}
	told := h.toldBefore(ctx, s, t)
	q := question{keys: "123", silence: silenceAnswers}
	if told.Once && int(prompts.People(st.Ahead).Rounded()) > told.Ahead && t.Window.IsZero() {
		q.lines = append(q.lines, prompts.PlaceWorse)
	}
	switch {
	case !rung:
		q.lines = append(q.lines, prompts.AgainKept(st.Ahead), prompts.AgainKeptMenu)
	case t.State == queue.StatePromised && !t.Window.IsZero():
		q.lines = append(q.lines, prompts.AgainHour(h.window(t.Window)), prompts.AgainMenu)
	default:
		q.lines = append(q.lines, prompts.AgainPlace(st.Ahead), prompts.AgainMenu)
	}
	if !hold {
		q.keys, q.lines[len(q.lines)-1] = "13", prompts.AgainNoHold
	}
	k, err := s.ask(ctx, q)
	var p toPerson
	switch {
	case errors.As(err, &p): // who wants a person holds the line
		s.handOver(p.reason)
		k = '2'
	case errors.Is(err, ErrSilence) && hold:
		k = '2'
	case errors.Is(err, ErrSilence):
		k = '1'
	case err != nil:
		return "", err
	}
	switch {
	case k == '3':
		s.Another = true
		return sceneJoin, nil
	case k == '1' && rung:
		s.won(CalledBack)
		return sceneBye, nil
	}
	s.placed(t)
	s.Place.Told = told
	s.Place.State = queue.StateLeft // it is to be joined
	if k == '1' {
		return sceneCallback, nil
	}
	return sceneJoin, nil
}

// toldBefore is what the last call of a ticket was told of its place.
func (h *Hotline) toldBefore(ctx context.Context, s *Session, t queue.Ticket) Told {
	left, err := askOnce(ctx, s, func(ctx context.Context) (Left, error) { return h.Ledger.Left(ctx, t.CallID) })
	if err != nil {
		return Told{} // not worth a word
	}
	before, ok := decode(left.State)
	if !ok || before.Place == nil || before.Place.Ticket != t.ID {
		return Told{}
	}
	return before.Place.Told
}

// join puts the caller into the line, where somebody is there to serve it. Else
// they are promised a callback: nobody waits for nobody.
func (h *Hotline) join(ctx context.Context, s *Session) (SceneName, error) {
	open := h.serving(s.now())
	if open || s.Another { // who wants a place of their own needs a ticket of their own
		err := h.enterLine(ctx, s)
		switch {
		case ending(ctx, err):
			return "", err
		case err != nil:
			if !queue.Refused(err) {
				s.logger.Warn("join the line", "err", err)
			}
			return sceneCallback, nil
		}
	}
	if !open {
		return sceneCallback, s.SayWhole(ctx, h.closedLine(s))
	}
	st, err := askOnce(ctx, s, func(ctx context.Context) (queue.Standing, error) {
		return h.Queue.Standing(ctx, s.Place.Ticket)
	})
	switch {
	case ending(ctx, err):
		return "", err
	case err == nil && st.Agents == 0:
		return sceneCallback, nil
	case err == nil && h.tooLate(s, st):
		s.Later = true
		return sceneCallback, s.SayWhole(ctx, prompts.Closing)
	}
	return sceneWait, nil
}

// tooLate says whether the hours end before it is the caller's turn.
func (h *Hotline) tooLate(s *Session, st queue.Standing) bool {
	closes := h.Rules.Hours.Closes(s.now())
	return !closes.IsZero() && s.now().Add(st.Low).After(closes)
}

// closedLine says that nobody is there, or will be for much longer.
func (h *Hotline) closedLine(s *Session) prompts.Line {
	if h.Rules.Hours.Open(s.now()) {
		return prompts.Closing
	}
	return prompts.Closed
}
