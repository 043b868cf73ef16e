package memory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"ringback/queue"
)

// Attempt begins an attempt to ring a ticket that is due, as the dispatcher
// does: ErrNoTicket, ErrNoneDue.
func (s *Store) Attempt(id uuid.UUID) (queue.Attempt, error) {
	defer s.lock()()
	t := s.tickets[id]
	switch {
	case t == nil:
		return queue.Attempt{}, queue.ErrNoTicket
	case !t.CanBeRung(s.now()):
		return queue.Attempt{}, queue.ErrNoneDue
	}
	s.move(t, queue.StateRinging)
	a := &attempt{Attempt: queue.Attempt{ID: uuid.New(), Node: s.Node, Until: s.now().Add(s.rules.Lease)}}
	a.Ticket.ID = t.ID
	s.comes(a.Until)
	s.attempts[a.ID] = a
	t.attempt = a
	if t.firstAt.IsZero() {
		t.firstAt = s.now()
	}
	return s.current(a), nil
}

// current is the attempt with ticket and agent as they are now.
func (s *Store) current(a *attempt) queue.Attempt {
	now := a.Attempt
	t := s.tickets[a.Ticket.ID]
	now.Ticket = t.Ticket
	if t.Agent != "" {
		now.Turn = s.turn(t)
	}
	return now
}

// Rung implements queue.Store.
func (s *Store) Rung(_ context.Context, id uuid.UUID) (queue.Attempt, error) {
	defer s.lock()()
	a := s.attempts[id]
	if a == nil {
		return queue.Attempt{}, queue.ErrNoTicket
	}
	return s.current(a), nil
}

// Resolve implements queue.Store.
func (s *Store) Resolve(_ context.Context, id uuid.UUID, f queue.Fate) (queue.Ticket, error) {
	defer s.lock()()
	a := s.attempts[id]
	if a == nil {
		return queue.Ticket{}, queue.ErrNoTicket
	}
	if a.fate == "" {
		s.resolve(a, f)
	}
	return s.tickets[a.Ticket.ID].Ticket, nil
}

// resolve ends an attempt that is under way.
func (s *Store) resolve(a *attempt, f queue.Fate) {
	t := s.tickets[a.Ticket.ID]
	a.fate, t.attempt = f, nil
	if f != queue.FateUnmade {
		t.Tries++
	}
	switch f {
	case queue.FateReached:
		s.reached(t, a)
	case queue.FateUnmade:
		s.unbind(t)
		s.move(t, queue.StateDue)
	default:
		s.unbind(t)
		at, more := s.rules.Again(t.Ticket, t.firstAt, s.now())
		if !more {
			s.close(t, queue.EndUnreached)
			return
		}
		s.ringAt(t, at)
	}
}

func (s *Store) reached(t *ticket, a *attempt) {
	s.called(t, a.ID)
	t.Node = a.Node
	t.DueAt, t.Promised = time.Time{}, false
	if t.Wish == queue.WishSelf {
		s.move(t, queue.StateTalking)
		return
	}
	s.move(t, queue.StateWaiting)
	if t.Agent != "" { // whose telephone is rung now
		ag := s.agents[t.Agent]
		ag.Until = s.rules.ReservedUntil(ag.Agent, t.Ticket, s.now())
		s.comes(ag.Until)
	}
}

// stop ends the attempt under way, if any, because the ticket needs none now.
func (s *Store) stop(t *ticket) {
	if t.attempt != nil {
		t.attempt.fate, t.attempt = queue.FateStopped, nil
		t.Tries++
	}
}

// Fate is how an attempt ended; empty while it is under way.
func (s *Store) Fate(id uuid.UUID) queue.Fate {
	defer s.lock()()
	if a := s.attempts[id]; a != nil {
		return a.fate
	}
	return ""
}
