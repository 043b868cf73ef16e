package queue

import (
	"iter"
	"time"
)

// Room is how many people can be promised to be rung in one Window, at least
// one.
func (r Rules) Room() int {
	return max(1, int(float64(r.PerHour)*r.Window.Hours()))
}

// AllWindows are the hours that exist from now to the Horizon, the earliest
// first: those that have not begun, lie within Rules.Hours and Rules.Ringing
// from beginning to end, and begin at a multiple of Rules.Window after midnight
// in the time zone of Rules.Hours, as people name hours.
func (r Rules) AllWindows(now time.Time) iter.Seq[Window] {
	return func(yield func(Window) bool) {
		last := now.Add(r.Horizon)
		zone := r.Hours.Zone()
		for d := dayOf(now.In(zone)); !moment(d, 0, zone, false).After(last); d = dayOf(d.plus(1)) {
			for w := range r.windowsOn(d, zone) {
				if w.To.After(last) {
					return
				}
				if !w.From.Before(now) && r.Hours.Cover(w) && r.Ringing.Cover(w) && !yield(w) {
					return
				}
			}
		}
	}
}

// windowsOn cuts a day into Windows. One in which clocks change would be shorter
// or longer than its name says, and is left out.
func (r Rules) windowsOn(d day, zone *time.Location) iter.Seq[Window] {
	return func(yield func(Window) bool) {
		length := max(1, int(r.Window/time.Minute))
		for at := 0; at+length <= wholeDay.to; at += length {
			w := Window{From: moment(d, at, zone, false), To: moment(d, at+length, zone, false)}
			asNamed := w.From.Hour()*60+w.From.Minute() == at &&
				w.To.Hour()*60+w.To.Minute() == (at+length)%wholeDay.to
			if asNamed && w.To.Sub(w.From) == r.Window && !yield(w) {
				return
			}
		}
	}
}

// IsWindow says whether w is one of AllWindows that can still be promised now.
// One that began while the caller listened to it can, until it is over.
func (r Rules) IsWindow(w Window, now time.Time) bool {
	if !w.To.After(now) || w.To.After(now.Add(r.Horizon)) {
		return false
	}
	for known := range r.AllWindows(w.From) {
		return known.Equal(w)
	}
	return false
}

// Windows returns the next n hours with room, the earliest first. Taken says how
// many open tickets an hour is promised to.
func (r Rules) Windows(now time.Time, n int, taken func(Window) int) []Window {
	var free []Window
	if n <= 0 {
		return nil
	}
	for w := range r.AllWindows(now) {
		if taken(w) < r.Room() {
			free = append(free, w)
		}
		if len(free) == n {
			break
		}
	}
	return free
}

// Spread gives each of n people, in their order, the earliest hour with room.
// Who comes after the last room within the Horizon gets the zero Window: as
// soon as it is their turn.
func (r Rules) Spread(now time.Time, n int, taken func(Window) int) []Window {
	given := make([]Window, n)
	next := 0
	for w := range r.AllWindows(now) {
		for range r.Room() - taken(w) {
			if next == n {
				return given
			}
			given[next] = w
			next++
		}
	}
	return given
}
