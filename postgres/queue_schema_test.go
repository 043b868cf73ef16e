package postgres_test

import (
	"slices"
	"testing"
	"time"

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
