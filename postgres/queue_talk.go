package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"ringback/queue"
)

const (
	// unbindSQL lets an agent be free: after a talk the agent wraps up, and one
	// who was bound while wrapping up goes on with that.
	unbindSQL = `
update agents
set state = case when state = 'talking' or wraps_until > $2 then 'wrap_up' else 'ready' end,
    until = case when state = 'talking' then $3::timestamptz when wraps_until > $2 then wraps_until end,
    since = $2, wraps_until = null
where name = $1`

	setAgentSQL = `update agents set state = $2, since = $3, until = $4, wraps_until = null where name = $1`

	// turnSQL leaves an agent who is still wrapping up in peace.
	turnSQL = `
select t.state, coalesce(t.agent, ''), coalesce(a.address, ''), t.leg, coalesce(a.wraps_until > $2, false)
from tickets t left join agents a on a.name = t.agent
where t.id = $1`
)

// Turn implements queue.Store.
func (q *Queue) Turn(ctx context.Context, id uuid.UUID) (queue.Turn, error) {
	turn := queue.Turn{Ticket: id}
	var state queue.State
	var wrapping bool
	err := q.db.query(ctx, func(c querier) error {
		rows, err := c.Query(ctx, turnSQL, id, q.now())
		if err != nil {
			return err
		}
		found := false
		_, err = pgx.ForEachRow(rows, []any{&state, &turn.Agent, &turn.Address, (*nullableID)(&turn.Leg), &wrapping},
			func() error { found = true; return nil })
		switch {
		case err != nil:
			return err
		case !found:
			return queue.ErrNoTicket
		case state == queue.StateClosed:
			return queue.ErrOver
		case turn.Agent == "" || wrapping || state != queue.StateWaiting && state != queue.StateTalking:
			return queue.ErrNotYet
		}
		return nil
	})
	if err != nil {
		return queue.Turn{}, fmt.Errorf("turn of ticket %s: %w", id, err)
	}
	return turn, nil
}

// bound locks the ticket of a turn; nil where the two are not bound any more.
func bound(ctx context.Context, tx pgx.Tx, turn queue.Turn) (*ticket, error) {
	t, err := oneTicket(ctx, tx, lockTicketSQL, turn.Ticket)
	if err != nil || t == nil || t.Agent == "" || t.Agent != turn.Agent || t.leg != turn.Leg {
		return nil, err
	}
	return t, nil
}

// part takes ticket and agent apart.
func (t *ticket) part() { t.Agent, t.leg = "", uuid.Nil }

// unbind lets the agent bound to the ticket, if any, be free.
func (q *Queue) unbind(ctx context.Context, tx pgx.Tx, t *ticket, now time.Time) error {
	if t.Agent == "" {
		return nil
	}
	_, err := tx.Exec(ctx, unbindSQL, t.Agent, now, now.Add(q.rules.WrapUp))
	t.part()
	return err
}

// Joined implements queue.Store.
func (q *Queue) Joined(ctx context.Context, turn queue.Turn) error {
	now := q.now()
	err := q.tx(ctx, func(tx pgx.Tx) error {
		t, err := bound(ctx, tx, turn)
		switch {
		case err != nil:
			return err
		case t == nil || t.State != queue.StateWaiting && t.State != queue.StateTalking:
			return queue.ErrNotYet
		case t.State == queue.StateTalking:
			return nil
		}
		t.move(queue.StateTalking)
		if err := t.save(ctx, tx, deed{what: queue.DeedAnswer, by: t.Agent}, now); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, setAgentSQL, t.Agent, queue.AgentTalking, now, nil)
		return err
	})
	if err != nil {
		return fmt.Errorf("join ticket %s with its agent: %w", turn.Ticket, err)
	}
	return nil
}

// Missed implements queue.Store.
func (q *Queue) Missed(ctx context.Context, turn queue.Turn) error {
	now := q.now()
	err := q.tx(ctx, func(tx pgx.Tx) error {
		t, err := bound(ctx, tx, turn)
		if err != nil || t == nil {
			return err
		}
		t.part()
		if t.State == queue.StateTalking {
			t.move(queue.StateWaiting)
		}
		if err := t.save(ctx, tx, deed{what: queue.DeedMiss, by: turn.Agent}, now); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, setAgentSQL, turn.Agent, queue.AgentAway, now, now.Add(q.rules.Away))
		return err
	})
	if err != nil {
		return fmt.Errorf("agent of ticket %s did not answer: %w", turn.Ticket, err)
	}
	q.news.tell()
	return nil
}

// Talked implements queue.Store.
func (q *Queue) Talked(ctx context.Context, turn queue.Turn) error {
	now := q.now()
	err := q.tx(ctx, func(tx pgx.Tx) error {
		t, err := bound(ctx, tx, turn)
		if err != nil || t == nil {
			return err
		}
		t.part()
		if _, err := tx.Exec(ctx, setAgentSQL, turn.Agent, queue.AgentWrapUp, now, now.Add(q.rules.WrapUp)); err != nil {
			return err
		}
		return q.close(ctx, tx, t, queue.EndServed, deed{what: queue.DeedTalked, by: turn.Agent}, now)
	})
	if err != nil {
		return fmt.Errorf("end of the talk of ticket %s: %w", turn.Ticket, err)
	}
	q.news.tell()
	return nil
}
