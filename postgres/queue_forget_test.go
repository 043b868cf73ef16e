package postgres_test

import (
	"testing"
	"time"

	"ringback/postgres"
	"ringback/queue"
	"ringback/queue/queuetest"
)

var month = postgres.Retention{Calls: 30 * 24 * time.Hour, History: 90 * 24 * time.Hour}

// forget removes all there is to remove, and says how much that was.
func (l line) forget(t *testing.T) postgres.Forgotten {
	t.Helper()
	var all postgres.Forgotten
	for more := true; more; {
		f, err := l.Forget(t.Context(), month, l.now())
		if err != nil {
			t.Fatal(err)
		}
		all.Tickets, all.Calls = all.Tickets+f.Tickets, all.Calls+f.Calls
		all.Registrations, all.History = all.Registrations+f.Registrations, all.History+f.History
		more = f.More
	}
	return all
}

// What nobody works with any more goes when it is old, and nothing else does.
func TestForget(t *testing.T) {
	t.Parallel()
	c := newClock()
	c.now = time.Now().Add(-100 * 24 * time.Hour)
	rules := queuetest.Rules()
	var err error
	if rules.Ringing, err = queue.ParseHours("always", "UTC", ""); err != nil {
		t.Fatal(err)
	}
	l := newLine(t, rules, c.Now)
	ctx := t.Context()
	l.SignIn(t, everything("anna"))

	served := l.join(t, numberOf(1))
	l.call(t, served.CallID, served.Number, "node1", "wait")
	l.exec(`insert into call_events (call_id, seq, at, kind, line, text, keys) values ($1, 1, $2, 'say', 'x', 'x', '')`, served.CallID, c.Now())
	turn, _ := l.Match(t)
	if err := l.Joined(ctx, turn); err != nil {
		t.Fatal(err)
	}
	if err := l.Talked(ctx, turn); err != nil {
		t.Fatal(err)
	}
	rung := l.due(t, numberOf(2), queue.WishSelf)
	l.resolve(t, l.begin(t, rung.ID).ID, queue.FateReached)
	if err := l.Close(ctx, rung.ID, queue.EndSelf); err != nil {
		t.Fatal(err)
	}
	l.exec(`insert into recordings (id, ticket_id, length, wav) values (gen_random_uuid(), $1, '1 s', 'RIFF')`, rung.ID)
	l.register(t, 1, l.registration(3))
	waiting := l.due(t, numberOf(4), queue.WishSelf) // for ever
	l.call(t, waiting.CallID, waiting.Number, "node1", "callback")
	l.exec(`insert into callbacks (id, call_id, number, language, reason, state, updated_at)
		values (gen_random_uuid(), gen_random_uuid(), '+49231500123', 'de', 'asked', 'done', $1)`, c.Now())
	l.exec(`insert into do_not_ring values ($1, $2, 'jo', 'asked by letter')`, numberOf(5), c.Now())

	count := func(what string) int64 { return l.number(`select count(*) from ` + what) }
	// Every table with rows, and how many of them are kept for what is in line.
	wants := func(when string, rows map[string]int64) {
		t.Helper()
		for what, n := range rows {
			if got := count(what); got != n {
				t.Errorf("%s: %d rows in %s, want %d", when, got, what, n)
			}
		}
	}
	changes, states := count("queue_audit"), count("agent_states")
	c.pass(29 * 24 * time.Hour)
	if f := l.forget(t); f != (postgres.Forgotten{}) {
		t.Errorf("too early: %+v", f)
	}
	c.pass(2 * 24 * time.Hour)
	// Two tickets and an old callback; the call of who waits stays, and that of
	// who was registered: it is their ticket's.
	if f := l.forget(t); f != (postgres.Forgotten{Tickets: 3, Calls: 1, Registrations: 1}) {
		t.Errorf("after a month: %+v", f)
	}
	wants("after a month", map[string]int64{
		"tickets": 2, "attempts": 0, "recordings": 0, "calls": 2, "call_events": 0, "registrations": 0, "callbacks": 0,
		"do_not_ring": 1, "queue_audit": changes, "agent_states": states,
	})
	c.pass(60 * 24 * time.Hour)
	if f := l.forget(t); f.Tickets+f.Calls+f.Registrations != 0 || f.History == 0 {
		t.Errorf("after three months: %+v", f)
	}
	wants("after three months", map[string]int64{
		"agent_states": 0, "queue_audit where ticket_id is null or ticket_id not in (select id from tickets)": 0,
		"queue_audit where ticket_id in (select id from tickets)": 2,
	})
	l.refused("queue_audit_append_only", `delete from queue_audit`) // of who is in line
	if err := l.Remove(ctx, waiting.ID, "jo", "test"); err != nil {
		t.Fatal(err)
	}
	l.exec(`delete from tickets where id = $1`, waiting.ID)
	l.refused("queue_audit_append_only", `delete from queue_audit where ticket_id = $1 and deed = 'remove' and at > now() - interval '7 days'
		or ticket_id is null or ticket_id in (select id from tickets)`, waiting.ID)
}

// What is in use is not waited for, and no round removes more than some.
func TestForgetIsInNobodysWay(t *testing.T) {
	t.Parallel()
	c := newClock()
	c.now = time.Now()
	l := newLine(t, queuetest.Rules(), c.Now)
	l.exec(`insert into tickets (id, topic, language, wish, reason, rang_at, state, call_id, closed_at, ending)
		select gen_random_uuid(), 'other', 'de', 'self', 'asked', now(), 'closed', gen_random_uuid(),
			now() - interval '30 minutes' - n * interval '1 hour', 'self' from generate_series(1, 1400) n`)
	tx, err := l.db.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `select from tickets where closed_at < now() - interval '1400 hours' for update`); err != nil {
		t.Fatal(err)
	}
	if f, err := l.Forget(t.Context(), month, c.Now()); err != nil || f.Tickets != 500 || !f.More {
		t.Errorf("at once: %+v, %v", f, err)
	}
	if f, err := l.Forget(t.Context(), month, c.Now()); err != nil || f.Tickets != 180 || f.More {
		t.Errorf("then: %+v, %v", f, err)
	}
	if n := l.number(`select count(*) from tickets where closed_at < now() - interval '30 days'`); n != 1 {
		t.Errorf("%d old tickets are left", n)
	}
}
