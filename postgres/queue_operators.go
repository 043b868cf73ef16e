package postgres

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"ringback/e164"
	"ringback/queue"
)

const (
	// listSQL looks at the beginning of what is behind a place, by state and
	// topic: first those of the same priority, then those of lower ones.
	//
	// $1 states, $2 topics, $3 priority, $4 rang at, $5 ticket, $6 limit
	listSQL = `
select ` + ticketColumns + `
from unnest($1::text[]) as wanted (in_state), unnest($2::text[]) as about (its_topic)
cross join lateral (
    select * from (
        select * from tickets
        where state = in_state and topic = its_topic
          and priority = $3 and (rang_at, id) > ($4::timestamptz, $5::uuid)
        order by rang_at, id limit $6) beside
    union all
    select * from (
        select * from tickets
        where state = in_state and topic = its_topic and priority < $3
        order by priority desc, rang_at, id limit $6) below) tickets
order by priority desc, rang_at, id limit $6`

	// listNumberSQL is listSQL for the few tickets of a number ($7).
	listNumberSQL = `
select ` + ticketColumns + ` from (
    select * from tickets where number = $7 and state <> 'closed'
    union all
    select * from tickets where number = $7 and state = 'closed') tickets
where state = any ($1::text[]) and topic = any ($2::text[])
  and (priority < $3 or priority = $3 and (rang_at, id) > ($4::timestamptz, $5::uuid))
order by priority desc, rang_at, id limit $6`

	depthSQL = `
select topic, state, count(*), min(rang_at) from tickets where state <> 'closed' group by topic, state`

	auditSQL = `
select at, coalesce(ticket_id, '00000000-0000-0000-0000-000000000000'), deed, what, done_by, why
from queue_audit where ticket_id = $1 order by id`

	auditLineSQL = `insert into queue_audit (at, deed, done_by, what, why) values ($1, $2, $3, $4, $5)`

	ringingsSQL = `
select id, node, coalesce(agent, ''), began_at, ended_at, coalesce(fate, ''), ticket_id
from attempts where ticket_id = $1 order by began_at, id`

	outgoingSQL    = `select switched, since, switched_by, why from outgoing`
	setOutgoingSQL = `update outgoing set switched = $1, since = $2, switched_by = $3, why = $4`

	doNotRingSQL = `
insert into do_not_ring (number, since, asked_by, why) values ($1, $2, $3, $4) on conflict (number) do nothing`

	// unwantedListSQL are the numbers that are not to be rung, newest first.
	//
	// $1 number, or empty, $2 since and $3 number of the one before, or null, $4 limit
	unwantedListSQL = `
select number, since, asked_by, why from do_not_ring
where ($1 = '' or number = $1) and ($2::timestamptz is null or since < $2 or since = $2 and number > $3)
order by since desc, number limit $4`

	ringAgainSQL = `delete from do_not_ring where number = $1`

	toBeRungSQL = `select id from tickets where number = $1 and state <> 'closed'`
)

