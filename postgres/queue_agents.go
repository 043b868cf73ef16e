package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"ringback/queue"
)

const (
	// setAgentsSQL makes agents of the configuration ready, and changes who is
	// one already.
	setAgentsSQL = `
insert into agents as a (name, address, languages, topics, skills, state, since)
values ($1, $2, $3, $4, $5, 'ready', $6)
on conflict (name) do update
set address = excluded.address, languages = excluded.languages, topics = excluded.topics, skills = excluded.skills, gone = false
where (a.address, a.languages, a.topics, a.gone) is distinct from (excluded.address, excluded.languages, excluded.topics, false)`

	// goneSQL marks who is configured no more; who is bound talks to the end.
	goneSQL = `update agents set gone = true where name <> all ($1) and not gone`

	agentsSQL = `
select name, address, languages, topics, agents.state, since, until, tickets.id
from agents left join tickets on tickets.agent = agents.name
where not gone or tickets.id is not null
order by name`
)

// SetAgents makes these the agents: new ones are ready, those that are not among
// them are none any more, once they have talked to the end.
func (q *Queue) SetAgents(ctx context.Context, agents []queue.Agent) error {
	names := make([]string, len(agents))
	now := q.now()
	err := q.tx(ctx, func(tx pgx.Tx) error {
		var b pgx.Batch
		for i, a := range agents {
			names[i] = a.Name
			b.Queue(setAgentsSQL, a.Name, a.Address, a.Languages, a.Topics, skillsOf(a), now)
		}
		b.Queue(goneSQL, names)
		b.Queue(removeGoneSQL)
		return tx.SendBatch(ctx, &b).Close()
	})
	if err != nil {
		return fmt.Errorf("set agents: %w", err)
	}
	q.news.tell()
	return nil
}

// skillsOf names what an agent can do, the same for all who can do the same.
func skillsOf(a queue.Agent) string {
	var topics, languages []string
	for _, t := range a.Topics {
		topics = append(topics, string(t))
	}
	for _, l := range a.Languages {
		languages = append(languages, string(l))
	}
	slices.Sort(topics)
	slices.Sort(languages)
	return strings.Join(slices.Compact(topics), " ") + ", " + strings.Join(slices.Compact(languages), " ")
}

// Agents returns all agents by name.
func (q *Queue) Agents(ctx context.Context) ([]queue.Agent, error) {
	var agents []queue.Agent
	err := q.db.query(ctx, func(c querier) error {
		rows, err := c.Query(ctx, agentsSQL)
		if err != nil {
			return err
		}
		agents, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a queue.Agent, err error) {
			return a, row.Scan(&a.Name, &a.Address, &a.Languages, &a.Topics, &a.State, &a.Since, zeroable{&a.Until}, (*nullableID)(&a.Ticket))
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("agents: %w", err)
	}
	return agents, nil
}
