package postgres_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
	"ringback/postgres"
	"ringback/postgres/pgtest"
)

// BenchmarkBook is a caller from the first offer to the appointment: one seat
// refused, one taken. Run it with -cpu 1,8,64.
func BenchmarkBook(b *testing.B) {
	db := pgtest.New(b, postgres.Options{MaxConns: 32})
	ctx := b.Context()
	store := postgres.NewBookings(db)
	var centre int64
	err := db.Pool().QueryRow(ctx, `insert into centres (name, time_zone, latitude, longitude)
		values ('Dortmund', 'Europe/Berlin', 51.5, 7.5) returning id`).Scan(&centre)
	if err != nil {
		b.Fatal(err)
	}
	for _, sql := range []string{
		`insert into slots (centre_id, starts_at, seats) select $1, now() + n * interval '10 minutes', 100 from generate_series(1, $2::integer) n`,
		`insert into seats (slot_id, number, centre_id, starts_at) select id, n, centre_id, starts_at from slots, generate_series(1, 100) n where centre_id = $1 and $2 > 0`,
	} {
		if _, err := db.Pool().Exec(ctx, sql, centre, b.N/100+20); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := db.Pool().Exec(ctx, `analyze`); err != nil {
		b.Fatal(err)
	}
	var callers atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p := booking.Person{Number: e164.Number(fmt.Sprintf("+49231%07d", callers.Add(1))), Born: elder}
			call := uuid.New()
			q := booking.Search{CallID: call, Person: p, Centre: centre}
			h, err := store.Offer(ctx, q)
			if err == nil {
				q.Not = []int64{h.Slot.ID}
				h, err = store.Offer(ctx, q)
			}
			if err == nil {
				_, err = store.Book(ctx, booking.Booking{HoldID: h.ID, CallID: call, Person: p, Operation: uuid.New()})
			}
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "bookings/s")
}
