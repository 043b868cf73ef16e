package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"ringback/e164"
	"ringback/queue"
)

const (
	// keptSQL is the first ticket of a number that waits to be rung, or whose
	// place is kept.
	keptSQL = `select ` + ticketColumns + `
from tickets where number = $1 and state <> 'closed' and state in ('left', 'promised', 'due', 'ringing')
order by priority desc, rang_at, id limit 1 for update`

	takenSQL = `select from_at, taken from windows where from_at >= $1`

	// takeRoomSQL takes room in an hour, or where it has none nothing. What was
	// promised while nobody could ask ($3) is kept all the same.
	takeRoomSQL = `
insert into windows as w (from_at, capacity, taken) values ($1, $2, 1)
on conflict (from_at) do update set taken = w.taken + 1, capacity = greatest(excluded.capacity, w.taken + 1)
where $3 or w.taken < excluded.capacity`

	giveRoomSQL = `update windows set taken = taken - 1 where from_at = $1 and taken > 0`

	unwantedSQL = `select exists (select from do_not_ring where number = $1)`
)

// Windows implements queue.Store.
func (q *Queue) Windows(ctx context.Context, n int) ([]queue.Window, error) {
	var taken func(queue.Window) int
	now := q.now()
	err := q.db.query(ctx, func(c querier) (err error) {
		taken, err = takenRoom(ctx, c, takenSQL, now)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("hours with room: %w", err)
	}
	return q.rules.Windows(now, n, taken), nil
}

// takenRoom asks how many open tickets each hour from now on is promised to.
func takenRoom(ctx context.Context, c querier, sql string, now time.Time) (func(queue.Window) int, error) {
	rows, err := c.Query(ctx, sql, now)
	if err != nil {
		return nil, err
	}
	taken := map[int64]int{}
	var from time.Time
	var n int
	_, err = pgx.ForEachRow(rows, []any{&from, &n}, func() error { taken[from.Unix()] = n; return nil })
	return func(w queue.Window) int { return taken[w.From.Unix()] }, err
}

// setWindow promises the ticket another hour: queue.ErrWindowFull, except for
// one that was promised while nobody could ask. Rows of windows are locked in
// the order of time.
func (q *Queue) setWindow(ctx context.Context, tx pgx.Tx, t *ticket, w queue.Window, kept bool, now time.Time) error {
	old := t.Window
	if w.Equal(old) {
		return nil
	}
	if !w.IsZero() && !kept && !q.rules.IsWindow(w, now) {
		return queue.ErrWindowFull
	}
	t.Window = w
	if old.From.Before(w.From) {
		if err := q.giveRoom(ctx, tx, old); err != nil {
			return err
		}
	}
	if !w.IsZero() {
		tag, err := tx.Exec(ctx, takeRoomSQL, w.From, q.rules.Room(), kept)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return queue.ErrWindowFull
		}
	}
	if old.From.Before(w.From) {
		return nil
	}
	return q.giveRoom(ctx, tx, old)
}

func (q *Queue) giveRoom(ctx context.Context, tx pgx.Tx, w queue.Window) error {
	if w.IsZero() {
		return nil
	}
	_, err := tx.Exec(ctx, giveRoomSQL, w.From)
	return err
}

// Promise implements queue.Store.
func (q *Queue) Promise(ctx context.Context, a queue.Arrival, w queue.Window) (queue.Ticket, error) {
	var t *ticket
	now := q.now()
	err := q.tx(ctx, func(tx pgx.Tx) (err error) {
		if t, err = q.of(ctx, tx, a); err != nil {
			return err
		}
		if t == nil && a.Number != e164.Withheld {
			if t, err = q.kept(ctx, tx, a.Number); err != nil || t != nil && t.State != queue.StateLeft {
				return err
			}
		}
		if t == nil {
			if t, err = q.enter(ctx, tx, a, now); err != nil {
				return err
			}
		}
		return q.promiseTo(ctx, tx, t, a, w, now)
	})
	if err != nil {
		return queue.Ticket{}, fmt.Errorf("promise to ring for call %s: %w", a.CallID, err)
	}
	q.news.tell()
	return t.returned(a), nil
}

// kept locks the number and its first ticket that waits to be rung, or whose
// place is kept; nil where it has none.
func (q *Queue) kept(ctx context.Context, tx pgx.Tx, n e164.Number) (*ticket, error) {
	if _, err := tx.Exec(ctx, lockSQL, lockLine, n); err != nil {
		return nil, err
	}
	return oneTicket(ctx, tx, keptSQL, n)
}

// promiseTo commits the promise to a ticket, which may be new.
func (q *Queue) promiseTo(ctx context.Context, tx pgx.Tx, t *ticket, a queue.Arrival, w queue.Window, now time.Time) error {
	if err := q.mayRing(ctx, tx, a.Number); err != nil {
		return err
	}
	again := t.promisedTo(a, w)
	if a.Number != e164.Withheld && a.Number != t.Number {
		if err := t.setNumber(ctx, tx, a.Number); err != nil {
			return err
		}
	}
	isNew := t.State == ""
	t.update(a, q.rules)
	if !again {
		if err := q.setWindow(ctx, tx, t, w, a.Kept, now); err != nil {
			return err
		}
		if err := q.unbind(ctx, tx, t, now); err != nil {
			return err
		}
		q.promise(t, now)
	}
	err := t.put(ctx, tx, isNew, deed{what: queue.DeedPromise, by: byCaller, why: string(a.Reason)}, now)
	if err != nil {
		return err
	}
	return t.keepSpoken(ctx, tx, a.Spoken)
}

// promisedTo says whether the call asks for what it was promised already. The
// answer may have been lost, and the person be rung by now: that goes on.
func (t *ticket) promisedTo(a queue.Arrival, w queue.Window) bool {
	switch t.State {
	case queue.StatePromised, queue.StateDue, queue.StateRinging:
	default:
		return false
	}
	return t.CallID == a.CallID && t.Promised && t.Window.Equal(w) &&
		(a.Number == e164.Withheld || a.Number == t.Number)
}

// mayRing fails with queue.ErrForbidden where the number is not to be rung.
func (q *Queue) mayRing(ctx context.Context, c querier, n e164.Number) error {
	if n == e164.Withheld {
		return nil
	}
	if err := q.rules.MayRing(n); err != nil {
		return err
	}
	var unwanted bool
	if err := c.QueryRow(ctx, unwantedSQL, n).Scan(&unwanted); err != nil {
		return err
	}
	if unwanted {
		return errUnwanted
	}
	return nil
}

// errUnwanted is the queue.ErrForbidden of a number that asked for it.
var errUnwanted = fmt.Errorf("%w: it asked not to be", queue.ErrForbidden)

// promise lets the ticket be rung in its window, or as soon as it may be.
func (q *Queue) promise(t *ticket, now time.Time) {
	if !t.Promised {
		t.Promised, t.promisedAt = true, now
	}
	at := now
	if t.Window.From.After(at) {
		at = t.Window.From
	}
	t.ringAt(q.rules.Ringing.Next(at), now)
}

// ringAt lets the ticket be rung from that moment.
func (t *ticket) ringAt(at, now time.Time) {
	t.DueAt = at
	if at.After(now) {
		t.move(queue.StatePromised)
	} else {
		t.move(queue.StateDue)
	}
}
