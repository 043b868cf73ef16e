package queuetest

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/prompts"
	"ringback/queue"
)

func testTurn(t *testing.T, s *setting) {
	ctx := t.Context()
	ticket := s.join(t, number)
	_, err := s.Turn(ctx, ticket.ID)
	wantErr(t, "without an agent", err, queue.ErrNotYet)
	_, err = s.Turn(ctx, uuid.New())
	wantErr(t, "turn of nothing", err, queue.ErrNoTicket)
	s.noMatch(t, "without an agent")

	s.anna(t)
	turn := s.match(t, ticket, "anna")
	if turn.Address != "anna" {
		t.Errorf("her telephone is %q", turn.Address)
	}
	if a := s.wantAgent(t, "bound", "anna", queue.AgentReserved); a.Ticket != ticket.ID || !a.Until.After(s.clock.Add(s.rules.AgentRing)) {
		t.Errorf("bound as %+v", a)
	}
	s.noMatch(t, "one agent for one caller")
	for range 2 {
		if got, err := s.Turn(ctx, ticket.ID); err != nil || got != turn {
			t.Errorf("turn %+v, %v; want %+v", got, err, turn)
		}
	}
	other := turn
	other.Leg = uuid.New()
	wantErr(t, "joined on another leg", s.Joined(ctx, other), queue.ErrNotYet)
	for range 2 {
		wantNil(t, "joined", s.Joined(ctx, turn))
	}
	s.wantState(t, "joined", ticket.ID, queue.StateTalking)
	s.wantAgent(t, "joined", "anna", queue.AgentTalking)
	if got, err := s.Turn(ctx, ticket.ID); err != nil || got != turn {
		t.Errorf("who talks with it: %+v, %v", got, err)
	}
	s.pass(t, time.Hour)
	s.wantAgent(t, "in talk for an hour", "anna", queue.AgentTalking)
	wantNil(t, "leave in talk", s.Leave(ctx, ticket.ID, ticket.CallID))
	s.wantState(t, "leave is for who is in line", ticket.ID, queue.StateTalking)

	for range 2 {
		wantNil(t, "talked", s.Talked(ctx, turn))
	}
	if got := s.wantState(t, "talked", ticket.ID, queue.StateClosed); got.End != queue.EndServed || got.Agent != "" {
		t.Errorf("talked: %+v", got)
	}
	s.wantAgent(t, "talked", "anna", queue.AgentWrapUp)
	next := s.join(t, another)
	s.noMatch(t, "while she wraps up")
	s.pass(t, s.rules.WrapUp)
	if a := s.wantAgent(t, "wrapped up", "anna", queue.AgentReady); a.Ticket != uuid.Nil {
		t.Errorf("she is still bound: %+v", a)
	}
	s.match(t, next, "anna")
}

func testOrder(t *testing.T, s *setting) {
	early := s.arrival(number)
	waits := s.joined(t, early)
	to := s.due(t, another, queue.WishPerson)
	late := s.arrival(third)
	late.Topic = queue.TopicAppointment // goes first, by the rules of this suite
	first := s.joined(t, late)
	if first.Priority != 1 || waits.Priority != 0 {
		t.Errorf("priorities %d and %d", first.Priority, waits.Priority)
	}
	if n := s.ahead(t, waits); n != 1 {
		t.Errorf("%d before who rang first", n)
	}
	for _, want := range []queue.Ticket{first, waits, to} {
		name := want.ID.String()[:8]
		s.SignIn(t, queue.Agent{Name: name, Address: name, Languages: []prompts.Language{prompts.German}, Topics: queue.Topics})
		s.match(t, want, name)
	}
	// A place does not get worse by a topic that goes last.
	again := s.arrival(third)
	again.Ticket, again.Topic = first.ID, queue.TopicOther
	if got := s.joined(t, again); got.Priority != 1 || got.Topic != queue.TopicOther {
		t.Errorf("about something else: %+v", got)
	}
}

func testSkills(t *testing.T, s *setting) {
	s.SignIn(t, queue.Agent{Name: "bob", Address: "bob", Languages: []prompts.Language{prompts.English}, Topics: []queue.Topic{queue.TopicOther}})
	german := s.arrival(number)
	german.Topic = queue.TopicOther
	s.joined(t, german)
	s.noMatch(t, "another language")
	english := s.arrival(another)
	english.Language = prompts.English
	s.joined(t, english)
	s.noMatch(t, "another topic")
	fits := s.arrival(third)
	fits.Language, fits.Topic = prompts.English, queue.TopicOther
	s.match(t, s.joined(t, fits), "bob") // past those he does not serve
}

