package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"ringback/prompts"
	"ringback/queue"
)

const (
	// standingSQL counts who is before an open ticket, as queue.Ahead says and
	// no further than $2, and the agents who serve it.
	standingSQL = `
select t.wish, t.language, t.priority, t.rang_at, t.told_at is null and t.state = 'waiting',
    (select count(*) from (
        select from tickets
        where wish = t.wish and language = t.language and state in ('waiting', 'due', 'ringing')
          and priority > t.priority
        order by priority desc, rang_at, id limit $2) above)
    + (select count(*) from (
        select from tickets
        where wish = t.wish and language = t.language and state in ('waiting', 'due', 'ringing')
          and priority = t.priority and (rang_at, id) < (t.rang_at, t.id)
        order by rang_at, id limit $2) before),
    agents.all, agents.ready
from tickets t
cross join lateral (
    select count(*) as all, count(*) filter (where state = 'ready') as ready from agents
    where not gone and t.topic = any (topics) and t.language = any (languages)
      and (agents.state <> 'away' or until is not null)) agents
where t.id = $1 and t.state <> 'closed'`

	// toldSQL keeps the wait that a caller in line is told first, to be compared
	// with what it came to.
	toldSQL = `
update tickets set told_at = $2, told_low = $3, told_high = $4
where id = $1 and told_at is null and state = 'waiting'`

	// wholeLineSQL is the line by the second.
	wholeLineSQL = `
select wish, language, priority, floor(extract(epoch from rang_at))::bigint as second, count(*)
from tickets where state in ('waiting', 'due', 'ringing')
group by wish, language, priority, second
order by wish, language, priority desc, second`

	// recentSQL is what happened since $1, by the spells that ended.
	recentSQL = `
select count(*) filter (where from_state = 'talking' and agent is not null),
    coalesce(sum(lasted) filter (where from_state = 'talking' and agent is not null), '0')
        + coalesce((select sum(lasted) from agent_states where was = 'wrap_up' and at > $1), '0'),
    count(*) filter (where from_state = 'waiting' and to_state = 'left'),
    coalesce(sum(lasted) filter (where from_state = 'waiting'), '0')
        + coalesce((select sum($2 - greatest(state_since, $1)) from tickets where state = 'waiting' and state_since < $2), '0')
from queue_audit
where at > $1 and from_state in ('waiting', 'talking') and from_state <> to_state`
)

const (
	// countAhead is how far those before a ticket are counted one by one.
	// Farther back, where nobody is told an exact number, they are counted by
	// the second in a picture of the line that is a moment old.
	countAhead = 500
	pictureAge = time.Second
	// recently is what the estimate of the wait goes by.
	recently  = time.Hour
	recentAge = 15 * time.Second
)

// Standing implements queue.Store. The first wait that is told to a caller in
// line is kept with the ticket.
func (q *Queue) Standing(ctx context.Context, id uuid.UUID) (queue.Standing, error) {
	var s queue.Standing
	var k lineKey
	var rang time.Time
	var ready int
	var untold bool
	err := q.db.query(ctx, func(c querier) error {
		return c.QueryRow(ctx, standingSQL, id, countAhead).
			Scan(&k.wish, &k.language, &k.priority, &rang, &untold, &s.Ahead, &s.Agents, &ready)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = queue.ErrNoTicket
	}
	if err == nil && s.Ahead >= countAhead {
		var whole *wholeLine
		if whole, err = q.whole.get(ctx, pictureAge, q.loadLine); err == nil {
			s.Ahead = max(s.Ahead, whole.ahead(k, rang))
		}
	}
	if err == nil && k.wish == queue.WishPerson && s.Agents > 0 {
		err = q.expect(ctx, &s, ready)
	}
	if err == nil && untold && s.High > 0 {
		err = q.db.query(ctx, func(c querier) error {
			_, err := c.Exec(ctx, toldSQL, id, q.now(), s.Low, s.High)
			return err
		})
	}
	if err != nil {
		return queue.Standing{}, fmt.Errorf("standing of ticket %s: %w", id, err)
	}
	return s, nil
}

// expect estimates the wait.
func (q *Queue) expect(ctx context.Context, s *queue.Standing, ready int) error {
	recent, err := q.recent.get(ctx, recentAge, q.loadRecent)
	if err != nil {
		return err
	}
	if e, known := queue.Expect(s.Ahead, s.Agents, ready, *recent); known {
		s.Low, s.High = e.Said()
	}
	return nil
}

func (q *Queue) loadRecent(ctx context.Context) (*queue.Recent, error) {
	var r queue.Recent
	now := q.now()
	err := q.db.query(ctx, func(c querier) error {
		return c.QueryRow(ctx, recentSQL, now.Add(-recently), now).Scan(&r.Talks, &r.Talked, &r.Left, &r.Waited)
	})
	if err != nil {
		return nil, fmt.Errorf("what happened in line lately: %w", err)
	}
	return &r, nil
}

// lineKey is who stands in one line: same wish and language, and priority.
type lineKey struct {
	wish     queue.Wish
	language prompts.Language
	priority int
}

// wholeLine is how many stand in line, by the second in which they rang.
type wholeLine struct {
	ranks map[lineKey]rank
	// priorities of each wish and language (with priority 0 as key), the
	// greatest first.
	priorities map[lineKey][]int
}

// rank are those of one priority: the seconds in which somebody rang, and how
// many rang before the end of each.
type rank struct {
	seconds []int64
	before  []int
}

func (r rank) all() int { return r.before[len(r.before)-1] }

// ahead is how many are before somebody who rang at that moment. Who rang in
// the same second is not counted.
func (w *wholeLine) ahead(k lineKey, rang time.Time) int {
	n := 0
	for _, p := range w.priorities[lineKey{k.wish, k.language, 0}] {
		r := w.ranks[lineKey{k.wish, k.language, p}]
		switch {
		case p > k.priority:
			n += r.all()
		case p == k.priority:
			if i, _ := slices.BinarySearch(r.seconds, rang.Unix()); i > 0 {
				n += r.before[i-1]
			}
		}
	}
	return n
}

func (q *Queue) loadLine(ctx context.Context) (*wholeLine, error) {
	w := &wholeLine{ranks: map[lineKey]rank{}, priorities: map[lineKey][]int{}}
	err := q.db.query(ctx, func(c querier) error {
		rows, err := c.Query(ctx, wholeLineSQL)
		if err != nil {
			return err
		}
		var k lineKey
		var second int64
		var n int
		_, err = pgx.ForEachRow(rows, []any{&k.wish, &k.language, &k.priority, &second, &n}, func() error {
			r, known := w.ranks[k]
			if !known {
				both := lineKey{k.wish, k.language, 0}
				w.priorities[both] = append(w.priorities[both], k.priority)
			} else {
				n += r.all()
			}
			w.ranks[k] = rank{append(r.seconds, second), append(r.before, n)}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look at the whole line: %w", err)
	}
	return w, nil
}
