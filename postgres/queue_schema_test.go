package postgres_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/postgres"
	"ringback/queue"
	"ringback/queue/queuetest"
)

// The tables of states mention all states, so the constraints repeat both.
func TestTransitionsMentionAllStates(t *testing.T) {
	t.Parallel()
	if got, want := states(queue.Transitions), texts(queue.States...); !slices.Equal(got, want) {
		t.Errorf("tickets: %q, want %q", got, want)
	}
	if got, want := states(queue.AgentTransitions), texts(queue.AgentStates...); !slices.Equal(got, want) {
		t.Errorf("agents: %q, want %q", got, want)
	}
}

// What no code of ours would write to the line is refused by the database
// itself.
func TestLineConstraintsEnforce(t *testing.T) {
	t.Parallel()
	l := newLine(t, queuetest.Rules(), time.Now)
	l.SignIn(t, everything("anna"))
	l.SignIn(t, everything("bert"))
	first := l.join(t, "+49231500123")
	l.join(t, "+49231500123")
	l.join(t, "")
	l.join(t, "")
	if _, ok := l.Match(t); !ok {
		t.Fatal("nobody is bound")
	}
	attempt := `insert into attempts (id, ticket_id, number, node, promised_from, began_at, lease)
		select gen_random_uuid(), id, '+49231500123', 'node1', now(), now(), now() from tickets where id = $1`
	l.exec(attempt, first.ID)
	for constraint, sql := range map[string]string{
		"tickets_state":               `update tickets set state = 'lost'`,
		"tickets_closed":              `update tickets set state = 'closed'`,
		"tickets_left":                `update tickets set left_at = now()`,
		"tickets_due":                 `update tickets set state = 'due'`,
		"tickets_bound":               `update tickets set leg = gen_random_uuid() where agent is null`,
		"tickets_window":              `update tickets set window_from = now(), window_to = now() - interval '1 hour'`,
		"tickets_nth_of_number":       `update tickets set nth = 1 where number is not null`,
		"tickets_max_per_number":      `update tickets set nth = 5 where number is not null`,
		"tickets_nth_is_of_number":    `update tickets set nth = null`,
		"tickets_number_check":        `update tickets set number = '0231500123' where number is not null`,
		"tickets_short":               `update tickets set short = '12345' where number is null`,
		"tickets_short_check":         `update tickets set short = '1234'`,
		"tickets_one_an_agent":        `update tickets set agent = 'anna', leg = gen_random_uuid()`,
		"tickets_agent_fkey":          `delete from agents where name = 'anna'`,
		"agents_wraps_while_reserved": `update agents set wraps_until = now() where state = 'ready'`,
		"attempts_ended":              `update attempts set fate = 'busy'`,
		"attempts_fate":               `update attempts set fate = 'lost', ended_at = now()`,
		"windows_room":                `insert into windows values (now(), 2, 3)`,
		"outgoing_pkey":               `insert into outgoing (switched) values (false)`,
		"recordings_owner":            `insert into recordings (id, ticket_id, callback_id, length, wav) select gen_random_uuid(), id, id, '1 s', '' from tickets limit 1`,
		"queue_audit_append_only":     `update queue_audit set done_by = 'nobody'`,
		"agent_states_append_only":    `delete from agent_states`,
	} {
		l.refused(constraint, sql)
	}
	l.refused("queue_audit_append_only", `truncate queue_audit`)
	l.refused("attempts_one_a_ticket", attempt, first.ID)
	l.refused("attempts_one_a_number", `insert into attempts (id, ticket_id, number, node, promised_from, began_at, lease)
		select gen_random_uuid(), id, '+49231500123', 'node1', now(), now(), now() from tickets where number is null limit 1`)
}

