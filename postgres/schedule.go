package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"ringback/booking"
	"ringback/booking/schedule"
)

// Schedule is what an operator plans: centres, postcodes, slots and the rule.
type Schedule struct{ db *DB }

// NewSchedule returns the schedule of a database.
func NewSchedule(db *DB) *Schedule { return &Schedule{db: db} }

// Added is what an import changed.
type Added struct {
	Slots     int // new slots
	Seats     int // new seats, in new and old slots
	Removed   int // seats taken out of slots that became smaller
	Unchanged int // slots that were there already, with as many seats
}

const (
	importLockSQL = `select pg_advisory_xact_lock($1, 0)`
	importKind    = 0x52424f // one import at a time

	incomingSQL = `
create temporary table incoming (
    line integer, centre_id bigint, starts_at timestamptz, seats integer
) on commit drop`

	repeatedSQL = `
select line, first, min(starts_at) as starts_at, time_zone
from (select line, starts_at, centre_id, min(line) over w as first, row_number() over w as nth
      from incoming window w as (partition by centre_id, starts_at order by line
                                 rows between unbounded preceding and current row)) i
join centres on centres.id = i.centre_id
where nth > 1
group by line, first, time_zone order by line limit $1`

	// Seats of slots that become smaller must not be taken meanwhile.
	lockShrinkingSQL = `
select seats.id from seats
join slots on slots.id = seats.slot_id
join incoming i on i.centre_id = slots.centre_id and i.starts_at = slots.starts_at
where i.seats < slots.seats
order by seats.id
for update of seats`

	tooSmallSQL = `
select i.line, i.seats, count(*), i.starts_at, centres.time_zone
from incoming i
join slots on slots.centre_id = i.centre_id and slots.starts_at = i.starts_at
join centres on centres.id = i.centre_id
join seats on seats.slot_id = slots.id
where i.seats < slots.seats
  and (seats.state = 'booked' or seats.state = 'held' and seats.held_until > now())
group by i.line, i.seats, i.starts_at, centres.time_zone, slots.id
having count(*) > i.seats
order by i.line limit $1`

	unchangedSQL = `
select count(*) from incoming i
join slots using (centre_id, starts_at) where slots.seats = i.seats`

	// Taken seats come first in the count, so only others are removed.
	shrinkSQL = `
with ranked as (
    select seats.id, i.seats as wanted, row_number() over (
        partition by seats.slot_id
        order by (seats.state = 'booked' or seats.state = 'held' and seats.held_until > now()) desc, seats.number) as nth
    from incoming i
    join slots on slots.centre_id = i.centre_id and slots.starts_at = i.starts_at
    join seats on seats.slot_id = slots.id
    where i.seats < slots.seats
)
delete from seats using ranked where seats.id = ranked.id and ranked.nth > ranked.wanted`

	growSQL = `
insert into seats (slot_id, number, centre_id, starts_at)
select slots.id, last.number + n, slots.centre_id, slots.starts_at
from incoming i
join slots on slots.centre_id = i.centre_id and slots.starts_at = i.starts_at
cross join lateral (select max(number) as number from seats where slot_id = slots.id) last
cross join lateral generate_series(1, i.seats - slots.seats) n
where i.seats > slots.seats`

	resizeSQL = `
update slots set seats = i.seats
from incoming i
where slots.centre_id = i.centre_id and slots.starts_at = i.starts_at and slots.seats <> i.seats`

	insertSlotsSQL = `
with fresh as (
    insert into slots (centre_id, starts_at, seats)
    select centre_id, starts_at, seats from incoming
    on conflict on constraint slots_time do nothing
    returning id, centre_id, starts_at, seats
), filled as (
    insert into seats (slot_id, number, centre_id, starts_at)
    select id, n, centre_id, starts_at from fresh, generate_series(1, fresh.seats) n
    returning 1
)
select (select count(*) from fresh), (select count(*) from filled)`
)

