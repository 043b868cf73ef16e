// Package memory is a booking.Store in memory, for tests of dialogues and for
// trying them without a database.
// It must not know more than dialogues call: what only Postgres can promise,
// such as surviving a restart, is tested on Postgres.
package memory

import (
	"cmp"
	"context"
	"crypto/rand"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
)

// Store keeps everything in memory and reads the time with time.Now, so it
// runs in virtual time (testing/synctest) too. Seed it before use.
type Store struct {
	mu           sync.Mutex
	rule         booking.Rule
	centres      map[int64]centre
	places       map[string]booking.Place
	slots        []booking.Slot // by start, then ID
	seats        []*seat
	appointments []*appointment
}

type centre struct {
	booking.Centre
	lat, lon float64
}

type seat struct {
	slot  booking.Slot
	state booking.SeatState
	// Of a hold:
	hold   uuid.UUID
	heldBy uuid.UUID
	number e164.Number
	born   booking.Born
	until  time.Time
}

type appointment struct {
	booking.Appointment
	number    e164.Number
	born      booking.Born
	ordinal   int // tells two persons of one number and birthday apart
	operation uuid.UUID
	seat      *seat
	name      *booking.Recording
}

var _ booking.Store = (*Store)(nil)

// New returns a Store without centres that lets everyone in.
func New() *Store {
	return &Store{
		rule:    booking.Rule{On: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)},
		centres: map[int64]centre{},
		places:  map[string]booking.Place{},
	}
}

// SetRule says who may book.
func (s *Store) SetRule(r booking.Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rule = r
}

// AddCentre adds a centre at a latitude and longitude in degrees and returns
// it with its ID.
func (s *Store) AddCentre(c booking.Centre, lat, lon float64) booking.Centre {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ID = int64(len(s.centres) + 1)
	s.centres[c.ID] = centre{c, lat, lon}
	return c
}

// AddPlace makes a centre responsible for a postcode.
func (s *Store) AddPlace(postcode, name string, centre int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.places[postcode] = booking.Place{Postcode: postcode, Name: name, Centre: s.centres[centre].Centre}
}

// AddSlot adds a time with a number of seats and returns the slot.
func (s *Store) AddSlot(centre int64, start time.Time, seats int) booking.Slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.centres[centre].Centre
	slot := booking.Slot{ID: int64(len(s.slots) + 1), Centre: c, Start: start.In(c.Location())}
	s.slots = append(s.slots, slot)
	for range seats {
		s.seats = append(s.seats, &seat{slot: slot, state: booking.SeatFree})
	}
	slices.SortStableFunc(s.seats, func(a, b *seat) int { return a.slot.Start.Compare(b.slot.Start) })
	return slot
}

// Place implements booking.Store.
func (s *Store) Place(_ context.Context, postcode string) (booking.Place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.places[postcode]
	if !ok {
		return booking.Place{}, booking.ErrUnknownPostcode
	}
	return p, nil
}

// Nearby implements booking.Store.
func (s *Store) Nearby(_ context.Context, id int64, limit int) ([]booking.Centre, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, ok := s.centres[id]
	if !ok {
		return nil, nil
	}
	var others []centre
	for _, c := range s.centres {
		if c.ID != id {
			others = append(others, c)
		}
	}
	slices.SortFunc(others, func(a, b centre) int {
		return cmp.Or(cmp.Compare(distance(from, a), distance(from, b)), cmp.Compare(a.ID, b.ID))
	})
	var nearby []booking.Centre
	for _, c := range others[:min(limit, len(others))] {
		nearby = append(nearby, c.Centre)
	}
	return nearby, nil
}

// distance is good enough to order towns: degrees on a flat map.
func distance(a, b centre) float64 {
	return math.Hypot(a.lat-b.lat, (a.lon-b.lon)*math.Cos(a.lat*math.Pi/180))
}

// Rule implements booking.Store.
func (s *Store) Rule(context.Context) (booking.Rule, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rule, nil
}

// KeepName implements booking.Store.
func (s *Store) KeepName(_ context.Context, id uuid.UUID, r booking.Recording) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.appointments {
		if a.ID == id {
			a.name = &r
			return nil
		}
	}
	return booking.ErrNoAppointment
}

// Name returns the name spoken for an appointment, if there is one.
func (s *Store) Name(id uuid.UUID) (booking.Recording, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.appointments {
		if a.ID == id && a.name != nil {
			return *a.name, true
		}
	}
	return booking.Recording{}, false
}

// Count returns how many seats are in a state. A hold that has expired counts
// as free.
func (s *Store) Count(state booking.SeatState) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, x := range s.seats {
		if x.state == state && !x.expired() || state == booking.SeatFree && x.expired() {
			n++
		}
	}
	return n
}

func newCode() (string, error) { return booking.NewCode(rand.Reader) }
