package e2e

import (
	"context"
	"testing"
	"time"

	"ringback/ivr/ivrtest"
	"ringback/phone"
	"ringback/prompts"
)

// desk is a hotline with one agent, Anna.
type desk struct {
	*hotline
	anna *agent
	net  *network
}

// quick are the settings of a line that does not make a test wait.
var quick = []string{"RINGBACK_QUEUE_WRAP_UP=2s", "RINGBACK_QUEUE_ANNOUNCE=20s", "RINGBACK_QUEUE_AWAY=5s", "RINGBACK_QUEUE_RING=1m30s"}

// TestLine is a day at the desk, one thing after another: the agent is one, and
// so is the line.
func TestLine(t *testing.T) {
	t.Parallel()
	d := &desk{anna: newAgent(t, "anna", "caller", "caller later"), net: ownNetwork(t)}
	d.hotline = ownWith(t, quick, "--agents-at", d.anna.address(), "--callback-to", d.net.callbackTo())
	for _, part := range []struct {
		name string
		play func(*desk, *testing.T)
	}{
		{"TwoCallersOneAgent", (*desk).twoCallersOneAgent},
		{"RingsInMeanwhile", (*desk).ringsInMeanwhile},
		{"NobodyPicksUp", (*desk).nobodyPicksUp},
		{"TakenOver", (*desk).takenOver},
		{"BrokenLine", (*desk).brokenLine},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.play(d, t) }) {
			return // the line is not as the next one expects it
		}
		d.anna.hangUp(t)
		until(t, "an empty line", func() bool {
			return d.count(t, `SELECT (SELECT count(*) FROM tickets WHERE state <> 'closed') + (SELECT count(*) FROM agents WHERE state <> 'ready')`) == 0
		})
	}
}

// patience is how long a part of the day may take.
func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// asks rings the hotline for a person, as somebody who knows the keys by heart,
// and Anna's voice.
func (d *desk) asks(ctx context.Context, t *testing.T, number string) *caller {
	t.Helper()
	return d.keys(ctx, t, number, "10")
}

// keys rings the hotline and presses keys ahead of the questions.
func (d *desk) keys(ctx context.Context, t *testing.T, number, keys string) *caller {
	t.Helper()
	c := d.ringKnowing(t, number, d.promptsAnd(t, "anna", "anna later"))
	if err := c.Press(ctx, keys); err != nil {
		t.Fatal(err)
	}
	return c
}

// talks is a caller who was connected with Anna: each hears the other.
func (d *desk) talks(ctx context.Context, t *testing.T, c *caller) (atTheDesk *caller) {
	t.Helper()
	atTheDesk = next(ctx, t, "Anna", d.anna.calls)
	atTheDesk.says(ctx, "anna", c)
	c.says(ctx, "caller", atTheDesk)
	return atTheDesk
}

// twoCallersOneAgent: one person talks, the second chooses to be rung back and
// hangs up, the third waits. Who rang earlier is served earlier.
func (d *desk) twoCallersOneAgent(t *testing.T) {
	ctx := patience(t)
	first, second, third := newNumber(), newNumber(), newNumber()
	rung := d.net.person(t, second, d.promptsAnd(t, "anna"))

	talking := d.asks(ctx, t, first)
	talking.expect(ctx, "connect.now")
	d.talks(ctx, t, talking)

	leaving := d.asks(ctx, t, second)
	leaving.converse(ctx, turn{"wait.next", ""}, turn{"wait.callback", "1"})
	leaving.expectOne(ctx, "person.promise", "person.promisein")
	if err := leaving.Press(ctx, "1"); err != nil {
		t.Fatal(err)
	}
	leaving.expect(ctx, "person.done")
	if err := leaving.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	if last := d.lastCall(t, second); last.Outcome.Result != "callback" {
		t.Errorf("the second call ended as %v", *last.Outcome)
	}
	waiting := d.asks(ctx, t, third)
	waiting.expect(ctx, "wait.place") // one is ahead, who is not on the line

	if n := len(d.net.rings(second)); n != 0 {
		t.Errorf("the second was rung %d times while nobody was free", n)
	}
	if err := talking.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	back := next(ctx, t, "the second", rung)
	back.converse(ctx, turn{"rung.ask", "1"}, turn{"connect.now", ""})
	d.talks(ctx, t, back)
	if err := back.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	waiting.expect(ctx, "connect.now")
	// This time Anna hangs up first.
	atTheDesk := d.talks(ctx, t, waiting)
	if err := atTheDesk.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	waiting.expect(ctx, "bye")
	waiting.over(ctx)

	for _, number := range []string{first, second, third} {
		if end := d.ticket(t, number, "closed"); end != "served" {
			t.Errorf("%s ended as %s", number, end)
		}
	}
	d.fates(t, second, "reached")
	if n := len(d.net.rings(second)); n != 1 {
		t.Errorf("the second was rung %d times", n)
	}
}

