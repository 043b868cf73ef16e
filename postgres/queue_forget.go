package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Retention is how long is kept what nobody works with any more.
type Retention struct {
	// Calls is for what holds telephone numbers, and what people keyed and said:
	// calls that ended, closed tickets, attempts to ring either way.
	Calls time.Duration
	// History is for every change of the line and of agents, without numbers. Of a
	// ticket that is still there, all of it is kept.
	History time.Duration
}

// Forgotten is how much Forget removed.
type Forgotten struct {
	Tickets, Calls, Registrations, History int
	More                                   bool // there is more to remove at once
}

const (
	// agedTicketsSQL leaves a ticket alone while an attempt of it rings.
	agedTicketsSQL = `
select id from tickets
where state = 'closed' and closed_at <= $1
  and not exists (select from attempts where ticket_id = tickets.id and fate is null)
order by closed_at limit $2 for update skip locked`

	// What was spoken goes with its ticket.
	forgetAttemptsSQL = `delete from attempts where ticket_id = any ($1)`
	forgetTicketsSQL  = `delete from tickets where id = any ($1)`

	// agedCallsSQL are calls by their beginning: none lasts for a week. The one
	// that an open ticket comes from stays with it.
	agedCallsSQL = `
select id from calls
where started_at <= $1 and not exists (select from tickets where call_id = calls.id and state <> 'closed')
order by started_at limit $2 for update skip locked`

	forgetTranscriptsSQL = `delete from call_events where call_id = any ($1)`
	forgetCallsSQL       = `delete from calls where id = any ($1)`

	forgetRegistrationsSQL = `
delete from registrations
where id = any (array(select id from registrations where at <= $1 order by at limit $2 for update skip locked))`

	// forgetCallbacksSQL is for the table of before there was a line.
	forgetCallbacksSQL = `
delete from callbacks
where id = any (array(select id from callbacks where state = 'done' and updated_at <= $1
    order by updated_at limit $2 for update skip locked))`

	// Younger rows than a week are refused by the tables, whatever is asked for.
	// The ticket is looked for by row: a join would read all of them.
	forgetAuditSQL = `
delete from queue_audit
where id = any (array(select id from queue_audit
    where at <= least($1, now() - interval '7 days') and (select id from tickets where tickets.id = ticket_id) is null
    order by at limit $2 for update skip locked))`

	forgetAgentStatesSQL = `
delete from agent_states
where id = any (array(select id from agent_states
    where at <= least($1, now() - interval '7 days') order by at limit $2 for update skip locked))`
)

const (
	// forgetAtOnce bounds what one Forget removes of each kind, so that it holds
	// locks for a moment only.
	forgetAtOnce = 500
	// forgetCallsAtOnce is less: each has a transcript.
	forgetCallsAtOnce = 100
)

// Forget removes some of what is kept no longer, the oldest first, a bounded
// part at a time and from nobody's way: rows that are in use are left for the
// next time. Several may forget at once.
func (q *Queue) Forget(ctx context.Context, keep Retention, now time.Time) (Forgotten, error) {
	var f Forgotten
	for _, part := range []struct {
		what string
		n    *int
		most int
		do   func(pgx.Tx, int) (int, error)
	}{
		{"tickets", &f.Tickets, forgetAtOnce, func(tx pgx.Tx, most int) (int, error) {
			return forgetAged(ctx, tx, agedTicketsSQL, now.Add(-keep.Calls), most, forgetAttemptsSQL, forgetTicketsSQL)
		}},
		{"calls", &f.Calls, forgetCallsAtOnce, func(tx pgx.Tx, most int) (int, error) {
			return forgetAged(ctx, tx, agedCallsSQL, now.Add(-keep.Calls), most, forgetTranscriptsSQL, forgetCallsSQL)
		}},
		{"registrations", &f.Registrations, forgetAtOnce, forgets(ctx, forgetRegistrationsSQL, now.Add(-keep.Calls))},
		{"callbacks", &f.Tickets, forgetAtOnce, forgets(ctx, forgetCallbacksSQL, now.Add(-keep.Calls))},
		{"changes of the line", &f.History, forgetAtOnce, forgets(ctx, forgetAuditSQL, now.Add(-keep.History))},
		{"changes of agents", &f.History, forgetAtOnce, forgets(ctx, forgetAgentStatesSQL, now.Add(-keep.History))},
	} {
		n := 0
		err := q.db.tx(ctx, func(tx pgx.Tx) (err error) {
			n, err = part.do(tx, part.most)
			return err
		})
		if err != nil {
			return f, fmt.Errorf("remove %s that are kept no longer: %w", part.what, err)
		}
		*part.n += n
		f.More = f.More || n == part.most
	}
	return f, nil
}

// forgetAged removes the rows that are found, after what belongs to them.
func forgetAged(ctx context.Context, tx pgx.Tx, aged string, before time.Time, most int, statements ...string) (int, error) {
	rows, err := tx.Query(ctx, aged, before, most)
	if err != nil {
		return 0, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	for _, sql := range statements {
		if _, err := tx.Exec(ctx, sql, ids); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// forgets removes rows by one statement.
func forgets(ctx context.Context, sql string, before time.Time) func(pgx.Tx, int) (int, error) {
	return func(tx pgx.Tx, most int) (int, error) {
		tag, err := tx.Exec(ctx, sql, before, most)
		return int(tag.RowsAffected()), err
	}
}
