package memory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/queue"
)

// of finds the ticket an arrival is about: the one it names, the one its call
// opened, or the one its call is on the line for. Nil: it has none.
func (s *Store) of(a queue.Arrival) (*ticket, error) {
	t := s.tickets[a.CallID]
	if a.Ticket != uuid.Nil {
		if t = s.tickets[a.Ticket]; t == nil {
			return nil, queue.ErrNoTicket
		}
	}
	if t == nil {
		if other := s.index.calls[a.CallID]; other != nil && other.CallID == a.CallID && other.Open() {
			t = other
		}
	}
	if t != nil && !t.Open() {
		return nil, queue.ErrOver
	}
	return t, nil
}

// tooMany says whether a ticket, or a new one, cannot be of this number too.
func (s *Store) tooMany(n e164.Number, t *ticket) bool {
	others := 0
	for _, other := range s.open(n) {
		if other != t {
			others++
		}
	}
	return others >= queue.MaxPerNumber
}

// enter opens a ticket.
func (s *Store) enter(a queue.Arrival) *ticket {
	t := &ticket{Ticket: queue.Ticket{
		ID: a.CallID, RangAt: a.At, Priority: s.rules.Priority[a.Topic],
	}}
	if a.Number == e164.Withheld {
		t.Short = s.short()
	}
	s.number(t, a.Number)
	s.hold(t, queue.Window{})
	s.tickets[t.ID] = t
	return t
}

// update takes over what the arrival says. The place stays, or gets better by a
// topic that goes first.
func (s *Store) update(t *ticket, a queue.Arrival) {
	s.called(t, a.CallID)
	t.Node, t.Keyless = a.Node, a.Keyless
	if a.Topic != "" {
		t.Topic = a.Topic
		t.Priority = max(t.Priority, s.rules.Priority[a.Topic])
	}
	if a.Language != "" {
		t.Language = a.Language
	}
	if a.Wish != "" {
		t.Wish = a.Wish
	}
	if a.Reason != "" {
		t.Reason = a.Reason
	}
	if a.Scene != "" {
		t.Scene = a.Scene
	}
	if a.Known != nil {
		t.Known = a.Known
	}
	if a.Spoken != nil {
		t.spoken = a.Spoken
	}
}

// returned is the ticket as the call sees it.
func (t *ticket) returned(a queue.Arrival) queue.Ticket {
	r := t.Ticket
	r.Resumed = t.ID != a.CallID
	return r
}

// Join implements queue.Store.
func (s *Store) Join(_ context.Context, a queue.Arrival) (queue.Ticket, error) {
	defer s.lock()()
	t, err := s.of(a)
	if err != nil {
		return queue.Ticket{}, err
	}
	if t == nil {
		if s.tooMany(a.Number, nil) {
			return queue.Ticket{}, queue.ErrTooMany
		}
		t = s.enter(a)
	}
	// Asked again by the call that is on the line, after a crash too, it keeps
	// its agent.
	if again := t.CallID == a.CallID && (t.State == queue.StateWaiting || t.Agent != ""); !again {
		s.stop(t)
		s.unbind(t)
		s.move(t, queue.StateWaiting)
		t.DueAt = time.Time{}
	}
	s.update(t, a)
	if t.Number == e164.Withheld && !s.tooMany(a.Number, t) {
		s.number(t, a.Number)
	}
	return t.returned(a), nil
}

// Promise implements queue.Store.
func (s *Store) Promise(_ context.Context, a queue.Arrival, w queue.Window) (queue.Ticket, error) {
	defer s.lock()()
	t, err := s.of(a)
	if err != nil {
		return queue.Ticket{}, err
	}
	if t == nil {
		if t = s.kept(a.Number); t != nil && t.State != queue.StateLeft {
			return t.returned(a), nil
		}
	}
	if err := s.mayPromise(t, a, w); err != nil {
		return queue.Ticket{}, err
	}
	if t == nil {
		t = s.enter(a)
	}
	again := s.promised(t, a, w)
	s.update(t, a)
	if a.Number != e164.Withheld {
		s.number(t, a.Number)
	}
	if !again {
		s.stop(t)
		s.unbind(t)
		s.hold(t, w)
		s.promise(t)
	}
	return t.returned(a), nil
}

