package postgres_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
	"ringback/queue/queuetest"
)

func numberOf(i int) e164.Number { return e164.Number(fmt.Sprintf("+4923150%05d", i)) }

// skilled are agents of three kinds, whose skills overlap.
func skilled(n int) []queue.Agent {
	kinds := []queue.Agent{
		{Languages: []prompts.Language{prompts.German}, Topics: queue.Topics},
		{Languages: []prompts.Language{prompts.German, prompts.English}, Topics: []queue.Topic{queue.TopicBooking}},
		{Languages: []prompts.Language{prompts.English}, Topics: []queue.Topic{queue.TopicBooking, queue.TopicOther}},
	}
	var all []queue.Agent
	for i := range n {
		a := kinds[i%len(kinds)]
		a.Name = fmt.Sprintf("agent%03d", i)
		a.Address = a.Name
		all = append(all, a)
	}
	return all
}

// TestManyMatchAtOnce: twenty dispatchers bind 1,000 tickets of different
// topics, languages and priorities to fifty agents. Nobody is bound twice, and
// of those that the same agents serve, who comes first is bound first.
func TestManyMatchAtOnce(t *testing.T) {
	t.Parallel()
	const tickets, agents = 1000, 50
	rules := queuetest.Rules()
	rules.WrapUp = 0
	c := newClock()
	l := newLine(t, rules, c.Now)
	if err := l.SetAgents(t.Context(), skilled(agents)); err != nil {
		t.Fatal(err)
	}
	topics := []queue.Topic{queue.TopicBooking, queue.TopicAppointment, queue.TopicBooking, queue.TopicOther}
	// Of other topics in English nobody but the third kind, of appointments
	// nobody in English.
	languages := []prompts.Language{prompts.German, prompts.German, prompts.English, prompts.German}
	for i := range tickets {
		a := l.arrival(numberOf(i))
		a.At = c.Now().Add(time.Duration(i*7919%tickets) * time.Second)
		a.Topic, a.Language = topics[i%4], languages[i%4]
		if _, err := l.Join(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	var left atomic.Int64
	left.Store(tickets)
	var mu sync.Mutex
	legs := map[uuid.UUID]bool{}
	errs := together(20, func(i int) error {
		for left.Load() > 0 {
			turns, err := l.Queue.Match(t.Context(), c.Now(), 1+i%7)
			if err != nil {
				return err
			}
			for _, turn := range turns {
				mu.Lock()
				if legs[turn.Leg] || turn.Leg == uuid.Nil {
					t.Errorf("the leg %s twice", turn.Leg)
				}
				legs[turn.Leg] = true
				mu.Unlock()
				if err := l.Joined(t.Context(), turn); err != nil {
					return err
				}
				if err := l.Talked(t.Context(), turn); err != nil {
					return err
				}
				left.Add(-1)
			}
			if _, err := l.Queue.Sweep(t.Context(), c.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	if n := count(errs, nil); n != 20 {
		t.Fatalf("%d of 20 did it: %v", n, errs)
	}
	if n := l.number(`select count(*) from tickets where ending = 'served'`); n != tickets || len(legs) != tickets {
		t.Errorf("%d served on %d legs", n, len(legs))
	}
	if n := l.number(`select count(*) from queue_audit where deed = 'bind'`); n != tickets {
		t.Errorf("bound %d times", n)
	}
	// The order in which they were bound, and the order of the line.
	if wrong := l.texts(t, `
		select id::text from (
			select t.id, row_number() over (partition by topic, language order by a.id) as bound,
				row_number() over (partition by topic, language order by priority desc, rang_at, t.id) as place
			from tickets t join queue_audit a on a.ticket_id = t.id and a.deed = 'bind') both_orders
		where bound <> place`); len(wrong) > 0 {
		t.Errorf("%d of %d are out of order: %v", len(wrong), tickets, wrong[:1])
	}
	l.lawful(t)
}

// Of agents who could take it, the one who is ready for the longest does.
func TestWhoIsReadyForTheLongest(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	for _, name := range []string{"carl", "anna", "bert"} {
		l.SignIn(t, everything(name))
		c.pass(time.Second)
	}
	var got []string
	for i := range 3 {
		l.join(t, numberOf(i))
	}
	turns, err := l.Queue.Match(t.Context(), c.Now(), 2)
	if err != nil || len(turns) != 2 {
		t.Fatalf("at most two: %+v, %v", turns, err)
	}
	more, err := l.Queue.Match(t.Context(), c.Now(), 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, turn := range append(turns, more...) {
		got = append(got, turn.Agent)
	}
	if want := []string{"carl", "anna", "bert"}; !slices.Equal(got, want) {
		t.Errorf("bound %v, want %v", got, want)
	}
	l.lawful(t)
}

// Who wraps up is bound ahead to somebody who is rung, but not past a caller
// who holds the line, comes first, and would have this agent.
func TestAheadIsNotPastWhoHoldsTheLine(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	l.SignIn(t, everything("anna"))
	first := l.join(t, numberOf(1))
	turn, _ := l.Match(t)
	if turn.Ticket != first.ID || l.Joined(t.Context(), turn) != nil || l.Talked(t.Context(), turn) != nil {
		t.Fatalf("matched %+v", turn)
	}
	c.pass(time.Second)
	waits := l.join(t, numberOf(2))
	c.pass(time.Second)
	rung := l.due(t, numberOf(3), queue.WishPerson)
	c.pass(queuetest.Rules().WrapUp - queuetest.Rules().Ahead)
	if turn, ok := l.Match(t); ok {
		t.Errorf("bound ahead to %v, while %s waits", turn, waits.ID)
	}
	if err := l.Leave(t.Context(), waits.ID, waits.CallID); err != nil {
		t.Fatal(err)
	}
	if turn, ok := l.Match(t); !ok || turn.Ticket != rung.ID {
		t.Errorf("bound ahead to %v, %v, want %s", turn, ok, rung.ID)
	}
	l.lawful(t)
}

// A person who is in a call with us is not rung for another ticket of the same
// number, and nobody waits for it.
func TestNumberOnTheLineIsNotRung(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	l.SignIn(t, everything("anna"))
	mother := l.due(t, numberOf(1), queue.WishPerson)
	daughter := l.join(t, numberOf(1))
	if turn, ok := l.Match(t); !ok || turn.Ticket != daughter.ID {
		t.Errorf("bound %+v, want who holds the line", turn)
	}
	l.SignIn(t, everything("bert"))
	if turn, ok := l.Match(t); ok {
		t.Errorf("bound %+v to a number that is on the line", turn)
	}
	if err := l.Close(t.Context(), daughter.ID, queue.EndSelf); err != nil {
		t.Fatal(err)
	}
	if turn, ok := l.Match(t); !ok || turn.Ticket != mother.ID {
		t.Errorf("then bound %+v, want %s", turn, mother.ID)
	}
}

// While nobody may be rung, no agent is bound to who is to be; who holds the
// line is served.
func TestMatchWhileNobodyIsRung(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(line, *clock) error{
		"switched off": func(l line, _ *clock) error { return l.SetOutgoing(l.t.Context(), false, "test", "") },
		"night":        func(_ line, c *clock) error { c.pass(12 * time.Hour); return nil },
		"enough today": func(l line, c *clock) error {
			l.exec(`insert into outgoing_days values ($1, $2)`, c.Now(), queuetest.Rules().OutPerDay)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			l := newLine(t, queuetest.Rules(), c.Now)
			l.due(t, numberOf(1), queue.WishPerson)
			if err := stop(l, c); err != nil {
				t.Fatal(err)
			}
			l.SignIn(t, everything("anna"))
			if turn, ok := l.Match(t); ok {
				t.Errorf("bound to %+v", turn)
			}
			waits := l.join(t, numberOf(2))
			if turn, ok := l.Match(t); !ok || turn.Ticket != waits.ID {
				t.Errorf("bound %+v, want who holds the line", turn)
			}
		})
	}
}

// The turns of a node are its own callers', from the moment the agent is free.
func TestTurnsOfANode(t *testing.T) {
	t.Parallel()
	c := newClock()
	rules := queuetest.Rules()
	l := newLine(t, rules, c.Now)
	turns := func(node string) []queue.Turn {
		got, err := l.Turns(t.Context(), node)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	l.SignIn(t, everything("anna"))
	l.join(t, numberOf(1))
	if got := turns("node1"); len(got) != 0 {
		t.Errorf("before anybody is bound: %+v", got)
	}
	turn, _ := l.Match(t)
	if got := turns("node1"); len(got) != 1 || got[0] != turn {
		t.Errorf("turns %+v, want %+v", got, turn)
	}
	if got := turns("node2"); len(got) != 0 {
		t.Errorf("of another node: %+v", got)
	}
	if err := l.Joined(t.Context(), turn); err != nil {
		t.Fatal(err)
	}
	if got := turns("node1"); len(got) != 0 {
		t.Errorf("while they talk: %+v", got)
	}
	if err := l.Talked(t.Context(), turn); err != nil {
		t.Fatal(err)
	}

	// Somebody is reached for anna while she still wraps up.
	rung := l.due(t, numberOf(2), queue.WishPerson)
	c.pass(rules.WrapUp - rules.Ahead)
	l.Match(t)
	attempt, err := l.Attempt(t, rung.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Resolve(t.Context(), attempt.ID, queue.FateReached); err != nil {
		t.Fatal(err)
	}
	if got := turns("node1"); len(got) != 0 {
		t.Errorf("while she wraps up: %+v", got)
	}
	c.pass(rules.Ahead)
	if got := turns("node1"); len(got) != 1 || got[0] != attempt.Turn {
		t.Errorf("then %+v, want %+v", got, attempt.Turn)
	}
	if got := l.Agent(t, "anna"); !got.Until.After(c.Now().Add(rules.AgentRing)) {
		t.Errorf("reserved until %v: her telephone rings for longer", got.Until)
	}
	l.lawful(t)
}

// Agents do not idle for people whom nobody begins to ring, for lack of lines
// for example: few are bound at a time, and after a while none, so that who
// holds the line is served.
func TestAgentsDoNotIdleInVain(t *testing.T) {
	t.Parallel()
	c := newClock()
	rules := queuetest.Rules() // two calls out a second
	l := newLine(t, rules, c.Now)
	if err := l.SetAgents(t.Context(), []queue.Agent{
		everything("a1"), everything("a2"), everything("a3"), everything("a4"), everything("a5"), everything("a6"),
	}); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		l.due(t, numberOf(i), queue.WishPerson)
		c.pass(time.Second)
	}
	bound := func(most, want int) {
		t.Helper()
		turns, err := l.Queue.Match(t.Context(), c.Now(), most)
		if err != nil || len(turns) != want {
			t.Errorf("bound %+v, %v; want %d", turns, err, want)
		}
	}
	bound(100, 4)
	first, err := l.Begin(t.Context(), "node1", c.Now())
	if err != nil {
		t.Fatal(err)
	}
	bound(100, 1) // another one, for that one is being rung
	waits := l.join(t, numberOf(100))
	bound(100, 1)
	if got := l.Ticket(t, waits.ID); got.Agent == "" {
		t.Errorf("who holds the line, behind all: %+v", got)
	}
	c.pass(9 * time.Second)
	l.swept(t, "they may still be rung", queue.Swept{})
	c.pass(time.Second)
	l.swept(t, "nobody rang them", queue.Swept{Freed: 4})
	if got := l.Ticket(t, first.Ticket.ID); got.Agent == "" {
		t.Error("the agent of who is being rung is free")
	}
	bound(100, 0)
	l.join(t, numberOf(101))
	bound(100, 1)
	c.pass(29 * time.Second)
	bound(100, 0)
	c.pass(time.Second)
	bound(100, 3)
	l.lawful(t)
}
