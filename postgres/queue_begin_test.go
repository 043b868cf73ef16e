package postgres_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/ivr"
	"ringback/postgres"
	"ringback/queue"
	"ringback/queue/queuetest"
)

func (l line) begin(t *testing.T, want uuid.UUID) queue.Attempt {
	t.Helper()
	a, err := l.Begin(t.Context(), "node1", l.now())
	if err != nil || a.Ticket.ID != want {
		t.Fatalf("began %s for ticket %s, %v; want %s", a.ID, a.Ticket.ID, err, want)
	}
	return a
}

func (l line) noneDue(t *testing.T, why string, limit queue.Limit) {
	t.Helper()
	a, err := l.Begin(t.Context(), "node1", l.now())
	var held queue.HeldBack
	if errors.As(err, &held); !errors.Is(err, queue.ErrNoneDue) || held.By != limit {
		t.Errorf("%s: began %+v, %v", why, a, err)
	}
}

func (l line) resolve(t *testing.T, id uuid.UUID, f queue.Fate) queue.Ticket {
	t.Helper()
	got, err := l.Resolve(t.Context(), id, f)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// People are rung in the order of the line, those whose line broke before it;
// for an agent only once one is bound.
func TestOrderOfRinging(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	person := l.due(t, numberOf(1), queue.WishPerson)
	c.pass(time.Second)
	self := l.due(t, numberOf(2), queue.WishSelf)
	c.pass(time.Second)
	last := l.due(t, numberOf(3), queue.WishSelf)
	c.pass(time.Second)
	broken := l.broke(t, l.arrival(numberOf(4)), "choose")
	l.begin(t, broken.ID)
	c.pass(time.Second)
	l.begin(t, self.ID)
	c.pass(time.Second)
	l.SignIn(t, everything("anna"))
	if turn, ok := l.Match(t); !ok || turn.Ticket != person.ID {
		t.Fatalf("bound %+v", turn)
	}
	if a := l.begin(t, person.ID); a.Turn.Agent != "anna" || a.Turn.Ticket != person.ID || a.Node != "node1" || a.Ticket.State != queue.StateRinging {
		t.Errorf("began %+v", a)
	}
	c.pass(time.Second)
	l.begin(t, last.ID)
	l.noneDue(t, "all are rung", "")
	if all, err := l.Unresolved(t.Context(), "node1"); err != nil || len(all) != 4 || all[0].Ticket.ID != broken.ID || all[2].Turn.Agent != "anna" {
		t.Errorf("unresolved: %+v, %v", all, err)
	}
	if all, err := l.Unresolved(t.Context(), "node2"); err != nil || len(all) != 0 {
		t.Errorf("of another node: %+v, %v", all, err)
	}
	l.lawful(t)
}

// Each limit keeps people from being rung, and says so.
func TestLimits(t *testing.T) {
	t.Parallel()
	rules := queuetest.Rules()
	for name, tc := range map[string]struct {
		limit queue.Limit
		set   func(*testing.T, line, *clock)
		state queue.State // of the ticket then
		end   queue.End
	}{
		"switched off": {queue.LimitOff, func(t *testing.T, l line, _ *clock) {
			if err := l.SetOutgoing(t.Context(), false, "test", "a rehearsal"); err != nil {
				t.Fatal(err)
			}
		}, queue.StateDue, ""},
		"night": {"", func(_ *testing.T, _ line, c *clock) { c.pass(12 * time.Hour) }, queue.StateDue, ""},
		"enough today": {queue.LimitPerDay, func(_ *testing.T, l line, c *clock) {
			l.exec(`insert into outgoing_days values ($1, $2)`, c.Now(), rules.OutPerDay)
		}, queue.StateDue, ""},
		"the number, enough today": {queue.LimitPerNumber, func(_ *testing.T, l line, c *clock) {
			l.exec(`insert into attempts (id, ticket_id, number, node, promised_from, began_at, lease, fate, ended_at)
				select gen_random_uuid(), id, number, 'node1', $1, $1, $1, case when n > 1 then 'busy' else 'unmade' end, $1
				from tickets, generate_series(1, $2 + 1) n`, c.Now(), rules.PerNumber)
			l.exec(`update tickets set tries = $1`, rules.PerNumber)
		}, queue.StatePromised, ""},
		"it asked not to be": {queue.LimitUnwanted, func(_ *testing.T, l line, _ *clock) {
			l.exec(`insert into do_not_ring values ($1, now(), 'test', '')`, numberOf(1))
		}, queue.StateClosed, queue.EndForbidden},
		"another region": {queue.LimitRegion, func(_ *testing.T, l line, _ *clock) {
			l.exec(`update tickets set number = '+33123456789'`)
		}, queue.StateClosed, queue.EndForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			l := newLine(t, rules, c.Now)
			l.SignIn(t, everything("anna"))
			ticket := l.due(t, numberOf(1), queue.WishPerson)
			if _, ok := l.Match(t); !ok {
				t.Fatal("nobody is bound")
			}
			tc.set(t, l, c)
			l.noneDue(t, name, tc.limit)
			got := l.Ticket(t, ticket.ID)
			if got.State != tc.state || got.End != tc.end {
				t.Errorf("then it is %s %s", got.State, got.End)
			}
			if tc.state != queue.StateDue {
				if a := l.Agent(t, "anna"); a.State != queue.AgentReady {
					t.Errorf("anna is %s", a.State)
				}
				changes := l.audit(t, ticket.ID)
				if last := changes[len(changes)-1]; last.Deed != queue.DeedPutOff || last.Why != string(tc.limit) {
					t.Errorf("audited as %+v", last)
				}
			}
			if tc.limit == queue.LimitPerNumber { // the next day
				if want := rules.Ringing.Next(time.Date(2027, 2, 2, 0, 0, 0, 0, rules.Ringing.Zone())); !got.DueAt.Equal(want) {
					t.Errorf("due at %v, want %v", got.DueAt, want)
				}
			}
		})
	}
}

