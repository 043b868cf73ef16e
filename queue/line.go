package queue

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"ringback/e164"
)

// Less says whether ticket a goes before ticket b: first the greater priority,
// then who rang first, then the ID, so that the order is the same everywhere.
func Less(a, b Ticket) bool { return Compare(a, b) < 0 }

// Compare is Less for package slices.
func Compare(a, b Ticket) int {
	return cmp.Or(
		cmp.Compare(b.Priority, a.Priority),
		a.RangAt.Compare(b.RangAt),
		bytes.Compare(a.ID[:], b.ID[:]),
	)
}

// Open says that the ticket is not closed.
func (t Ticket) Open() bool { return t.State != StateClosed }

// InLine says that the ticket is to be served in its turn.
func (s State) InLine() bool { return s == StateWaiting || s == StateDue }

// Ahead says that ticket a is served before b by the same agents, or by the
// same lines: it counts in the number of people before b. One that is being
// rung, or has an agent bound to it, counts until the two talk, so that the
// number never grows when an agent does not answer.
func Ahead(a, b Ticket) bool {
	return (a.State.InLine() || a.State == StateRinging) &&
		a.Wish == b.Wish && a.Language == b.Language && Less(a, b)
}

// Serves says whether the agent has the language and the skill for the ticket.
func (a Agent) Serves(t Ticket) bool {
	return slices.Contains(a.Languages, t.Language) && slices.Contains(a.Topics, t.Topic)
}

// SignedIn says whether the agent is at work: busy, or away only for a while.
func (a Agent) SignedIn() bool { return a.State != AgentAway || !a.Until.IsZero() }

// CanBeRung says whether the ticket is to be rung now: its hour, or the time of
// the next attempt, has come, and there is a number to ring.
func (t Ticket) CanBeRung(now time.Time) bool {
	return t.State == StateDue && t.Number != e164.Withheld && !t.DueAt.After(now)
}

// Eligible says whether the ticket may be bound to the agent now: the person
// holds the line or can be rung, wishes to talk with an agent, has none yet, and
// this one serves such tickets. Whether the agent is free is FreeFor's to say.
func Eligible(t Ticket, a Agent, now time.Time) bool {
	return t.Wish == WishPerson && t.Agent == "" && a.Serves(t) &&
		(t.State == StateWaiting || t.CanBeRung(now))
}

// FreeFor says whether the agent can be bound to the ticket now: ready, or for
// one that is rung first, wrapping up and ready within Rules.Ahead.
func (r Rules) FreeFor(a Agent, t Ticket, now time.Time) bool {
	return a.State == AgentReady ||
		a.State == AgentWrapUp && t.State == StateDue && !a.Until.After(now.Add(r.Ahead))
}

// leash is how much longer than an agent's telephone rings the agent stays bound
// to a caller in line: until the call's controller has seen it.
const leash = 10 * time.Second

// ReservedUntil is when an agent bound to the ticket now is free again by
// itself, whatever became of the ticket: one who is still wrapping up begins to
// idle when that ends.
func (r Rules) ReservedUntil(a Agent, t Ticket, now time.Time) time.Time {
	if t.State == StateWaiting {
		return now.Add(r.AgentRing + leash)
	}
	if a.State == AgentWrapUp && a.Until.After(now) {
		now = a.Until
	}
	return now.Add(r.Reserve)
}
