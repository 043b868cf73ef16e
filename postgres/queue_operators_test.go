package postgres_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/queue"
	"ringback/queue/queuetest"
)

// all reads the line in pages.
func (l line) all(t *testing.T, f queue.Filter) []queue.Ticket {
	t.Helper()
	var all []queue.Ticket
	for {
		page, err := l.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page...)
		if len(page) < f.Limit {
			return all
		}
		f.After = page[len(page)-1].Place()
	}
}

// The line is read in pages, in its order, all of it or a part.
func TestList(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	var want []queue.Ticket
	for i := range 30 {
		a := l.arrival(numberOf(i % 9))
		a.At = c.Now().Add(time.Duration(i*7%10) * time.Second) // some in the same moment
		a.Topic = queue.Topics[i%3]
		ticket, err := l.Join(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		switch i % 4 {
		case 0:
			err = l.Leave(t.Context(), ticket.ID, ticket.CallID)
		case 1:
			err = l.Close(t.Context(), ticket.ID, queue.EndSelf)
		}
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, l.Ticket(t, ticket.ID))
	}
	slices.SortFunc(want, queue.Compare)
	for name, f := range map[string]queue.Filter{
		"open":             {},
		"waiting":          {State: queue.StateWaiting},
		"closed":           {State: queue.StateClosed},
		"of a topic":       {Topic: queue.TopicAppointment},
		"of a number":      {Number: numberOf(3)},
		"closed, a number": {Number: numberOf(1), State: queue.StateClosed},
		"all three":        {Number: numberOf(2), State: queue.StateWaiting, Topic: queue.TopicBooking},
		"nobody's":         {Number: "+49231999999"},
	} {
		var fits []uuid.UUID
		for _, ticket := range want {
			if (f.State == "" && ticket.Open() || f.State == ticket.State) && (f.Topic == "" || f.Topic == ticket.Topic) &&
				(f.Number == e164.Withheld || f.Number == ticket.Number) {
				fits = append(fits, ticket.ID)
			}
		}
		for _, limit := range []int{1, 4, 100} {
			f.Limit = limit
			var got []uuid.UUID
			for _, ticket := range l.all(t, f) {
				got = append(got, ticket.ID)
			}
			if !slices.Equal(got, fits) {
				t.Errorf("%s, by %d: %v, want %v", name, limit, got, fits)
			}
		}
	}
	if _, err := l.Get(t.Context(), uuid.New()); !errors.Is(err, queue.ErrNoTicket) {
		t.Errorf("get nothing: %v", err)
	}
	depth, err := l.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, d := range depth {
		n += d.Tickets
		if first := slices.IndexFunc(want, func(k queue.Ticket) bool { return k.Topic == d.Topic && k.State == d.State }); d.State == queue.StateClosed ||
			!slices.ContainsFunc(want[first:], func(k queue.Ticket) bool { return k.RangAt.Equal(d.RangAt) }) {
			t.Errorf("depth %+v", d)
		}
	}
	if open := len(l.all(t, queue.Filter{Limit: 100})); n != open {
		t.Errorf("%d deep, %d are open", n, open)
	}
}

