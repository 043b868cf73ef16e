package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/ivr"
	"ringback/postgres"
	"ringback/queue"
	"ringback/queue/queuetest"
)

func (l line) registration(i int) queue.Registration {
	return queue.Registration{
		ID: uuid.New(), Dialog: fmt.Sprintf("%d@192.0.2.1", i), Number: numberOf(i), Node: "node1",
		At: l.now().Add(time.Duration(i) * time.Millisecond), Language: "de",
	}
}

func (l line) register(t *testing.T, want int, regs ...queue.Registration) {
	t.Helper()
	if n, err := l.Register(t.Context(), regs); err != nil || n != want {
		t.Errorf("registered %d of %d, %v; want %d", n, len(regs), err, want)
	}
}

// People who were taken down get the next hours in the order in which they
// rang, whatever the order in which it is told.
func TestRegister(t *testing.T) {
	t.Parallel()
	c := newClock()
	rules := queuetest.Rules()
	rules.PerHour = 3
	l := newLine(t, rules, c.Now)
	ws, err := l.Windows(t.Context(), 4)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Promise(t.Context(), l.arrival(numberOf(100)), ws[0]); err != nil {
		t.Fatal(err)
	}
	var regs []queue.Registration
	for i := range 7 {
		regs = append(regs, l.registration((i*3)%7))
	}
	l.register(t, 7, regs...)
	for i := range 7 {
		found, err := l.Find(t.Context(), numberOf(i))
		if err != nil || len(found) != 1 {
			t.Fatalf("person %d: %+v, %v", i, found, err)
		}
		got, want := found[0], ws[(i+1)/3]
		if got.State != queue.StatePromised || !got.Promised || !got.Window.Equal(want) || !got.DueAt.Equal(want.From) ||
			got.Wish != queue.WishSelf || got.Reason != queue.Busy || !got.RangAt.Equal(l.registration(i).At) || got.Language != "de" {
			t.Errorf("person %d: %+v, want the hour %v", i, got, want)
		}
	}
	// The same again changes nothing, in part, and with what is new.
	l.register(t, 0, regs...)
	l.register(t, 0, regs[3])
	more := l.registration(50)
	l.register(t, 1, append(regs[2:5:5], more, more)...)
	if n := l.number(`select count(*) from tickets`); n != 9 {
		t.Errorf("%d tickets of nine people", n)
	}
	if n := l.number(`select count(*) from tickets where redials > 0`); n != 0 {
		t.Errorf("%d rang again, they say", n)
	}
	l.lawful(t)
}

// Every attempt is a call; who rings again gains nothing but a count.
func TestRegisterRedials(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	first := l.registration(1)
	again := l.registration(1)
	again.Dialog = "again@192.0.2.1"
	again.At = first.At.Add(-time.Hour) // told first of all: no advantage by it
	l.register(t, 1, first)
	before := l.Ticket(t, first.ID)
	retransmitted := first // the same INVITE under another ID
	retransmitted.ID = uuid.New()
	l.register(t, 1, again, retransmitted)
	for i := range 5 {
		r := l.registration(1)
		r.Dialog = fmt.Sprint(i)
		l.register(t, 1, r)
	}
	if after := l.Ticket(t, first.ID); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("by ringing again it became %+v\nfrom %+v", after, before)
	}
	if n := l.number(`select redials from tickets`); n != 6 {
		t.Errorf("rang again %d times", n)
	}
	records, err := postgres.NewCalls(l.db).Calls(t.Context(), numberOf(1), 100)
	if err != nil || len(records) != 7 {
		t.Fatalf("%d calls, %v", len(records), err)
	}
	for _, r := range records {
		if r.Outcome != (ivr.Outcome{Result: ivr.CalledBack, Reason: "registered"}) || r.EndedAt.IsZero() || r.Node != "node1" {
			t.Errorf("the call %+v", r)
		}
	}
	if n := len(l.audit(t, first.ID)); n != 1 {
		t.Errorf("%d changes of a ticket that did not change", n)
	}
}