// What a limit puts off does not keep those behind it from being rung.
func TestLimitsOfOneNumberDoNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	for i := range 3 {
		l.due(t, numberOf(i), queue.WishSelf)
		l.exec(`insert into do_not_ring values ($1, now(), 'test', '')`, numberOf(i))
	}
	c.pass(time.Second)
	behind := l.due(t, numberOf(9), queue.WishSelf)
	for range 3 {
		l.noneDue(t, "asked not to be rung", queue.LimitUnwanted)
	}
	l.begin(t, behind.ID)
	l.lawful(t)
}

// What was never dialled costs nothing of the day and of the number.
func TestUnmadeCostsNothing(t *testing.T) {
	t.Parallel()
	c := newClock()
	rules := queuetest.Rules()
	rules.OutPerDay, rules.PerNumber = 2, 2
	l := newLine(t, rules, c.Now)
	ticket := l.due(t, numberOf(1), queue.WishSelf)
	for range 5 {
		l.resolve(t, l.begin(t, ticket.ID).ID, queue.FateUnmade)
	}
	l.resolve(t, l.begin(t, ticket.ID).ID, queue.FateBusy)
	c.pass(rules.Retries[0])
	l.Sweep(t)
	l.resolve(t, l.begin(t, ticket.ID).ID, queue.FateBusy)
	l.due(t, numberOf(2), queue.WishSelf)
	l.noneDue(t, "two calls today", queue.LimitPerDay)
	c.pass(24 * time.Hour)
	l.Sweep(t)
	if _, err := l.Begin(t.Context(), "node1", c.Now()); err != nil {
		t.Errorf("the next day: %v", err)
	}
	l.lawful(t)
}

