package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"ringback/queue"
)

const (
	madeTodaySQL = `
select count(*) from attempts
where number = $1 and began_at >= $2 and fate is distinct from 'unmade'`

	// countCallSQL counts one more call out, unless so many were made on the day.
	countCallSQL = `
insert into outgoing_days as d (day, made) select $1::date, 1 where $2::integer > 0
on conflict (day) do update set made = d.made + 1 where d.made < $2`

	uncountCallSQL = `update outgoing_days set made = made - 1 where day = $1 and made > 0`

	heldBackSQL = `
select switched, coalesce((select made from outgoing_days where day = $1), 0) from outgoing`

	// paceSQL is whether calls out stalled since $1, and on how many nodes they
	// are made.
	paceSQL = `
select coalesce(stalled_at > $1, false), (select count(*) from nodes where beat_at > $2) from outgoing`
)

// day is the day of calls out that a moment belongs to, and when it began.
func (q *Queue) day(t time.Time) (day, began time.Time) {
	y, m, d := t.In(q.rules.Ringing.Zone()).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), time.Date(y, m, d, 0, 0, 0, 0, q.rules.Ringing.Zone())
}

// toBind is how many tickets whose numbers nobody has begun to ring may have an
// agent at the same time: as many as are begun in a moment. Agents are not to
// idle for people who are not rung, because of the hour, a limit, or lines that
// are used up; least of all while those lines are used by callers who wait for
// them.
func (q *Queue) toBind(ctx context.Context, c querier, now time.Time) (int, error) {
	limit, err := q.heldBack(ctx, c, now)
	if err != nil || limit != "" || !q.rules.Ringing.Open(now) {
		return 0, err
	}
	var stalled bool
	var nodes int
	if err := c.QueryRow(ctx, paceSQL, now.Add(-stallFor), now.Add(-nodeLives)).Scan(&stalled, &nodes); err != nil || stalled {
		return 0, err
	}
	return max(1, int(q.rules.OutPerSecond*begunIn.Seconds())) * max(1, nodes), nil
}

const (
	// begunIn is how soon somebody whose agent is bound is expected to be rung.
	begunIn = 2 * time.Second
	// stallAfter is how long an agent is bound to somebody whom nobody begins to
	// ring; then, for stallFor, agents are bound to callers in line only.
	stallAfter = 10 * time.Second
	stallFor   = 30 * time.Second
	// nodeLives is how long ago a node that makes calls out said so.
	nodeLives = time.Minute
)

// heldBack is the limit that keeps everybody from being rung now, if any.
func (q *Queue) heldBack(ctx context.Context, c querier, now time.Time) (queue.Limit, error) {
	day, _ := q.day(now)
	var on bool
	var made int
	if err := c.QueryRow(ctx, heldBackSQL, day).Scan(&on, &made); err != nil {
		return "", err
	}
	switch {
	case !on:
		return queue.LimitOff, nil
	case made >= q.rules.OutPerDay:
		return queue.LimitPerDay, nil
	}
	return "", nil
}

// putOff closes a ticket whose number is not to be rung, and puts off one whose
// number was rung often enough today. It says which limit did it.
func (q *Queue) putOff(ctx context.Context, tx pgx.Tx, t *ticket, now time.Time) (queue.Limit, error) {
	if err := q.mayRing(ctx, tx, t.Number); errors.Is(err, queue.ErrForbidden) {
		limit := queue.LimitRegion
		if errors.Is(err, errUnwanted) {
			limit = queue.LimitUnwanted
		}
		return limit, q.close(ctx, tx, t, queue.EndForbidden, deed{what: queue.DeedPutOff, by: byDispatcher, why: string(limit)}, now)
	} else if err != nil {
		return "", err
	}
	_, today := q.day(now)
	var made int
	if err := tx.QueryRow(ctx, madeTodaySQL, t.Number, today).Scan(&made); err != nil || made < q.rules.PerNumber {
		return "", err
	}
	if err := q.unbind(ctx, tx, t, now); err != nil {
		return "", err
	}
	t.ringAt(q.rules.Ringing.Next(today.AddDate(0, 0, 1)), now)
	return queue.LimitPerNumber, t.save(ctx, tx, deed{what: queue.DeedPutOff, by: byDispatcher, why: string(queue.LimitPerNumber)}, now)
}
