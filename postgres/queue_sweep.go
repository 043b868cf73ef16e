package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"ringback/queue"
)

const (
	// comeSQL brings promised tickets into the line, the ones that are due for
	// the longest first.
	comeSQL = `
update tickets
set state = 'due', audit_at = $1, audit_deed = 'come', audit_by = 'dispatcher'
where id = any (array(select id from tickets where state = 'promised' and due_at <= $1
    order by due_at limit $2 for update skip locked))`

	// restedSQL ends wrap-ups and pauses, at the moment they were to end.
	restedSQL = `
update agents set state = 'ready', since = until, until = null
where name in (select name from agents where state in ('wrap_up', 'away') and until <= $1 and not gone
    order by name for update skip locked)`

	// overdueSQL are the tickets whose agents are bound for too long, or to
	// somebody whom nobody begins to ring.
	overdueSQL = `
select tickets.id from agents join tickets on tickets.agent = agents.name
where agents.state = 'reserved'
  and (agents.until <= $1 or tickets.state = 'due' and agents.since <= $1 - interval '10 seconds') limit $2`

	agentSQL = `select state, since, until from agents where name = $1`

	stalledSQL = `update outgoing set stalled_at = $1`

	expiredSQL = `select id from tickets where state = 'left' and left_at <= $1 order by left_at limit $2`

	leasesSQL = `select id from attempts where fate is null and lease <= $1 order by lease limit $2`

	// lost are tickets of calls that ended without leaving the line: their
	// controller died, or could not reach the database then. A call is written
	// down behind the caller's back, so the call of a ticket may be unknown: for a
	// moment, and for ever where its controller died in that moment.
	//
	// $1 when such a call ended at the latest
	lost = `
from tickets left join calls on calls.id = tickets.call_id
where tickets.state in ('waiting', 'talking') and (calls.ended_at <= $1 or calls.id is null and not exists (
    select from queue_audit where ticket_id = tickets.id and at > $1 - interval '50 seconds'))`
	lostSQL   = `select tickets.id` + lost + ` limit $2`
	isLostSQL = `select exists (select` + lost + ` and tickets.id = $2)`

	callUnknownSQL = `select not exists (select from calls where id = $1 and ended_at is null)`

	// outgrownSQL are tables with more than twice the pages they had when they
	// were last looked at for the planner.
	outgrownSQL = `
select relname from pg_class
where oid = any ('{tickets,attempts}'::regclass[])
  and pg_relation_size(oid) / current_setting('block_size')::bigint > 2 * greatest(relpages, 8)`

	tryLockSQL  = `select pg_try_advisory_xact_lock($1, 0)`
	lockPlanner = 0x524250 // "RBP"

	removeGoneSQL = `
delete from agents where gone and not exists (select from tickets where tickets.agent = agents.name)`
)

const (
	// sweepAtOnce bounds what one Sweep sees to of each kind; the next one
	// follows in a moment.
	sweepAtOnce = 500
	// lostEvery is how often the calls of those in line are looked at.
	lostEvery = 10 * time.Second
	// growthEvery is how often it is looked whether the line has outgrown what
	// the planner knows of it. It grows from nothing to a hundred thousand while
	// autovacuum sleeps, and plans for a short line read it from end to end.
	growthEvery = 5 * time.Second
	// lostAfter is how long a call has ended before nobody else is expected to
	// tell the line.
	lostAfter = 10 * time.Second
)

// Sweep puts right what time has changed: hours that have come, places kept no
// longer, reservations, wrap-ups and pauses that are over, attempts whose lease
// ended, and callers whose call ended unseen. Several may sweep at once.
func (q *Queue) Sweep(ctx context.Context, now time.Time) (queue.Swept, error) {
	var done queue.Swept
	err := q.sweep(ctx, now, &done)
	if err != nil {
		return done, fmt.Errorf("sweep the line: %w", err)
	}
	if done != (queue.Swept{}) {
		q.news.tell()
	}
	return done, nil
}

