package prompts

import (
	"strconv"
	"time"
)

// What is said of a line is never more precise than what is known of it.

// Rounded is the range as it is spoken: in whole minutes up to ten, then in
// fives up to half an hour and in tens up to an hour, in half hours after that
// and in whole ones from five hours on. The low end is rounded down and the high
// end up, so that the range that is said holds the one that is expected.
func (w Wait) Rounded() Wait {
	low := w.Low.Truncate(step(w.Low))
	high := w.High.Truncate(step(w.High))
	if high < w.High || high == 0 {
		high += step(w.High)
	}
	if high <= 2*time.Minute {
		low, high = 0, 2*time.Minute
	}
	return Wait{low, high}
}

// step is how precisely a duration of that length is said.
func step(d time.Duration) time.Duration {
	switch {
	case d < 10*time.Minute:
		return time.Minute
	case d < 30*time.Minute:
		return 5 * time.Minute
	case d < time.Hour:
		return 10 * time.Minute
	case d < 5*time.Hour:
		return 30 * time.Minute
	}
	return time.Hour
}

// Rounded is the number as it is spoken: up to ten as it is, then the nearest
// round number, which is within a tenth of it, or five of less than a hundred.
func (p People) Rounded() People {
	by := People(1)
	switch {
	case p > 10_000:
		by = 1000
	case p > 1000:
		by = 100
	case p > 250:
		by = 50
	case p > 10:
		by = 10
	}
	return (p + by/2) / by * by
}

// daysBetween is how many midnights lie between two times.
func daysBetween(now, then time.Time) int {
	noon := func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d, 12, 0, 0, 0, time.UTC)
	}
	return int(noon(then).Sub(noon(now)).Hours() / 24)
}

// shownLength is a number of minutes or half hours for the eye.
func shownLength(d time.Duration) string {
	if d < time.Hour {
		return strconv.Itoa(int(d.Minutes()))
	}
	if d%time.Hour != 0 {
		return strconv.Itoa(int(d.Hours())) + "½"
	}
	return strconv.Itoa(int(d.Hours()))
}
