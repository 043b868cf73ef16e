package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/ivr"
	"ringback/postgres"
	"ringback/queue"
	"ringback/queue/queuetest"
)

func (l line) swept(t *testing.T, what string, want queue.Swept) {
	t.Helper()
	if got, err := l.Queue.Sweep(t.Context(), l.now()); err != nil || got != want {
		t.Errorf("%s: swept %+v, %v; want %+v", what, got, err, want)
	}
}

// A sweep counts what it puts right, once.
func TestSweepCounts(t *testing.T) {
	t.Parallel()
	c := newClock()
	rules := queuetest.Rules()
	l := newLine(t, rules, c.Now)
	ctx := t.Context()
	l.swept(t, "nothing", queue.Swept{})
	for _, name := range []string{"anna", "bert", "carl"} {
		l.SignIn(t, everything(name))
	}
	for i := range 3 {
		on := l.join(t, numberOf(i))
		l.call(t, on.CallID, on.Number, "node1", "wait")
	}
	turns, err := l.Queue.Match(ctx, c.Now(), 3)
	if err != nil || len(turns) != 3 {
		t.Fatalf("%+v, %v", turns, err)
	}
	if err := l.Joined(ctx, turns[0]); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{l.Talked(ctx, turns[0]), l.Missed(ctx, turns[1])} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 {
		left := l.join(t, numberOf(10+i))
		if err := l.Leave(ctx, left.ID, left.CallID); err != nil {
			t.Fatal(err)
		}
	}
	l.due(t, numberOf(20), queue.WishSelf)
	if _, err := l.Begin(ctx, "node1", c.Now()); err != nil {
		t.Fatal(err)
	}
	ws, err := l.Windows(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Promise(ctx, l.arrival(numberOf(30)), ws[0]); err != nil {
		t.Fatal(err)
	}
	l.swept(t, "too early", queue.Swept{})
	c.pass(ws[0].From.Sub(c.Now()))
	// Two agents wrapped up or were away, one was reserved; the attempt is tried
	// again at once where that time has passed too.
	l.swept(t, "an hour later", queue.Swept{Due: 1, Expired: 2, Freed: 3, Unknown: 1})
	l.swept(t, "again", queue.Swept{})
	l.lawful(t)
}

// Nobody comes into the line to be rung while nobody may be rung.
func TestPromisesWaitForTheMorning(t *testing.T) {
	t.Parallel()
	c := newClock()
	rules := queuetest.Rules()
	l := newLine(t, rules, c.Now)
	ws, err := l.Windows(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Promise(t.Context(), l.arrival(numberOf(1)), ws[0]); err != nil {
		t.Fatal(err)
	}
	c.pass(12 * time.Hour) // nobody swept all day
	l.swept(t, "in the evening", queue.Swept{})
	c.pass(rules.Ringing.Next(c.Now()).Sub(c.Now()))
	l.swept(t, "in the morning", queue.Swept{Due: 1})
}

// Callers whose call ended and whose controller could not say so leave the line
// all the same; who talks is done.
func TestLostCalls(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	ctx := t.Context()
	l.SignIn(t, everything("anna"))
	var tickets []queue.Ticket
	log := postgres.NewCalls(l.db)
	for i := range 5 {
		a := l.arrival(numberOf(i))
		a.Keyless = i == 2
		log.Began(ivr.Info{ID: a.CallID, Number: a.Number, Node: "node1", Started: a.At})
		ticket, err := l.Join(ctx, a)
		if err != nil {
			t.Fatal(err)
		}
		tickets = append(tickets, ticket)
		c.pass(time.Millisecond)
	}
	turn, _ := l.Match(t)
	if err := l.Joined(ctx, turn); err != nil || turn.Ticket != tickets[0].ID {
		t.Fatal(turn, err)
	}
	rung := l.due(t, numberOf(9), queue.WishSelf)
	attempt := l.begin(t, rung.ID)
	l.resolve(t, attempt.ID, queue.FateReached)
	log.Began(ivr.Info{ID: attempt.ID, Number: numberOf(9), Node: "node1", Started: c.Now()})
	for _, id := range []uuid.UUID{tickets[0].ID, tickets[1].ID, tickets[2].ID, attempt.ID} {
		log.Ended(id, c.Now(), ivr.Outcome{Result: ivr.HungUp, Reason: "wait"})
	}
	// The fourth rang again meanwhile, and its first call has ended.
	again := l.arrival(numberOf(3))
	again.Ticket = tickets[3].ID
	if _, err := l.Join(ctx, again); err != nil {
		t.Fatal(err)
	}
	log.Ended(tickets[3].ID, c.Now(), ivr.Outcome{Result: ivr.HungUp, Reason: "wait"})
	if err := log.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	l.swept(t, "others may still say so", queue.Swept{})
	c.pass(11 * time.Second)
	l.swept(t, "later", queue.Swept{Lost: 4})
	for i, want := range []queue.State{queue.StateClosed, queue.StateLeft, queue.StateDue, queue.StateWaiting, queue.StateWaiting} {
		if got := l.Ticket(t, tickets[i].ID); got.State != want {
			t.Errorf("call %d: %s, want %s", i, got.State, want)
		}
	}
	if got := l.Ticket(t, tickets[0].ID); got.End != queue.EndServed {
		t.Errorf("who talked was %s", got.End)
	}
	if got := l.Ticket(t, rung.ID); got.End != queue.EndSelf {
		t.Errorf("who was rung for the dialogue was %s", got.End)
	}
	l.lawful(t)
}

// A controller may die after its caller came into the line and before the call
// was written down: such a ticket does not stay for ever, with an agent or
// without.
func TestCallsNeverWrittenDown(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	l.SignIn(t, everything("anna"))
	talks := l.join(t, numberOf(1))
	turn, _ := l.Match(t)
	if err := l.Joined(t.Context(), turn); err != nil || turn.Ticket != talks.ID {
		t.Fatal(turn, err)
	}
	waits := l.join(t, numberOf(2))
	keyless := l.arrival(numberOf(3))
	keyless.Keyless = true
	again := l.join(t, numberOf(4))
	if _, err := l.Join(t.Context(), keyless); err != nil {
		t.Fatal(err)
	}
	c.pass(50 * time.Second)
	// One rings again, and that call is about to be written down.
	a := l.arrival(numberOf(4))
	a.Ticket = again.ID
	if _, err := l.Join(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	l.swept(t, "they may still be written down", queue.Swept{})
	c.pass(11 * time.Second)
	l.swept(t, "a minute later", queue.Swept{Lost: 3})
	for id, want := range map[uuid.UUID]queue.State{
		talks.ID: queue.StateClosed, waits.ID: queue.StateLeft, keyless.CallID: queue.StateDue, again.ID: queue.StateWaiting,
	} {
		if got := l.Ticket(t, id); got.State != want {
			t.Errorf("%s is %s, want %s", got.Number, got.State, want)
		}
	}
	if a := l.Agent(t, "anna"); a.State != queue.AgentWrapUp {
		t.Errorf("the agent is %s", a.State)
	}
	l.lawful(t)
}

// An agent is not bound again and again to a caller whose controller is gone
// and of whose call nothing is known.
func TestCallerNobodyKnows(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	l.SignIn(t, everything("anna"))
	gone, known := l.join(t, numberOf(1)), l.arrival(numberOf(2))
	c.pass(time.Second)
	known.At = c.Now()
	l.call(t, known.CallID, known.Number, "node1", "choose")
	if _, err := l.Join(t.Context(), known); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		ticket uuid.UUID
		state  queue.State
	}{{gone.ID, queue.StateLeft}, {known.CallID, queue.StateWaiting}} {
		if turn, ok := l.Match(t); !ok || turn.Ticket != want.ticket {
			t.Fatalf("bound %+v, want %s", turn, want.ticket)
		}
		c.pass(l.Agent(t, "anna").Until.Sub(c.Now()))
		l.swept(t, "nobody took the agent up", queue.Swept{Freed: 1})
		if got := l.Ticket(t, want.ticket); got.State != want.state {
			t.Errorf("the ticket is %s, want %s", got.State, want.state)
		}
	}
	l.lawful(t)
}

// Who was reached waits for the bound agent while that one wraps up, but not
// for longer than Rules.RungWait.
func TestRungWait(t *testing.T) {
	t.Parallel()
	c := newClock()
	rules := queuetest.Rules()
	rules.WrapUp, rules.Ahead, rules.RungWait = 5*time.Minute, 5*time.Minute, 30*time.Second
	l := newLine(t, rules, c.Now)
	ctx := t.Context()
	l.SignIn(t, everything("anna"))
	l.join(t, numberOf(1))
	turn, _ := l.Match(t)
	if err := l.Joined(ctx, turn); err != nil {
		t.Fatal(err)
	}
	if err := l.Talked(ctx, turn); err != nil {
		t.Fatal(err)
	}
	rung := l.due(t, numberOf(2), queue.WishPerson)
	if turn, ok := l.Match(t); !ok || turn.Ticket != rung.ID {
		t.Fatalf("bound %+v", turn)
	}
	attempt := l.begin(t, rung.ID)
	l.call(t, attempt.ID, numberOf(2), "node1", "choose")
	l.resolve(t, attempt.ID, queue.FateReached)
	l.SignIn(t, everything("bert"))
	if turn, ok := l.Match(t); ok {
		t.Errorf("bound to another at once: %+v", turn)
	}
	c.pass(rules.RungWait - time.Second)
	l.swept(t, "she may come", queue.Swept{})
	c.pass(time.Second)
	l.swept(t, "she did not", queue.Swept{Freed: 1})
	if a := l.Agent(t, "anna"); a.State != queue.AgentWrapUp || a.Until.Sub(c.Now()) != rules.WrapUp-rules.RungWait {
		t.Errorf("she wraps up on: %+v", a)
	}
	if turn, ok := l.Match(t); !ok || turn.Ticket != rung.ID || turn.Agent != "bert" {
		t.Errorf("then bound %+v", turn)
	}
	l.lawful(t)
}