func testMissed(t *testing.T, s *setting) {
	ctx := t.Context()
	s.anna(t)
	ticket := s.join(t, number)
	behind := s.join(t, another)
	turn := s.match(t, ticket, "anna")
	for range 2 {
		wantNil(t, "missed", s.Missed(ctx, turn))
	}
	if got := s.wantState(t, "missed", ticket.ID, queue.StateWaiting); got.Agent != "" {
		t.Errorf("still bound to %q", got.Agent)
	}
	s.wantAgent(t, "did not answer", "anna", queue.AgentAway)
	_, err := s.Turn(ctx, ticket.ID)
	wantErr(t, "turn after she did not answer", err, queue.ErrNotYet)
	wantErr(t, "joined after all", s.Joined(ctx, turn), queue.ErrNotYet)
	s.noMatch(t, "while she is away")
	if st, err := s.Standing(ctx, ticket.ID); err != nil || st.Agents != 1 {
		t.Errorf("away for a while is signed in: %+v, %v", st, err)
	}
	s.pass(t, s.rules.Away)
	s.wantAgent(t, "back", "anna", queue.AgentReady)
	again := s.match(t, ticket, "anna")
	if again.Leg == turn.Leg {
		t.Error("the leg has the id of the one before")
	}
	// What is told late of the first turn does not touch the second.
	wantNil(t, "missed late", s.Missed(ctx, turn))
	wantNil(t, "talked late", s.Talked(ctx, turn))
	s.wantAgent(t, "told late", "anna", queue.AgentReserved)
	s.wantState(t, "told late", ticket.ID, queue.StateWaiting)
	if n := s.ahead(t, behind); n != 1 {
		t.Errorf("%d before the second", n)
	}
}

func testLost(t *testing.T, s *setting) {
	ctx := t.Context()
	s.anna(t)
	ticket := s.join(t, number)
	s.join(t, another)
	turn := s.match(t, ticket, "anna")
	wantNil(t, "joined", s.Joined(ctx, turn))
	wantNil(t, "missed", s.Missed(ctx, turn))
	s.wantState(t, "the agent is lost", ticket.ID, queue.StateWaiting)
	s.wantAgent(t, "lost", "anna", queue.AgentAway)
	s.pass(t, s.rules.Away)
	s.match(t, ticket, "anna")
}

func testReserved(t *testing.T, s *setting) {
	ctx := t.Context()
	s.anna(t)
	ticket := s.join(t, number)
	turn := s.match(t, ticket, "anna")
	until := s.Agent(t, "anna").Until
	s.pass(t, until.Sub(s.clock)-time.Second)
	s.wantAgent(t, "reserved", "anna", queue.AgentReserved)
	s.pass(t, time.Second)
	s.wantAgent(t, "reserved for too long", "anna", queue.AgentReady)
	_, err := s.Turn(ctx, ticket.ID)
	wantErr(t, "turn when she is free again", err, queue.ErrNotYet)
	wantErr(t, "joined when she is free again", s.Joined(ctx, turn), queue.ErrNotYet)

	// Somebody who is rung for her: Rules.Reserve is her limit.
	wantNil(t, "close", s.Close(ctx, ticket.ID, queue.EndSelf))
	to := s.due(t, another, queue.WishPerson)
	s.match(t, to, "anna")
	attempt := s.ring(t, to)
	if attempt.Turn.Agent != "anna" || attempt.Ticket.ID != to.ID || attempt.Ticket.State != queue.StateRinging {
		t.Errorf("the attempt is %+v", attempt)
	}
	s.pass(t, s.rules.Reserve)
	s.wantAgent(t, "idle for too long", "anna", queue.AgentReady)
	got := s.resolve(t, attempt.ID, queue.FateReached)
	if got.State != queue.StateWaiting || got.Agent != "" {
		t.Errorf("reached when she is free again: %+v", got)
	}
	s.match(t, to, "anna") // by the next who is free
}

