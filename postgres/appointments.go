package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"ringback/booking"
	"ringback/e164"
)

// Locks are taken in one order everywhere: the number, then seats, then
// persons and appointments.
const (
	// lockSQL makes bookings of one number take turns. Correctness does not
	// hang on it, the unique indexes see to that; it spares retries.
	lockSQL  = `select pg_advisory_xact_lock($1, hashtext($2))`
	lockKind = 0x52424e // "RBN": keeps these locks apart from others

	retireSQL = `
update appointments a set counts = false
from slots
where slots.id = a.slot_id and slots.starts_at <= now() and a.number = $1 and a.counts`

	// bookSQL makes an appointment of what the call holds. It returns nothing
	// where the hold is gone, as after the same operation, or where somebody
	// has the code that was drawn.
	//
	// Who is known under this number and birthday is the one who holds an
	// appointment, else the first; who is another is the first that holds none.
	// A withheld number is null and never known. The appointment draws the
	// smallest free place under the number; one too many violates
	// appointments_max_per_number.
	//
	// $1 hold, $2 call, $3 number, $4 born, $5 postcode, $6 another,
	// $7 most appointments of a number and one, $8 code, $9 operation
	bookSQL = `
with seat as materialized (
    select id, slot_id, starts_at, centre_id from seats
    where hold_id = $1 and held_by = $2 and starts_at > now()
    for update
), holder as (
    select p.ordinal from persons p join appointments a on a.person_id = p.id and a.counts
    where p.number = $3 and p.born = $4
), person as (
    insert into persons (number, born, postcode, ordinal)
    select $3, $4, $5, case when $6
        then (select min(n) from generate_series(1, $7::integer) n where n not in (select ordinal from holder))
        else coalesce((select min(ordinal) from holder), 1) end
    from seat
    on conflict on constraint persons_known do update set postcode = excluded.postcode
    returning id
), appointment as (
    insert into appointments (code, person_id, slot_id, seat_id, state, operation, call_id, number, nth)
    select $8, person.id, seat.slot_id, seat.id, 'booked', $9, $2, $3,
        case when $3::text is not null then
            (select min(n) from generate_series(1, $7::integer) n
             where n not in (select nth from appointments where number = $3 and counts)) end
    from person, seat
    on conflict on constraint appointments_code do nothing
    returning id, code, state
), booked as (
    update seats
    set state = 'booked', appointment_id = appointment.id, hold_id = null, held_by = null, held_until = null,
        held_number = null, held_born = null
    from appointment, seat
    where seats.id = seat.id
)
select a.id, a.code, a.state, seat.slot_id, seat.starts_at, c.id, c.name, c.address, c.time_zone
from appointment a, seat, centres c
where c.id = seat.centre_id`

	stillHeldSQL = `select from seats where hold_id = $1 and held_by = $2 and starts_at > now()`
)

const appointmentSQL = `
select a.id, a.code, a.state, a.slot_id, s.starts_at, c.id, c.name, c.address, c.time_zone
from appointments a
join slots s on s.id = a.slot_id
join centres c on c.id = s.centre_id
join persons p on p.id = a.person_id
where `

const (
	byOperationSQL = appointmentSQL + `a.operation = $1`
	byCodeSQL      = appointmentSQL + `a.code = $1 and p.born = $2 and a.state = 'booked' and s.starts_at > now()`
	byPersonSQL    = appointmentSQL + `p.number = $1 and p.born = $2 and a.number = $1 and a.counts
  and a.state = 'booked' and s.starts_at > now() order by s.starts_at, p.ordinal`
)

// Book implements booking.Store.
func (s *Bookings) Book(ctx context.Context, b booking.Booking) (booking.Appointment, error) {
	var a booking.Appointment
	err := s.db.query(ctx, func(q querier) (err error) {
		a, err = s.book(ctx, q, b)
		return err
	})
	if err != nil {
		return booking.Appointment{}, fmt.Errorf("book for call %s: %w", b.CallID, err)
	}
	return a, nil
}

// book books, or finds out why it cannot.
func (s *Bookings) book(ctx context.Context, q querier, b booking.Booking) (booking.Appointment, error) {
	const draws = 10 // of ninety million codes
	for range draws {
		a, err := s.bookHeld(ctx, q, b)
		if !errors.Is(err, pgx.ErrNoRows) {
			return a, err
		}
		a, err = scanAppointment(q.QueryRow(ctx, byOperationSQL, b.Operation))
		if !errors.Is(err, pgx.ErrNoRows) {
			return a, err
		}
		err = q.QueryRow(ctx, stillHeldSQL, b.HoldID, b.CallID).Scan()
		if errors.Is(err, pgx.ErrNoRows) {
			return a, booking.ErrHoldGone
		}
		if err != nil {
			return a, err
		}
	}
	return booking.Appointment{}, fmt.Errorf("no free appointment code in %d draws", draws)
}

