package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"ringback/booking"
	"ringback/e164"
)

// offerSQL takes the earliest seat that fits.
//
// The first part walks the index of seats that are not booked, slot by slot in
// the order of time. In each slot the search begins at a random seat and goes
// round, past every seat somebody else is taking at this moment, so callers who
// want the same slot do not wait for each other. If all seats of a slot are
// being taken, the next slot has its turn. FOR UPDATE looks again at a row that
// changed meanwhile, so no seat is taken twice.
//
// The limit of the first part tells the planner that the beginning of the index
// is enough. It is out of reach in practice: so many transactions would have to
// be committing at one centre in the same instant.
//
// $1 centre, $2 after, $3 refused slots, $4 call, $5 number, $6 born, $7 how long
const offerSQL = `
with candidate as materialized (
    select distinct on (starts_at) slot_id
    from seats
    where centre_id = $1 and starts_at > greatest($2::timestamptz, now())
      and state <> 'booked' and (state = 'free' or held_until <= now())
      and slot_id <> all ($3::bigint[])
    order by starts_at
    limit 128
), entry as materialized (
    select slot_id, (select 1 + floor(random() * slots.seats)::integer
                     from slots where slots.id = candidate.slot_id) as number
    from candidate
), taken as materialized (
    select seat.id
    from entry cross join lateral (
        select * from (
            select id from seats
            where slot_id = entry.slot_id and number >= entry.number
              and state <> 'booked' and (state = 'free' or held_until <= now())
            order by number limit 1 for update skip locked) onward
        union all
        select * from (
            select id from seats
            where slot_id = entry.slot_id and number < entry.number
              and state <> 'booked' and (state = 'free' or held_until <= now())
            order by number limit 1 for update skip locked) around
    ) seat
    limit 1
)
update seats
set state = 'held', hold_id = gen_random_uuid(), held_by = $4,
    held_number = $5, held_born = $6, held_until = now() + $7
from taken, centres c
where seats.id = taken.id and c.id = $1
returning hold_id, seats.held_until, slot_id, starts_at, c.id, c.name, c.address, c.time_zone`

const releaseSQL = `
update seats
set state = 'free', hold_id = null, held_by = null, held_until = null,
    held_number = null, held_born = null
where held_by = $1`

// Offer implements booking.Store.
func (s *Bookings) Offer(ctx context.Context, q booking.Search) (booking.Hold, error) {
	refused := q.Not
	if refused == nil {
		refused = []int64{}
	}
	var h booking.Hold
	err := s.db.tx(ctx, func(tx pgx.Tx) error {
		// First give back, then take: so a call is not in its own way, and
		// waits at most for the one row that is its own. Where nothing is
		// found, rolling back undoes the giving back too.
		if _, err := tx.Exec(ctx, releaseSQL, q.CallID); err != nil {
			return err
		}
		row := tx.QueryRow(ctx, offerSQL, q.Centre, orNull(q.After), refused,
			q.CallID, numberOrNull(q.Person.Number), orNull(q.Person.Born), booking.HoldFor)
		err := scanHold(row, &h)
		if errors.Is(err, pgx.ErrNoRows) {
			return booking.ErrNothingFree
		}
		return err
	})
	if err != nil {
		return booking.Hold{}, fmt.Errorf("offer a seat at centre %d: %w", q.Centre, err)
	}
	return h, nil
}

const openHoldSQL = `
select id, held_by from seats
where state = 'held' and held_number = $2 and held_born = $3
  and held_until > now() and starts_at > now()
order by (held_by = $1) desc, held_until desc
limit 1 for update`

const adoptHoldSQL = `
update seats set held_by = $2, held_until = now() + $3
from centres c
where seats.id = $1 and c.id = seats.centre_id
returning hold_id, held_until, slot_id, starts_at, c.id, c.name, c.address, c.time_zone`

// OpenHold implements booking.Store. What was held lasts HoldFor from now.
func (s *Bookings) OpenHold(ctx context.Context, callID uuid.UUID, p booking.Person) (booking.Hold, error) {
	if p.Number == e164.Withheld {
		return booking.Hold{}, booking.ErrNoHold
	}
	var h booking.Hold
	err := s.db.tx(ctx, func(tx pgx.Tx) error {
		var seat int64
		var heldBy uuid.UUID
		err := tx.QueryRow(ctx, openHoldSQL, callID, p.Number, orNull(p.Born)).Scan(&seat, &heldBy)
		if errors.Is(err, pgx.ErrNoRows) {
			return booking.ErrNoHold
		}
		if err != nil {
			return err
		}
		if heldBy != callID {
			if _, err := tx.Exec(ctx, releaseSQL, callID); err != nil {
				return err
			}
		}
		return scanHold(tx.QueryRow(ctx, adoptHoldSQL, seat, callID, booking.HoldFor), &h)
	})
	if err != nil {
		return booking.Hold{}, fmt.Errorf("open hold for call %s: %w", callID, err)
	}
	return h, nil
}

const keepHoldSQL = `update seats set held_until = now() + $2 where held_by = $1`

// KeepHold implements booking.Store.
func (s *Bookings) KeepHold(ctx context.Context, callID uuid.UUID) error {
	err := s.db.query(ctx, func(q querier) error {
		_, err := q.Exec(ctx, keepHoldSQL, callID, booking.HoldFor)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep hold of call %s: %w", callID, err)
	}
	return nil
}

// Release implements booking.Store.
func (s *Bookings) Release(ctx context.Context, callID uuid.UUID) error {
	err := s.db.query(ctx, func(q querier) error {
		_, err := q.Exec(ctx, releaseSQL, callID)
		return err
	})
	if err != nil {
		return fmt.Errorf("release hold of call %s: %w", callID, err)
	}
	return nil
}

func scanHold(row pgx.Row, h *booking.Hold) error {
	c := &h.Slot.Centre
	if err := row.Scan(&h.ID, &h.Until, &h.Slot.ID, &h.Slot.Start, &c.ID, &c.Name, &c.Address, &c.TimeZone); err != nil {
		return err
	}
	h.Slot.Start = h.Slot.Start.In(c.Location())
	return nil
}

// orNull is the time, or null for the zero time.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// numberOrNull is the number, or null for a withheld one: null equals nothing,
// so no two withheld callers are ever taken for one.
func numberOrNull(n e164.Number) *string {
	if n == e164.Withheld {
		return nil
	}
	s := string(n)
	return &s
}