// AddSlots adds slots, all or none, while they are still being read. A slot that
// is there already gets as many seats as it is given here; asking for fewer than
// are taken is a fault. All faults, of the reading too, are listed in one error
// of type schedule.Faults, and then nothing was changed.
func (s *Schedule) AddSlots(ctx context.Context, slots iter.Seq2[schedule.Slot, error]) (Added, error) {
	var added Added
	err := s.imported(ctx, func(tx pgx.Tx) error {
		faults, err := copySlots(ctx, tx, slots)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, lockShrinkingSQL); err != nil {
			return err
		}
		for _, find := range []func(context.Context, pgx.Tx) (schedule.Faults, error){repeated, tooSmall} {
			more, err := find(ctx, tx)
			if err != nil {
				return err
			}
			faults = append(faults, more...)
		}
		if len(faults) > 0 {
			return faults[:min(len(faults), schedule.MaxFaults)]
		}
		if err := tx.QueryRow(ctx, unchangedSQL).Scan(&added.Unchanged); err != nil {
			return err
		}
		removed, err := tx.Exec(ctx, shrinkSQL)
		if err != nil {
			return err
		}
		added.Removed = int(removed.RowsAffected())
		grown, err := tx.Exec(ctx, growSQL)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, resizeSQL); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, insertSlotsSQL).Scan(&added.Slots, &added.Seats); err != nil {
			return err
		}
		added.Seats += int(grown.RowsAffected())
		// Without statistics on the new rows the search for a seat reads far
		// too many of them, until autovacuum comes round.
		_, err = tx.Exec(ctx, `analyze slots, seats`)
		return err
	})
	return added, err
}

// imported runs f in a transaction of its own length, one import at a time. It
// is not tried again: what it reads can be read only once.
func (s *Schedule) imported(ctx context.Context, f func(pgx.Tx) error) error {
	err := s.db.once(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local statement_timeout = 0`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `set local idle_in_transaction_session_timeout = 0`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, importLockSQL, importKind); err != nil {
			return err
		}
		return f(tx)
	})
	var faults schedule.Faults
	if err != nil && !errors.As(err, &faults) {
		return fmt.Errorf("import: %w", err)
	}
	return err
}

// copySlots streams the slots to the server and gathers the faults on the way.
func copySlots(ctx context.Context, tx pgx.Tx, slots iter.Seq2[schedule.Slot, error]) (schedule.Faults, error) {
	ids, err := centreIDs(ctx, tx)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, incomingSQL); err != nil {
		return nil, err
	}
	var faults schedule.Faults
	next, stop := iter.Pull2(slots)
	defer stop()
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"incoming"}, []string{"line", "centre_id", "starts_at", "seats"},
		pgx.CopyFromFunc(func() ([]any, error) {
			for len(faults) < schedule.MaxFaults {
				slot, err, ok := next()
				if !ok {
					break
				}
				if err == nil {
					if id := ids[slot.Centre]; id != 0 {
						return []any{slot.Line, id, slot.Start, slot.Seats}, nil
					}
					err = schedule.Fault{Line: slot.Line, Problem: fmt.Sprintf("no centre is called %q", slot.Centre)}
				}
				var f schedule.Fault
				if !errors.As(err, &f) {
					return nil, err
				}
				faults = append(faults, f)
			}
			return nil, nil
		}))
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `analyze incoming`)
	return faults, err
}

func repeated(ctx context.Context, tx pgx.Tx) (schedule.Faults, error) {
	rows, err := tx.Query(ctx, repeatedSQL, schedule.MaxFaults)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (schedule.Fault, error) {
		var line, first int
		var start time.Time
		var zone string
		err := row.Scan(&line, &first, &start, &zone)
		return schedule.Fault{Line: line, Problem: fmt.Sprintf("%s is in line %d already", local(start, zone), first)}, err
	})
}

func tooSmall(ctx context.Context, tx pgx.Tx) (schedule.Faults, error) {
	rows, err := tx.Query(ctx, tooSmallSQL, schedule.MaxFaults)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (schedule.Fault, error) {
		var line, wanted, taken int
		var start time.Time
		var zone string
		err := row.Scan(&line, &wanted, &taken, &start, &zone)
		return schedule.Fault{Line: line, Problem: fmt.Sprintf("%s cannot have %d seats: %d are taken", local(start, zone), wanted, taken)}, err
	})
}

func local(t time.Time, zone string) string {
	return t.In(booking.Centre{TimeZone: zone}.Location()).Format("2006-01-02 15:04")
}

func centreIDs(ctx context.Context, q querier) (map[string]int64, error) {
	rows, err := q.Query(ctx, `select name, id from centres`)
	if err != nil {
		return nil, err
	}
	ids := map[string]int64{}
	var name string
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&name, &id}, func() error {
		ids[name] = id
		return nil
	})
	return ids, err
}
