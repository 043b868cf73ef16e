package queuetest

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/queue"
)

func testReachedSelf(t *testing.T, s *setting) {
	ctx := t.Context()
	ticket := s.due(t, number, queue.WishSelf)
	s.anna(t)
	s.noMatch(t, "for who goes on alone")
	attempt := s.ring(t, ticket)
	if attempt.Ticket.ID != ticket.ID || !attempt.Until.Equal(s.clock.Add(s.rules.Lease)) || attempt.Turn != (queue.Turn{}) || attempt.Node == "" {
		t.Errorf("the attempt is %+v", attempt)
	}
	s.wantState(t, "being rung", ticket.ID, queue.StateRinging)
	_, err := s.Attempt(t, ticket.ID)
	wantErr(t, "a second attempt at once", err, queue.ErrNoneDue)
	if got, err := s.Rung(ctx, attempt.ID); err != nil || got.Ticket.ID != ticket.ID || !got.Until.Equal(attempt.Until) || got.Node != attempt.Node {
		t.Errorf("rung for %+v, %v", got, err)
	}
	got := s.resolve(t, attempt.ID, queue.FateReached)
	if got.State != queue.StateTalking || got.CallID != attempt.ID || got.Node != attempt.Node || got.Tries != 1 || got.Promised || got.Scene != ticket.Scene {
		t.Errorf("reached: %+v", got)
	}
	// In the dialogue, a person is asked for after all.
	a := s.arrival(number)
	a.CallID, a.Ticket = attempt.ID, ticket.ID
	joined := s.joined(t, a)
	if joined.ID != ticket.ID || joined.State != queue.StateWaiting || !joined.RangAt.Equal(ticket.RangAt) {
		t.Errorf("in line, from the call out: %+v", joined)
	}
	// The promise was kept: who hangs up now is not rung.
	wantNil(t, "leave", s.Leave(ctx, ticket.ID, attempt.ID))
	s.wantState(t, "hung up after being reached", ticket.ID, queue.StateLeft)
}

func testReachedPerson(t *testing.T, s *setting) {
	ctx := t.Context()
	s.anna(t)
	ticket := s.due(t, number, queue.WishPerson)
	turn := s.match(t, ticket, "anna")
	_, err := s.Turn(ctx, ticket.ID)
	wantErr(t, "turn before the person is reached", err, queue.ErrNotYet)
	wantErr(t, "joined before the person is reached", s.Joined(ctx, turn), queue.ErrNotYet)
	attempt := s.ring(t, ticket)
	if attempt.Turn != turn {
		t.Errorf("the attempt is for %+v, want %+v", attempt.Turn, turn)
	}
	s.pass(t, s.rules.Reserve-time.Second)
	got := s.resolve(t, attempt.ID, queue.FateReached)
	if got.State != queue.StateWaiting || got.Agent != "anna" || got.CallID != attempt.ID || got.Tries != 1 {
		t.Errorf("reached: %+v", got)
	}
	if again, err := s.Turn(ctx, ticket.ID); err != nil || again != turn {
		t.Errorf("the turn is %+v, %v; want %+v", again, err, turn)
	}
	s.pass(t, s.rules.AgentRing) // her telephone rings
	wantNil(t, "joined", s.Joined(ctx, turn))
	wantNil(t, "talked", s.Talked(ctx, turn))
	s.wantState(t, "talked", ticket.ID, queue.StateClosed)
}

func testNotReached(t *testing.T, s *setting) {
	s.anna(t)
	for _, f := range []queue.Fate{queue.FateDeclined, queue.FateNoAnswer, queue.FateBusy, queue.FateFailed, queue.FateStopped, queue.FateUnknown} {
		ticket := s.due(t, number, queue.WishPerson)
		s.match(t, ticket, "anna")
		attempt := s.ring(t, ticket)
		got := s.resolve(t, attempt.ID, f)
		if got.State != queue.StatePromised || got.Tries != 1 || got.Agent != "" || !got.DueAt.Equal(s.clock.Add(s.rules.Retries[0])) ||
			!got.RangAt.Equal(ticket.RangAt) || !got.Promised {
			t.Errorf("%s: %+v", f, got)
		}
		s.wantAgent(t, string(f), "anna", queue.AgentReady)
		if again := s.resolve(t, attempt.ID, queue.FateReached); again.State != queue.StatePromised || again.Tries != 1 {
			t.Errorf("%s, and then reached: %+v", f, again)
		}
		wantNil(t, "close", s.Close(t.Context(), ticket.ID, queue.EndRemoved))
	}
}

