// Package schedule is when and where there is something to book: slots from
// opening times or from CSV files, and the lists of centres and postcodes.
// It must not know how they are stored or who books them.
package schedule

import (
	"fmt"
	"strings"
	"time"

	"ringback/booking"
)

// Slot is a time at a centre with a number of seats, as somebody planned it.
type Slot struct {
	Line   int // of the file it was read from; 0 if none
	Centre string
	Start  time.Time
	Seats  int
}

// Centre is a centre and where it lies, in degrees.
type Centre struct {
	Line int
	booking.Centre
	Latitude, Longitude float64
}

// Postcode is the place of a postcode and the name of the centre that is
// responsible for it.
type Postcode struct {
	Line     int
	Postcode string
	Place    string
	Centre   string
}

// Zones finds a centre's time zone by the centre's name.
type Zones map[string]*time.Location

// Bounds of what somebody can have meant.
const (
	MaxSeats  = 1000 // in one slot
	MaxFaults = 20   // listed before reading stops
)

// Fault is a mistake in a file.
type Fault struct {
	Line    int // counted from 1, as an editor shows it; 0 where there is no file
	Problem string
}

func (f Fault) Error() string {
	if f.Line == 0 {
		return f.Problem
	}
	return fmt.Sprintf("line %d: %s", f.Line, f.Problem)
}

// Faults are the mistakes of a file, at most MaxFaults of them.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, 0, len(f)+1)
	for _, x := range f {
		lines = append(lines, x.Error())
	}
	if len(f) >= MaxFaults {
		lines = append(lines, fmt.Sprintf("reading stopped after %d faults", MaxFaults))
	}
	return strings.Join(lines, "\n")
}

func faultf(line int, format string, args ...any) Fault {
	return Fault{line, fmt.Sprintf(format, args...)}
}