// A change by hand is audited with who made it.
func TestHandMadeChangesAreAudited(t *testing.T) {
	t.Parallel()
	l := newLine(t, queuetest.Rules(), time.Now)
	ticket := l.join(t, "+49231500123")
	before := len(l.audit(t, ticket.ID))
	l.exec(`update tickets set redials = 7, scene = 'choose'`) // no change of the line
	if got := l.audit(t, ticket.ID); len(got) != before {
		t.Errorf("audited: %+v", got[before:])
	}
	l.exec(`update tickets set priority = 5`)
	got := l.audit(t, ticket.ID)
	if len(got) != before+1 || got[before].What != "priority 0 to 5" || got[before].By == "" || got[before].By == "caller" ||
		got[before].Deed != "update" {
		t.Errorf("audited: %+v", got[before:])
	}
}

// Who was promised a callback before there was a line is in it afterwards, in
// the place of that moment.
func TestCallbacksBecomeTickets(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.exec(`drop schema public cascade`)
	f.exec(`create schema public`)
	ctx := t.Context()
	if err := f.db.MigrateTo(ctx, 6); err != nil {
		t.Fatal(err)
	}
	f.exec(`insert into callbacks (id, call_id, number, language, reason, state, known, requested_at) values
		('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000011', '+49231500123', 'de', 'asked', 'open', '{"v":1}', '2027-02-01 08:00Z'),
		('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000012', null, 'en', 'no_keys', 'open', '{}', '2027-02-01 07:00Z'),
		('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000013', '+49231500124', 'de', 'asked', 'done', '{}', '2027-02-01 06:00Z')`)
	f.exec(`insert into recordings (id, callback_id, length, wav)
		select id, id, '1 s', 'RIFF' from callbacks where id <> '00000000-0000-0000-0000-000000000001'`)
	if err := f.db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	l := line{postgres.NewQueue(f.db, queuetest.Rules()), f, time.Now}
	found, err := l.List(ctx, queue.Filter{Limit: 10})
	if err != nil || len(found) != 2 {
		t.Fatalf("in line: %+v, %v", found, err)
	}
	spoken, known := found[0], found[1]
	if spoken.Number != "" || spoken.State != queue.StateDue || spoken.Reason != queue.NoKeys || spoken.Language != "en" ||
		!spoken.RangAt.Equal(time.Date(2027, 2, 1, 7, 0, 0, 0, time.UTC)) {
		t.Errorf("whose number was only spoken: %+v", spoken)
	}
	if known.Number != "+49231500123" || !known.Promised || known.Wish != queue.WishPerson || string(known.Known) != `{"v": 1}` {
		t.Errorf("whose number is known: %+v", known)
	}
	if n := f.number(`select count(*) from recordings where ticket_id = $1`, spoken.ID); n != 1 {
		t.Error("what was spoken is not with the ticket")
	}
	if n := f.number(`select count(*) from recordings where callback_id is not null`); n != 1 {
		t.Error("what was spoken for a callback that is done is gone")
	}
	l.lawful(t)
}

