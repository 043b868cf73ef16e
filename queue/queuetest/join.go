package queuetest

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
)

func (s *setting) ahead(t *testing.T, ticket queue.Ticket) int {
	t.Helper()
	st, err := s.Standing(t.Context(), ticket.ID)
	if err != nil {
		t.Fatalf("standing: %v", err)
	}
	return st.Ahead
}

func testPlaceKept(t *testing.T, s *setting) {
	ctx := t.Context()
	a := s.arrival(number)
	first := s.joined(t, a)
	if first.ID != a.CallID || first.State != queue.StateWaiting || first.Resumed || !first.RangAt.Equal(a.At) ||
		first.Number != number || first.Short != "" || first.CallID != a.CallID || first.Node != a.Node {
		t.Errorf("joined as %+v", first)
	}
	second := s.join(t, another)
	wantNil(t, "leave", s.Leave(ctx, first.ID, first.CallID))
	s.wantState(t, "hung up in line", first.ID, queue.StateLeft)
	if n := s.ahead(t, second); n != 0 {
		t.Errorf("%d before the second while the first is gone", n)
	}
	found, err := s.Find(ctx, number)
	if err != nil || len(found) != 1 || found[0].ID != first.ID || found[0].State != queue.StateLeft {
		t.Errorf("ringing again finds %+v, %v", found, err)
	}

	s.pass(t, s.rules.KeepPlace-10*time.Second)
	b := s.arrival(number)
	b.Ticket, b.Node = first.ID, "node2"
	again := s.joined(t, b)
	if again.ID != first.ID || !again.RangAt.Equal(first.RangAt) || again.Priority != first.Priority ||
		!again.Resumed || again.State != queue.StateWaiting || again.CallID != b.CallID || again.Node != "node2" {
		t.Errorf("joined again as %+v", again)
	}
	if n := s.ahead(t, second); n != 1 {
		t.Errorf("%d before the second when the first is back", n)
	}
	// The first call's hang-up is reported late.
	wantNil(t, "leave late", s.Leave(ctx, first.ID, first.CallID))
	s.wantState(t, "after a late hang-up", first.ID, queue.StateWaiting)
	wantErr(t, "leave nothing", s.Leave(ctx, uuid.New(), uuid.New()), queue.ErrNoTicket)
}

func testPlaceLost(t *testing.T, s *setting) {
	ctx := t.Context()
	ticket := s.join(t, number)
	wantNil(t, "leave", s.Leave(ctx, ticket.ID, ticket.CallID))
	s.pass(t, s.rules.KeepPlace-time.Second)
	s.wantState(t, "a moment before", ticket.ID, queue.StateLeft)
	s.pass(t, time.Second)
	if got := s.wantState(t, "kept no longer", ticket.ID, queue.StateClosed); got.End != queue.EndAbandoned || got.ClosedAt.IsZero() {
		t.Errorf("closed as %q at %v", got.End, got.ClosedAt)
	}
	a := s.arrival(number)
	a.Ticket = ticket.ID
	_, err := s.Join(ctx, a)
	wantErr(t, "join a closed ticket", err, queue.ErrOver)
	_, err = s.Promise(ctx, a, queue.Window{})
	wantErr(t, "promise for a closed ticket", err, queue.ErrOver)
	_, err = s.Standing(ctx, ticket.ID)
	wantErr(t, "standing of a closed ticket", err, queue.ErrNoTicket)
	_, err = s.Turn(ctx, ticket.ID)
	wantErr(t, "turn of a closed ticket", err, queue.ErrOver)
	a.Ticket = uuid.New()
	_, err = s.Join(ctx, a)
	wantErr(t, "join nothing", err, queue.ErrNoTicket)
	if found, err := s.Find(ctx, number); err != nil || len(found) != 0 {
		t.Errorf("found %+v, %v", found, err)
	}
}

func testStanding(t *testing.T, s *setting) {
	ctx := t.Context()
	if st, err := s.Standing(ctx, s.join(t, number).ID); err != nil || st != (queue.Standing{}) {
		t.Errorf("alone, without agents: %+v, %v", st, err)
	}
	english := s.arrival(another)
	english.Language = prompts.English
	s.joined(t, english)                     // in front of nobody who speaks German
	s.due(t, "+49231500126", queue.WishSelf) // needs no agent
	s.due(t, another, queue.WishPerson)
	last := s.join(t, third)
	if n := s.ahead(t, last); n != 2 {
		t.Errorf("%d before the last, want the one in line and the one to be rung", n)
	}
	s.anna(t)
	s.SignIn(t, queue.Agent{Name: "bob", Address: "bob", Languages: []prompts.Language{prompts.English}, Topics: queue.Topics})
	s.SignIn(t, queue.Agent{Name: "carl", Address: "carl", Languages: []prompts.Language{prompts.German}, Topics: []queue.Topic{queue.TopicOther}})
	if _, ok := s.Match(t); !ok {
		t.Fatal("nobody is bound")
	}
	st, err := s.Standing(ctx, last.ID)
	if err != nil || st.Agents != 1 {
		t.Errorf("one agent of three serves it: %+v, %v", st, err)
	}
	if st.Ahead != 2 {
		t.Errorf("%d before the last while an agent's telephone rings: it may not be answered", st.Ahead)
	}
	_, err = s.Standing(ctx, uuid.New())
	wantErr(t, "standing of nothing", err, queue.ErrNoTicket)
}

