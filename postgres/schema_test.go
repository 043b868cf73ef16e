package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"ringback/booking"
	"ringback/ivr"
	"ringback/postgres"
	"ringback/postgres/pgtest"
	"ringback/prompts"
	"ringback/queue"
)

// states are all states a transition table mentions.
func states[S ~string](table []booking.Transition[S]) []string {
	seen := map[string]bool{}
	for _, t := range table {
		seen[string(t.From)], seen[string(t.To)] = true, true
	}
	delete(seen, "")
	return slices.Sorted(maps.Keys(seen))
}

func texts[S ~string](values ...S) []string {
	var all []string
	for _, v := range values {
		all = append(all, string(v))
	}
	slices.Sort(all)
	return all
}

func TestChecksRepeatTheTypes(t *testing.T) {
	t.Parallel()
	f := setup(t)
	literal := regexp.MustCompile(`'([a-z_]+)'::text`)
	for constraint, want := range map[string][]string{
		"seats_state":        states(booking.SeatTransitions),
		"appointments_state": states(booking.AppointmentTransitions),
		"callbacks_state":    {"done", "open"},
		"callbacks_reason":   texts(queue.Asked, queue.NoKeys, queue.Errors, queue.Full, queue.Trouble, queue.TooLong, queue.Overheard),
		"calls_result":       texts(ivr.Booked, ivr.Changed, ivr.Cancelled, ivr.Informed, ivr.Person, ivr.CalledBack, ivr.HungUp, ivr.Failed),
		"call_events_kind":   texts(ivr.EntryScene, ivr.EntrySay, ivr.EntryKey),
		"tickets_state":      texts(queue.States...),
		"tickets_topic":      texts(queue.Topics...),
		"tickets_wish":       texts(queue.WishPerson, queue.WishSelf),
		"tickets_reason":     texts(queue.Reasons...),
		"tickets_ending":     texts(queue.Ends...),
		"agents_state":       texts(queue.AgentStates...),
		"attempts_fate":      texts(queue.Fates...),
	} {
		var got []string
		for _, m := range literal.FindAllStringSubmatch(f.constraint(constraint), -1) {
			got = append(got, m[1])
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s allows %q, the code knows %q", constraint, got, want)
		}
	}
	number := regexp.MustCompile(`\d+`)
	for constraint, want := range map[string]string{
		"appointments_max_per_number": "1 4", "habits_pace": "0 2", "tickets_max_per_number": "1 4",
	} {
		if got := strings.Join(number.FindAllString(f.constraint(constraint), -1), " "); got != want {
			t.Errorf("%s has the bounds %s", constraint, got)
		}
	}
	if booking.MaxPerNumber != 4 || queue.MaxPerNumber != 4 || prompts.Normal != 0 || prompts.Slowest != 2 {
		t.Error("the bounds in the code are others")
	}
}

func (f fixture) constraint(name string) string {
	f.t.Helper()
	var def string
	err := f.db.Pool().QueryRow(f.t.Context(), `select pg_get_constraintdef(oid) from pg_constraint where conname = $1`, name).Scan(&def)
	if err != nil {
		f.t.Fatalf("constraint %s: %v", name, err)
	}
	return def
}

