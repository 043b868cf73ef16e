package postgres_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"ringback/postgres"
	"ringback/queue"
	"ringback/queue/queuetest"
)

// bigInLine are the tables of the line that grow. (agents, nodes, windows,
// do_not_ring and outgoing are small.)
var bigInLine = map[string]bool{
	"tickets": true, "attempts": true, "queue_audit": true, "agent_states": true, "registrations": true,
	"calls": true, "recordings": true,
}

// Statements of the line find their rows by index, among 100,000 open tickets
// and some closed ones, also with the plan Postgres makes once for all
// arguments. Binding and ringing look at the head of the line only.
func TestLineUsesIndexes(t *testing.T) {
	t.Parallel()
	l := newLine(t, queuetest.Rules(), time.Now)
	l.fillLine(100_000)
	conn, err := l.db.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
		if _, err := conn.Exec(t.Context(), "set plan_cache_mode = "+mode); err != nil {
			t.Fatal(err)
		}
		for what, q := range postgres.LinePath {
			name := strings.ReplaceAll(what, " ", "_") + "_" + mode
			if _, err := conn.Exec(t.Context(), "prepare "+name+" as "+q.SQL); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			args := ""
			if q.Args != "" {
				args = "(" + q.Args + ")"
			}
			var answer []byte
			if err := conn.QueryRow(t.Context(), fmt.Sprintf("explain (format json) execute %s %s", name, args)).Scan(&answer); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			var plans []struct{ Plan node }
			if err := json.Unmarshal(answer, &plans); err != nil {
				t.Fatal(err)
			}
			plans[0].Plan.walk(func(n node) {
				if n.Type == "Seq Scan" && bigInLine[n.Table] {
					t.Errorf("%s, %s: reads all of %s\n%s", what, mode, n.Table, strings.ReplaceAll(string(answer), "\n  ", "\n "))
				}
				if (what == "bind" || what == "to ring") && n.Type == "Bitmap Heap Scan" && n.Table == "tickets" {
					t.Errorf("%s, %s: looks at the whole line\n%s", what, mode, answer)
				}
			})
		}
	}
}

// fillLine opens so many tickets, by a third who hold the line, who are to be
// rung, and who were promised an hour, and a fifth as many closed ones; with
// 1,000 agents, and attempts, calls and changes to match.
func (f fixture) fillLine(tickets int) {
	f.t.Helper()
	if err := postgres.NewQueue(f.db, queuetest.Rules()).SetAgents(f.t.Context(), skilled(1000)); err != nil {
		f.t.Fatal(err)
	}
	f.exec(`alter table tickets disable trigger tickets_audit`)
	f.exec(`insert into tickets (id, number, nth, topic, language, wish, reason, rang_at, state, due_at, promised, call_id, node,
			closed_at, ending, state_since)
		select gen_random_uuid(), '+4923150' || lpad((n - n % 50 / 49)::text, 6, '0'), 1 + n % 50 / 49,
			(array['booking', 'appointment', 'other'])[1 + n % 3], (array['de', 'de', 'de', 'en'])[1 + n % 4],
			case when n % 5 = 0 then 'self' else 'person' end, 'asked', now() - n * interval '37 ms',
			case when n > $1 then 'closed' else (array['waiting', 'due', 'promised'])[1 + n % 3] end, now(), n % 3 > 0,
			gen_random_uuid(), 'node' || n % 20, case when n > $1 then now() - n * interval '1 second' end,
			case when n > $1 then 'served' end, now()
		from generate_series(1, $1::integer + $1 / 5) n`, tickets)
	f.exec(`alter table tickets enable trigger tickets_audit`)
	f.exec(`insert into attempts (id, ticket_id, number, node, promised_from, began_at, lease, fate, ended_at)
		select gen_random_uuid(), id, number, node, now(), rang_at, now() + interval '1 minute', 'busy', rang_at
		from tickets where state <> 'waiting' limit 20000`)
	f.exec(`insert into calls (id, number, node, channel, started_at, ended_at, result, reason)
		select id, number, node, id, rang_at, now(), 'callback', 'asked' from tickets where state <> 'waiting'`)
	f.exec(`insert into calls (id, number, node, channel, started_at)
		select call_id, number, node, call_id, rang_at from tickets where state = 'waiting'`)
	f.exec(`insert into queue_audit (at, ticket_id, deed, done_by, from_state, to_state, lasted, what, why)
		select rang_at, id, 'join', 'caller', null, 'waiting', null::interval, 'waiting', '' from tickets
		union all
		select closed_at, id, 'talked', 'agent1', 'talking', 'closed', '4 minutes', '', '' from tickets where state = 'closed'`)
	f.exec(`insert into agent_states (at, agent, was, state, lasted)
		select now() - n * interval '1 second', 'agent' || n % 1000, 'ready', 'talking', '1 minute' from generate_series(1, 20000) n`)
	f.exec(`insert into registrations select id, number, id::text, rang_at from tickets`)
	f.exec(`insert into windows select date_trunc('hour', now()) + n * interval '1 hour', 1000000, 0 from generate_series(-100, 100) n`)
	f.exec(`insert into recordings (id, ticket_id, length, wav) select gen_random_uuid(), id, '1 s', '' from tickets limit 2000`)
	f.exec(`analyze`)
}

// A line that grows from nothing is not read from end to end until autovacuum
// notices: the sweep notices.
func TestPlannerIsToldOfGrowth(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	l.exec(`alter table tickets set (autovacuum_enabled = false)`)
	l.join(t, numberOf(1))
	l.exec(`analyze tickets`)
	known := func() int64 { return l.number(`select reltuples::bigint from pg_class where relname = 'tickets'`) }
	var regs []queue.Registration
	for i := range 1000 {
		regs = append(regs, l.registration(i))
	}
	l.register(t, len(regs), regs...)
	if n := known(); n != 1 {
		t.Fatalf("the planner knows of %d tickets already", n)
	}
	l.Sweep(t)
	if n := known(); n != 1001 {
		t.Errorf("the planner knows of %d tickets", n)
	}
}
