package bench

import (
	"context"
	"fmt"
	"iter"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/booking/schedule"
	"ringback/e164"
	"ringback/postgres"
	"ringback/postgres/pgtest"
)

const (
	clients = 64
	// seats are more than can be booked in a window.
	slotsSeeded  = 1200
	seatsPerSlot = 100
)

// TestBookings measures how many appointments a second 64 clients make, each a
// seat held and then booked, through booking and postgres, and by pgbench with
// one hand-written statement for each of the two: in turn, each on a fresh
// database of the same server.
func TestBookings(t *testing.T) {
	r := measuring(t)
	pgbench := beside(t, "pgbench")
	window := scaledFor(10 * time.Second)
	var byStore, byHand, ratios, took []float64
	for round := range 3 {
		rate, each := book(t, window)
		hand := pgbenchRate(t, pgbench, window)
		r.say("round %d: %.0f bookings a second by the store, %.0f by hand: %.2f", round+1, rate, hand, rate/hand)
		byStore, byHand, ratios = append(byStore, rate), append(byHand, hand), append(ratios, rate/hand)
		took = append(took, each...)
	}
	r.add("store", figure{"median of 3", median(byStore), "bookings/s"})
	r.add("a booking by the store, held and booked", spread(took, "ms")...)
	r.add("by hand", figure{"median of 3", median(byHand), "bookings/s"})
	r.atLeast("bookings, times those by hand", median(ratios), 0.9, "times")
	r.write()
	r.bars(".png", fmt.Sprintf("Bookings by %d clients", clients), "bookings a second", []string{"round 1", "round 2", "round 3"},
		barSeries{"booking and postgres", ours, -1, byStore}, barSeries{"pgbench, single statements", theirs, 1, byHand})
}

// seeded is a database with one centre and many free seats.
func seeded(t *testing.T) string {
	t.Helper()
	url := pgtest.URL(t)
	db, err := postgres.Open(t.Context(), url, postgres.Options{StatementTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	plan := postgres.NewSchedule(db)
	c := schedule.Centre{Centre: booking.Centre{Name: "Dortmund", TimeZone: "Europe/Berlin"}, Latitude: 51.5, Longitude: 7.5}
	if _, err := plan.SetCentres(t.Context(), one(c)); err != nil {
		t.Fatal(err)
	}
	first := time.Now().Add(24 * time.Hour).Truncate(time.Hour)
	_, err = plan.AddSlots(t.Context(), func(yield func(schedule.Slot, error) bool) {
		for n := range slotsSeeded {
			s := schedule.Slot{Centre: c.Name, Start: first.Add(time.Duration(n) * 10 * time.Minute), Seats: seatsPerSlot}
			if !yield(s, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	// Autovacuum would come too late for a run of seconds.
	vacuum := exec.CommandContext(t.Context(), beside(t, "vacuumdb"), "--quiet", "--analyze", "--dbname="+url)
	if out, err := vacuum.CombinedOutput(); err != nil {
		t.Fatalf("vacuumdb: %v: %s", err, out)
	}
	return url
}

// beside is a program of Postgres that lies beside the server, or a skip.
func beside(t *testing.T, program string) string {
	t.Helper()
	path := filepath.Join(filepath.Dir(tools(t).Initdb), program)
	if _, err := exec.LookPath(path); err != nil {
		t.Skipf("%s is needed (Debian: postgresql): %v", program, err)
	}
	return path
}

func one[T any](v T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) { yield(v, nil) }
}

// book has all clients book for that long and returns how many appointments a
// second they made, and how long each took in ms.
func book(t *testing.T, window time.Duration) (rate float64, took []float64) {
	t.Helper()
	db, err := postgres.Open(t.Context(), seeded(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store := postgres.NewBookings(db)
	born := booking.Born(time.Date(1935, 12, 24, 0, 0, 0, 0, time.UTC))
	ctx, cancel := context.WithTimeout(t.Context(), window)
	defer cancel()
	began := time.Now()
	var all sync.WaitGroup
	made := make([][]float64, clients)
	for i := range clients {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				at := time.Now()
				p := booking.Person{Number: e164.Number(fmt.Sprintf("+49231%02d%06d", i+10, n)), Born: born, Postcode: "44137"}
				call := uuid.New()
				h, err := store.Offer(t.Context(), booking.Search{CallID: call, Person: p, Centre: 1})
				if err == nil {
					_, err = store.Book(t.Context(), booking.Booking{HoldID: h.ID, CallID: call, Person: p, Operation: uuid.New()})
				}
				if err != nil {
					t.Error(err)
					return
				}
				made[i] = append(made[i], float64(time.Since(at))/float64(time.Millisecond))
			}
		})
	}
	all.Wait()
	took = slices.Concat(made...)
	return float64(len(took)) / time.Since(began).Seconds(), took
}

var tps = regexp.MustCompile(`tps = ([0-9.]+)`)

// pgbenchRate is the same by pgbench.
func pgbenchRate(t *testing.T, pgbench string, window time.Duration) float64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), window+time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, pgbench, "--no-vacuum", "--protocol=prepared", "--client="+strconv.Itoa(clients), "--jobs=2",
		"--time="+strconv.Itoa(max(1, int(window.Seconds()))), "--file=testdata/book.sql", seeded(t))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("pgbench: %v: %s", err, out)
	}
	found := tps.FindSubmatch(out)
	if found == nil {
		t.Fatalf("pgbench tells no rate: %s", out)
	}
	rate, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return rate
}