// promised is a caller who was promised to be rung while Anna talks with
// somebody else, who is returned and on whose end the number is rung.
func (d *desk) promised(ctx context.Context, t *testing.T, number string) (talking *caller) {
	t.Helper()
	talking = d.asks(ctx, t, newNumber())
	talking.expect(ctx, "connect.now")
	next(ctx, t, "Anna", d.anna.calls)
	leaving := d.keys(ctx, t, number, "101")
	leaving.expectOne(ctx, "person.promise", "person.promisein")
	if err := leaving.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	d.ticket(t, number, "due")
	return talking
}

// ringsInMeanwhile: who is just being rung rings in. It is the same place, the
// ringing stops, and they are connected.
func (d *desk) ringsInMeanwhile(t *testing.T) {
	ctx := patience(t)
	number := newNumber()
	ringing, gone := make(chan struct{}), make(chan struct{})
	d.net.subscribe(t, number, func(in *phone.Incoming) {
		_ = in.Ringing()
		close(ringing) // a second time it would panic
		<-in.Gone()
		close(gone)
	})
	talking := d.promised(ctx, t, number)
	if err := talking.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	happens(ctx, t, "the ringing", ringing)
	c := d.asks(ctx, t, number)
	c.converse(ctx, turn{"again.menu", "2"})
	happens(ctx, t, "the end of the ringing", gone)
	c.expect(ctx, "connect.now")
	d.talks(ctx, t, c)
	if err := c.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	d.fates(t, number, "stopped")
	if end := d.ticket(t, number, "closed"); end != "served" {
		t.Errorf("the ticket ended as %s", end)
	}
	if n := d.count(t, `SELECT count(*) FROM tickets WHERE number = $1`, number); n != 1 {
		t.Errorf("%d tickets", n)
	}
	if r := d.net.rings(number); len(r) != 1 || r[0].Status != 487 {
		t.Errorf("the telephone rang: %+v", r)
	}
}

// nobodyPicksUp: Anna is away from her telephone. Who is connected waits on in
// the same place, and talks with her when she is back.
func (d *desk) nobodyPicksUp(t *testing.T) {
	ctx := patience(t)
	number := newNumber()
	d.anna.leave(true)
	c := d.asks(ctx, t, number)
	c.converse(ctx, turn{"connect.now", ""}, turn{"wait.moment", ""})
	d.anna.leave(false)
	c.expect(ctx, "connect.now")
	d.talks(ctx, t, c)
	if err := c.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	if end := d.ticket(t, number, "closed"); end != "served" {
		t.Errorf("the ticket ended as %s", end)
	}
}

// takenOver: the controller is killed while one person talks with Anna and
// another waits. The talk goes on as if nothing were, and who waits keeps the
// place.
func (d *desk) takenOver(t *testing.T) {
	ctx := patience(t)
	number := newNumber()
	talking := d.asks(ctx, t, newNumber())
	talking.expect(ctx, "connect.now")
	atTheDesk := d.talks(ctx, t, talking)
	waiting := d.asks(ctx, t, number)
	waiting.converse(ctx, turn{"wait.next", ""}, turn{"wait.stay", ""})

	kill(t, d.pid(t, "controller.pid"))
	// While there is no controller, and when the next one has found its calls.
	atTheDesk.says(ctx, "anna later", talking)
	talking.says(ctx, "caller later", atTheDesk)
	waiting.expect(ctx, prompts.StillHere.Key)
	waiting.expect(ctx, "wait.next")
	atTheDesk.says(ctx, "anna", talking)
	talking.says(ctx, "caller", atTheDesk)
	if _, over := talking.call.End(); over {
		t.Fatal("the talk ended with the controller")
	}
	if err := talking.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	atTheDesk.over(ctx)
	waiting.expect(ctx, "connect.now")
	d.talks(ctx, t, waiting)
	if err := waiting.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	if end := d.ticket(t, number, "closed"); end != "served" {
		t.Errorf("the ticket ended as %s", end)
	}
	if n := d.count(t, `SELECT count(*) FROM tickets WHERE number = $1`, number); n != 1 {
		t.Errorf("%d tickets", n)
	}
}

