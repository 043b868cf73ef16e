package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"ringback/queue"
)

// lawful looks at everything that happened to a line: no ticket and no agent
// changed in a way that the tables of package queue do not know, and what is
// kept in two places agrees.
func (l line) lawful(t *testing.T) {
	t.Helper()
	known := map[string]bool{}
	for _, tr := range queue.Transitions {
		known["ticket "+string(tr.From)+" to "+string(tr.To)] = true
	}
	for _, tr := range queue.AgentTransitions {
		known["agent "+string(tr.From)+" to "+string(tr.To)] = true
	}
	for _, made := range l.texts(t, `
		select distinct 'ticket ' || coalesce(from_state, '') || ' to ' || to_state
		from queue_audit where ticket_id is not null and from_state is distinct from to_state
		union
		select distinct 'agent ' || before || ' to ' || state
		from (select state, lag(state, 1, '') over (partition by agent order by id) as before from agent_states) s
		where state <> ''`) {
		if !known[made] {
			t.Errorf("an unknown transition: %s", made)
		}
	}
	for what, sql := range map[string]string{
		"an agent is bound, and no ticket to it": `select name from agents
			where (state in ('reserved', 'talking')) <> exists (select from tickets where agent = name)`,
		"who talks disagrees": `select name from agents join tickets on agent = name
			where (agents.state = 'talking') <> (tickets.state = 'talking')`,
		"the room that is taken": `select from_at::text from windows
			where taken <> (select count(*) from tickets where state <> 'closed' and window_from = from_at)`,
		"hours without a row": `select id::text from tickets
			where state <> 'closed' and window_from is not null and not exists (select from windows where from_at = window_from)`,
		"tries": `select id::text from tickets where tries <>
			(select count(*) from attempts where ticket_id = tickets.id and fate is distinct from 'unmade')`,
		"rung without an attempt": `select id::text from tickets where state = 'ringing'
			and not exists (select from attempts where ticket_id = tickets.id and fate is null)`,
		"audit at rest": `select id::text from tickets where num_nonnulls(audit_at, audit_deed, audit_by, audit_why) > 0`,
		"the audit's last state": `select id::text from tickets where state <>
			(select to_state from queue_audit where ticket_id = tickets.id order by queue_audit.id desc limit 1)`,
		"a deed by hand": `select deed || ' by ' || done_by from queue_audit where deed in ('insert', 'update')`,
	} {
		if wrong := l.texts(t, sql); len(wrong) > 0 {
			t.Errorf("%s: %v", what, wrong)
		}
	}
}

// texts asks for a column of text. It is used when the test's context is over,
// too.
func (l line) texts(t *testing.T, sql string, args ...any) []string {
	t.Helper()
	rows, err := l.db.Pool().Query(context.WithoutCancel(t.Context()), sql, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return all
}