func testAskedTwice(t *testing.T, s *setting) {
	ctx := t.Context()
	a := s.arrival(number)
	first := s.joined(t, a)
	s.anna(t)
	turn := s.match(t, first, "anna")
	if again := s.joined(t, a); again.ID != first.ID || again.Resumed || again.Agent != "anna" {
		t.Errorf("joined twice: %+v", again)
	}
	wantNil(t, "joined", s.Joined(ctx, turn))
	if again := s.joined(t, a); again.State != queue.StateTalking || again.Agent != "anna" {
		t.Errorf("joined once more, in talk: %+v", again)
	}

	b := s.arrival(another)
	w := s.windows(t, 1)[0]
	promise := s.promised(t, b, w)
	if again := s.promised(t, b, w); again.ID != promise.ID || again.State != queue.StatePromised {
		t.Errorf("promised twice: %+v", again)
	}
	c := s.arrival(third)
	if got := s.promised(t, c, w); got.Window.From.IsZero() {
		t.Errorf("the second in an hour for two: %+v", got)
	}
	if found, err := s.Find(ctx, another); err != nil || len(found) != 1 {
		t.Errorf("tickets of the number: %+v, %v", found, err)
	}
}

func testKnown(t *testing.T, s *setting) {
	a := s.arrival(number)
	ticket := s.joined(t, a)
	wantNil(t, "leave", s.Leave(t.Context(), ticket.ID, a.CallID))
	b := s.arrival(number)
	b.Ticket, b.Scene, b.Known = ticket.ID, "", nil
	b.Language, b.Reason = prompts.English, queue.Trouble
	got := s.joined(t, b)
	if got.Scene != a.Scene || !sameJSON(got.Known, a.Known) {
		t.Errorf("what was known is %q %s", got.Scene, got.Known)
	}
	if got.Language != prompts.English || got.Reason != queue.Trouble {
		t.Errorf("language %s, reason %s", got.Language, got.Reason)
	}
	b.Scene, b.Known = "choose", []byte(`{"v": 2}`)
	if got := s.promised(t, b, queue.Window{}); got.Scene != "choose" || !sameJSON(got.Known, b.Known) {
		t.Errorf("corrected to %q %s", got.Scene, got.Known)
	}
}

func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

func testNumber(t *testing.T, s *setting) {
	ctx := t.Context()
	var all []queue.Ticket
	for range queue.MaxPerNumber {
		all = append(all, s.join(t, number))
	}
	_, err := s.Join(ctx, s.arrival(number))
	wantErr(t, "one more of the number", err, queue.ErrTooMany)
	found, err := s.Find(ctx, number)
	if err != nil || len(found) != len(all) {
		t.Fatalf("found %+v, %v", found, err)
	}
	for i := range all {
		if found[i].ID != all[i].ID {
			t.Errorf("number %d found is not in the order of the line", i+1)
		}
	}
	// A call of a fifth person that would be rung at the same number.
	a := s.arrival(another)
	s.joined(t, a)
	a.Number = number
	_, err = s.Promise(ctx, a, queue.Window{})
	wantErr(t, "promise to ring it too", err, queue.ErrTooMany)
	wantNil(t, "close", s.Close(ctx, all[0].ID, queue.EndRemoved))
	if got := s.promised(t, a, queue.Window{}); got.Number != number {
		t.Errorf("corrected to %s", got.Number)
	}
	var hidden queue.Ticket
	for range queue.MaxPerNumber + 1 {
		hidden = s.join(t, e164.Withheld)
	}
	// Its caller rings again, from a line that has as many as it may have.
	b := s.arrival(number)
	b.Ticket = hidden.ID
	if got := s.joined(t, b); got.ID != hidden.ID || got.Number != e164.Withheld {
		t.Errorf("taken up from a number that is full: %+v", got)
	}
}

