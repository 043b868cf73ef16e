package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"ringback/prompts"
	"ringback/queue"
)

const (
	// freeSQL is which skills the free agents have, and how many have them.
	freeSQL = `
select skills, min(topics), min(languages), count(*)
from agents
where not gone and (state = 'ready' or state = 'wrap_up' and until <= $1)
group by skills`

	// inLineSQL says how many tickets of these topics and languages wait for an
	// agent, counting no further than $3; without those who are to be rung where
	// $4 is zero.
	inLineSQL = `
select count(*) from (
    select from unnest($1::text[], $2::text[]) as pair (topic, language)
    cross join lateral (
        select * from (` + waitingSQL + inOrderSQL + ` limit $3) waiting
        union all
        select * from (` + dueSQL + ` and $4 > 0` + inOrderSQL + ` limit $3) due) ticket
    limit $3) tickets`

	// The tickets of one topic and language that an agent may be bound to, in
	// the words of the indexes tickets_waiting and tickets_due. Somebody whose
	// number is being rung or is in a call with us is not rung for another ticket
	// meanwhile.
	waitingSQL = `
select id, topic, language, priority, rang_at, state from tickets
where state = 'waiting' and wish = 'person' and agent is null
  and topic = pair.topic and language = pair.language`

	dueSQL = `
select id, topic, language, priority, rang_at, state from tickets
where state = 'due' and wish = 'person' and agent is null and number is not null
  and topic = pair.topic and language = pair.language
  and ` + quietSQL

	inOrderSQL = ` order by priority desc, rang_at, id`

	quietSQL = `not exists (select from attempts where attempts.number = tickets.number and fate is null)
  and not exists (select from tickets other where other.number = tickets.number and other.state <> 'closed'
      and other.state in ('waiting', 'talking', 'ringing') and other.id <> tickets.id)
  and not exists (select from calls where calls.id = tickets.call_id and ended_at is null)`

	// bindSQL binds the first ticket in line for which an agent is free to the
	// one who is ready for the longest.
	//
	// Of each topic and language only the first who holds the line and the first
	// who is to be rung can be that ticket; of each set of skills only the first
	// agent who is ready, and the first who wraps up. Rows that somebody else is
	// changing at this moment are passed over.
	//
	// Who is to be rung can also have an agent who still wraps up, unless that
	// one also serves somebody who holds the line and comes first: they wait
	// until the agent is ready.
	//
	// $1 topics and $2 languages, each pair once, $3 how many who are not being
	// rung yet may have an agent, $4 now, $5 until when a wrap-up may last, $6 how long an agent is bound to
	// who holds the line, $7 to who is rung; $8 topics, $9 languages and $10 the
	// skills that serve both
	bindSQL = `
with head as materialized (
    select ticket.* from unnest($1::text[], $2::text[]) as pair (topic, language)
    cross join lateral (
        select * from (` + waitingSQL + inOrderSQL + ` limit 1 for update skip locked) waiting
        union all
        select * from (` + dueSQL + ` and $3 > (
                select count(*) from (
                    select from tickets where state = 'due' and agent is not null limit $3) bound)
            ` + inOrderSQL + ` limit 1 for update skip locked) due) ticket
), serves as materialized (
    select topic, language, skills from unnest($8::text[], $9::text[], $10::text[]) as s (topic, language, skills)
), pair as materialized (
    select head.id, head.state, agent.name, agent.address, agent.wraps_until
    from head join serves using (topic, language)
    cross join lateral (
        select * from (
            select name, address, state, since, null::timestamptz as wraps_until from agents
            where skills = serves.skills and state = 'ready' and not gone
            order by since, name limit 1 for update skip locked) ready
        union all
        select * from (
            select name, address, state, since, until from agents
            where skills = serves.skills and state = 'wrap_up' and not gone and until <= $5
              and head.state = 'due' and not exists (
                  select from head first join serves also using (topic, language)
                  where first.state = 'waiting' and also.skills = serves.skills
                    and (-first.priority, first.rang_at, first.id) < (-head.priority, head.rang_at, head.id))
            order by since, name limit 1 for update skip locked) wrapping) agent
    order by head.priority desc, head.rang_at, head.id, agent.state, agent.since, agent.name
    limit 1
), bound as (
    update tickets
    set agent = pair.name, leg = gen_random_uuid(), audit_at = $4, audit_deed = 'bind', audit_by = 'dispatcher'
    from pair where tickets.id = pair.id
    returning tickets.id, leg
)
update agents
set state = 'reserved', since = $4, wraps_until = pair.wraps_until,
    until = case when pair.state = 'waiting' then $4 + $6::interval
                 else greatest($4, pair.wraps_until) + $7::interval end
from pair, bound
where agents.name = pair.name
returning bound.id, pair.name, pair.address, bound.leg`

	// lockMatchSQL lets one at a time match: a second would pass over the heads
	// of the line that the first looks at.
	lockMatchSQL = `select pg_advisory_xact_lock($1, 0)`
	lockMatch    = 0x52424d // "RBM"

	// turnsSQL leaves agents who still wrap up in peace.
	turnsSQL = `
select tickets.id, agents.name, agents.address, tickets.leg
from tickets join agents on agents.name = tickets.agent
where tickets.node = $1 and tickets.state = 'waiting' and tickets.agent is not null
  and (wraps_until is null or wraps_until <= $2)`
)

