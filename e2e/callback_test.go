package e2e

import (
	"errors"
	"io"
	"testing"
	"time"

	"ringback/e164"
)

// TestCallbackSelf: somebody is rung back for the dialogue, presses 1, and books.
func TestCallbackSelf(t *testing.T) {
	t.Parallel()
	ctx := patience(t)
	number := newNumber()
	rung := outside.person(t, number, system.prompts(t))
	system.promise(t, []string{number})
	c := next(ctx, t, number, rung)
	c.converse(ctx, turn{"rung.ask", "1"})
	if heard, err := c.book(ctx); err != nil {
		t.Fatalf("after %v: %v", heard, err)
	}
	if n := system.count(t, `SELECT count(*) FROM appointments a JOIN persons p ON p.id = a.person_id WHERE p.number = $1 AND a.state = 'booked'`, number); n != 1 {
		t.Errorf("%d appointments", n)
	}
	system.fates(t, number, "reached")
	if end := system.ticket(t, number, "closed"); end != "self" {
		t.Errorf("the ticket ended as %s", end)
	}
	if last := system.lastCall(t, number); last.Outcome.Result != "booked" {
		t.Errorf("the call ended as %v", *last.Outcome)
	}
	if n := len(outside.rings(number)); n != 1 {
		t.Errorf("rung %d times", n)
	}
}

// TestCallbackMailbox: a mailbox picks up. It hears a short polite message, and
// counts as not reached: the person is rung again later.
func TestCallbackMailbox(t *testing.T) {
	t.Parallel()
	ctx := patience(t)
	number := newNumber()
	rung := outside.person(t, number, system.prompts(t))
	system.promise(t, []string{number})
	c := next(ctx, t, number, rung)
	c.expect(ctx, "rung.ask")
	c.expect(ctx, "rung.later")
	if lines, err := c.Hear(ctx); !errors.Is(err, io.EOF) {
		t.Errorf("after the message: %v %v", lines, err)
	}
	system.fates(t, number, "declined")
	system.ticket(t, number, "promised")
	var due time.Time
	if err := system.db.QueryRow(t.Context(), `SELECT due_at FROM tickets WHERE number = $1`, number).Scan(&due); err != nil {
		t.Fatal(err)
	}
	if wait := time.Until(due); wait < 4*time.Minute || wait > 5*time.Minute {
		t.Errorf("rung again in %v, want 5 minutes", wait)
	}
}

// TestTollFraud: who keys a number that costs us money, or leads back to us, is
// told kindly that it is not rung, and can key another.
func TestTollFraud(t *testing.T) {
	t.Parallel()
	for name, number := range map[string]string{
		"premium": "09001234567", "foreign": "0033142685300", "satellite": "008816123456789",
		"directory": "11880", "own": system.info.Number, "emergency": "110",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := patience(t)
			from, other := newNumber(), newNumber()
			c := system.ring(t, from)
			c.converse(ctx, turn{"welcome.language", "1"}, turn{"main.menu", "0"}, turn{"person.promise", "2"}, turn{"person.number", number + "#"})
			c.expectOne(ctx, "person.forbidden", "person.invalid")
			c.converse(ctx, turn{"person.number", "0" + other[len("+49"):] + "#"}, turn{"person.promise", "1"}, turn{"person.done", ""})
			if err := c.HangUp(ctx); err != nil {
				t.Fatal(err)
			}
			last := system.lastCall(t, from)
			if last.Outcome.Result != "callback" {
				t.Errorf("the call ended as %v", *last.Outcome)
			}
			if k := system.count(t, `SELECT count(*) FROM tickets WHERE number = $1 AND promised`, other); k != 1 {
				t.Errorf("%d callbacks to the other number, %s; the call went\n%s", k, other, last.story())
			}
			parsed, err := e164.Parse(number, "DE")
			if err != nil {
				return // no number at all
			}
			if k := system.count(t, `SELECT (SELECT count(*) FROM tickets WHERE number = $1) + (SELECT count(*) FROM attempts WHERE number = $1)`, string(parsed)); k != 0 {
				t.Errorf("%s stands in the line", parsed)
			}
			if k := len(outside.rings(string(parsed))); k != 0 {
				t.Errorf("%s was rung %d times", parsed, k)
			}
		})
	}
}