// promised says whether the call asks for what it was promised already. The
// answer may have been lost, and the person be rung by now: that goes on.
func (s *Store) promised(t *ticket, a queue.Arrival, w queue.Window) bool {
	switch t.State {
	case queue.StatePromised, queue.StateDue, queue.StateRinging:
	default:
		return false
	}
	return t.CallID == a.CallID && t.Promised && t.Window.Equal(w) &&
		(a.Number == e164.Withheld || a.Number == t.Number)
}

// kept is the first ticket of the number that waits to be rung, or whose place
// is kept.
func (s *Store) kept(n e164.Number) *ticket {
	for _, t := range s.open(n) {
		switch t.State {
		case queue.StateLeft, queue.StatePromised, queue.StateDue, queue.StateRinging:
			return t
		}
	}
	return nil
}

func (s *Store) mayPromise(t *ticket, a queue.Arrival, w queue.Window) error {
	if a.Number != e164.Withheld {
		if err := s.mayRing(a.Number); err != nil {
			return err
		}
		if s.tooMany(a.Number, t) {
			return queue.ErrTooMany
		}
	}
	if w.IsZero() || a.Kept || t != nil && t.Window.Equal(w) {
		return nil
	}
	if !s.isWindow(w) || s.taken(w) >= s.rules.Room() {
		return queue.ErrWindowFull
	}
	return nil
}

func (s *Store) mayRing(n e164.Number) error {
	if s.forbidden[n] {
		return queue.ErrForbidden
	}
	return s.rules.MayRing(n)
}

// promise lets the ticket be rung in its window, or as soon as it may be.
func (s *Store) promise(t *ticket) {
	t.Promised = true
	at := s.now()
	if t.Window.From.After(at) {
		at = t.Window.From
	}
	s.ringAt(t, s.rules.Ringing.Next(at))
}

// ringAt lets the ticket be rung from that moment.
func (s *Store) ringAt(t *ticket, at time.Time) {
	t.DueAt = at
	s.comes(at)
	if at.After(s.now()) {
		s.move(t, queue.StatePromised)
	} else {
		s.move(t, queue.StateDue)
	}
}

// Leave implements queue.Store.
func (s *Store) Leave(_ context.Context, id, call uuid.UUID) error {
	defer s.lock()()
	t := s.tickets[id]
	switch {
	case t == nil:
		return queue.ErrNoTicket
	case t.CallID != call || t.State != queue.StateWaiting:
		return nil
	}
	s.unbind(t)
	if t.Promised || t.Keyless && s.mayRing(t.Number) == nil {
		s.promise(t)
		return nil
	}
	t.leftAt = s.now()
	s.comes(t.leftAt.Add(s.rules.KeepPlace))
	s.move(t, queue.StateLeft)
	return nil
}

// Close implements queue.Store.
func (s *Store) Close(_ context.Context, id uuid.UUID, e queue.End) error {
	defer s.lock()()
	t := s.tickets[id]
	if t == nil {
		return queue.ErrNoTicket
	}
	s.close(t, e)
	return nil
}

func (s *Store) close(t *ticket, e queue.End) {
	if !t.Open() {
		return
	}
	s.stop(t)
	s.unbind(t)
	s.move(t, queue.StateClosed)
	t.ClosedAt, t.End = s.now(), e
	s.index.rooms[t.Window.From.Unix()]--
	s.ring(t.ID)
}

func (s *Store) ring(id uuid.UUID) {
	if s.Bell != nil {
		s.Bell.Ring(id)
	}
}
