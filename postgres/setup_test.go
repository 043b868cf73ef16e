package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/booking/bookingtest"
	"ringback/postgres"
	"ringback/postgres/pgtest"
)

var elder = time.Date(1935, 12, 24, 0, 0, 0, 0, time.UTC)

// fixture is a fresh database and the ways to furnish it.
type fixture struct {
	*postgres.Bookings
	t  *testing.T
	db *postgres.DB
}

func setup(t *testing.T) fixture {
	t.Helper()
	// Generous: a busy machine is no fault of a statement.
	db := pgtest.New(t, postgres.Options{Name: "test", StatementTimeout: time.Minute})
	return fixture{postgres.NewBookings(db), t, db}
}

func TestStore(t *testing.T) {
	t.Parallel()
	bookingtest.TestStore(t, func(t *testing.T) bookingtest.Fixture { return setup(t) })
}

func (f fixture) exec(sql string, args ...any) int64 {
	f.t.Helper()
	tag, err := f.db.Pool().Exec(f.t.Context(), sql, args...)
	if err != nil {
		f.t.Fatalf("%v\n%s", err, sql)
	}
	return tag.RowsAffected()
}

// number asks for one number.
func (f fixture) number(sql string, args ...any) int64 {
	f.t.Helper()
	var n int64
	if err := f.db.Pool().QueryRow(f.t.Context(), sql, args...).Scan(&n); err != nil {
		f.t.Fatalf("%v\n%s", err, sql)
	}
	return n
}

// until asks again until the answer is true.
func (f fixture) until(sql string, args ...any) {
	f.t.Helper()
	for yes := false; !yes; {
		if err := f.db.Pool().QueryRow(f.t.Context(), sql, args...).Scan(&yes); err != nil {
			f.t.Fatalf("%v\n%s", err, sql)
		}
	}
}

func (f fixture) AddCentre(c booking.Centre, lat, lon float64) booking.Centre {
	f.t.Helper()
	c.ID = f.number(`insert into centres (name, address, time_zone, latitude, longitude) values ($1, $2, $3, $4, $5) returning id`,
		c.Name, c.Address, c.TimeZone, lat, lon)
	return c
}

func (f fixture) AddPlace(postcode, name string, centre int64) {
	f.t.Helper()
	f.exec(`insert into postcodes (postcode, place, centre_id) values ($1, $2, $3)`, postcode, name, centre)
}

func (f fixture) AddSlot(centre int64, start time.Time, seats int) booking.Slot {
	f.t.Helper()
	id := f.number(`insert into slots (centre_id, starts_at, seats) values ($1, $2, $3) returning id`, centre, start, seats)
	f.exec(`insert into seats (slot_id, number, centre_id, starts_at)
		select $1, n, $2, $3 from generate_series(1, $4::integer) n`, id, centre, start, seats)
	return booking.Slot{ID: id, Centre: booking.Centre{ID: centre}, Start: start}
}

func (f fixture) SetRule(r booking.Rule) {
	f.t.Helper()
	if err := postgres.NewSchedule(f.db).SetRule(f.t.Context(), r); err != nil {
		f.t.Fatal(err)
	}
}

// Expire sets the hold's end into the past by the database's clock.
func (f fixture) Expire(t *testing.T, hold uuid.UUID) {
	t.Helper()
	if n := f.exec(`update seats set held_until = now() - interval '1 second' where hold_id = $1`, hold); n != 1 {
		t.Fatalf("%d seats have the hold %s", n, hold)
	}
}

// dortmund adds a centre with slots of some seats, ten minutes apart, from
// tomorrow on.
func (f fixture) dortmund(seats ...int) booking.Centre {
	f.t.Helper()
	c := f.AddCentre(booking.Centre{Name: "Dortmund", TimeZone: "Europe/Berlin"}, 51.51, 7.47)
	morning := time.Now().Add(24 * time.Hour).Truncate(time.Hour)
	for i, n := range seats {
		f.AddSlot(c.ID, morning.Add(time.Duration(i)*10*time.Minute), n)
	}
	return c
}
