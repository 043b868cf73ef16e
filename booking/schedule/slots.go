package schedule

import (
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"
)

// SlotColumns are the columns of a file of slots. A line without to and every
// is one slot; else one slot every so many minutes from the first time until
// before the last.
var SlotColumns = []string{"centre", "date", "from", "to", "every", "seats"}

// ReadSlots reads slots from CSV with the columns SlotColumns: the centre's
// name, an ISO date, local times of the centre, minutes and a number. It yields
// each slot or a Fault, in the order of lines; any other error is the reader's
// and ends it.
func ReadSlots(r io.Reader, zones Zones) iter.Seq2[Slot, error] {
	return func(yield func(Slot, error) bool) {
		for row, err := range table(r, SlotColumns, "to", "every") {
			if err != nil {
				if !yield(Slot{}, err) {
					return
				}
				continue
			}
			slots, faults := slotsOf(row, zones)
			for _, f := range faults {
				if !yield(Slot{}, f) {
					return
				}
			}
			for _, s := range slots {
				if !yield(s, nil) {
					return
				}
			}
		}
	}
}

// slotsOf makes the slots of one line, or says all that is wrong with it.
func slotsOf(r row, zones Zones) ([]Slot, []Fault) {
	centre, date, from, to, every, seats := r.values[0], r.values[1], r.values[2], r.values[3], r.values[4], r.values[5]
	var faults []Fault
	check := func(err error) {
		if err != nil {
			faults = append(faults, Fault{r.line, err.Error()})
		}
	}
	zone, known := zones[centre]
	if !known {
		check(fmt.Errorf("no centre is called %s", quote(centre)))
	}
	day, err := parseDate(clip(date))
	check(err)
	h := Hours{Every: 1}
	h.from, err = parseClock(clip(from))
	check(err)
	h.to = clock{minute: h.from.minute + 1} // one slot
	if to != "" || every != "" {
		h.to, err = parseClock(clip(to))
		check(err)
		h.Every, err = parseCount("every", every, 24*60)
		check(err)
		if h.from.offset != nil || h.to.offset != nil {
			check(fmt.Errorf("an offset from UTC goes with a single time, without to and every"))
		}
	}
	n, err := parseCount("seats", seats, MaxSeats)
	check(err)
	if len(faults) > 0 {
		return nil, faults
	}
	if h.to.minute <= h.from.minute {
		return nil, []Fault{faultf(r.line, "%s is not before %s", h.from, h.to)}
	}
	var slots []Slot
	for start, err := range h.on(day, zone) {
		if err != nil {
			return nil, []Fault{{r.line, err.Error()}}
		}
		slots = append(slots, Slot{Line: r.line, Centre: centre, Start: start, Seats: n})
	}
	return slots, nil
}

// clip keeps what somebody wrote short enough for a message.
func clip(s string) string {
	const longest = 40
	if len(s) > longest {
		return s[:longest]
	}
	return s
}

func parseCount(name, s string, most int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("%s is %s; it is a number from 1 to %d", name, quote(s), most)
	}
	return n, nil
}

// Hours are times of one day: one every so many minutes from the first until
// before the last.
type Hours struct {
	from, to clock
	Every    int // minutes
}

// on yields the moments of a day in a zone.
func (h Hours) on(day time.Time, zone *time.Location) iter.Seq2[time.Time, error] {
	return func(yield func(time.Time, error) bool) {
		for m := h.from.minute; m < h.to.minute; m += h.Every {
			if !yield(at(day, clock{m, h.from.offset}, zone)) {
				return
			}
		}
	}
}
