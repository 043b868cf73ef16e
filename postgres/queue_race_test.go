package postgres_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/ivr"
	"ringback/postgres"
	"ringback/queue"
	"ringback/queue/queuetest"
)

// Thirty calls of one number at once: four are in line, the others are told.
func TestOneNumberJoinsAtOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	errs := together(30, func(i int) error {
		_, err := l.Join(t.Context(), l.arrival(numberOf(1)))
		return err
	})
	if count(errs, nil) != queue.MaxPerNumber || count(errs, queue.ErrTooMany) != 30-queue.MaxPerNumber {
		t.Errorf("thirty calls of one number: %v", errs)
	}
	l.lawful(t)
}

// Asked again and again at once, as when answers get lost, a call has one
// ticket.
func TestOneCallAsksAtOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	for _, n := range []e164.Number{numberOf(1), e164.Withheld} {
		a := l.arrival(n)
		errs := together(20, func(i int) error {
			got, err := l.Join(t.Context(), a)
			if err == nil && got.ID != a.CallID {
				err = fmt.Errorf("another ticket: %+v", got)
			}
			return err
		})
		if count(errs, nil) != 20 {
			t.Errorf("twenty times the same: %v", errs)
		}
	}
	if n := l.number(`select count(*) from tickets`); n != 2 {
		t.Errorf("%d tickets of two calls", n)
	}
	l.lawful(t)
}

// Redials that are promised at once share a ticket.
func TestOneNumberIsPromisedAtOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	ws, err := l.Windows(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	tickets := map[uuid.UUID]int{}
	errs := together(20, func(i int) error {
		got, err := l.Promise(t.Context(), l.arrival(numberOf(1)), ws[0])
		mu.Lock()
		defer mu.Unlock()
		tickets[got.ID]++
		return err
	})
	if count(errs, nil) != 20 || len(tickets) != 1 {
		t.Errorf("promised %v: %v", tickets, errs)
	}
	l.lawful(t)
}

// Fifty people want one of two hours with room for ten each, and some change
// their minds: no hour is given to more than it has room for, and none that has
// room is refused in the end.
func TestRoomAtOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	rules := queuetest.Rules()
	rules.PerHour = 10
	l := newLine(t, rules, c.Now)
	ws, err := l.Windows(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	errs := together(50, func(i int) error {
		a := l.arrival(numberOf(i))
		_, err := l.Promise(t.Context(), a, ws[i%2])
		if err == nil && i%5 == 0 { // the other hour, or else this one stays
			if _, err := l.Promise(t.Context(), a, ws[1-i%2]); err != nil && !errors.Is(err, queue.ErrWindowFull) {
				return err
			}
		}
		return err
	})
	if refused := count(errs, queue.ErrWindowFull); count(errs, nil)+refused != 50 {
		t.Errorf("promises: %v", errs)
	}
	for i := range 50 { // who was refused asks once more
		a := l.arrival(numberOf(i))
		if found, err := l.Find(t.Context(), a.Number); err != nil || len(found) > 0 {
			continue
		}
		for _, w := range ws {
			if _, err := l.Promise(t.Context(), a, w); err == nil {
				break
			}
		}
	}
	for _, w := range ws {
		if n := l.number(`select count(*) from tickets where window_from = $1`, w.From); n != 10 {
			t.Errorf("%d people were promised %v", n, w.From)
		}
	}
	l.lawful(t)
}

