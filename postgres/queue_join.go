package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"ringback/e164"
	"ringback/queue"
)

const (
	openOfNumberSQL = `select ` + ticketColumns + `
from tickets where number = $1 and state <> 'closed' order by priority desc, rang_at, id`

	openOfShortSQL = `select ` + ticketColumns + ` from tickets where short = $1 and short is not null and state <> 'closed'`

	// ofCallSQL is the ticket a call opened, or is on the line for.
	ofCallSQL = `select ` + ticketColumns + `
from tickets where id = $1 or call_id = $1 and state <> 'closed'
order by state = 'closed', id <> $1 limit 1 for update`
)

// Find implements queue.Store.
func (q *Queue) Find(ctx context.Context, n e164.Number) ([]queue.Ticket, error) {
	if n == e164.Withheld {
		return nil, nil
	}
	var found []*ticket
	err := q.db.query(ctx, func(c querier) (err error) {
		found, err = manyTickets(ctx, c, openOfNumberSQL, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tickets of a number: %w", err)
	}
	return plainTickets(found), nil
}

// FindShort implements queue.Store.
func (q *Queue) FindShort(ctx context.Context, short string) (queue.Ticket, error) {
	return q.one(ctx, "ticket by its spoken number", openOfShortSQL, short)
}

// one returns one ticket: queue.ErrNoTicket.
func (q *Queue) one(ctx context.Context, what, sql string, args ...any) (queue.Ticket, error) {
	var t *ticket
	err := q.db.query(ctx, func(c querier) (err error) {
		t, err = oneTicket(ctx, c, sql, args...)
		return err
	})
	if err == nil && t == nil {
		err = queue.ErrNoTicket
	}
	if err != nil {
		return queue.Ticket{}, fmt.Errorf("%s: %w", what, err)
	}
	return t.Ticket, nil
}

// of locks the ticket that an arrival is about: the one it names, the one its
// call opened, or the one its call is on the line for; nil where it has none.
// queue.ErrNoTicket, queue.ErrOver.
func (q *Queue) of(ctx context.Context, tx pgx.Tx, a queue.Arrival) (*ticket, error) {
	var t *ticket
	var err error
	if a.Ticket != uuid.Nil {
		t, err = lockTicket(ctx, tx, a.Ticket)
	} else {
		t, err = oneTicket(ctx, tx, ofCallSQL, a.CallID)
	}
	if err == nil && t != nil && !t.Open() {
		err = queue.ErrOver
	}
	return t, err
}

// enter makes a ticket for an arrival, with its place among those of the
// number, or its spoken number: queue.ErrTooMany.
func (q *Queue) enter(ctx context.Context, tx pgx.Tx, a queue.Arrival, now time.Time) (*ticket, error) {
	t := &ticket{Ticket: queue.Ticket{
		ID: a.CallID, RangAt: a.At, Topic: queue.TopicOther, Wish: queue.WishPerson, Reason: queue.Asked,
		Priority: q.rules.Priority[a.Topic],
	}}
	if t.RangAt.IsZero() {
		t.RangAt = now
	}
	if a.Number == e164.Withheld {
		return t, t.setShort(ctx, tx)
	}
	return t, t.setNumber(ctx, tx, a.Number)
}

// setShort draws a spoken number that no open ticket has.
func (t *ticket) setShort(ctx context.Context, tx pgx.Tx) error {
	const first, numbers, draws = 10_000, 90_000, 100
	for range draws {
		t.Short = fmt.Sprint(first + rand.IntN(numbers))
		var free bool
		if err := tx.QueryRow(ctx, shortFreeSQL, t.Short).Scan(&free); err != nil || free {
			return err
		}
	}
	return fmt.Errorf("no free ticket number in %d draws", draws)
}

// update takes over what the arrival says. The place stays, or gets better by a
// topic that goes first.
func (t *ticket) update(a queue.Arrival, rules queue.Rules) {
	t.CallID, t.Node, t.Keyless = a.CallID, a.Node, a.Keyless
	if a.Topic != "" {
		t.Topic = a.Topic
		t.Priority = max(t.Priority, rules.Priority[a.Topic])
	}
	if a.Language != "" {
		t.Language = a.Language
	}
	if a.Wish != "" {
		t.Wish = a.Wish
	}
	if a.Reason != "" {
		t.Reason = a.Reason
	}
	if a.Scene != "" {
		t.Scene = a.Scene
	}
	if a.Known != nil {
		t.Known = a.Known
	}
}

// returned is the ticket as the call sees it.
func (t *ticket) returned(a queue.Arrival) queue.Ticket {
	r := t.Ticket
	r.Resumed = t.ID != a.CallID
	return r
}

// Join implements queue.Store.
func (q *Queue) Join(ctx context.Context, a queue.Arrival) (queue.Ticket, error) {
	var t *ticket
	now := q.now()
	err := q.tx(ctx, func(tx pgx.Tx) (err error) {
		if t, err = q.of(ctx, tx, a); err != nil {
			return err
		}
		if t == nil {
			if t, err = q.enter(ctx, tx, a, now); err != nil {
				return err
			}
		}
		isNew := t.State == ""
		// Asked again by the call that is on the line, after a crash too, it
		// keeps its agent.
		if again := t.CallID == a.CallID && (t.State == queue.StateWaiting || t.Agent != ""); !again {
			if err := q.unbind(ctx, tx, t, now); err != nil {
				return err
			}
			t.move(queue.StateWaiting)
			t.DueAt = time.Time{}
		}
		t.update(a, q.rules)
		if t.Number == e164.Withheld && a.Number != e164.Withheld {
			err := t.setNumber(ctx, tx, a.Number)
			if errors.Is(err, queue.ErrTooMany) { // it stays with its spoken number
				t.Number, err = e164.Withheld, nil
			}
			if err != nil {
				return err
			}
		}
		if err := t.put(ctx, tx, isNew, deed{what: queue.DeedJoin, by: byCaller, why: string(a.Reason)}, now); err != nil {
			return err
		}
		return t.keepSpoken(ctx, tx, a.Spoken)
	})
	if err != nil {
		return queue.Ticket{}, fmt.Errorf("call %s joins the line: %w", a.CallID, err)
	}
	q.news.tell()
	return t.returned(a), nil
}

// Leave implements queue.Store.
func (q *Queue) Leave(ctx context.Context, id, call uuid.UUID) error {
	now := q.now()
	err := q.tx(ctx, func(tx pgx.Tx) error {
		t, err := lockTicket(ctx, tx, id)
		if err != nil || t.CallID != call || t.State != queue.StateWaiting {
			return err
		}
		return q.leave(ctx, tx, t, byCaller, now)
	})
	if err != nil {
		return fmt.Errorf("call %s leaves the line: %w", call, err)
	}
	q.news.tell()
	return nil
}

// leave keeps the place of a waiting ticket whose caller hung up, or lets the
// person be rung.
func (q *Queue) leave(ctx context.Context, tx pgx.Tx, t *ticket, by string, now time.Time) error {
	if err := q.unbind(ctx, tx, t, now); err != nil {
		return err
	}
	rung := t.Promised
	if !rung && t.Keyless && t.Number != e164.Withheld {
		err := q.mayRing(ctx, tx, t.Number)
		if err != nil && !errors.Is(err, queue.ErrForbidden) {
			return err
		}
		rung = err == nil
	}
	if rung {
		q.promise(t, now)
	} else {
		t.move(queue.StateLeft)
		t.leftAt = now
	}
	return t.save(ctx, tx, deed{what: queue.DeedLeave, by: by}, now)
}

// Close implements queue.Store.
func (q *Queue) Close(ctx context.Context, id uuid.UUID, e queue.End) error {
	now := q.now()
	err := q.tx(ctx, func(tx pgx.Tx) error {
		t, err := lockTicket(ctx, tx, id)
		if err != nil || !t.Open() {
			return err
		}
		return q.close(ctx, tx, t, e, deed{what: queue.DeedClose, by: byCaller}, now)
	})
	if err != nil {
		return fmt.Errorf("close ticket %s: %w", id, err)
	}
	q.news.tell()
	return nil
}

// close closes an open ticket: its agent is free, and so is the room of its
// hour.
func (q *Queue) close(ctx context.Context, tx pgx.Tx, t *ticket, e queue.End, d deed, now time.Time) error {
	if err := q.unbind(ctx, tx, t, now); err != nil {
		return err
	}
	if err := q.giveRoom(ctx, tx, t.Window); err != nil {
		return err
	}
	t.move(queue.StateClosed)
	t.ClosedAt, t.End = now, e
	return t.save(ctx, tx, d, now)
}