// List returns tickets in the order of the line.
func (q *Queue) List(ctx context.Context, f queue.Filter) ([]queue.Ticket, error) {
	var states []queue.State
	for _, s := range queue.States {
		if s == f.State || f.State == "" && s != queue.StateClosed {
			states = append(states, s)
		}
	}
	topics := queue.Topics
	if f.Topic != "" {
		topics = []queue.Topic{f.Topic}
	}
	after := f.After
	if after.IsZero() {
		after.Priority = math.MaxInt32
	}
	sql, args := listSQL, []any{states, topics, after.Priority, after.RangAt, after.ID, f.Limit}
	if f.Number != e164.Withheld {
		sql, args = listNumberSQL, append(args, f.Number)
	}
	var found []*ticket
	err := q.db.query(ctx, func(c querier) (err error) {
		found, err = manyTickets(ctx, c, sql, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list tickets: %w", err)
	}
	return plainTickets(found), nil
}

// Get returns a ticket, a closed one too: queue.ErrNoTicket.
func (q *Queue) Get(ctx context.Context, id uuid.UUID) (queue.Ticket, error) {
	return q.one(ctx, "ticket "+id.String(), ticketSQL, id)
}

// Depth is how many open tickets of each topic are in each state; what there is
// none of is left out.
func (q *Queue) Depth(ctx context.Context) ([]queue.Depth, error) {
	return many(ctx, q, "depth of the line", func(row pgx.CollectableRow) (d queue.Depth, err error) {
		return d, row.Scan(&d.Topic, &d.State, &d.Tickets, &d.RangAt)
	}, depthSQL)
}

// many asks for rows.
func many[T any](ctx context.Context, q *Queue, what string, scan pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	var all []T
	err := q.db.query(ctx, func(c querier) error {
		rows, err := c.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, scan)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return all, nil
}

// Audit is every change of a ticket by anybody, the oldest first.
func (q *Queue) Audit(ctx context.Context, ticket uuid.UUID) ([]queue.Change, error) {
	return many(ctx, q, "changes of ticket "+ticket.String(), func(row pgx.CollectableRow) (c queue.Change, err error) {
		return c, row.Scan(&c.At, &c.Ticket, &c.Deed, &c.What, &c.By, &c.Why)
	}, auditSQL, ticket)
}

// Attempts are those to ring a ticket's number, the oldest first.
func (q *Queue) Attempts(ctx context.Context, ticket uuid.UUID) ([]queue.Ringing, error) {
	return many(ctx, q, "attempts of ticket "+ticket.String(), func(row pgx.CollectableRow) (r queue.Ringing, err error) {
		return r, row.Scan(&r.ID, &r.Node, &r.Agent, &r.Began, zeroable{&r.Ended}, &r.Fate, &r.Ticket)
	}, ringingsSQL, ticket)
}

// operate changes an open ticket for an operator: queue.ErrNoTicket,
// queue.ErrOver.
func (q *Queue) operate(ctx context.Context, what string, id uuid.UUID, f func(context.Context, pgx.Tx, *ticket, time.Time) error) error {
	now := q.now()
	err := q.tx(ctx, func(tx pgx.Tx) error {
		t, err := lockTicket(ctx, tx, id)
		if err != nil {
			return err
		}
		if !t.Open() {
			return queue.ErrOver
		}
		return f(ctx, tx, t, now)
	})
	if err != nil {
		return fmt.Errorf("%s ticket %s: %w", what, id, err)
	}
	q.news.tell()
	return nil
}

// Remove closes a ticket: queue.ErrNoTicket, queue.ErrOver.
func (q *Queue) Remove(ctx context.Context, id uuid.UUID, by, why string) error {
	return q.operate(ctx, "remove", id, func(ctx context.Context, tx pgx.Tx, t *ticket, now time.Time) error {
		return q.close(ctx, tx, t, queue.EndRemoved, deed{queue.DeedRemove, by, why}, now)
	})
}

// Move gives an open ticket another place: queue.ErrNoTicket, queue.ErrOver,
// queue.ErrWindowFull. Who holds the line or talks goes on doing that; the hour
// is for when they hang up unserved.
func (q *Queue) Move(ctx context.Context, id uuid.UUID, m queue.Move, by, why string) error {
	return q.operate(ctx, "move", id, func(ctx context.Context, tx pgx.Tx, t *ticket, now time.Time) error {
		if m.Priority != nil {
			t.Priority = *m.Priority
		}
		if m.Window != nil {
			if err := q.moveTo(ctx, tx, t, *m.Window, now); err != nil {
				return err
			}
		}
		return t.save(ctx, tx, deed{queue.DeedMove, by, why}, now)
	})
}

func (q *Queue) moveTo(ctx context.Context, tx pgx.Tx, t *ticket, w queue.Window, now time.Time) error {
	if err := q.setWindow(ctx, tx, t, w, false, now); err != nil {
		return err
	}
	if t.State == queue.StateWaiting || t.State == queue.StateTalking {
		t.Promised, t.promisedAt = true, now
		return nil
	}
	if err := q.unbind(ctx, tx, t, now); err != nil {
		return err
	}
	q.promise(t, now)
	return nil
}

// Outgoing is the switch of all calls out.
func (q *Queue) Outgoing(ctx context.Context) (queue.Outgoing, error) {
	var o queue.Outgoing
	err := q.db.query(ctx, func(c querier) error {
		return c.QueryRow(ctx, outgoingSQL).Scan(&o.On, zeroable{&o.Since}, &o.By, &o.Why)
	})
	if err != nil {
		return queue.Outgoing{}, fmt.Errorf("switch of calls out: %w", err)
	}
	return o, nil
}

// SetOutgoing switches all calls out, of all nodes, on or off. Those that ring
// go on.
func (q *Queue) SetOutgoing(ctx context.Context, on bool, by, why string) error {
	now := q.now()
	what := "off"
	if on {
		what = "on"
	}
	err := q.tx(ctx, func(tx pgx.Tx) error {
		var b pgx.Batch
		b.Queue(setOutgoingSQL, on, now, by, why)
		b.Queue(auditLineSQL, now, queue.DeedOutgoing, by, what, why)
		return tx.SendBatch(ctx, &b).Close()
	})
	if err != nil {
		return fmt.Errorf("switch calls out %s: %w", what, err)
	}
	q.news.tell()
	return nil
}

// DoNotRing keeps a number from ever being rung; what was promised to it is
// closed.
func (q *Queue) DoNotRing(ctx context.Context, n e164.Number, by, why string) error {
	now := q.now()
	err := q.tx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockSQL, lockLine, n); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, doNotRingSQL, n, now, by, why)
		if err != nil {
			return err
		}
		if tag.RowsAffected() > 0 {
			if _, err := tx.Exec(ctx, auditLineSQL, now, queue.DeedForbid, by, n.Masked(), why); err != nil {
				return err
			}
		}
		rows, err := tx.Query(ctx, toBeRungSQL, n)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := q.forbid(ctx, tx, id, deed{queue.DeedForbid, by, why}, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep a number from being rung: %w", err)
	}
	return nil
}

// Unwanted are the numbers that are not to be rung, the newest first.
func (q *Queue) Unwanted(ctx context.Context, f queue.UnwantedFilter) ([]queue.Unwanted, error) {
	return many(ctx, q, "numbers that are not to be rung", func(row pgx.CollectableRow) (u queue.Unwanted, err error) {
		return u, row.Scan(&u.Number, &u.Since, &u.By, &u.Why)
	}, unwantedListSQL, f.Number, orNull(f.After.Since), f.After.Number, f.Limit)
}

// forbid closes a ticket that would be rung.
func (q *Queue) forbid(ctx context.Context, tx pgx.Tx, id uuid.UUID, d deed, now time.Time) error {
	t, err := lockTicket(ctx, tx, id)
	if err != nil {
		return err
	}
	switch t.State {
	case queue.StatePromised, queue.StateDue, queue.StateRinging:
		return q.close(ctx, tx, t, queue.EndForbidden, d, now)
	}
	return nil
}

// RingAgain takes back DoNotRing.
func (q *Queue) RingAgain(ctx context.Context, n e164.Number, by, why string) error {
	now := q.now()
	err := q.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, ringAgainSQL, n)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		_, err = tx.Exec(ctx, auditLineSQL, now, queue.DeedAllow, by, n.Masked(), why)
		return err
	})
	if err != nil {
		return fmt.Errorf("let a number be rung again: %w", err)
	}
	return nil
}