// While controllers are renewed one by one, those of before there was a line
// promise callbacks as they always have: all of them come into the line.
func TestLateCallbacksBecomeTickets(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.exec(`drop schema public cascade`)
	f.exec(`create schema public`)
	ctx := t.Context()
	if err := f.db.MigrateTo(ctx, 8); err != nil {
		t.Fatal(err)
	}
	// As such a controller does: a number has one open callback.
	promise := func(id byte, number any, reason string) {
		t.Helper()
		f.exec(`insert into callbacks (id, call_id, number, language, reason, known) values ($1, gen_random_uuid(), $2, 'de', $3, '{"v":1}')
			on conflict (number) where state = 'open' do update set reason = excluded.reason, updated_at = now()`,
			uuid.UUID{15: id}, number, reason)
	}
	speak := func(id byte, wav string) {
		t.Helper()
		f.exec(`insert into recordings (id, callback_id, length, wav) values (gen_random_uuid(), $1, '1 s', $2)
			on conflict on constraint recordings_one_a_callback do update set wav = excluded.wav`, uuid.UUID{15: id}, []byte(wav))
	}
	promise(1, nil, "no_keys")
	speak(1, "before")
	promise(2, "+49231500002", "asked")
	if err := f.db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	l := line{postgres.NewQueue(f.db, queuetest.Rules()), f, time.Now}

	promise(3, nil, "no_keys")
	speak(3, "first")
	speak(3, "second")
	promise(4, "+49231500004", "asked")
	promise(5, "+49231500004", "full") // once more
	left := l.join(t, "+49231500006")
	if err := l.Leave(ctx, left.ID, left.CallID); err != nil {
		t.Fatal(err)
	}
	promise(6, "+49231500006", "asked")
	waits := l.join(t, "+49231500007")
	promise(7, "+49231500007", "asked") // another person of the same number
	var all []queue.Ticket
	for range queue.MaxPerNumber {
		all = append(all, l.join(t, "+49231500008"))
	}
	promise(8, "+49231500008", "asked")

	for id, want := range map[uuid.UUID]queue.State{
		{15: 1}: queue.StatePromised, {15: 2}: queue.StatePromised, {15: 3}: queue.StatePromised, {15: 4}: queue.StatePromised,
		left.ID: queue.StatePromised, waits.ID: queue.StateWaiting, {15: 7}: queue.StatePromised, all[0].ID: queue.StateWaiting,
	} {
		if got := l.Ticket(t, id); got.State != want || got.Promised != (id != waits.ID) || want == queue.StatePromised && got.DueAt.IsZero() {
			t.Errorf("%s: %+v, want %s", id, got, want)
		}
	}
	if n := f.number(`select count(*) from tickets`); n != 11 {
		t.Errorf("%d tickets", n)
	}
	if n := f.number(`select count(*) from callbacks where state = 'open'`); n != 0 {
		t.Errorf("%d callbacks are where nobody looks", n)
	}
	for id, want := range map[byte]string{1: "before", 3: "second"} {
		if got := l.texts(t, `select convert_from(wav, 'UTF8') from recordings where ticket_id = $1`, uuid.UUID{15: id}); !slices.Equal(got, []string{want}) {
			t.Errorf("spoken for %d: %q", id, got)
		}
	}
	// What was promised is kept, and once it is, may be promised anew.
	if err := l.Remove(ctx, uuid.UUID{15: 4}, "test", "reached by hand"); err != nil {
		t.Fatal(err)
	}
	promise(9, "+49231500004", "asked")
	if got := l.Ticket(t, uuid.UUID{15: 9}); got.State != queue.StatePromised || got.Number != "+49231500004" {
		t.Errorf("promised anew: %+v", got)
	}
	l.exec(`update callbacks set state = 'open' where id = $1`, uuid.UUID{15: 2}) // that one is in line
	if n := f.number(`select count(*) from tickets where number = '+49231500002'`); n != 1 {
		t.Errorf("%d tickets of one promise", n)
	}
	for _, id := range []uuid.UUID{all[1].ID, all[2].ID} {
		if got := l.Ticket(t, id); got.Promised {
			t.Errorf("promised too often: %+v", got)
		}
	}
	l.lawful(t)
}

// A callback that is being promised while the line is made is in it.
func TestLineIsMadeBetweenPromises(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.exec(`drop schema public cascade`)
	f.exec(`create schema public`)
	ctx := t.Context()
	if err := f.db.MigrateTo(ctx, 6); err != nil {
		t.Fatal(err)
	}
	tx, err := f.db.Pool().Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, `insert into callbacks (id, call_id, number, language, reason)
		values (gen_random_uuid(), gen_random_uuid(), '+49231500123', 'de', 'asked')`); err != nil {
		t.Fatal(err)
	}
	made := make(chan error, 1)
	go func() { made <- f.db.MigrateTo(ctx, 7) }()
	for f.number(`select count(*) from pg_locks where relation = 'callbacks'::regclass and not granted`) == 0 {
		select {
		case err := <-made:
			t.Fatalf("the line is made without waiting: %v", err)
		default:
		}
	}
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-made; err != nil {
		t.Fatal(err)
	}
	if n := f.number(`select count(*) from tickets where state = 'due'`); n != 1 {
		t.Errorf("%d tickets", n)
	}
}