// What no code of ours would write is refused by the database itself.
func TestConstraintsEnforce(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.dortmund(2)
	seat := f.number(`select min(id) from seats`)
	person := f.number(`insert into persons (number, born, ordinal) values ('+49231500123', '1935-12-24', 1) returning id`)
	appointment := `insert into appointments (code, person_id, slot_id, seat_id, state, operation, call_id, number, nth)
		select $1, $2, slot_id, id, 'booked', gen_random_uuid(), gen_random_uuid(), '+49231500123', $3 from seats where id = $4`
	f.exec(appointment, "123456780", person, 1, seat)
	for constraint, sql := range map[string]string{
		"seats_state":                     `update seats set state = 'lost'`,
		"seats_held":                      `update seats set state = 'held'`,
		"seats_booked":                    `update seats set state = 'booked'`,
		"seats_slot":                      `update seats set starts_at = starts_at + interval '1 hour'`,
		"seats_place":                     `insert into seats (slot_id, number, centre_id, starts_at) select slot_id, number, centre_id, starts_at from seats`,
		"seats_held_by":                   `update seats set state = 'held', hold_id = gen_random_uuid(), held_until = now(), held_by = '6e3f2f6a-7a4e-4d68-9a53-0e7b7d1a5d11'`,
		"seats_hold":                      `update seats set state = 'held', held_by = gen_random_uuid(), held_until = now(), hold_id = '6e3f2f6a-7a4e-4d68-9a53-0e7b7d1a5d11'`,
		"slots_time":                      `insert into slots (centre_id, starts_at, seats) select centre_id, starts_at, 1 from slots`,
		"centres_time_zone":               `update centres set time_zone = 'Europe/Dortmund'`,
		"persons_known":                   `insert into persons (number, born, ordinal) values ('+49231500123', '1935-12-24', 1)`,
		"persons_number_check":            `insert into persons (number, born, ordinal) values ('0231500123', '1935-12-24', 1)`,
		"appointments_one_a_seat":         `insert into appointments (code, person_id, slot_id, seat_id, state, operation, call_id, counts) select '234567890', person_id, slot_id, seat_id, state, gen_random_uuid(), call_id, false from appointments`,
		"appointments_booked_has_seat":    `update appointments set seat_id = null`,
		"appointments_only_booked_counts": `update appointments set state = 'cancelled', cancelled_at = now(), seat_id = null`,
		"recordings_owner":                `insert into recordings (id, length, wav) values (gen_random_uuid(), '1 s', '')`,
		"rule_pkey":                       `insert into rule (min_age, on_day) values (1, now())`,
	} {
		f.refused(constraint, sql)
	}
	other := f.number(`select max(id) from seats`)
	f.refused("appointments_one_a_person", appointment, "234567890", person, 2, other)
	second := f.number(`insert into persons (number, born, ordinal) values ('+49231500123', '1935-12-24', 2) returning id`)
	f.refused("appointments_nth_of_number", appointment, "234567890", second, 1, other)
	f.refused("appointments_max_per_number", appointment, "234567890", second, 5, other)
	f.refused("appointments_code", appointment, "123456780", second, 2, other)
}

func (f fixture) refused(constraint, sql string, args ...any) {
	f.t.Helper()
	err := pgx.BeginFunc(f.t.Context(), f.db.Pool(), func(tx pgx.Tx) error {
		_, err := tx.Exec(f.t.Context(), sql, args...)
		if err == nil {
			err = errors.New("it is allowed")
		}
		return err
	})
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.ConstraintName != constraint {
		f.t.Errorf("%s does not stop %s: %v", constraint, sql, err)
	}
}

func TestTwoNodesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	ctx := t.Context()
	db, err := postgres.Open(ctx, address, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	// Back to an empty database.
	if _, err := db.Pool().Exec(ctx, `drop owned by current_user cascade`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Pool().Exec(ctx, `create schema if not exists public`); err != nil {
		t.Fatal(err)
	}
	var nodes errgroup.Group
	for range 3 {
		nodes.Go(func() error { return db.Migrate(context.WithoutCancel(ctx)) })
	}
	if err := nodes.Wait(); err != nil {
		t.Fatal(err)
	}
	current, latest, err := db.Version(ctx)
	if err != nil || current != latest || latest < 5 {
		t.Errorf("version %d of %d, %v", current, latest, err)
	}
	if err := db.Migrate(ctx); err != nil {
		t.Errorf("once more: %v", err)
	}
}

func TestMigrationsOnlyGoForward(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(postgres.Migrations(), "*.sql")
	if err != nil || len(files) < 5 {
		t.Fatalf("migrations: %q, %v", files, err)
	}
	for i, name := range files {
		if !strings.HasPrefix(name, fmt.Sprintf("%05d_", i+1)) {
			t.Errorf("%s is not number %d", name, i+1)
		}
		content, err := fs.ReadFile(postgres.Migrations(), name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), "+goose Down") {
			t.Errorf("%s goes back", name)
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"postgres://[::1":                       "database address",
		"postgres://nobody@127.0.0.1:1/nothing": "reach database",
	} {
		_, err := postgres.Open(t.Context(), address, postgres.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestSessionSettings(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, postgres.Options{Name: "test"}) // with the settings that calls have
	for setting, want := range map[string]string{
		"application_name": "test", "TimeZone": "UTC", "statement_timeout": "5s",
		"idle_in_transaction_session_timeout": "10s", "plan_cache_mode": "force_generic_plan",
	} {
		var got string
		if err := db.Pool().QueryRow(t.Context(), `select current_setting($1)`, setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, want %s (%v)", setting, got, want, err)
		}
	}
}
