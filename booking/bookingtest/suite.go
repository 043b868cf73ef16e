// Package bookingtest is the promises of a booking.Store as tests, run on every
// implementation.
// It must not know how a Store keeps what it promises.
package bookingtest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
)

// Fixture is a Store under test and the ways to furnish it.
type Fixture interface {
	booking.Store
	AddCentre(c booking.Centre, lat, lon float64) booking.Centre
	AddPlace(postcode, name string, centre int64)
	AddSlot(centre int64, start time.Time, seats int) booking.Slot
	SetRule(booking.Rule)
	// Expire lets a hold run out at once.
	Expire(t *testing.T, hold uuid.UUID)
}

const (
	number  = e164.Number("+49231500123")
	another = e164.Number("+49231500124")
)

var (
	elder   = time.Date(1935, 12, 24, 0, 0, 0, 0, time.UTC)
	younger = time.Date(1938, 12, 31, 0, 0, 0, 0, time.UTC)
)

// setting is one centre with its first day of slots, three hours apart.
type setting struct {
	Fixture
	dortmund booking.Centre
	morning  time.Time // the first slot
}

func furnish(t *testing.T, f Fixture, seats ...int) setting {
	t.Helper()
	s := setting{Fixture: f}
	s.dortmund = f.AddCentre(booking.Centre{Name: "Dortmund", Address: "Markt 1, 44137 Dortmund", TimeZone: "Europe/Berlin"}, 51.51, 7.47)
	s.morning = time.Now().Add(48 * time.Hour).Truncate(time.Hour)
	for i, n := range seats {
		f.AddSlot(s.dortmund.ID, s.morning.Add(time.Duration(i)*3*time.Hour), n)
	}
	return s
}

func (s setting) search(call uuid.UUID, p booking.Person) booking.Search {
	return booking.Search{CallID: call, Person: p, Centre: s.dortmund.ID}
}

// offer holds a seat for a new call.
func (s setting) offer(t *testing.T, p booking.Person) (uuid.UUID, booking.Hold) {
	t.Helper()
	call := uuid.New()
	h, err := s.Offer(t.Context(), s.search(call, p))
	if err != nil {
		t.Fatalf("offer: %v", err)
	}
	return call, h
}

// book books a seat in a new call.
func (s setting) book(t *testing.T, p booking.Person) (booking.Appointment, error) {
	t.Helper()
	call, h := s.offer(t, p)
	return s.Book(t.Context(), booking.Booking{HoldID: h.ID, CallID: call, Person: p, Operation: uuid.New()})
}

func (s setting) mustBook(t *testing.T, p booking.Person) booking.Appointment {
	t.Helper()
	a, err := s.book(t, p)
	if err != nil {
		t.Fatalf("book: %v", err)
	}
	return a
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestStore runs the suite. Each test gets a fresh Fixture.
func TestStore(t *testing.T, fresh func(t *testing.T) Fixture) {
	tests := map[string]func(*testing.T, Fixture){
		"places":       testPlaces,
		"offers":       testOffers,
		"expiry":       testExpiry,
		"open hold":    testOpenHold,
		"booking":      testBooking,
		"persons":      testPersons,
		"appointments": testAppointments,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh(t))
		})
	}
}