// atOnce is how many agents are bound in one round trip.
const atOnce = 100

// Match binds the first tickets in line with agents who are free, the one who
// is ready for the longest first, at most so many. Each is bound to one other.
// Who is to be rung is bound only while people may be rung.
func (q *Queue) Match(ctx context.Context, now time.Time, most int) ([]queue.Turn, error) {
	var turns []queue.Turn
	free, err := q.free(ctx, now)
	if err == nil && len(free) > 0 {
		turns, err = q.bind(ctx, free, now, min(most, free.agents()))
	}
	if err != nil {
		return turns, fmt.Errorf("match tickets with agents: %w", err)
	}
	return turns, nil
}

// skill is what some agents can do, and how many of them are free.
type skill struct {
	name      string
	topics    []queue.Topic
	languages []prompts.Language
	agents    int
}

type skills []skill

func (s skills) agents() int {
	n := 0
	for _, k := range s {
		n += k.agents
	}
	return n
}

// columns are topics and languages, and the skills that serve both.
type columns struct{ topics, languages, skills []string }

// pairs are the topics and languages that somebody serves, each pair once, and
// with all who serve it.
func (s skills) pairs() (topics, languages []string, served columns) {
	seen := map[[2]string]bool{}
	for _, k := range s {
		for _, t := range k.topics {
			for _, l := range k.languages {
				t, l := string(t), string(l)
				served.topics, served.languages = append(served.topics, t), append(served.languages, l)
				served.skills = append(served.skills, k.name)
				if !seen[[2]string{t, l}] {
					seen[[2]string{t, l}] = true
					topics, languages = append(topics, t), append(languages, l)
				}
			}
		}
	}
	return topics, languages, served
}

func (q *Queue) free(ctx context.Context, now time.Time) (skills, error) {
	var free skills
	err := q.db.query(ctx, func(c querier) error {
		rows, err := c.Query(ctx, freeSQL, now.Add(q.rules.Ahead))
		if err != nil {
			return err
		}
		free, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s skill, err error) {
			return s, row.Scan(&s.name, &s.topics, &s.languages, &s.agents)
		})
		return err
	})
	return free, err
}

// bind binds at most so many, as long as there is somebody to bind.
func (q *Queue) bind(ctx context.Context, free skills, now time.Time, most int) ([]queue.Turn, error) {
	topics, languages, served := free.pairs()
	var toBind, inLine int
	err := q.db.query(ctx, func(c querier) (err error) {
		if toBind, err = q.toBind(ctx, c, now); err != nil {
			return err
		}
		return c.QueryRow(ctx, inLineSQL, topics, languages, most, toBind).Scan(&inLine)
	})
	if err != nil || inLine == 0 {
		return nil, err
	}
	var turns []queue.Turn
	waiting := queue.Ticket{State: queue.StateWaiting}
	holds := q.rules.ReservedUntil(queue.Agent{}, waiting, now).Sub(now)
	for left := min(most, inLine); left > 0; left -= atOnce {
		// One round trip is one transaction: nobody waits for a controller that
		// was frozen in the middle.
		var bound []queue.Turn
		err := q.db.query(ctx, func(c querier) error {
			bound = nil
			var b pgx.Batch
			b.Queue(lockMatchSQL, lockMatch)
			for range min(left, atOnce) {
				b.Queue(bindSQL, topics, languages, toBind, now, now.Add(q.rules.Ahead), holds, q.rules.Reserve,
					served.topics, served.languages, served.skills).Query(func(rows pgx.Rows) error {
					one, err := pgx.CollectRows(rows, scanTurn)
					bound = append(bound, one...)
					return err
				})
			}
			return c.SendBatch(ctx, &b).Close()
		})
		turns = append(turns, bound...)
		if err != nil || len(bound) == 0 {
			return turns, err
		}
	}
	return turns, nil
}

func scanTurn(row pgx.CollectableRow) (t queue.Turn, err error) {
	return t, row.Scan(&t.Ticket, &t.Agent, &t.Address, (*nullableID)(&t.Leg))
}

// Turns are the callers of a node who are to be joined with the agent bound to
// their tickets.
func (q *Queue) Turns(ctx context.Context, node string) ([]queue.Turn, error) {
	var turns []queue.Turn
	err := q.db.query(ctx, func(c querier) error {
		rows, err := c.Query(ctx, turnsSQL, node, q.now())
		if err != nil {
			return err
		}
		turns, err = pgx.CollectRows(rows, scanTurn)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("turns on node %s: %w", node, err)
	}
	return turns, nil
}
