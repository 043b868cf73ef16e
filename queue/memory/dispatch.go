package memory

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
	"ringback/queue"
)

// sweep does what comes with time.
func (s *Store) sweep() queue.Swept {
	var done queue.Swept
	now := s.now()
	if s.soonest.IsZero() || s.soonest.After(now) {
		return done
	}
	s.soonest = time.Time{}
	over := func(at time.Time) bool {
		if at.After(now) {
			s.comes(at)
		}
		return !at.IsZero() && !at.After(now)
	}
	for _, a := range s.attempts {
		if a.fate == "" && over(a.Until) {
			s.resolve(a, queue.FateUnknown)
			done.Unknown++
		}
	}
	for _, a := range s.agents {
		if !over(a.Until) {
			continue
		}
		done.Freed++
		if a.State == queue.AgentReserved {
			s.unbind(s.tickets[a.Ticket])
		} else {
			s.turnTo(a, queue.AgentReady, time.Time{})
		}
	}
	for _, t := range s.tickets {
		switch {
		case t.State == queue.StatePromised && over(t.DueAt):
			s.move(t, queue.StateDue)
			done.Due++
		case t.State == queue.StateLeft && over(t.leftAt.Add(s.rules.KeepPlace)):
			s.close(t, queue.EndAbandoned)
			done.Expired++
		}
	}
	return done
}

// comes notes that time changes something at that moment, so that sweep looks at
// a long line only when there is something to do.
func (s *Store) comes(at time.Time) {
	if !at.IsZero() && (s.soonest.IsZero() || at.Before(s.soonest)) {
		s.soonest = at
	}
}

// Match binds the first ticket in line for which an eligible agent is free to
// the one who is ready for the longest, as the dispatcher does.
func (s *Store) Match() (queue.Turn, bool) {
	defer s.lock()()
	var agents []*agent
	for _, a := range s.agents {
		if a.State == queue.AgentReady || a.State == queue.AgentWrapUp {
			agents = append(agents, a)
		}
	}
	if len(agents) == 0 {
		return queue.Turn{}, false
	}
	slices.SortFunc(agents, func(a, b *agent) int {
		return cmp.Or(
			cmp.Compare(a.State, b.State), // "ready" before "wrap_up"
			a.Since.Compare(b.Since), cmp.Compare(a.Name, b.Name),
		)
	})
	for _, t := range s.inLine(func(t *ticket) bool { return t.Agent == "" }) {
		for _, a := range agents {
			if queue.Eligible(t.Ticket, a.Agent, s.now()) && s.rules.FreeFor(a.Agent, t.Ticket, s.now()) {
				s.bind(t, a)
				return s.turn(t), true
			}
		}
	}
	return queue.Turn{}, false
}

// SignIn adds an agent, or lets one who is away come back: ready, with these
// skills and this address.
func (s *Store) SignIn(a queue.Agent) {
	defer s.lock()()
	known := s.agents[a.Name]
	if known == nil {
		known = &agent{}
		s.agents[a.Name] = known
	}
	known.Name, known.Address, known.Languages, known.Topics = a.Name, a.Address, a.Languages, a.Topics
	if known.State == "" || known.State == queue.AgentAway {
		s.turnTo(known, queue.AgentReady, time.Time{})
	}
}

// SignOut lets an agent be away, until SignIn. A caller in talk with the agent is
// in line again.
func (s *Store) SignOut(name string) {
	defer s.lock()()
	a := s.agents[name]
	switch {
	case a == nil:
	case a.Ticket != uuid.Nil:
		s.missed(s.tickets[a.Ticket], time.Time{})
	default:
		s.turnTo(a, queue.AgentAway, time.Time{})
	}
}

// Agent returns an agent as he or she is now; the zero Agent for an unknown name.
func (s *Store) Agent(name string) queue.Agent {
	defer s.lock()()
	if a := s.agents[name]; a != nil {
		return a.Agent
	}
	return queue.Agent{}
}

// Due lets a promised ticket's hour come at once.
func (s *Store) Due(id uuid.UUID) {
	defer s.lock()()
	if t := s.tickets[id]; t != nil && t.State == queue.StatePromised {
		s.ringAt(t, s.now())
	}
}

// Ticket returns a ticket as it is now, closed ones too; the zero Ticket for an
// unknown ID.
func (s *Store) Ticket(id uuid.UUID) queue.Ticket {
	defer s.lock()()
	if t := s.tickets[id]; t != nil {
		return t.Ticket
	}
	return queue.Ticket{}
}

// Tickets returns all tickets in the order of the line, closed ones too.
func (s *Store) Tickets() []queue.Ticket {
	defer s.lock()()
	return plain(s.byPlace(func(*ticket) bool { return true }))
}

// InLine returns the tickets that are to be served in their turn, and pass, in
// the order of the line.
func (s *Store) InLine(pass func(queue.Ticket) bool) []queue.Ticket {
	defer s.lock()()
	return plain(s.inLine(func(t *ticket) bool { return pass(t.Ticket) }))
}

// Spoken returns what was spoken for a ticket, if anything was.
func (s *Store) Spoken(id uuid.UUID) (booking.Recording, bool) {
	defer s.lock()()
	if t := s.tickets[id]; t != nil && t.spoken != nil {
		return *t.spoken, true
	}
	return booking.Recording{}, false
}

// SetWait says what Standing tells as the expected wait; both zero: unknown.
func (s *Store) SetWait(low, high time.Duration) {
	defer s.lock()()
	s.low, s.high = low, high
}

// Give lets these hours be promised, the earliest first, and no others.
func (s *Store) Give(windows ...queue.Window) {
	defer s.lock()()
	s.given = append([]queue.Window{}, windows...)
}

// Fill leaves no room in an hour.
func (s *Store) Fill(w queue.Window) {
	defer s.lock()()
	s.full[w.From.Unix()] = true
}

// Forbid says that a number asked not to be rung.
func (s *Store) Forbid(n e164.Number) {
	defer s.lock()()
	s.forbidden[n] = true
}
