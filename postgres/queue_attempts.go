package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"ringback/queue"
)

const (
	// toRingSQL is the next ticket to be rung, in the words of the index
	// tickets_to_ring. One that another controller is about to ring is passed
	// over.
	toRingSQL = `select ` + ticketColumns + ` from tickets
where state = 'due' and number is not null and (wish = 'self' or agent is not null) and due_at <= $1
  and ` + quietSQL + `
order by (reason = 'broken') desc, priority desc, rang_at, id
limit 1 for update skip locked`

	anyToRingSQL = `
select count(*) = 1 from (select from tickets
    where state = 'due' and number is not null and (wish = 'self' or agent is not null) and due_at <= $1
    order by (reason = 'broken') desc, priority desc, rang_at, id limit 1) first`

	beginSQL = `
insert into attempts (id, ticket_id, number, node, agent, promised_from, promised_to, began_at, lease)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

	attemptColumns = `
attempts.id, attempts.node, attempts.lease, tickets.id, coalesce(agents.name, ''), coalesce(agents.address, ''), tickets.leg
from attempts join tickets on tickets.id = attempts.ticket_id left join agents on agents.name = tickets.agent `

	attemptSQL    = `select ` + attemptColumns + `where attempts.id = $1`
	unresolvedSQL = `select ` + attemptColumns + `where attempts.node = $1 and fate is null order by began_at, attempts.id`

	ticketsByIDSQL = `select ` + ticketColumns + ` from tickets where id = any ($1)`

	stoppedSQL = `
select attempts.id from attempts join tickets on tickets.id = attempts.ticket_id
where attempts.node = $1 and fate is null and state <> 'ringing'
order by began_at, attempts.id`

	ticketOfAttemptSQL = `select ticket_id from attempts where id = $1`

	resolveSQL = `
update attempts set fate = $2, ended_at = $3 where id = $1 and fate is null
returning began_at, node`

	rebindSQL = `
update agents set until = case when wraps_until > $4 then $4 else greatest($2, wraps_until) + $3::interval end
where name = $1 and state = 'reserved'`
)

// Begin commits the attempt whose turn it is, before it is dialled:
// queue.ErrNoneDue, a queue.HeldBack where a limit is the reason.
func (q *Queue) Begin(ctx context.Context, node string, now time.Time) (queue.Attempt, error) {
	// With its time in it, it tells an Asterisk that was started later.
	id, err := uuid.NewV7()
	if err != nil {
		return queue.Attempt{}, fmt.Errorf("begin an attempt: %w", err)
	}
	var begun *queue.Attempt
	var held error
	err = q.tx(ctx, func(tx pgx.Tx) (err error) {
		begun, held, err = q.begin(ctx, tx, id, node, now)
		return err
	})
	if violated(err) == "attempts_pkey" { // the answer of the first commit got lost
		return q.Rung(ctx, id)
	}
	if err == nil && begun == nil {
		err = held
	}
	if err != nil {
		return queue.Attempt{}, fmt.Errorf("begin an attempt: %w", err)
	}
	return *begun, nil
}

// begin begins the next attempt, or says what holds it back. That it puts a
// ticket off is to be committed.
func (q *Queue) begin(ctx context.Context, tx pgx.Tx, id uuid.UUID, node string, now time.Time) (begun *queue.Attempt, held, err error) {
	held = queue.ErrNoneDue
	if !q.rules.Ringing.Open(now) {
		return nil, held, nil
	}
	if limit, err := q.heldBack(ctx, tx, now); err != nil || limit != "" {
		var somebody bool
		if err == nil {
			err = tx.QueryRow(ctx, anyToRingSQL, now).Scan(&somebody)
		}
		if somebody {
			held = queue.HeldBack{By: limit}
		}
		return nil, held, err
	}
	t, err := oneTicket(ctx, tx, toRingSQL, now)
	if err != nil || t == nil {
		return nil, held, err
	}
	limit, err := q.putOff(ctx, tx, t, now)
	if err != nil {
		return nil, held, err
	}
	if limit != "" {
		return nil, queue.HeldBack{By: limit, Ticket: t.ID}, nil
	}
	day, _ := q.day(now)
	tag, err := tx.Exec(ctx, countCallSQL, day, q.rules.OutPerDay)
	if err != nil {
		return nil, held, err
	}
	if tag.RowsAffected() == 0 {
		return nil, queue.HeldBack{By: queue.LimitPerDay}, nil
	}
	begun, err = q.ring(ctx, tx, t, id, node, now)
	return begun, nil, err
}

// ring begins to ring a ticket.
func (q *Queue) ring(ctx context.Context, tx pgx.Tx, t *ticket, id uuid.UUID, node string, now time.Time) (*queue.Attempt, error) {
	t.move(queue.StateRinging)
	t.Tries++
	if t.firstAt.IsZero() {
		t.firstAt = now
	}
	promised := t.promisedAt
	if !t.Window.IsZero() {
		promised = t.Window.From
	}
	if promised.IsZero() {
		promised = now
	}
	until := now.Add(q.rules.Lease)
	_, err := tx.Exec(ctx, beginSQL, id, t.ID, t.Number, node, textOrNull(t.Agent), promised, orNull(t.Window.To), now, until)
	if err != nil {
		return nil, err
	}
	if err := t.save(ctx, tx, deed{what: queue.DeedRing, by: byDispatcher}, now); err != nil {
		return nil, err
	}
	begun, err := attemptsOf(ctx, tx, attemptSQL, id)
	if err != nil || len(begun) != 1 {
		return nil, errors.Join(err, queue.ErrNoTicket)
	}
	return &begun[0], nil
}

// attemptsOf reads attempts with their tickets and agents as they are now.
func attemptsOf(ctx context.Context, c querier, sql string, args ...any) ([]queue.Attempt, error) {
	rows, err := c.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	var ids []uuid.UUID
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (queue.Attempt, error) {
		var a queue.Attempt
		var turn queue.Turn
		err := row.Scan(&a.ID, &a.Node, &a.Until, &turn.Ticket, &turn.Agent, &turn.Address, (*nullableID)(&turn.Leg))
		a.Ticket.ID = turn.Ticket
		if turn.Agent != "" {
			a.Turn = turn
		}
		ids = append(ids, turn.Ticket)
		return a, err
	})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	tickets, err := manyTickets(ctx, c, ticketsByIDSQL, ids)
	if err != nil {
		return nil, err
	}
	byID := map[uuid.UUID]queue.Ticket{}
	for _, t := range tickets {
		byID[t.ID] = t.Ticket
	}
	for i := range all {
		all[i].Ticket = byID[all[i].Ticket.ID]
	}
	return all, nil
}

// Unresolved are the node's attempts that have no fate yet, the oldest first.
func (q *Queue) Unresolved(ctx context.Context, node string) ([]queue.Attempt, error) {
	var all []queue.Attempt
	err := q.db.query(ctx, func(c querier) (err error) {
		all, err = attemptsOf(ctx, c, unresolvedSQL, node)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("attempts of node %s: %w", node, err)
	}
	return all, nil
}

// Stopped are the node's attempts without a fate that are to ring no longer:
// the person rang in, or the ticket was moved or closed.
func (q *Queue) Stopped(ctx context.Context, node string) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	err := q.db.query(ctx, func(c querier) error {
		rows, err := c.Query(ctx, stoppedSQL, node)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("stopped attempts of node %s: %w", node, err)
	}
	return ids, nil
}

// Rung implements queue.Store.
func (q *Queue) Rung(ctx context.Context, id uuid.UUID) (queue.Attempt, error) {
	var found []queue.Attempt
	err := q.db.query(ctx, func(c querier) (err error) {
		found, err = attemptsOf(ctx, c, attemptSQL, id)
		return err
	})
	if err == nil && len(found) == 0 {
		err = queue.ErrNoTicket
	}
	if err != nil {
		return queue.Attempt{}, fmt.Errorf("attempt %s: %w", id, err)
	}
	return found[0], nil
}

// Resolve implements queue.Store.
func (q *Queue) Resolve(ctx context.Context, id uuid.UUID, f queue.Fate) (queue.Ticket, error) {
	var t *ticket
	now := q.now()
	err := q.tx(ctx, func(tx pgx.Tx) (err error) {
		t, err = q.resolve(ctx, tx, id, f, now)
		return err
	})
	if err != nil {
		return queue.Ticket{}, fmt.Errorf("resolve attempt %s: %w", id, err)
	}
	q.news.tell()
	return t.Ticket, nil
}

func (q *Queue) resolve(ctx context.Context, tx pgx.Tx, id uuid.UUID, f queue.Fate, now time.Time) (*ticket, error) {
	var ticketID uuid.UUID
	err := tx.QueryRow(ctx, ticketOfAttemptSQL, id).Scan(&ticketID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, queue.ErrNoTicket
	}
	if err != nil {
		return nil, err
	}
	t, err := lockTicket(ctx, tx, ticketID)
	if err != nil {
		return nil, err
	}
	var began time.Time
	var node string
	err = tx.QueryRow(ctx, resolveSQL, id, f, now).Scan(&began, &node)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, nil // resolved before
	}
	if err != nil {
		return nil, err
	}
	if f == queue.FateUnmade {
		t.Tries = max(0, t.Tries-1)
		day, _ := q.day(began)
		if _, err := tx.Exec(ctx, uncountCallSQL, day); err != nil {
			return nil, err
		}
	}
	d := deed{what: queue.DeedResolve, by: byDispatcher, why: string(f)}
	switch {
	case t.State != queue.StateRinging: // it was stopped
		return t, t.save(ctx, tx, d, now)
	case f == queue.FateReached:
		return t, q.reached(ctx, tx, t, id, node, d, now)
	}
	if err := q.unbind(ctx, tx, t, now); err != nil {
		return nil, err
	}
	if f == queue.FateUnmade {
		t.move(queue.StateDue)
		return t, t.save(ctx, tx, d, now)
	}
	at, more := q.rules.Again(t.Ticket, t.firstAt, now)
	if !more {
		return t, q.close(ctx, tx, t, queue.EndUnreached, d, now)
	}
	t.ringAt(at, now)
	return t, t.save(ctx, tx, d, now)
}

// reached lets the person who was reached go on in the dialogue, or wait for
// the bound agent: one who still wraps up is waited for as long as
// Rules.RungWait.
func (q *Queue) reached(ctx context.Context, tx pgx.Tx, t *ticket, call uuid.UUID, node string, d deed, now time.Time) error {
	t.CallID, t.Node = call, node
	t.DueAt, t.Promised = time.Time{}, false
	d.by = byCaller
	if t.Wish == queue.WishSelf {
		t.move(queue.StateTalking)
		return t.save(ctx, tx, d, now)
	}
	t.move(queue.StateWaiting)
	if err := t.save(ctx, tx, d, now); err != nil || t.Agent == "" {
		return err
	}
	holds := q.rules.ReservedUntil(queue.Agent{}, t.Ticket, now).Sub(now)
	_, err := tx.Exec(ctx, rebindSQL, t.Agent, now, holds, now.Add(q.rules.RungWait))
	return err
}