// What operators do is done, and audited with who did it and why.
func TestOperators(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	ctx := t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ws, err := l.Windows(ctx, 2)
	ok(err)
	five := 5
	now := &queue.Window{}
	waits := l.join(t, numberOf(1))
	promised, err := l.Promise(ctx, l.arrival(numberOf(2)), ws[0])
	ok(err)
	removed := l.due(t, numberOf(3), queue.WishSelf)
	ringing := l.due(t, numberOf(4), queue.WishSelf)
	_, err = l.Attempt(t, ringing.ID)
	ok(err)
	c.pass(time.Minute)

	ok(l.Move(ctx, waits.ID, queue.Move{Priority: &five}, "jo", "the doctor asked"))
	ok(l.Move(ctx, promised.ID, queue.Move{Window: &ws[1]}, "jo", "later"))
	ok(l.Remove(ctx, removed.ID, "jo", "came in person"))
	ok(l.Move(ctx, ringing.ID, queue.Move{Window: &ws[0]}, "jo", "sleeps"))
	if got := l.Ticket(t, waits.ID); got.Priority != 5 || got.State != queue.StateWaiting {
		t.Errorf("moved up: %+v", got)
	}
	if got := l.Ticket(t, promised.ID); !got.Window.Equal(ws[1]) || !got.DueAt.Equal(ws[1].From) {
		t.Errorf("moved to another hour: %+v", got)
	}
	if got := l.Ticket(t, removed.ID); got.End != queue.EndRemoved {
		t.Errorf("removed: %+v", got)
	}
	if got := l.Ticket(t, ringing.ID); got.State != queue.StatePromised || !got.Window.Equal(ws[0]) {
		t.Errorf("moved while being rung: %+v", got)
	}
	ok(l.Move(ctx, promised.ID, queue.Move{Window: now}, "jo", "now"))
	if got := l.Ticket(t, promised.ID); got.State != queue.StateDue || !got.Window.IsZero() {
		t.Errorf("moved to now: %+v", got)
	}
	// Who holds the line goes on, and is rung in that hour if it comes to that.
	ok(l.Move(ctx, waits.ID, queue.Move{Window: &ws[0]}, "jo", "in case"))
	if got := l.Ticket(t, waits.ID); got.State != queue.StateWaiting || !got.Window.Equal(ws[0]) {
		t.Errorf("moved while in line: %+v", got)
	}
	ok(l.Leave(ctx, waits.ID, waits.CallID))
	if got := l.Ticket(t, waits.ID); got.State != queue.StatePromised || !got.DueAt.Equal(ws[0].From) {
		t.Errorf("then hung up: %+v", got)
	}

	for what, err := range map[string]error{
		"remove what is closed": l.Remove(ctx, removed.ID, "jo", ""),
		"move what is closed":   l.Move(ctx, removed.ID, queue.Move{Priority: &five}, "jo", ""),
	} {
		if !errors.Is(err, queue.ErrOver) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := l.Remove(ctx, uuid.New(), "jo", ""); !errors.Is(err, queue.ErrNoTicket) {
		t.Errorf("remove nothing: %v", err)
	}
	never := queue.Window{From: ws[0].From.Add(-48 * time.Hour), To: ws[0].To.Add(-48 * time.Hour)}
	if err := l.Move(ctx, promised.ID, queue.Move{Priority: &five, Window: &never}, "jo", ""); !errors.Is(err, queue.ErrWindowFull) ||
		l.Ticket(t, promised.ID).Priority != 0 {
		t.Errorf("move to an hour that is over: %v", err)
	}

	var got []string
	for _, change := range l.audit(t, waits.ID) {
		got = append(got, strings.Join([]string{string(change.Deed), change.By, change.What, change.Why}, "|"))
	}
	hour := ws[0].From.UTC().Format("2006-01-02 15:04 UTC")
	if want := []string{
		"join|caller|waiting|asked",
		"move|jo|priority 0 to 5|the doctor asked",
		"move|jo|promised for " + hour + "|in case",
		"leave|caller|waiting to promised|",
	}; !slices.Equal(got, want) {
		t.Errorf("audited:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if changes := l.audit(t, waits.ID); !changes[1].At.Equal(c.Now()) || changes[1].Ticket != waits.ID {
		t.Errorf("audited as %+v", changes[1])
	}
	l.lawful(t)
}

func TestOutgoing(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	ctx := t.Context()
	if o, err := l.Outgoing(ctx); err != nil || o != (queue.Outgoing{On: true}) {
		t.Errorf("at first: %+v, %v", o, err)
	}
	for _, on := range []bool{false, true} {
		if err := l.SetOutgoing(ctx, on, "jo", "a rehearsal"); err != nil {
			t.Fatal(err)
		}
		if o, err := l.Outgoing(ctx); err != nil || o.On != on || o.By != "jo" || o.Why != "a rehearsal" || !o.Since.Equal(c.Now()) {
			t.Errorf("switched: %+v, %v", o, err)
		}
	}
	if got := l.texts(t, `select deed || ' ' || what || ' ' || done_by || ' ' || why from queue_audit where ticket_id is null order by id`); !slices.Equal(got, []string{
		"outgoing off jo a rehearsal", "outgoing on jo a rehearsal",
	}) {
		t.Errorf("audited: %q", got)
	}
}

func (l line) unwanted(t *testing.T, f queue.UnwantedFilter) []queue.Unwanted {
	t.Helper()
	found, err := l.Unwanted(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A number that asked not to be rung is never rung again; who holds the line is
// served.
func TestDoNotRing(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	ctx := t.Context()
	due := l.due(t, numberOf(1), queue.WishSelf)
	waits := l.join(t, numberOf(1))
	other := l.due(t, numberOf(2), queue.WishSelf)
	for range 2 {
		if err := l.DoNotRing(ctx, numberOf(1), "jo", "asked by letter"); err != nil {
			t.Fatal(err)
		}
	}
	if got := l.Ticket(t, due.ID); got.End != queue.EndForbidden {
		t.Errorf("who was to be rung: %+v", got)
	}
	if got := l.Ticket(t, waits.ID); got.State != queue.StateWaiting {
		t.Errorf("who holds the line: %+v", got)
	}
	if got := l.Ticket(t, other.ID); got.State != queue.StateDue {
		t.Errorf("another number: %+v", got)
	}
	if _, err := l.Promise(ctx, l.arrival(numberOf(1)), queue.Window{}); !errors.Is(err, queue.ErrForbidden) {
		t.Errorf("promised: %v", err)
	}
	if changes := l.audit(t, due.ID); changes[len(changes)-1].By != "jo" || changes[len(changes)-1].Why != "asked by letter" {
		t.Errorf("audited as %+v", changes)
	}
	c.pass(time.Second)
	for _, n := range []e164.Number{numberOf(5), numberOf(3), numberOf(4)} { // at one moment
		if err := l.DoNotRing(ctx, n, "jo", ""); err != nil {
			t.Fatal(err)
		}
	}
	want := []e164.Number{numberOf(3), numberOf(4), numberOf(5), numberOf(1)}
	var pages []e164.Number
	for f := (queue.UnwantedFilter{Limit: 1}); ; {
		found := l.unwanted(t, f)
		if len(found) == 0 {
			break
		}
		f.After = found[0]
		pages = append(pages, found[0].Number)
	}
	if !slices.Equal(pages, want) {
		t.Errorf("not to be rung: %v, want %v", pages, want)
	}
	if got := l.unwanted(t, queue.UnwantedFilter{Number: numberOf(1), Limit: 9}); len(got) != 1 || got[0].By != "jo" || got[0].Why != "asked by letter" {
		t.Errorf("of one number: %+v", got)
	}
	for _, n := range want[:3] {
		l.exec(`delete from do_not_ring where number = $1`, n)
	}
	for range 2 {
		if err := l.RingAgain(ctx, numberOf(1), "jo", "wants it again"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Promise(ctx, l.arrival(numberOf(1)), queue.Window{}); err != nil {
		t.Errorf("promised again: %v", err)
	}
	if got := l.texts(t, `select deed || ' ' || done_by from queue_audit where ticket_id is null order by id`); !slices.Equal(got, []string{
		"do_not_ring jo", "do_not_ring jo", "do_not_ring jo", "do_not_ring jo", "ring_again jo",
	}) {
		t.Errorf("audited: %q", got)
	}
	l.lawful(t)
}
