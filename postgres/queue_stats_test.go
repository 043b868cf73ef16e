package postgres_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"ringback/queue"
	"ringback/queue/queuetest"
)

// A morning whose figures can be counted by hand.
func TestStats(t *testing.T) {
	t.Parallel()
	c := newClock()
	rules := queuetest.Rules()
	rules.WrapUp, rules.Ahead = 20*time.Second, 0
	l := newLine(t, rules, c.Now)
	ctx := t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	from := c.Now()
	l.SignIn(t, everything("anna"))

	serve := func(wait, talk time.Duration) {
		t.Helper()
		ticket := l.join(t, numberOf(1))
		if wait > rules.WrapUp { // told, and right by half
			l.exec(`update tickets set told_at = $2, told_low = $3, told_high = $4 where id = $1`, ticket.ID, c.Now(), wait/4, wait*3/4)
		}
		c.pass(wait)
		l.Sweep(t)
		turn, matched := l.Match(t)
		if !matched {
			t.Fatal("nobody is bound")
		}
		ok(l.Joined(ctx, turn))
		c.pass(talk)
		ok(l.Talked(ctx, turn))
	}
	serve(10*time.Second, 100*time.Second)
	serve(30*time.Second, 200*time.Second) // 20 s of it while she wraps up
	leave := func(i int, after time.Duration) {
		t.Helper()
		ticket := l.join(t, numberOf(i))
		c.pass(after)
		ok(l.Leave(ctx, ticket.ID, ticket.CallID))
	}
	leave(2, 3*time.Second)
	leave(3, 40*time.Second)
	// One is promised a callback from the line, one of those who left comes back
	// for the same, one goes on alone.
	w, err := l.Windows(ctx, 1)
	ok(err)
	a := l.arrival(numberOf(4))
	_, err = l.Join(ctx, a)
	ok(err)
	_, err = l.Promise(ctx, a, queue.Window{})
	ok(err)
	left, err := l.Find(ctx, numberOf(3))
	ok(err)
	b := l.arrival(numberOf(3))
	b.Ticket, b.Wish = left[0].ID, queue.WishSelf
	_, err = l.Promise(ctx, b, w[0])
	ok(err)
	alone := l.join(t, numberOf(5))
	ok(l.Close(ctx, alone.ID, queue.EndSelf))
	// The first is rung for anna, who was ready: not reached, then reached.
	c.pass(rules.WrapUp)
	l.Sweep(t)
	ring := func(f queue.Fate) {
		t.Helper()
		if _, matched := l.Match(t); !matched {
			t.Fatal("nobody is bound")
		}
		attempt, err := l.Begin(ctx, "node1", c.Now())
		ok(err)
		c.pass(10 * time.Second)
		l.resolve(t, attempt.ID, f)
	}
	promised := c.Now().Add(-rules.WrapUp)
	ring(queue.FateBusy)
	c.pass(rules.Retries[0])
	l.Sweep(t)
	ring(queue.FateReached)
	reached := c.Now().Add(-10 * time.Second)
	found, err := l.Find(ctx, numberOf(4))
	ok(err)
	turn, err := l.Turn(ctx, found[0].ID)
	ok(err)
	ok(l.Joined(ctx, turn))
	c.pass(60 * time.Second)
	ok(l.Talked(ctx, turn))
	// The second an hour after it was promised.
	c.pass(w[0].To.Sub(c.Now()) + time.Minute)
	l.Sweep(t)
	late, err := l.Begin(ctx, "node1", c.Now())
	ok(err)
	lateBy := c.Now().Sub(w[0].From)
	l.resolve(t, late.ID, queue.FateReached)
	to := c.Now().Add(time.Second)

	got, err := l.Stats(ctx, from, to)
	ok(err)
	soonBy := reached.Sub(promised)
	busy := 100*time.Second + 200*time.Second + 60*time.Second + 3*rules.WrapUp
	want := queue.Stats{
		From: from, To: to,
		Offered: 6, Answered: 2, Within: 1, AnswerMean: 20 * time.Second, Abandoned: 1, AbandonedShort: 1, Deferred: 1, Alone: 1,
		Talks: 3, HandlingMean: 120*time.Second + rules.WrapUp, Busy: busy, SignedIn: to.Sub(from),
		Promised: 2, Reached: 2, Late: 1, DelayMean: (soonBy + lateBy) / 2, Delay90: got.Delay90,
		Attempts: map[queue.Fate]int{queue.FateBusy: 1, queue.FateReached: 2},
		Told:     1, Right: 0, ErrorMedian: 0.25,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("statistics\n%+v, want\n%+v", got, want)
	}
	if low, high := min(soonBy, lateBy), max(soonBy, lateBy); got.Delay90 <= low || got.Delay90 > high {
		t.Errorf("nine of ten within %v, of %v and %v", got.Delay90, low, high)
	}
	if level := got.ServiceLevel(); math.Abs(level-1./3) > 1e-9 {
		t.Errorf("service level %v", level)
	}
	if share := got.Abandonment(); math.Abs(share-1./3) > 1e-9 {
		t.Errorf("abandonment %v", share)
	}
	// What happened before and after does not count.
	if before, err := l.Stats(ctx, from.Add(-time.Hour), from); err != nil || fmt.Sprint(before) != fmt.Sprint(queue.Stats{
		From: from.Add(-time.Hour), To: from, Attempts: map[queue.Fate]int{},
	}) {
		t.Errorf("the hour before: %+v, %v", before, err)
	}
	if after, err := l.Stats(ctx, to, to.Add(time.Hour)); err != nil || after.Talks != 0 || after.SignedIn != time.Hour {
		t.Errorf("the hour after: %+v, %v", after, err)
	}
	l.lawful(t)
}