// Eight controllers ring two hundred people, some of whom share a number: each
// is rung once, no number twice at the same time, and not one call more than
// the day has is made.
func TestAttemptsAtOnce(t *testing.T) {
	t.Parallel()
	const people, perDay = 200, 170
	c := newClock()
	rules := queuetest.Rules()
	rules.OutPerDay, rules.PerNumber = perDay, 10
	l := newLine(t, rules, c.Now)
	for i := range people {
		a := l.arrival(numberOf(i * 4 / 5))
		a.Wish = queue.WishSelf
		ticket, err := l.Join(t.Context(), a) // a ticket of its own for each
		if err == nil {
			a.Ticket = ticket.ID
			_, err = l.Promise(t.Context(), a, queue.Window{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	rung := map[uuid.UUID]int{}
	busy := map[e164.Number]bool{}
	errs := together(8, func(i int) error {
		node := fmt.Sprintf("node%d", i)
		for {
			a, err := l.Begin(t.Context(), node, c.Now())
			if held := new(queue.HeldBack); errors.As(err, held) && held.By == queue.LimitPerDay {
				return nil
			}
			if errors.Is(err, queue.ErrNoneDue) {
				continue // the last numbers are being rung
			}
			if err != nil {
				return err
			}
			mu.Lock()
			rung[a.Ticket.ID]++
			if busy[a.Ticket.Number] {
				t.Errorf("%s is rung twice at once", a.Ticket.Number)
			}
			busy[a.Ticket.Number] = true
			mu.Unlock()
			// Gone before it can be rung again.
			mu.Lock()
			busy[a.Ticket.Number] = false
			mu.Unlock()
			if _, err := l.Resolve(t.Context(), a.ID, queue.FateNoAnswer); err != nil {
				return err
			}
		}
	})
	if n := count(errs, nil); n != 8 {
		t.Errorf("%d of 8 did it: %v", n, errs)
	}
	if len(rung) != perDay {
		t.Errorf("%d people were rung, the day has %d calls", len(rung), perDay)
	}
	for id, n := range rung {
		if n != 1 {
			t.Errorf("%s was rung %d times", id, n)
		}
	}
	l.lawful(t)
}

// A node with calls in all states dies, and four controllers notice at once:
// each person is rung once.
func TestNodeBreaksOnce(t *testing.T) {
	t.Parallel()
	const calls = 250
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	log := postgres.NewCalls(l.db)
	for i := range calls {
		log.Began(ivr.Info{ID: uuid.New(), Number: numberOf(i), Node: "node9", Channel: fmt.Sprint(i), Started: c.Now()})
	}
	if err := log.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	promised := 0
	errs := together(4, func(int) error {
		n, err := l.Break(t.Context(), "node9", c.Now())
		mu.Lock()
		defer mu.Unlock()
		promised += n
		return err
	})
	if count(errs, nil) != 4 || promised != calls {
		t.Errorf("%d were promised, of %d: %v", promised, calls, errs)
	}
	if n := l.number(`select count(distinct number) from tickets where state = 'due' and reason = 'broken'`); n != calls {
		t.Errorf("%d are rung", n)
	}
	if n := l.number(`select count(*) from tickets`); n != calls {
		t.Errorf("%d tickets", n)
	}
	l.lawful(t)
}

// Callers, agents, dispatchers and operators do what they do, in any order and
// at once, on few numbers: nothing is refused that is not an answer, and in the
// end all is as it may be.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	rules := queuetest.Rules()
	rules.PerNumber, rules.PerHour = 1000, 20
	l := newLine(t, rules, c.Now)
	if err := l.SetAgents(t.Context(), skilled(6)); err != nil {
		t.Fatal(err)
	}
	steps := 150
	if testing.Short() {
		steps = 30
	}
	errs := together(8, func(i int) error {
		r := rand.New(rand.NewPCG(7, uint64(i)))
		for step := range steps {
			if err := somebodyDoes(l, c, r); err != nil && !queue.Refused(err) {
				return fmt.Errorf("step %d: %w", step, err)
			}
		}
		return nil
	})
	if n := count(errs, nil); n != 8 {
		t.Errorf("%d of 8 did it: %v", n, errs)
	}
	if n := l.number(`select count(*) from queue_audit`); n < int64(steps) {
		t.Errorf("only %d changes", n)
	}
	l.lawful(t)
}

// somebodyDoes does one thing that happens in a line.
func somebodyDoes(l line, c *clock, r *rand.Rand) error {
	ctx := l.t.Context()
	n := numberOf(r.IntN(10))
	if r.IntN(8) == 0 {
		n = e164.Withheld
	}
	a := l.arrival(n)
	a.Wish = []queue.Wish{queue.WishPerson, queue.WishSelf}[r.IntN(2)]
	a.Keyless = r.IntN(5) == 0
	tickets, err := l.List(ctx, queue.Filter{Limit: 40})
	if err != nil {
		return err
	}
	var one queue.Ticket
	if len(tickets) > 0 {
		one = tickets[r.IntN(len(tickets))]
	}
	if r.IntN(2) == 0 {
		a.Ticket = one.ID
	}
	ws, err := l.Windows(ctx, 3)
	if err != nil {
		return err
	}
	w := append(ws, queue.Window{})[r.IntN(len(ws)+1)]
	switch r.IntN(16) {
	case 0, 1:
		_, err = l.Join(ctx, a)
	case 2, 3:
		_, err = l.Promise(ctx, a, w)
	case 4:
		err = l.Leave(ctx, one.ID, one.CallID)
	case 5:
		if r.IntN(4) == 0 {
			err = l.Close(ctx, one.ID, queue.EndSelf)
		}
	case 6, 7:
		_, err = l.Queue.Match(ctx, c.Now(), 1+r.IntN(4))
	case 8, 9:
		turns, failed := l.Turns(ctx, "node1")
		if failed != nil || len(turns) == 0 {
			return failed
		}
		turn := turns[r.IntN(len(turns))]
		if err = l.Joined(ctx, turn); err == nil {
			err = []func() error{
				func() error { return l.Talked(ctx, turn) },
				func() error { return l.Missed(ctx, turn) },
				func() error { return nil },
			}[r.IntN(3)]()
		}
	case 10, 11:
		var begun queue.Attempt
		if begun, err = l.Begin(ctx, "node1", c.Now()); err == nil && r.IntN(4) > 0 {
			_, err = l.Resolve(ctx, begun.ID, queue.Fates[r.IntN(len(queue.Fates))])
		}
	case 12:
		c.pass(time.Duration(r.IntN(60)) * time.Second)
		_, err = l.Queue.Sweep(ctx, c.Now())
	case 13:
		_, err = l.Register(ctx, []queue.Registration{
			{ID: uuid.New(), Dialog: fmt.Sprint(r.IntN(50)), Number: numberOf(r.IntN(12)), Node: "node1", At: c.Now(), Language: "de"},
			{ID: uuid.New(), Dialog: fmt.Sprint(r.IntN(50)), Number: numberOf(r.IntN(12)), Node: "node1", At: c.Now(), Language: "de"},
		})
	case 14:
		node := "node of " + a.CallID.String()
		log := postgres.NewCalls(l.db)
		log.Began(ivr.Info{ID: a.CallID, Number: n, Node: node, Channel: node, Started: c.Now()})
		if err = log.Flush(ctx); err == nil {
			_, err = l.Break(ctx, node, c.Now())
		}
	case 15:
		p := r.IntN(3)
		err = l.Move(ctx, one.ID, queue.Move{Priority: &p, Window: &w}, "test", "chance")
	}
	return err
}