// Registering finds what the number has: a place that is kept becomes the
// promise, who holds the line is somebody else, who is closed is over.
func TestRegisterFindsTheTicket(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	left := l.join(t, numberOf(1))
	if err := l.Leave(t.Context(), left.ID, left.CallID); err != nil {
		t.Fatal(err)
	}
	waits := l.join(t, numberOf(2))
	closed := l.join(t, numberOf(3))
	if err := l.Close(t.Context(), closed.ID, queue.EndSelf); err != nil {
		t.Fatal(err)
	}
	for range queue.MaxPerNumber {
		l.join(t, numberOf(4))
	}
	unwanted := l.registration(5)
	l.exec(`insert into do_not_ring values ($1, now(), 'test', '')`, unwanted.Number)
	reused := l.registration(6) // its call opened a ticket before, which is closed
	reused.ID = closed.CallID
	premium := l.registration(7)
	premium.Number = "+499001234567"
	l.register(t, 7, l.registration(1), l.registration(2), l.registration(3), l.registration(4), unwanted, reused, premium)

	if got := l.Ticket(t, left.ID); got.State != queue.StateDue || !got.Promised || !got.RangAt.Equal(left.RangAt) {
		t.Errorf("who left the line: %+v", got)
	}
	if got := l.Ticket(t, waits.ID); got.State != queue.StateWaiting {
		t.Errorf("who holds the line: %+v", got)
	}
	for i, want := range map[int]int{1: 1, 2: 2, 3: 1, 4: queue.MaxPerNumber, 5: 0, 6: 1} {
		if found, err := l.Find(t.Context(), numberOf(i)); err != nil || len(found) != want {
			t.Errorf("person %d has %d tickets, %v; want %d", i, len(found), err, want)
		}
	}
	for _, r := range []queue.Registration{unwanted, premium} {
		if got, err := postgres.NewCalls(l.db).Call(t.Context(), r.ID); err != nil || got.Outcome.Result != ivr.Failed {
			t.Errorf("not to be rung: %+v, %v", got.Outcome, err)
		}
	}
	l.lawful(t)
}

// Who comes after the last room is rung as soon as it is the turn.
func TestRegisterBeyondTheHorizon(t *testing.T) {
	t.Parallel()
	c := newClock()
	rules := queuetest.Rules()
	rules.Horizon = 3 * time.Hour
	l := newLine(t, rules, c.Now)
	var regs []queue.Registration
	for i := range 20 {
		regs = append(regs, l.registration(i))
	}
	l.register(t, 20, regs...)
	for i, r := range regs {
		got := l.Ticket(t, r.ID)
		if soon := i >= 4; soon != (got.State == queue.StateDue) || soon != got.Window.IsZero() {
			t.Errorf("person %d: %s, %v", i, got.State, got.Window)
		}
	}
	l.lawful(t)
}

// Six batches at once, with the same people in some of them, while others are
// promised the same hours.
func TestRegisterAtOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	rules := queuetest.Rules()
	rules.PerHour = 40
	l := newLine(t, rules, c.Now)
	errs := together(10, func(i int) error {
		if i >= 6 {
			for n := range 20 {
				ws, err := l.Windows(t.Context(), 1)
				if err != nil {
					return err
				}
				if _, err := l.Promise(t.Context(), l.arrival(numberOf(n)), ws[0]); err != nil && !queue.Refused(err) {
					return err
				}
			}
			return nil
		}
		var regs []queue.Registration
		for n := range 300 {
			r := l.registration((n + i*100) % 500)
			r.Dialog = fmt.Sprint(i, n)
			regs = append(regs, r)
		}
		n, err := l.Register(t.Context(), regs)
		if err == nil && n != len(regs) {
			err = fmt.Errorf("registered %d", n)
		}
		return err
	})
	if n := count(errs, nil); n != 10 {
		t.Errorf("%d of 10 did it: %v", n, errs)
	}
	if n := l.number(`select count(distinct number) from tickets`); n != 500 {
		t.Errorf("%d of 500 people are in line", n)
	}
	if n := l.number(`select count(*) from tickets`); n != 500 {
		t.Errorf("%d tickets", n)
	}
	if n := l.number(`select count(*) from calls`); n != 1800 {
		t.Errorf("%d calls of 1800", n)
	}
	l.lawful(t)
}

// More than fit into one transaction.
func TestRegisterMany(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	var regs []queue.Registration
	for i := range 2*postgres.MostRegistrations + 1 {
		regs = append(regs, l.registration(i))
	}
	l.register(t, len(regs), regs...)
	l.lawful(t)
}
