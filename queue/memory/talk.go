package memory

import (
	"context"
	"time"

	"github.com/google/uuid"

	"ringback/queue"
)

// turn is the ticket and the agent bound to it.
func (s *Store) turn(t *ticket) queue.Turn {
	return queue.Turn{Ticket: t.ID, Agent: t.Agent, Address: s.agents[t.Agent].Address, Leg: t.leg}
}

// bind binds an agent to a ticket.
func (s *Store) bind(t *ticket, a *agent) {
	a.wrapped = time.Time{}
	if a.State == queue.AgentWrapUp {
		a.wrapped = a.Until
	}
	until := s.rules.ReservedUntil(a.Agent, t.Ticket, s.now())
	s.turnTo(a, queue.AgentReserved, until)
	a.Ticket = t.ID
	t.Agent, t.leg = a.Name, uuid.New()
	s.ring(t.ID)
}

// part takes ticket and agent apart and returns the agent.
func (s *Store) part(t *ticket) *agent {
	a := s.agents[t.Agent]
	a.Ticket = uuid.Nil
	t.Agent, t.leg = "", uuid.Nil
	return a
}

// unbind lets the agent bound to the ticket, if any, be free: after a talk the
// agent wraps up.
func (s *Store) unbind(t *ticket) {
	if t.Agent == "" {
		return
	}
	switch a := s.part(t); {
	case a.State == queue.AgentTalking:
		s.turnTo(a, queue.AgentWrapUp, s.now().Add(s.rules.WrapUp))
	case a.wrapped.After(s.now()):
		s.turnTo(a, queue.AgentWrapUp, a.wrapped)
	default:
		s.turnTo(a, queue.AgentReady, time.Time{})
	}
}

// bound finds the ticket of a turn, while the two are bound.
func (s *Store) bound(turn queue.Turn) (*ticket, bool) {
	t := s.tickets[turn.Ticket]
	return t, t != nil && t.Agent != "" && t.Agent == turn.Agent && t.leg == turn.Leg
}

// Turn implements queue.Store.
func (s *Store) Turn(_ context.Context, id uuid.UUID) (queue.Turn, error) {
	defer s.lock()()
	t := s.tickets[id]
	switch {
	case t == nil:
		return queue.Turn{}, queue.ErrNoTicket
	case !t.Open():
		return queue.Turn{}, queue.ErrOver
	case t.Agent == "" || t.State != queue.StateWaiting && t.State != queue.StateTalking:
		return queue.Turn{}, queue.ErrNotYet
	}
	return s.turn(t), nil
}

// Joined implements queue.Store.
func (s *Store) Joined(_ context.Context, turn queue.Turn) error {
	defer s.lock()()
	t, bound := s.bound(turn)
	switch {
	case !bound || t.State != queue.StateWaiting && t.State != queue.StateTalking:
		return queue.ErrNotYet
	case t.State == queue.StateTalking:
		return nil
	}
	s.move(t, queue.StateTalking)
	s.turnTo(s.agents[t.Agent], queue.AgentTalking, time.Time{})
	return nil
}

// Missed implements queue.Store.
func (s *Store) Missed(_ context.Context, turn queue.Turn) error {
	defer s.lock()()
	if t, bound := s.bound(turn); bound {
		s.missed(t, s.now().Add(s.rules.Away))
	}
	return nil
}

// missed lets the agent bound to the ticket be away until then; the ticket
// waits for another.
func (s *Store) missed(t *ticket, until time.Time) {
	s.turnTo(s.part(t), queue.AgentAway, until)
	if t.State == queue.StateTalking {
		s.move(t, queue.StateWaiting)
	}
}

// Talked implements queue.Store.
func (s *Store) Talked(_ context.Context, turn queue.Turn) error {
	defer s.lock()()
	t, bound := s.bound(turn)
	if !bound {
		return nil
	}
	s.turnTo(s.part(t), queue.AgentWrapUp, s.now().Add(s.rules.WrapUp))
	s.close(t, queue.EndServed)
	return nil
}