func testRetries(t *testing.T, s *setting) {
	ticket := s.due(t, number, queue.WishSelf)
	began := s.clock
	for i, wait := range s.rules.Retries {
		s.pass(t, 20*time.Second)
		got := s.resolve(t, s.ring(t, ticket).ID, queue.FateNoAnswer)
		if got.Tries != i+1 || !got.DueAt.Equal(s.clock.Add(wait)) {
			t.Errorf("after attempt %d: tried %d times, next at %v, want in %v", i+1, got.Tries, got.DueAt.Sub(s.clock), wait)
		}
		s.pass(t, wait-time.Second)
		s.wantState(t, "not yet again", ticket.ID, queue.StatePromised)
		s.pass(t, time.Second)
		s.wantState(t, "again", ticket.ID, queue.StateDue)
	}
	got := s.resolve(t, s.ring(t, ticket).ID, queue.FateBusy)
	if want := began.Add(24*time.Hour + 20*time.Second); !got.DueAt.Equal(want) {
		t.Errorf("next day at %v, want %v: the hour of the first attempt", got.DueAt, want)
	}
	s.pass(t, got.DueAt.Sub(s.clock))
	got = s.resolve(t, s.ring(t, ticket).ID, queue.FateNoAnswer)
	if got.State != queue.StateClosed || got.End != queue.EndUnreached || got.Tries != 5 {
		t.Errorf("after the last attempt: %+v", got)
	}
}

func testUnmade(t *testing.T, s *setting) {
	s.anna(t)
	ticket := s.due(t, number, queue.WishPerson)
	s.match(t, ticket, "anna")
	attempt := s.ring(t, ticket)
	got := s.resolve(t, attempt.ID, queue.FateUnmade)
	if got.State != queue.StateDue || got.Tries != 0 || got.Agent != "" {
		t.Errorf("never dialled: %+v", got)
	}
	s.wantAgent(t, "not needed", "anna", queue.AgentReady)
	s.match(t, ticket, "anna")
	got = s.resolve(t, s.ring(t, ticket).ID, queue.FateNoAnswer)
	if got.Tries != 1 || !got.DueAt.Equal(s.clock.Add(s.rules.Retries[0])) {
		t.Errorf("the first that was made: %+v", got)
	}
}

func testFirstAnswer(t *testing.T, s *setting) {
	ticket := s.due(t, number, queue.WishSelf)
	attempt := s.ring(t, ticket)
	s.resolve(t, attempt.ID, queue.FateReached)
	for _, f := range queue.Fates {
		if got := s.resolve(t, attempt.ID, f); got.State != queue.StateTalking || got.Tries != 1 {
			t.Errorf("reached, and then %s: %+v", f, got)
		}
	}
	s.pass(t, s.rules.Lease)
	s.wantState(t, "after the lease", ticket.ID, queue.StateTalking)
}

func testRingIn(t *testing.T, s *setting) {
	s.anna(t)
	for _, f := range queue.Fates {
		ticket := s.due(t, number, queue.WishPerson)
		s.match(t, ticket, "anna")
		attempt := s.ring(t, ticket)
		a := s.arrival(number)
		a.Ticket = ticket.ID
		if got := s.joined(t, a); got.State != queue.StateWaiting || got.Agent != "" || !got.RangAt.Equal(ticket.RangAt) {
			t.Errorf("rang in while being rung: %+v", got)
		}
		// Whatever becomes of the attempt, it is stopped.
		got := s.resolve(t, attempt.ID, f)
		if got.ID != ticket.ID || got.State != queue.StateWaiting || got.CallID != a.CallID {
			t.Errorf("stopped, and then %s: %+v", f, got)
		}
		wantNil(t, "close", s.Close(t.Context(), ticket.ID, queue.EndSelf))
	}
}

func testCloseRung(t *testing.T, s *setting) {
	ticket := s.due(t, number, queue.WishSelf)
	attempt := s.ring(t, ticket)
	wantNil(t, "close", s.Close(t.Context(), ticket.ID, queue.EndRemoved))
	got := s.resolve(t, attempt.ID, queue.FateReached)
	if got.State != queue.StateClosed || got.End != queue.EndRemoved {
		t.Errorf("closed, and then reached: %+v", got)
	}
	if rung, err := s.Rung(t.Context(), attempt.ID); err != nil || rung.Ticket.State != queue.StateClosed {
		t.Errorf("who picks up is told of %+v, %v", rung, err)
	}
}

func testLease(t *testing.T, s *setting) {
	ticket := s.due(t, number, queue.WishSelf)
	attempt := s.ring(t, ticket)
	s.pass(t, s.rules.Lease-time.Second)
	s.wantState(t, "under its lease", ticket.ID, queue.StateRinging)
	s.pass(t, time.Second)
	got := s.wantState(t, "of unknown fate", ticket.ID, queue.StatePromised)
	if got.Tries != 1 || !got.DueAt.After(s.clock) {
		t.Errorf("an attempt of unknown fate counts as made: %+v", got)
	}
	if late := s.resolve(t, attempt.ID, queue.FateUnmade); late.State != queue.StatePromised || late.Tries != 1 {
		t.Errorf("told after the lease: %+v", late)
	}
}

func testNoAttempt(t *testing.T, s *setting) {
	_, err := s.Rung(t.Context(), uuid.New())
	wantErr(t, "rung by nobody", err, queue.ErrNoTicket)
	_, err = s.Resolve(t.Context(), uuid.New(), queue.FateReached)
	wantErr(t, "resolve nothing", err, queue.ErrNoTicket)
	ticket := s.join(t, number)
	_, err = s.Attempt(t, ticket.ID)
	wantErr(t, "ring who holds the line", err, queue.ErrNoneDue)
}