func (q *Queue) sweep(ctx context.Context, now time.Time, done *queue.Swept) (err error) {
	if done.Unknown, err = q.each(ctx, leasesSQL, now, func(tx pgx.Tx, id uuid.UUID) (bool, error) {
		t, err := q.resolve(ctx, tx, id, queue.FateUnknown, now)
		return t != nil, err
	}); err != nil {
		return err
	}
	if done.Freed, err = q.each(ctx, overdueSQL, now, func(tx pgx.Tx, id uuid.UUID) (bool, error) {
		return q.freeAgent(ctx, tx, id, now)
	}); err != nil {
		return err
	}
	if done.Expired, err = q.each(ctx, expiredSQL, now.Add(-q.rules.KeepPlace), func(tx pgx.Tx, id uuid.UUID) (bool, error) {
		t, err := lockTicket(ctx, tx, id)
		if err != nil || t.State != queue.StateLeft || t.leftAt.After(now.Add(-q.rules.KeepPlace)) {
			return false, err
		}
		return true, q.close(ctx, tx, t, queue.EndAbandoned, deed{what: queue.DeedExpire, by: byDispatcher}, now)
	}); err != nil {
		return err
	}
	if q.calls.comes(now, lostEvery) {
		if done.Lost, err = q.each(ctx, lostSQL, now.Add(-lostAfter), func(tx pgx.Tx, id uuid.UUID) (bool, error) {
			return q.lost(ctx, tx, id, now)
		}); err != nil {
			return err
		}
	}
	if q.growth.comes(now, growthEvery) {
		if err := q.tellPlanner(ctx); err != nil {
			return err
		}
	}
	return q.db.query(ctx, func(c querier) error {
		var b pgx.Batch
		b.Queue(restedSQL, now).Exec(func(tag pgconn.CommandTag) error { done.Freed += int(tag.RowsAffected()); return nil })
		b.Queue(removeGoneSQL)
		if q.rules.Ringing.Open(now) {
			b.Queue(comeSQL, now, sweepAtOnce).Exec(func(tag pgconn.CommandTag) error { done.Due = int(tag.RowsAffected()); return nil })
		}
		return c.SendBatch(ctx, &b).Close()
	})
}

// tellPlanner lets Postgres look at tables that have grown a lot. One that looks
// already is not waited for.
func (q *Queue) tellPlanner(ctx context.Context) error {
	return q.db.tx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, outgrownSQL)
		if err != nil {
			return err
		}
		tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(tables) == 0 {
			return err
		}
		var mine bool
		if err := tx.QueryRow(ctx, tryLockSQL, lockPlanner).Scan(&mine); err != nil || !mine {
			return err
		}
		for _, table := range tables {
			if _, err := tx.Exec(ctx, "analyze "+table); err != nil {
				return err
			}
		}
		return nil
	})
}

// each finds what is to be done, without locks, and does it one by one in
// transactions of their own, so that locks are taken in the one order. It says
// how many were still to be done.
func (q *Queue) each(ctx context.Context, sql string, at time.Time, do func(pgx.Tx, uuid.UUID) (bool, error)) (int, error) {
	var ids []uuid.UUID
	err := q.db.query(ctx, func(c querier) error {
		rows, err := c.Query(ctx, sql, at, sweepAtOnce)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		return err
	})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, id := range ids {
		did := false
		err := q.tx(ctx, func(tx pgx.Tx) (err error) {
			did, err = do(tx, id)
			return err
		})
		if err != nil {
			return n, err
		}
		if did {
			n++
		}
	}
	return n, nil
}

// freeAgent lets the agent of a ticket be free who was bound for too long. A
// caller in line whose controller never took the agent up, and whose call
// nobody knows, is gone.
func (q *Queue) freeAgent(ctx context.Context, tx pgx.Tx, id uuid.UUID, now time.Time) (bool, error) {
	t, err := lockTicket(ctx, tx, id)
	if err != nil || t.Agent == "" {
		return false, err
	}
	var state queue.AgentState
	var since, until time.Time
	if err := tx.QueryRow(ctx, agentSQL, t.Agent).Scan(&state, &since, zeroable{&until}); err != nil {
		return false, err
	}
	unrung := t.State == queue.StateDue && !since.After(now.Add(-stallAfter))
	if state != queue.AgentReserved || until.After(now) && !unrung {
		return false, nil // somebody was quicker
	}
	if unrung {
		if _, err := tx.Exec(ctx, stalledSQL, now); err != nil {
			return false, err
		}
	}
	if t.State == queue.StateWaiting {
		var unknown bool
		if err := tx.QueryRow(ctx, callUnknownSQL, t.CallID).Scan(&unknown); err != nil {
			return false, err
		}
		if unknown {
			return true, q.leave(ctx, tx, t, byDispatcher, now)
		}
	}
	if err := q.unbind(ctx, tx, t, now); err != nil {
		return false, err
	}
	return true, t.save(ctx, tx, deed{what: queue.DeedFree, by: byDispatcher}, now)
}

// lost does what the call of a ticket did not live to do.
func (q *Queue) lost(ctx context.Context, tx pgx.Tx, id uuid.UUID, now time.Time) (bool, error) {
	t, err := lockTicket(ctx, tx, id)
	if err != nil {
		return false, err
	}
	var over bool
	if err := tx.QueryRow(ctx, isLostSQL, now.Add(-lostAfter), id).Scan(&over); err != nil || !over {
		return false, err
	}
	switch t.State {
	case queue.StateWaiting:
		return true, q.leave(ctx, tx, t, byDispatcher, now)
	case queue.StateTalking:
		end := queue.EndSelf
		if t.Agent != "" {
			end = queue.EndServed
		}
		return true, q.close(ctx, tx, t, end, deed{what: queue.DeedExpire, by: byDispatcher}, now)
	}
	return false, nil
}

// pace is when something was done the last time.
type pace struct {
	mu   sync.Mutex
	last time.Time
}

// comes says whether to do it now: not more often than every so long.
func (p *pace) comes(now time.Time, every time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.last) < every {
		return false
	}
	p.last = now
	return true
}
