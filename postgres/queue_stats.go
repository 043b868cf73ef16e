package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"ringback/queue"
)

// The statistics are read from what was written while it happened: the audit of
// tickets and of agents says of each state how long it lasted.
const (
	offeredSQL = `
select count(*) from queue_audit
where at >= $1 and at < $2 and deed = 'join' and to_state = 'waiting' and from_state is distinct from 'waiting'`

	// waitsSQL leaves out who was rung and waits for the agent.
	waitsSQL = `
select count(*) filter (where to_state = 'talking'),
    count(*) filter (where to_state = 'talking' and lasted <= $3),
    coalesce(avg(lasted) filter (where to_state = 'talking'), '0'),
    count(*) filter (where to_state = 'left' and lasted > $4),
    count(*) filter (where to_state = 'left' and lasted <= $4),
    count(*) filter (where to_state in ('promised', 'due')),
    count(*) filter (where to_state = 'closed' and deed <> 'remove')
from queue_audit
where at >= $1 and at < $2 and from_state in ('waiting', 'talking') and from_state <> to_state
  and from_state = 'waiting' and before is distinct from 'ringing'`

	talksSQL = `
select count(*), coalesce(sum(lasted), '0') from queue_audit
where at >= $1 and at < $2 and from_state in ('waiting', 'talking') and from_state <> to_state
  and from_state = 'talking' and agent is not null`

	// agentTimesSQL adds up the parts of states that lie in the span, those that
	// still last included.
	agentTimesSQL = `
with spell as (
    select was as state, greatest(at - lasted, $1) as began, at as ended
    from agent_states where at >= $1 and at < $2 and was is not null
    union all
    -- That lasted beyond the span: known by the change that ended them, or not
    -- ended yet.
    select was, greatest(at - lasted, $1), $2
    from agent_states where at >= $2 and at - lasted < $2 and was is not null
    union all
    select state, greatest(since, $1), $2 from agents where since < $2
)
select coalesce(sum(ended - began) filter (where state in ('talking', 'wrap_up')), '0'),
    coalesce(sum(ended - began) filter (where state = 'wrap_up'), '0'),
    coalesce(sum(ended - began) filter (where state <> 'away'), '0')
from spell where ended > began`

	promisedSQL = `
select count(distinct ticket_id) from queue_audit
where at >= $1 and at < $2 and to_state in ('promised', 'due')
  and deed in ('promise', 'register', 'leave', 'move')
  and (from_state is null or from_state in ('waiting', 'left', 'talking'))`

	reachedSQL = `
select count(*), count(*) filter (where began_at > promised_to),
    coalesce(avg(delay), '0'), coalesce(percentile_cont(0.9) within group (order by delay), '0')
from (select began_at, promised_to, greatest(began_at - promised_from, '0') as delay from attempts
    where ended_at >= $1 and ended_at < $2 and fate is not null and fate = 'reached') reached`

	fatesSQL = `
select fate, count(*) from attempts
where ended_at >= $1 and ended_at < $2 and fate is not null group by fate`

	unreachedSQL = `
select count(*) from tickets where state = 'closed' and closed_at >= $1 and closed_at < $2 and ending = 'unreached'`

	estimatesSQL = `
select count(*), count(*) filter (where waited between told_low and told_high),
    coalesce(percentile_cont(0.5) within group (order by
        abs(extract(epoch from (told_low + told_high) / 2 - waited)) / greatest(extract(epoch from waited), 60))::float8, 0)
from (select told_low, told_high, a.at - told_at as waited
    from queue_audit a join tickets on tickets.id = a.ticket_id
    where a.at >= $1 and a.at < $2 and a.from_state in ('waiting', 'talking') and a.from_state <> a.to_state
      and a.from_state = 'waiting' and a.to_state = 'talking' and told_at between a.at - a.lasted and a.at) answered`
)

// Stats is how the line did from one moment to before another.
func (q *Queue) Stats(ctx context.Context, from, to time.Time) (queue.Stats, error) {
	var s queue.Stats
	err := q.db.query(ctx, func(c querier) error {
		s = queue.Stats{From: from, To: to, Attempts: map[queue.Fate]int{}}
		var talked, wrapped time.Duration
		var b pgx.Batch
		ask := func(sql string, args []any, into ...any) {
			b.Queue(sql, args...).QueryRow(func(row pgx.Row) error { return row.Scan(into...) })
		}
		span := []any{from, to}
		ask(offeredSQL, span, &s.Offered)
		ask(waitsSQL, []any{from, to, queue.ServiceWithin, queue.AbandonAfter},
			&s.Answered, &s.Within, &s.AnswerMean, &s.Abandoned, &s.AbandonedShort, &s.Deferred, &s.Alone)
		ask(talksSQL, span, &s.Talks, &talked)
		ask(agentTimesSQL, span, &s.Busy, &wrapped, &s.SignedIn)
		ask(promisedSQL, span, &s.Promised)
		ask(reachedSQL, span, &s.Reached, &s.Late, &s.DelayMean, &s.Delay90)
		ask(unreachedSQL, span, &s.Unreached)
		ask(estimatesSQL, span, &s.Told, &s.Right, &s.ErrorMedian)
		b.Queue(fatesSQL, span...).Query(func(rows pgx.Rows) error {
			var f queue.Fate
			var n int
			_, err := pgx.ForEachRow(rows, []any{&f, &n}, func() error { s.Attempts[f] = n; return nil })
			return err
		})
		if err := c.SendBatch(ctx, &b).Close(); err != nil {
			return err
		}
		if s.Talks > 0 {
			s.HandlingMean = (talked + wrapped) / time.Duration(s.Talks)
		}
		return nil
	})
	if err != nil {
		return queue.Stats{}, fmt.Errorf("statistics of the line: %w", err)
	}
	return s, nil
}