// Two people share a number: the second is rung when the first call is over.
func TestSharedNumberIsRungOnceAtATime(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	a := l.arrival(numberOf(1))
	a.Wish = queue.WishSelf
	first, err := l.Join(t.Context(), a)
	if err == nil {
		a.Ticket = first.ID
		_, err = l.Promise(t.Context(), a, queue.Window{})
	}
	c.pass(time.Second)
	b := l.arrival(numberOf(1))
	b.Wish = queue.WishSelf
	second, err2 := l.Join(t.Context(), b)
	if err2 == nil {
		b.Ticket = second.ID
		_, err2 = l.Promise(t.Context(), b, queue.Window{})
	}
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	attempt := l.begin(t, first.ID)
	l.noneDue(t, "while the number rings", "")
	l.resolve(t, attempt.ID, queue.FateReached)
	l.noneDue(t, "while the first talks", "")
	if err := l.Close(t.Context(), first.ID, queue.EndSelf); err != nil {
		t.Fatal(err)
	}
	l.begin(t, second.ID)
}

// Attempts that are to ring no longer are found by their node, until it says
// that they do not.
func TestStopped(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	ticket := l.due(t, numberOf(1), queue.WishSelf)
	attempt := l.begin(t, ticket.ID)
	stopped := func(want ...uuid.UUID) {
		t.Helper()
		got, err := l.Stopped(t.Context(), "node1")
		if err != nil || len(got) != len(want) || len(got) > 0 && got[0] != want[0] {
			t.Errorf("stopped: %v, %v; want %v", got, err, want)
		}
	}
	stopped()
	a := l.arrival(numberOf(1))
	a.Ticket = ticket.ID
	if _, err := l.Join(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	stopped(attempt.ID)
	// Promised again before it stopped: the number is not rung a second time.
	a.Wish = queue.WishSelf
	if _, err := l.Promise(t.Context(), a, queue.Window{}); err != nil {
		t.Fatal(err)
	}
	l.noneDue(t, "while it may still ring", "")
	if got := l.resolve(t, attempt.ID, queue.FateStopped); got.State != queue.StateDue || got.Tries != 1 {
		t.Errorf("then it is %+v", got)
	}
	stopped()
	c.pass(time.Second)
	l.begin(t, ticket.ID)
	ringings, err := l.Attempts(t.Context(), ticket.ID)
	if err != nil || len(ringings) != 2 || ringings[0].Fate != queue.FateStopped || ringings[0].Ended.IsZero() ||
		ringings[1].Fate != "" || !ringings[1].Ended.IsZero() || ringings[1].Ticket != ticket.ID {
		t.Errorf("attempts: %+v, %v", ringings, err)
	}
	l.lawful(t)
}

// A number that is only spoken is in line, and nobody is bound to it or rings
// it.
func TestSpokenNumberIsNotRung(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	l.SignIn(t, everything("anna"))
	l.due(t, e164.Withheld, queue.WishSelf)
	l.due(t, e164.Withheld, queue.WishPerson)
	l.noneDue(t, "without a number", "")
	if turn, ok := l.Match(t); ok {
		t.Errorf("bound %+v", turn)
	}
}

// Who is promised to be rung is not rung before they have hung up.
func TestNobodyIsRungOnTheLine(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	l.SignIn(t, everything("anna"))
	person := l.due(t, numberOf(1), queue.WishPerson)
	c.pass(time.Second)
	self := l.due(t, numberOf(2), queue.WishSelf)
	for _, ticket := range []queue.Ticket{person, self} {
		l.call(t, ticket.CallID, ticket.Number, "node1", "rung")
	}
	if turn, ok := l.Match(t); ok {
		t.Errorf("bound %+v while the caller is still there", turn)
	}
	l.noneDue(t, "both are still there", "")
	log := postgres.NewCalls(l.db)
	for _, ticket := range []queue.Ticket{person, self} {
		log.Ended(ticket.CallID, l.now(), ivr.Outcome{Result: ivr.CalledBack, Reason: "asked"})
	}
	if err := log.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.pass(time.Second)
	if turn, ok := l.Match(t); !ok || turn.Ticket != person.ID {
		t.Errorf("bound %+v after both have hung up", turn)
	}
	l.begin(t, person.ID)
	c.pass(time.Second)
	l.begin(t, self.ID)
}
