package schedule

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// clock is a time of day as somebody wrote it: minutes since midnight, and the
// offset from UTC where it was added to tell one of two equal hours.
type clock struct {
	minute int
	offset *int // seconds east of UTC
}

var clockPattern = regexp.MustCompile(`^([0-9]{1,2}):([0-9]{2})(?:([+-])([0-9]{2}):([0-9]{2}))?$`)

// parseClock reads "8:00", "08:00" or "02:30+01:00". "24:00" is the end of the
// day.
func parseClock(s string) (clock, error) {
	m := clockPattern.FindStringSubmatch(s)
	if m == nil {
		return clock{}, fmt.Errorf("%q is no time of day; write it as 08:00", s)
	}
	hour, _ := strconv.Atoi(m[1]) // digits, by the pattern
	minute, _ := strconv.Atoi(m[2])
	if minute > 59 || hour > 24 || hour == 24 && minute > 0 {
		return clock{}, fmt.Errorf("%q is no time of day", s)
	}
	c := clock{minute: hour*60 + minute}
	if m[3] != "" {
		h, _ := strconv.Atoi(m[4])
		mi, _ := strconv.Atoi(m[5])
		if h > 14 || mi > 59 {
			return clock{}, fmt.Errorf("%q has no possible offset from UTC", s)
		}
		offset := h*3600 + mi*60
		if m[3] == "-" {
			offset = -offset
		}
		c.offset = &offset
	}
	return c, nil
}

func (c clock) String() string { return fmt.Sprintf("%02d:%02d", c.minute/60, c.minute%60) }

// parseDate reads an ISO 8601 date.
func parseDate(s string) (time.Time, error) {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil || d.Year() < 2000 || d.Year() > 2199 {
		return time.Time{}, fmt.Errorf("%q is no date; write it as 2027-02-01", s)
	}
	return d, nil
}

// at is the moment a clock in the zone shows the time on the day. When clocks
// go forward some times do not exist; when they go back some come twice.
func at(day time.Time, c clock, zone *time.Location) (time.Time, error) {
	y, m, d := day.Date()
	// The wall clock's reading, as if it were UTC's.
	wall := time.Date(y, m, d, 0, c.minute, 0, 0, time.UTC)
	var found []time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := wall.Add(near).In(zone).Zone()
		t := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		if _, really := t.Zone(); really == offset && (len(found) == 0 || !found[0].Equal(t)) {
			found = append(found, t)
		}
	}
	if c.offset != nil {
		for _, t := range found {
			if _, offset := t.Zone(); offset == *c.offset {
				return t, nil
			}
		}
		return time.Time{}, fmt.Errorf("%s on %s has another offset from UTC in %s",
			c, day.Format(time.DateOnly), zone)
	}
	switch len(found) {
	case 0:
		return time.Time{}, fmt.Errorf("%s does not exist on %s: clocks go forward that night in %s",
			c, day.Format(time.DateOnly), zone)
	case 2:
		return time.Time{}, fmt.Errorf("%s comes twice on %s, because clocks go back that night in %s; write %s or %s",
			c, day.Format(time.DateOnly), zone, found[0].Format("15:04-07:00"), found[1].Format("15:04-07:00"))
	}
	return found[0], nil
}
