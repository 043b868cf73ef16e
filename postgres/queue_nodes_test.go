package postgres_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
	"ringback/ivr"
	"ringback/postgres"
	"ringback/prompts"
	"ringback/queue"
	"ringback/queue/queuetest"
)

// call enters a running call of a node into the books, in a scene.
func (l line) call(t *testing.T, id uuid.UUID, n e164.Number, node, scene string) {
	t.Helper()
	log := postgres.NewCalls(l.db)
	log.Began(ivr.Info{ID: id, Number: n, Node: node, Channel: node + "-" + id.String(), Started: l.now()})
	log.Entered(id, ivr.SceneName(scene), prompts.English, []byte(`{"Version": 1}`))
	if err := log.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Nodes that have calls and were silent for a while are dead.
func TestDeadNodes(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	beat := func(node string, at time.Time) {
		t.Helper()
		if err := l.Beat(t.Context(), node, at); err != nil {
			t.Fatal(err)
		}
	}
	dead := func(want ...string) {
		t.Helper()
		got, err := l.DeadNodes(t.Context(), c.Now(), 20*time.Second)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("dead: %v, %v; want %v", got, err, want)
		}
	}
	for _, node := range []string{"silent", "alive", "idle"} {
		beat(node, c.Now())
	}
	l.call(t, uuid.New(), numberOf(1), "silent", "choose")
	l.call(t, uuid.New(), numberOf(2), "alive", "choose")
	c.pass(20 * time.Second)
	beat("alive", c.Now())
	beat("alive", c.Now().Add(-time.Hour)) // told late
	dead("silent")
	if _, err := l.Break(t.Context(), "silent", c.Now()); err != nil {
		t.Fatal(err)
	}
	dead()
}

// broke is the oldest open ticket of the arrival's number after the node with its
// only call died; none where nobody is rung.
func (l line) broke(t *testing.T, a queue.Arrival, scene string) (got queue.Ticket) {
	t.Helper()
	node := "node of " + a.CallID.String()
	l.call(t, a.CallID, a.Number, node, scene)
	if _, err := l.Break(t.Context(), node, l.now()); err != nil {
		t.Fatal(err)
	}
	found, err := l.Find(t.Context(), a.Number)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) > 0 {
		got = found[0]
	}
	return got
}

