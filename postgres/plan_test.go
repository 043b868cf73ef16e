package postgres_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"ringback/postgres"
)

// big are the tables that grow; reading one from end to end would be heard by
// callers. (centres, postcodes and rule are small.)
var big = map[string]bool{
	"seats": true, "slots": true, "persons": true, "appointments": true, "recordings": true,
	"calls": true, "call_events": true, "callbacks": true, "habits": true,
}

// node is what EXPLAIN (FORMAT JSON) says of a step.
type node struct {
	Type  string `json:"Node Type"`
	Table string `json:"Relation Name"`
	Index string `json:"Index Name"`
	Plans []node `json:"Plans"`
}

func (n node) walk(f func(node)) {
	f(n)
	for _, p := range n.Plans {
		p.walk(f)
	}
}

// Statements on a call's path find their rows by index, among 100,000 seats,
// also with the plan Postgres makes once for all arguments.
func TestCallPathUsesIndexes(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.fill(100_000)
	conn, err := f.db.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
		if _, err := conn.Exec(t.Context(), "set plan_cache_mode = "+mode); err != nil {
			t.Fatal(err)
		}
		for what, q := range postgres.CallPath {
			name := strings.Map(func(r rune) rune {
				if r < 'a' || r > 'z' {
					return '_'
				}
				return r
			}, what+mode)
			if _, err := conn.Exec(t.Context(), "prepare "+name+" as "+q.SQL); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			var answer []byte
			explain := fmt.Sprintf("explain (format json) execute %s (%s)", name, q.Args)
			if err := conn.QueryRow(t.Context(), explain).Scan(&answer); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			var plans []struct{ Plan node }
			if err := json.Unmarshal(answer, &plans); err != nil {
				t.Fatal(err)
			}
			plans[0].Plan.walk(func(n node) {
				if n.Type == "Seq Scan" && big[n.Table] {
					t.Errorf("%s, %s: reads all of %s\n%s", what, mode, n.Table, answer)
				}
				if what == "offer" && (n.Type == "Sort" || n.Type == "Incremental Sort" || n.Type == "Bitmap Heap Scan") {
					t.Errorf("%s, %s: looks at all free seats of the centre (%s)\n%s", what, mode, n.Type, answer)
				}
			})
		}
	}
}

// fill makes ten centres with slots of ten seats, the first fifth of the
// seats booked, and other tables of a matching size.
func (f fixture) fill(seats int) {
	f.t.Helper()
	f.exec(`insert into centres (name, time_zone, latitude, longitude)
		select 'Centre ' || n, 'Europe/Berlin', 50 + n / 10.0, 7 from generate_series(1, 10) n`)
	f.exec(`insert into postcodes select 44000 + n, 'Town', (select min(id) from centres) + n % 10 from generate_series(1, 900) n`)
	f.exec(`insert into slots (centre_id, starts_at, seats)
		select id, date_trunc('hour', now()) + n * interval '10 minutes', 10
		from centres, generate_series(1, $1::integer) n`, seats/100)
	f.exec(`insert into seats (slot_id, number, centre_id, starts_at)
		select id, n, centre_id, starts_at from slots, generate_series(1, 10) n`)
	f.exec(`insert into persons (number, born, ordinal)
		select '+4923' || (1000000 + n), '1930-01-01'::date + n % 3000, 1 from generate_series(1, $1::integer) n`, seats/5)
	f.exec(`with early as (select id, slot_id, row_number() over (order by starts_at, id) n from seats limit $1)
		insert into appointments (code, person_id, slot_id, seat_id, state, operation, call_id, number, nth)
		select (100000000 + n)::text, persons.id, slot_id, early.id, 'booked', gen_random_uuid(), gen_random_uuid(), persons.number, 1
		from early join persons on persons.number = '+4923' || (1000000 + n)`, seats/5)
	f.exec(`update seats set state = 'booked', appointment_id = a.id from appointments a where a.seat_id = seats.id`)
	f.exec(`insert into calls (id, number, node, channel, started_at)
		select gen_random_uuid(), '+4923' || (1000000 + n % 30000), 'ast1', 'ast1-' || n, now() from generate_series(1, 20000) n`)
	f.exec(`update calls set ended_at = now(), result = 'booked', reason = 'done' where channel not like '%00'`)
	f.exec(`insert into call_events select id, n, now(), 'say', '', '', '' from calls, generate_series(1, 3) n`)
	f.exec(`insert into habits select '+4923' || (1000000 + n), 'de', 0 from generate_series(1, 20000) n`)
	f.exec(`insert into callbacks (id, call_id, number, language, reason)
		select gen_random_uuid(), gen_random_uuid(), '+4923' || (1000000 + n), 'de', 'asked' from generate_series(1, 10000) n`)
	f.exec(`insert into recordings (id, appointment_id, length, wav) select gen_random_uuid(), id, '1 s', '' from appointments`)
	f.exec(`analyze`)
}