// brokenLine: Asterisk dies, with a booking, a talk, and somebody in line. All
// three are rung back within two minutes. Who was booking goes on at the
// question they were asked, with the same time held, after the date of birth.
func (d *desk) brokenLine(t *testing.T) {
	ctx := patience(t)
	books, talks, waits := newNumber(), newNumber(), newNumber()
	rung := map[string]<-chan *phone.Incoming{}
	for _, number := range []string{books, talks, waits} {
		rung[number] = d.net.telephone(t, number)
	}
	talking := d.asks(ctx, t, talks)
	talking.expect(ctx, "connect.now")
	d.talks(ctx, t, talking)
	waiting := d.asks(ctx, t, waits)
	waiting.expect(ctx, "wait.next")
	booking := d.keys(ctx, t, books, "11"+ivrtest.Born+"1"+ivrtest.Postcode+"11")
	booking.expect(ctx, "confirm.ask")
	seat := d.count(t, `SELECT id FROM seats WHERE held_number = $1 AND state = 'held'`, books)

	kill(t, d.pid(t, "asterisk.pid"))
	died := time.Now()
	for _, c := range []*caller{talking, waiting, booking} {
		c.call.Abandon() // nothing comes from there any more
	}
	d.anna.drop()
	// Each telephone rings until somebody here picks up.
	picksUp := func(number string) *caller {
		t.Helper()
		select {
		case in := <-rung[number]:
			rang := in.At.Sub(died)
			t.Logf("%s was rung %.0f s after Asterisk died", number, rang.Seconds())
			if rang > 2*time.Minute {
				t.Errorf("%s was rung %v after Asterisk died", number, rang)
			}
			if c := pickUp(t, in, d.promptsAnd(t, "anna")); c != nil {
				return c
			}
			t.Fatalf("%s rang for too short a time", number)
		case <-ctx.Done():
			t.Fatalf("%s was not rung", number)
		}
		return nil
	}
	for _, number := range []string{talks, waits} { // in the order in which they rang
		back := picksUp(number)
		back.converse(ctx, turn{"rung.ask", "1"}, turn{"connect.now", ""})
		d.talks(ctx, t, back)
		if err := back.HangUp(ctx); err != nil {
			t.Fatal(err)
		}
	}
	back := picksUp(books)
	back.converse(ctx, turn{"rung.ask", "1"}, turn{"rung.broke", ""}, turn{"rung.check", ""},
		turn{"born.ask", ivrtest.Born}, turn{"born.read", "1"}, turn{"confirm.ask", ""})
	if got := d.count(t, `SELECT id FROM seats WHERE held_number = $1 AND state = 'held'`, books); got != seat {
		t.Errorf("seat %d is held, and seat %d was", got, seat)
	}
	if err := back.Press(ctx, "1"); err != nil {
		t.Fatal(err)
	}
	back.expect(ctx, "booked.done")
	if err := back.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	if got := d.count(t, `SELECT s.id FROM seats s JOIN appointments a ON a.id = s.appointment_id JOIN persons p ON p.id = a.person_id
		WHERE p.number = $1 AND a.state = 'booked'`, books); got != seat {
		t.Errorf("seat %d is booked, and seat %d was held", got, seat)
	}
	for number, want := range map[string]string{books: "self", talks: "served", waits: "served"} {
		if end := d.ticket(t, number, "closed"); end != want {
			t.Errorf("the ticket of %s ended as %s, want %s", number, end, want)
		}
		d.fates(t, number, "reached")
	}
}