// Everybody who was on a node that died is rung in the scene of the call, with
// what was keyed and held; each as it should be by what the call was doing.
func TestBreak(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	ctx := t.Context()
	on := func(n e164.Number, scene string) queue.Arrival {
		a := l.arrival(n)
		a.Node = "node9"
		l.call(t, a.CallID, n, "node9", scene)
		return a
	}
	join := func(a queue.Arrival) queue.Ticket {
		got, err := l.Join(ctx, a)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	dialogue := on(numberOf(1), "choose")
	talks := join(on(numberOf(2), "talk"))
	l.SignIn(t, everything("anna"))
	turn, _ := l.Match(t)
	if err := l.Joined(ctx, turn); err != nil || turn.Ticket != talks.ID {
		t.Fatalf("%+v, %v", turn, err)
	}
	inLine := join(on(numberOf(3), "wait"))
	promisedTo := on(numberOf(4), "choose")
	w, err := l.Windows(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Promise(ctx, promisedTo, w[0]); err != nil {
		t.Fatal(err)
	}
	withheld := join(on(e164.Withheld, "wait"))
	on(e164.Withheld, "choose") // in the dialogue: nobody can be rung
	ringing := l.due(t, numberOf(5), queue.WishSelf)
	attempt, err := l.Begin(ctx, "node9", c.Now())
	if err != nil {
		t.Fatal(err)
	}
	l.call(t, attempt.ID, numberOf(5), "node9", "rung")
	elsewhere := l.arrival(numberOf(6))
	l.call(t, elsewhere.CallID, numberOf(6), "node1", "choose")
	unwanted := on(numberOf(7), "choose")
	l.exec(`insert into do_not_ring values ($1, now(), 'test', '')`, unwanted.Number)
	booked := on(numberOf(8), "after")

	centre := l.dortmund(1)
	person := booking.Person{Number: dialogue.Number, Born: elder, Postcode: "44137"}
	if _, err := l.Offer(ctx, booking.Search{CallID: dialogue.CallID, Person: person, Centre: centre.ID}); err != nil {
		t.Fatal(err)
	}
	l.exec(`update seats set held_until = now() + interval '1 minute' where state = 'held'`)

	n, err := l.Break(ctx, "node9", c.Now())
	if err != nil || n != 4 {
		t.Errorf("%d are rung, %v", n, err)
	}
	broken := l.Ticket(t, dialogue.CallID)
	if broken.State != queue.StateDue || broken.Wish != queue.WishSelf || broken.Reason != queue.Broken || broken.Scene != "choose" ||
		string(broken.Known) != `{"Version": 1}` || broken.Language != prompts.English || broken.Number != numberOf(1) {
		t.Errorf("who was in the dialogue: %+v", broken)
	}
	if l.number(`select count(*) from seats where state = 'held' and held_until > now() + interval '10 minutes'`) != 1 {
		t.Error("what was held is not kept")
	}
	for what, tc := range map[string]struct {
		id   uuid.UUID
		want queue.State
		wish queue.Wish
	}{
		"who talked":                       {talks.ID, queue.StateDue, queue.WishPerson},
		"who held the line":                {inLine.ID, queue.StateDue, queue.WishPerson},
		"who was promised an hour already": {promisedTo.CallID, queue.StatePromised, queue.WishPerson},
		"who shows no number":              {withheld.ID, queue.StateLeft, queue.WishPerson},
		"who was being rung":               {ringing.ID, queue.StateRinging, queue.WishSelf},
	} {
		if got := l.Ticket(t, tc.id); got.State != tc.want || got.Wish != tc.wish {
			t.Errorf("%s: %s for %s", what, got.State, got.Wish)
		}
	}
	if a := l.Agent(t, "anna"); a.State != queue.AgentWrapUp {
		t.Errorf("anna is %s", a.State)
	}
	for what, number := range map[string]e164.Number{"who asked not to be rung": unwanted.Number, "who had booked": booked.Number} {
		if found, err := l.Find(ctx, number); err != nil || len(found) != 0 {
			t.Errorf("%s: %+v, %v", what, found, err)
		}
	}
	for result, want := range map[string]int64{"callback": 4, "hung_up": 5} {
		if n := l.number(`select count(*) from calls where ended_at is not null and result = '` + result + `' and reason = 'node lost'`); n != want {
			t.Errorf("%d calls ended as %s, want %d", n, result, want)
		}
	}
	if n := l.number(`select count(*) from calls where ended_at is null`); n != 1 {
		t.Errorf("%d calls run on, want the one of the other node", n)
	}
	if n, err := l.Break(ctx, "node9", c.Now()); err != nil || n != 0 {
		t.Errorf("once more: %d, %v", n, err)
	}
	// The attempt's lease ends: it counts as made.
	c.pass(queuetest.Rules().Lease)
	l.Sweep(t)
	if got := l.Ticket(t, ringing.ID); got.State != queue.StatePromised || got.Tries != 1 {
		t.Errorf("after the lease: %+v", got)
	}
	l.lawful(t)
}

// A call breaks once; what its person waited for may be done by then, or be
// another call's.
func TestBreakOfOne(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	ctx := t.Context()
	a := l.arrival(numberOf(1))
	if got := l.broke(t, a, "choose"); got.ID != a.CallID || got.State != queue.StateDue || got.Wish != queue.WishSelf || got.Reason != queue.Broken || got.Resumed {
		t.Errorf("in the dialogue: %+v", got)
	}
	// Rung in again, it breaks again: that is one ticket.
	if got := l.broke(t, l.arrival(numberOf(1)), "choose"); got.ID != a.CallID {
		t.Errorf("again in the dialogue: %+v", got)
	}
	// It broke after what it waited for was done, and the dialogue went on.
	b := l.arrival(numberOf(2))
	first, err := l.Join(ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(ctx, first.ID, queue.EndSelf); err != nil {
		t.Fatal(err)
	}
	if got := l.broke(t, b, "choose"); got.ID == first.ID || got.State != queue.StateDue || got.CallID != b.CallID {
		t.Errorf("after its ticket was closed: %+v", got)
	}
	// Another call of the number has the ticket by now.
	d := l.arrival(numberOf(3))
	waits, err := l.Join(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	e := l.arrival(numberOf(3))
	e.Ticket = waits.ID
	if _, err := l.Join(ctx, e); err != nil {
		t.Fatal(err)
	}
	if got := l.broke(t, d, "wait"); got.ID != waits.ID || got.State != queue.StateWaiting || got.CallID != e.CallID {
		t.Errorf("told late: %+v", got)
	}
	// At night it is rung in the morning.
	c.pass(12 * time.Hour)
	if got := l.broke(t, l.arrival(numberOf(4)), "choose"); got.State != queue.StatePromised || !got.DueAt.Equal(queuetest.Rules().Ringing.Next(c.Now())) {
		t.Errorf("at night: %+v", got)
	}
	l.lawful(t)
}
