package schedule

import (
	"fmt"
	"iter"
	"strings"
	"time"
)

// Opening is when a centre is open on some days of the week, for example
// "Mon-Fri 08:00-18:00".
type Opening struct {
	days     [7]bool // by time.Weekday
	from, to clock
}

var weekdays = map[string]time.Weekday{
	"mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday, "thu": time.Thursday,
	"fri": time.Friday, "sat": time.Saturday, "sun": time.Sunday,
}

// ParseOpening reads "Mon-Fri 08:00-18:00", "Sat 09:00-13:00" or
// "Mon,Wed,Fri-Sun 08:00-12:00". A range of days may go over the weekend.
func ParseOpening(s string) (Opening, error) {
	var o Opening
	days, hours, ok := strings.Cut(strings.TrimSpace(s), " ")
	if !ok {
		return Opening{}, fmt.Errorf("%q is no opening time; write it as \"Mon-Fri 08:00-18:00\"", clip(s))
	}
	for part := range strings.SplitSeq(days, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, okA := weekdays[strings.ToLower(first)]
		b, okB := weekdays[strings.ToLower(last)]
		if !okA || !okB {
			return Opening{}, fmt.Errorf("%q are no days of the week; write Mon, Tue, Wed, Thu, Fri, Sat, Sun", clip(part))
		}
		for d := a; ; d = (d + 1) % 7 {
			o.days[d] = true
			if d == b {
				break
			}
		}
	}
	from, to, ok := strings.Cut(strings.TrimSpace(hours), "-")
	if !ok {
		return Opening{}, fmt.Errorf("%q are no hours; write them as 08:00-18:00", clip(hours))
	}
	var err error
	if o.from, err = parseClock(strings.TrimSpace(from)); err != nil {
		return Opening{}, err
	}
	if o.to, err = parseClock(strings.TrimSpace(to)); err != nil {
		return Opening{}, err
	}
	if o.from.offset != nil || o.to.offset != nil || o.from.minute >= o.to.minute {
		return Opening{}, fmt.Errorf("%q are no hours of one day", clip(hours))
	}
	return o, nil
}

// Plan says which slots to generate.
type Plan struct {
	Centre   string
	Zone     *time.Location
	From, To time.Time // days, the last one included; only their dates count
	Openings []Opening
	Every    int // minutes
	Seats    int // in each slot
}

// Slots generates the plan's slots, day by day. An hour two openings share is
// generated once. A time that does not exist, or comes twice, on a day when
// clocks change is a Fault.
func (p Plan) Slots() iter.Seq2[Slot, error] {
	return func(yield func(Slot, error) bool) {
		if p.Every < 1 || p.Every > 24*60 || p.Seats < 1 || p.Seats > MaxSeats {
			yield(Slot{}, faultf(0, "every %d minutes %d seats: minutes go from 1 to 1440, seats from 1 to %d", p.Every, p.Seats, MaxSeats))
			return
		}
		for day := midnight(p.From); !day.After(midnight(p.To)); day = day.AddDate(0, 0, 1) {
			seen := map[int64]bool{}
			for _, o := range p.Openings {
				if !o.days[day.Weekday()] {
					continue
				}
				for start, err := range (Hours{o.from, o.to, p.Every}).on(day, p.Zone) {
					if err != nil {
						if !yield(Slot{}, Fault{Problem: fmt.Sprintf("%s: %v", p.Centre, err)}) {
							return
						}
						continue
					}
					if seen[start.Unix()] {
						continue
					}
					seen[start.Unix()] = true
					if !yield(Slot{Centre: p.Centre, Start: start, Seats: p.Seats}, nil) {
						return
					}
				}
			}
		}
	}
}

// midnight is the date alone.
func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
