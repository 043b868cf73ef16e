package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"ringback/booking"
	"ringback/e164"
	"ringback/ivr"
	"ringback/queue"
)

const (
	beatSQL = `
insert into nodes (name, beat_at) values ($1, $2)
on conflict (name) do update set beat_at = greatest(nodes.beat_at, excluded.beat_at)`

	deadNodesSQL = `
select name from nodes
where beat_at <= $1 and exists (select from calls where calls.node = nodes.name and calls.ended_at is null)
order by name`

	// brokenCallsSQL ends the calls of a node. Of two that ask at the same time
	// each call is given to one.
	brokenCallsSQL = `
update calls set ended_at = $2, result = 'hung_up', reason = 'node lost'
where id in (select id from calls where node = $1 and ended_at is null order by started_at limit $3 for update skip locked)
returning id, coalesce(number, ''), started_at, language, scene, coalesce(state::text, ''),
    exists (select from attempts where attempts.id = calls.id and fate is null)`

	calledBackSQL = `update calls set result = 'callback' where id = any($1)`
)

// breakAtOnce is how many calls of a dead node are seen to in one transaction.
const breakAtOnce = 100

// Beat says that the node lives.
func (q *Queue) Beat(ctx context.Context, node string, now time.Time) error {
	err := q.db.query(ctx, func(c querier) error {
		_, err := c.Exec(ctx, beatSQL, node, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("say that node %s lives: %w", node, err)
	}
	return nil
}

// DeadNodes are the nodes that have calls and were silent for that long.
func (q *Queue) DeadNodes(ctx context.Context, now time.Time, after time.Duration) ([]string, error) {
	var nodes []string
	err := q.db.query(ctx, func(c querier) error {
		rows, err := c.Query(ctx, deadNodesSQL, now.Add(-after))
		if err != nil {
			return err
		}
		nodes, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("dead nodes: %w", err)
	}
	return nodes, nil
}

// Break ends the running calls of a dead node and promises to ring back who
// was in them and lacks something (ivr.AfterBreak), in the scene they were in
// and with what they hold. It says how many are rung. Asked by several at once,
// each call is seen to once.
func (q *Queue) Break(ctx context.Context, node string, now time.Time) (int, error) {
	promised := 0
	for more := true; more; {
		part := 0
		err := q.tx(ctx, func(tx pgx.Tx) (err error) {
			part, more, err = q.breakSome(ctx, tx, node, now)
			return err
		})
		if err != nil {
			return promised, fmt.Errorf("ring back who was on node %s: %w", node, err)
		}
		promised += part
	}
	q.news.tell()
	return promised, nil
}

// breakSome sees to some calls, and says whether there may be more.
func (q *Queue) breakSome(ctx context.Context, tx pgx.Tx, node string, now time.Time) (promised int, more bool, err error) {
	rows, err := tx.Query(ctx, brokenCallsSQL, node, now, breakAtOnce)
	if err != nil {
		return 0, false, err
	}
	calls, err := pgx.CollectRows(rows, scanBroken)
	if err != nil {
		return 0, false, err
	}
	var rung []uuid.UUID
	for _, c := range calls {
		if !c.lacks {
			continue
		}
		if _, err := tx.Exec(ctx, keepHoldSQL, c.CallID, booking.HoldFor); err != nil {
			return 0, false, err
		}
		t, err := q.broke(ctx, tx, c.Arrival, now)
		switch {
		case errors.Is(err, queue.ErrTooMany), errors.Is(err, queue.ErrForbidden):
		case err != nil:
			return 0, false, err
		case t != nil && t.Number != e164.Withheld:
			rung = append(rung, c.CallID)
		}
	}
	if _, err := tx.Exec(ctx, calledBackSQL, rung); err != nil {
		return 0, false, err
	}
	return len(rung), len(calls) == breakAtOnce, nil
}

// broken is a call that broke.
type broken struct {
	queue.Arrival
	lacks bool // the person has not what they wanted, nor is rung anyway
}

func scanBroken(row pgx.CollectableRow) (broken, error) {
	b := broken{Arrival: queue.Arrival{Reason: queue.Broken}}
	var state string
	var ringing bool // a call out that nobody was seen to pick up: its lease ends
	err := row.Scan(&b.CallID, &b.Number, &b.At, &b.Language, &b.Scene, &state, &ringing)
	if state != "" {
		b.Known = []byte(state)
	}
	b.Wish, b.lacks = ivr.AfterBreak(ivr.SceneName(b.Scene), b.Known)
	b.lacks = b.lacks && !ringing
	return b, err
}

// broke promises to ring a person whose line broke in the middle of the
// arrival's scene. The place in line is kept; what was promised in this call
// already stays as it is, and a ticket that another call took up meanwhile is
// that one's. It returns nil where nobody can be rung.
func (q *Queue) broke(ctx context.Context, tx pgx.Tx, a queue.Arrival, now time.Time) (*ticket, error) {
	t, err := oneTicket(ctx, tx, ofCallSQL, a.CallID)
	if err != nil {
		return nil, err
	}
	if t == nil || !t.Open() {
		if a.Number == e164.Withheld {
			return nil, nil
		}
		// A ticket of this call that is closed: what it waited for was done, and
		// the dialogue went on.
		return q.brokeInDialogue(ctx, tx, a, t != nil, now)
	}
	switch {
	case t.CallID != a.CallID:
	case t.State != queue.StateWaiting && t.State != queue.StateTalking && t.State != queue.StateLeft:
	case t.Number == e164.Withheld && a.Number == e164.Withheld:
		if t.State == queue.StateWaiting {
			return t, q.leave(ctx, tx, t, byDispatcher, now)
		}
	default:
		return t, q.promiseTo(ctx, tx, t, a, queue.Window{}, now)
	}
	return t, nil
}

// brokeInDialogue promises to ring who was not in line. A number that is to be
// rung at once anyway, as after the break before, is rung once.
func (q *Queue) brokeInDialogue(ctx context.Context, tx pgx.Tx, a queue.Arrival, again bool, now time.Time) (*ticket, error) {
	t, err := q.kept(ctx, tx, a.Number)
	if err != nil || t != nil && (t.State == queue.StateDue || t.State == queue.StateRinging) {
		return t, err
	}
	if t, err = q.enter(ctx, tx, a, now); err != nil {
		return nil, err
	}
	if again {
		t.ID = uuid.New()
	}
	return t, q.promiseTo(ctx, tx, t, a, queue.Window{}, now)
}