// bookHeld books in one round trip. It fails with pgx.ErrNoRows where bookSQL
// returns nothing.
func (s *Bookings) bookHeld(ctx context.Context, q querier, b booking.Booking) (a booking.Appointment, err error) {
	code, err := s.newCode()
	if err != nil {
		return a, err
	}
	number := numberOrNull(b.Person.Number)
	var batch pgx.Batch
	if number != nil {
		batch.Queue(lockSQL, lockKind, number)
		batch.Queue(retireSQL, number)
	}
	batch.Queue(bookSQL, b.HoldID, b.CallID, number, b.Person.Born, b.Person.Postcode, b.Person.Another,
		booking.MaxPerNumber+1, code, b.Operation).QueryRow(func(row pgx.Row) (err error) {
		a, err = scanAppointment(row)
		return err
	})
	return a, q.SendBatch(ctx, &batch).Close()
}

// Appointments implements booking.Store.
func (s *Bookings) Appointments(ctx context.Context, number e164.Number, born booking.Born) ([]booking.Appointment, error) {
	if number == e164.Withheld {
		return nil, nil
	}
	var coming []booking.Appointment
	err := s.db.query(ctx, func(q querier) error {
		rows, err := q.Query(ctx, byPersonSQL, number, born)
		if err != nil {
			return err
		}
		coming, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (booking.Appointment, error) {
			return scanAppointment(row)
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("appointments of a number: %w", err)
	}
	return coming, nil
}

// AppointmentByCode implements booking.Store.
func (s *Bookings) AppointmentByCode(ctx context.Context, code string, born booking.Born) (booking.Appointment, error) {
	var a booking.Appointment
	err := s.db.query(ctx, func(q querier) (err error) {
		a, err = scanAppointment(q.QueryRow(ctx, byCodeSQL, code, born))
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return booking.Appointment{}, booking.ErrNoAppointment
	}
	if err != nil {
		return booking.Appointment{}, fmt.Errorf("appointment by code: %w", err)
	}
	return a, nil
}

// AppointmentByOperation implements booking.Store.
func (s *Bookings) AppointmentByOperation(ctx context.Context, operation uuid.UUID) (booking.Appointment, error) {
	var a booking.Appointment
	err := s.db.query(ctx, func(q querier) (err error) {
		a, err = scanAppointment(q.QueryRow(ctx, byOperationSQL, operation))
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return booking.Appointment{}, booking.ErrNoAppointment
	}
	if err != nil {
		return booking.Appointment{}, fmt.Errorf("appointment by operation: %w", err)
	}
	return a, nil
}

const (
	lockBookedSeatSQL = `
select seats.id from seats join appointments a on a.seat_id = seats.id
where a.id = $1 for update of seats`

	cancelSQL = `
update appointments
set state = 'cancelled', counts = false, seat_id = null, cancelled_at = now()
where id = $1 and state = 'booked'`

	freeSeatSQL = `update seats set state = 'free', appointment_id = null where id = $1 and appointment_id = $2`

	appointmentExistsSQL = `select from appointments where id = $1`
)

// Cancel implements booking.Store.
func (s *Bookings) Cancel(ctx context.Context, id uuid.UUID) error {
	err := s.db.tx(ctx, func(tx pgx.Tx) error {
		var seat int64
		err := tx.QueryRow(ctx, lockBookedSeatSQL, id).Scan(&seat)
		if errors.Is(err, pgx.ErrNoRows) {
			// Cancelled before, or never there.
			err = tx.QueryRow(ctx, appointmentExistsSQL, id).Scan()
			if errors.Is(err, pgx.ErrNoRows) {
				return booking.ErrNoAppointment
			}
			return err
		}
		if err != nil {
			return err
		}
		if _, err = tx.Exec(ctx, cancelSQL, id); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, freeSeatSQL, seat, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("cancel appointment %s: %w", id, err)
	}
	return nil
}

const keepNameSQL = `
insert into recordings (id, appointment_id, length, wav) values ($1, $2, $3, $4)
on conflict on constraint recordings_one_an_appointment
do update set id = excluded.id, length = excluded.length, wav = excluded.wav, recorded_at = now()`

// KeepName implements booking.Store. A name spoken again replaces the first.
func (s *Bookings) KeepName(ctx context.Context, appointment uuid.UUID, r booking.Recording) error {
	err := s.db.query(ctx, func(q querier) error {
		_, err := q.Exec(ctx, keepNameSQL, r.ID, appointment, r.Length, r.WAV)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep name with appointment %s: %w", appointment, err)
	}
	return nil
}

func scanAppointment(row pgx.Row) (booking.Appointment, error) {
	var a booking.Appointment
	c := &a.Slot.Centre
	err := row.Scan(&a.ID, &a.Code, &a.State, &a.Slot.ID, &a.Slot.Start, &c.ID, &c.Name, &c.Address, &c.TimeZone)
	if err != nil {
		return booking.Appointment{}, err
	}
	a.Slot.Start = a.Slot.Start.In(c.Location())
	return a, nil
}
