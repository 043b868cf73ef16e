package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"ringback/booking"
)

// Bookings keeps centres, seats and appointments: a booking.Store. All times it
// compares with are the database's, so that controllers whose clocks differ
// agree on which hold has expired.
type Bookings struct {
	db *DB
	// newCode draws an appointment's code.
	newCode func() (string, error)
}

var _ booking.Store = (*Bookings)(nil)

const placeSQL = `
select p.postcode, p.place, c.id, c.name, c.address, c.time_zone
from postcodes p join centres c on c.id = p.centre_id
where p.postcode = $1`

// Place implements booking.Store.
func (s *Bookings) Place(ctx context.Context, postcode string) (booking.Place, error) {
	var p booking.Place
	err := s.db.query(ctx, func(q querier) error {
		return q.QueryRow(ctx, placeSQL, postcode).Scan(&p.Postcode, &p.Name,
			&p.Centre.ID, &p.Centre.Name, &p.Centre.Address, &p.Centre.TimeZone)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return booking.Place{}, booking.ErrUnknownPostcode
	}
	if err != nil {
		return booking.Place{}, fmt.Errorf("place of a postcode: %w", err)
	}
	return p, nil
}

// The distance is that of the great circle (law of cosines); only its order
// matters, so the radius of the Earth is left out.
const nearbySQL = `
select c.id, c.name, c.address, c.time_zone
from centres here, centres c
where here.id = $1 and c.id <> here.id
order by acosd(least(1, greatest(-1,
    sind(here.latitude) * sind(c.latitude) +
    cosd(here.latitude) * cosd(c.latitude) * cosd(here.longitude - c.longitude)))), c.id
limit $2`

// Nearby implements booking.Store.
func (s *Bookings) Nearby(ctx context.Context, centre int64, limit int) ([]booking.Centre, error) {
	var near []booking.Centre
	err := s.db.query(ctx, func(q querier) error {
		rows, err := q.Query(ctx, nearbySQL, centre, limit)
		if err != nil {
			return err
		}
		near, err = pgx.CollectRows(rows, pgx.RowToStructByPos[booking.Centre])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("centres near centre %d: %w", centre, err)
	}
	return near, nil
}

const ruleSQL = `select min_age, on_day from rule`

// Rule implements booking.Store.
func (s *Bookings) Rule(ctx context.Context) (booking.Rule, error) {
	var r booking.Rule
	err := s.db.query(ctx, func(q querier) error {
		return q.QueryRow(ctx, ruleSQL).Scan(&r.MinAge, &r.On)
	})
	if err != nil {
		return booking.Rule{}, fmt.Errorf("rule: %w", err)
	}
	r.On = time.Date(r.On.Year(), r.On.Month(), r.On.Day(), 0, 0, 0, 0, time.UTC)
	return r, nil
}

// NewBookings returns the booking.Store of a database.
func NewBookings(db *DB) *Bookings {
	return &Bookings{db: db, newCode: func() (string, error) { return booking.NewCode(rand.Reader) }}
}
