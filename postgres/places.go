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

// Zones returns the time zone of every centre by the centre's name.
func (s *Schedule) Zones(ctx context.Context) (schedule.Zones, error) {
	zones := schedule.Zones{}
	err := s.db.query(ctx, func(q querier) error {
		rows, err := q.Query(ctx, `select name, time_zone from centres`)
		if err != nil {
			return err
		}
		var c booking.Centre
		_, err = pgx.ForEachRow(rows, []any{&c.Name, &c.TimeZone}, func() error {
			zones[c.Name] = c.Location()
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("time zones of centres: %w", err)
	}
	return zones, nil
}

const setCentreSQL = `
insert into centres (name, address, time_zone, latitude, longitude) values ($1, $2, $3, $4, $5)
on conflict on constraint centres_name do update
set address = excluded.address, time_zone = excluded.time_zone,
    latitude = excluded.latitude, longitude = excluded.longitude`

// SetCentres adds centres, or brings those of the same name up to date, all or
// none, and returns how many. Faults are as in AddSlots.
func (s *Schedule) SetCentres(ctx context.Context, centres iter.Seq2[schedule.Centre, error]) (int, error) {
	n := 0
	err := s.imported(ctx, func(tx pgx.Tx) error {
		lines := map[string]int{}
		var b pgx.Batch
		err := gathered(centres, func(c schedule.Centre) error {
			if first, twice := lines[c.Name]; twice {
				return schedule.Fault{Line: c.Line, Problem: fmt.Sprintf("%q is in line %d already", c.Name, first)}
			}
			lines[c.Name] = c.Line
			b.Queue(setCentreSQL, c.Name, c.Address, c.TimeZone, c.Latitude, c.Longitude)
			return nil
		})
		if err != nil {
			return err
		}
		n = b.Len()
		return tx.SendBatch(ctx, &b).Close()
	})
	return n, err
}

const setPostcodeSQL = `
insert into postcodes (postcode, place, centre_id) values ($1, $2, $3)
on conflict (postcode) do update set place = excluded.place, centre_id = excluded.centre_id`

// SetPostcodes adds postcodes, or brings them up to date, all or none, and
// returns how many. Faults are as in AddSlots.
func (s *Schedule) SetPostcodes(ctx context.Context, postcodes iter.Seq2[schedule.Postcode, error]) (int, error) {
	n := 0
	err := s.imported(ctx, func(tx pgx.Tx) error {
		ids, err := centreIDs(ctx, tx)
		if err != nil {
			return err
		}
		lines := map[string]int{}
		var b pgx.Batch
		err = gathered(postcodes, func(p schedule.Postcode) error {
			if ids[p.Centre] == 0 {
				return schedule.Fault{Line: p.Line, Problem: fmt.Sprintf("no centre is called %q", p.Centre)}
			}
			if first, twice := lines[p.Postcode]; twice {
				return schedule.Fault{Line: p.Line, Problem: fmt.Sprintf("%s is in line %d already", p.Postcode, first)}
			}
			lines[p.Postcode] = p.Line
			b.Queue(setPostcodeSQL, p.Postcode, p.Place, ids[p.Centre])
			return nil
		})
		if err != nil {
			return err
		}
		n = b.Len()
		return tx.SendBatch(ctx, &b).Close()
	})
	return n, err
}

// gathered runs f on each value and returns all faults as one error.
func gathered[T any](values iter.Seq2[T, error], f func(T) error) error {
	var faults schedule.Faults
	for v, err := range values {
		if err == nil {
			err = f(v)
		}
		var fault schedule.Fault
		switch {
		case errors.As(err, &fault):
			if faults = append(faults, fault); len(faults) >= schedule.MaxFaults {
				return faults
			}
		case err != nil:
			return err
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

const setRuleSQL = `update rule set min_age = $1, on_day = $2`

// SetRule says who may book from now on.
func (s *Schedule) SetRule(ctx context.Context, r booking.Rule) error {
	err := s.db.query(ctx, func(q querier) error {
		_, err := q.Exec(ctx, setRuleSQL, r.MinAge, r.On)
		return err
	})
	if err != nil {
		return fmt.Errorf("set rule: %w", err)
	}
	return nil
}

// Day is one day of a centre. A hold that has expired counts as free.
type Day struct {
	Centre string
	Date   time.Time // midnight UTC of the centre's local day
	First  string    // local start of the first slot, "08:00"
	Last   string
	Slots  int
	Seats  int
	Free   int
	Held   int
	Booked int
}

const daysSQL = `
select c.name, local.day, to_char(min(local.at), 'HH24:MI'), to_char(max(local.at), 'HH24:MI'),
       count(distinct s.slot_id), count(*),
       count(*) filter (where s.state = 'free' or s.state = 'held' and s.held_until <= now()),
       count(*) filter (where s.state = 'held' and s.held_until > now()),
       count(*) filter (where s.state = 'booked')
from centres c
join seats s on s.centre_id = c.id
cross join lateral (select s.starts_at at time zone c.time_zone as at,
                           (s.starts_at at time zone c.time_zone)::date as day) local
where ($1 = '' or c.name = $1)
  and s.starts_at >= $2::date::timestamp at time zone c.time_zone
  and s.starts_at < ($3::date + 1)::timestamp at time zone c.time_zone
group by c.name, local.day
order by c.name, local.day`

// Days returns the days of a centre, or of all for "", from one day to another,
// the last one included.
func (s *Schedule) Days(ctx context.Context, centre string, from, to time.Time) ([]Day, error) {
	var days []Day
	err := s.db.query(ctx, func(q querier) error {
		rows, err := q.Query(ctx, daysSQL, centre, from, to)
		if err != nil {
			return err
		}
		days, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Day])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list slots: %w", err)
	}
	return days, nil
}
