package postgres

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"ringback/booking"
	"ringback/booking/schedule"
)

// demoFiles are a dozen cities of North Rhine-Westphalia in the form an
// operator imports, centres.csv and postcodes.csv. The addresses are those of
// halls in these cities.
//
//go:embed demo/*.csv
var demoFiles embed.FS

// What the demo plans ahead.
const (
	demoDays  = 28
	demoHours = "Mon-Sat 08:00-18:00"
	demoEvery = 10 // minutes
	demoSeats = 3
)

// LoadDemo fills a database for trying Ringback: centres, postcodes, slots from
// tomorrow on for four weeks, and the rule that one must have turned eighty by
// the end of this year. Loaded again, on another day, it adds the days that are
// missing and leaves those that are there alone.
func LoadDemo(ctx context.Context, db *DB, now time.Time) error {
	s := NewSchedule(db)
	centres, err := demoFiles.ReadFile("demo/centres.csv")
	if err != nil {
		return fmt.Errorf("demo data: %w", err)
	}
	postcodes, err := demoFiles.ReadFile("demo/postcodes.csv")
	if err != nil {
		return fmt.Errorf("demo data: %w", err)
	}
	if _, err := s.SetCentres(ctx, schedule.ReadCentres(bytes.NewReader(centres))); err != nil {
		return fmt.Errorf("demo centres: %w", err)
	}
	if _, err := s.SetPostcodes(ctx, schedule.ReadPostcodes(bytes.NewReader(postcodes))); err != nil {
		return fmt.Errorf("demo postcodes: %w", err)
	}
	opening, err := schedule.ParseOpening(demoHours)
	if err != nil {
		return fmt.Errorf("demo slots: %w", err)
	}
	planned, err := s.lastDays(ctx)
	if err != nil {
		return err
	}
	var plans []schedule.Plan
	for c, err := range schedule.ReadCentres(bytes.NewReader(centres)) {
		if err != nil {
			return fmt.Errorf("demo slots: %w", err)
		}
		zone := c.Location()
		today := now.In(zone)
		from := today.AddDate(0, 0, 1)
		if last, ok := planned[c.Name]; ok && !last.Before(dateOf(from)) {
			from = last.AddDate(0, 0, 1)
		}
		plans = append(plans, schedule.Plan{
			Centre: c.Name, Zone: zone, From: from, To: today.AddDate(0, 0, demoDays),
			Openings: []schedule.Opening{opening}, Every: demoEvery, Seats: demoSeats,
		})
	}
	if _, err := s.AddSlots(ctx, slotsOf(plans)); err != nil {
		return fmt.Errorf("demo slots: %w", err)
	}
	return s.SetRule(ctx, booking.Rule{MinAge: 80, On: time.Date(now.Year(), 12, 31, 0, 0, 0, 0, time.UTC)})
}

func slotsOf(plans []schedule.Plan) iter.Seq2[schedule.Slot, error] {
	return func(yield func(schedule.Slot, error) bool) {
		for _, p := range plans {
			for slot, err := range p.Slots() {
				if !yield(slot, err) {
					return
				}
			}
		}
	}
}

const lastDaysSQL = `
select c.name, (max(s.starts_at) at time zone c.time_zone)::date
from centres c join slots s on s.centre_id = c.id group by c.id`

// lastDays is the last local day with a slot, by the centre's name.
func (s *Schedule) lastDays(ctx context.Context) (map[string]time.Time, error) {
	days := map[string]time.Time{}
	err := s.db.query(ctx, func(q querier) error {
		rows, err := q.Query(ctx, lastDaysSQL)
		if err != nil {
			return err
		}
		var name string
		var last time.Time
		_, err = pgx.ForEachRow(rows, []any{&name, &last}, func() error {
			days[name] = last
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("last days with slots: %w", err)
	}
	return days, nil
}

// dateOf is midnight UTC of the day the time shows.
func dateOf(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