func testWithheld(t *testing.T, s *setting) {
	ctx := t.Context()
	seen := map[string]bool{}
	var last queue.Ticket
	for range 20 {
		last = s.join(t, e164.Withheld)
		if len(last.Short) != queue.ShortLength || last.Short[0] < '1' || last.Short[0] > '9' || seen[last.Short] {
			t.Errorf("the spoken number %q, after %v", last.Short, seen)
		}
		seen[last.Short] = true
	}
	if found, err := s.Find(ctx, e164.Withheld); err != nil || len(found) != 0 {
		t.Errorf("found %d of a withheld number, %v", len(found), err)
	}
	if got, err := s.FindShort(ctx, last.Short); err != nil || got.ID != last.ID {
		t.Errorf("by its spoken number: %+v, %v", got, err)
	}
	for _, wrong := range []string{"", "00000", "1", "1234567"} {
		_, err := s.FindShort(ctx, wrong)
		wantErr(t, "spoken number "+wrong, err, queue.ErrNoTicket)
	}
	// Promised to be rung at a number that was keyed, it can be found by both.
	a := s.arrival(number)
	a.Ticket = last.ID
	if got := s.promised(t, a, queue.Window{}); got.Number != number || got.Short != last.Short {
		t.Errorf("with a number: %+v", got)
	}
	if found, err := s.Find(ctx, number); err != nil || len(found) != 1 || found[0].ID != last.ID {
		t.Errorf("by its number: %+v, %v", found, err)
	}
	// And when its caller rings from another line, without one.
	b := s.arrival(e164.Withheld)
	b.Ticket = last.ID
	if got := s.joined(t, b); got.Number != number || got.Short != last.Short {
		t.Errorf("rung again withheld: %+v", got)
	}
	wantNil(t, "close", s.Close(ctx, last.ID, queue.EndSelf))
	_, err := s.FindShort(ctx, last.Short)
	wantErr(t, "spoken number of a closed ticket", err, queue.ErrNoTicket)

	spoken := s.arrival(e164.Withheld)
	spoken.Keyless = true
	got := s.promised(t, spoken, queue.Window{})
	if got.Short == "" {
		t.Errorf("promised, number only spoken: %+v", got)
	}
	_, err = s.Attempt(t, got.ID)
	wantErr(t, "ring a number that is not known", err, queue.ErrNoneDue)
}

func testLeave(t *testing.T, s *setting) {
	ctx := t.Context()
	s.anna(t)
	a := s.arrival(number)
	a.Keyless = true
	ticket := s.joined(t, a)
	s.match(t, ticket, "anna")
	wantNil(t, "leave", s.Leave(ctx, ticket.ID, a.CallID))
	got := s.wantState(t, "a telephone without keys", ticket.ID, queue.StateDue)
	if got.Agent != "" || got.DueAt.After(s.clock) {
		t.Errorf("bound to %q, due at %v", got.Agent, got.DueAt)
	}
	s.wantAgent(t, "whose caller hung up", "anna", queue.AgentReady)
	wantNil(t, "leave twice", s.Leave(ctx, ticket.ID, a.CallID))
	s.wantState(t, "left twice", ticket.ID, queue.StateDue)
}

func testLeavePromised(t *testing.T, s *setting) {
	ctx := t.Context()
	w := s.windows(t, 2)[1]
	ticket := s.promised(t, s.arrival(number), w)
	a := s.arrival(number)
	a.Ticket = ticket.ID
	if got := s.joined(t, a); got.State != queue.StateWaiting || !got.DueAt.IsZero() || !got.Window.Equal(w) {
		t.Errorf("who rings in is %+v", got)
	}
	wantNil(t, "leave", s.Leave(ctx, ticket.ID, a.CallID))
	got := s.wantState(t, "the hour stays promised", ticket.ID, queue.StatePromised)
	if !got.DueAt.Equal(w.From) || !got.Promised {
		t.Errorf("promised: %v, due at %v, want %v", got.Promised, got.DueAt, w.From)
	}
	soon := s.due(t, another, queue.WishPerson)
	b := s.arrival(another)
	b.Ticket = soon.ID
	s.joined(t, b)
	wantNil(t, "leave", s.Leave(ctx, soon.ID, b.CallID))
	s.wantState(t, "as soon as it is the turn", soon.ID, queue.StateDue)
}

func testClose(t *testing.T, s *setting) {
	ctx := t.Context()
	s.anna(t)
	ticket := s.join(t, number)
	turn := s.match(t, ticket, "anna")
	wantNil(t, "close", s.Close(ctx, ticket.ID, queue.EndSelf))
	wantNil(t, "close twice", s.Close(ctx, ticket.ID, queue.EndRemoved))
	if got := s.wantState(t, "closed", ticket.ID, queue.StateClosed); got.End != queue.EndSelf || !got.ClosedAt.Equal(s.clock) {
		t.Errorf("ended as %s at %v", got.End, got.ClosedAt)
	}
	s.wantAgent(t, "not needed", "anna", queue.AgentReady)
	wantErr(t, "joined when it is closed", s.Joined(ctx, turn), queue.ErrNotYet)
	wantErr(t, "close nothing", s.Close(ctx, uuid.New(), queue.EndSelf), queue.ErrNoTicket)
}