func testAnotherCall(t *testing.T, s *setting) {
	ctx := t.Context()
	s.anna(t)
	ticket := s.join(t, number)
	turn := s.match(t, ticket, "anna")
	a := s.arrival(number)
	a.Ticket = ticket.ID
	if got := s.joined(t, a); got.Agent != "" || got.CallID != a.CallID {
		t.Errorf("taken up by another call: %+v", got)
	}
	wantErr(t, "joined on the call before", s.Joined(ctx, turn), queue.ErrNotYet)
	next := s.match(t, ticket, "anna")
	wantNil(t, "joined", s.Joined(ctx, next))
	b := s.arrival(number)
	b.Ticket = ticket.ID
	if got := s.joined(t, b); got.State != queue.StateWaiting || got.Agent != "" {
		t.Errorf("taken up in talk: %+v", got)
	}
	s.wantAgent(t, "whose caller is gone", "anna", queue.AgentWrapUp)
	wantNil(t, "talked, on the call before", s.Talked(ctx, next))
	s.wantState(t, "talked on the call before", ticket.ID, queue.StateWaiting)
}

func testBroken(t *testing.T, s *setting) {
	ctx := t.Context()
	s.anna(t)
	a := s.arrival(number)
	ticket := s.joined(t, a)
	wantNil(t, "joined", s.Joined(ctx, s.match(t, ticket, "anna")))
	a.Wish, a.Reason, a.Scene = queue.WishSelf, queue.Broken, "choose"
	got := s.promised(t, a, queue.Window{})
	if got.ID != ticket.ID || got.State != queue.StateDue || got.Reason != queue.Broken || got.Wish != queue.WishSelf ||
		got.Scene != "choose" || got.Agent != "" {
		t.Errorf("the line broke: %+v", got)
	}
	s.wantAgent(t, "whose line broke", "anna", queue.AgentWrapUp)

	// A call that was not in line has no ticket yet.
	b := s.arrival(another)
	b.Wish, b.Reason = queue.WishSelf, queue.Broken
	if got := s.promised(t, b, queue.Window{}); got.State != queue.StateDue || got.ID != b.CallID {
		t.Errorf("a line broke in the dialogue: %+v", got)
	}
}

func testAhead(t *testing.T, s *setting) {
	ctx := t.Context()
	s.anna(t)
	wantNil(t, "joined", s.Joined(ctx, s.match(t, s.join(t, number), "anna")))
	turn, err := s.Turn(ctx, s.Agent(t, "anna").Ticket)
	wantNil(t, "turn", err)
	wantNil(t, "talked", s.Talked(ctx, turn))
	wrapped := s.Agent(t, "anna").Until
	waits := s.arrival(another)
	waits.At = waits.At.Add(time.Hour)
	behind := s.joined(t, waits)
	to := s.due(t, third, queue.WishPerson)
	s.noMatch(t, "she wraps up for longer than the limit")

	s.pass(t, wrapped.Sub(s.clock)-s.rules.Ahead)
	s.match(t, to, "anna") // who is rung, and not who holds the line
	if a := s.wantAgent(t, "bound ahead", "anna", queue.AgentReserved); !a.Until.Equal(wrapped.Add(s.rules.Reserve)) {
		t.Errorf("reserved until %v, want Reserve after she has wrapped up", a.Until)
	}
	s.resolve(t, s.ring(t, to).ID, queue.FateBusy)
	if a := s.wantAgent(t, "not needed", "anna", queue.AgentWrapUp); !a.Until.Equal(wrapped) {
		t.Errorf("wraps up until %v, want %v as before", a.Until, wrapped)
	}
	s.noMatch(t, "who holds the line waits until she has wrapped up")
	s.pass(t, s.rules.Ahead)
	s.match(t, behind, "anna")

	// Who is ready goes before who wraps up, however long that is for.
	turn, err = s.Turn(ctx, behind.ID)
	wantNil(t, "turn", err)
	wantNil(t, "joined", s.Joined(ctx, turn))
	wantNil(t, "talked", s.Talked(ctx, turn))
	s.pass(t, s.rules.WrapUp-5*time.Second)
	s.SignIn(t, queue.Agent{Name: "zoe", Address: "zoe", Languages: []prompts.Language{prompts.German}, Topics: queue.Topics})
	s.match(t, s.due(t, number, queue.WishPerson), "zoe")
}
