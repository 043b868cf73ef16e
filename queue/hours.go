package queue

import (
	"iter"
	"time"
)

// Hours are the hours of a week in one time zone, holidays excepted. The zero
// Hours are always open, in UTC. They are by the clock on the wall: where
// clocks change, an hour that does not exist is left out, and one that comes
// twice is open both times.
type Hours struct{ w *week }

// week is what ParseHours read. It does not change.
type week struct {
	zone    *time.Location
	days    [7][]span      // by time.Weekday, in order, none touching another
	special map[day][]span // of single days, before anything else; empty: closed
	free    func(day) bool // holidays, on which it is closed; nil: none
	always  bool
	text    string
}

// span is a part of a day, in minutes since midnight by the clock on the wall.
type span struct{ from, to int }

type day struct {
	year  int
	month time.Month
	day   int
}

func dayOf(t time.Time) day {
	y, m, d := t.Date()
	return day{y, m, d}
}

// weekday of a day, and the day that comes so many days later.
func (d day) weekday() time.Weekday { return d.plus(0).Weekday() }
func (d day) plus(days int) time.Time {
	return time.Date(d.year, d.month, d.day+days, 0, 0, 0, 0, time.UTC)
}

// farthest is how many days ahead Next and Closes look: a year.
const farthest = 366

// String is the hours as they were written.
func (h Hours) String() string {
	if h.w == nil {
		return always
	}
	return h.w.text
}

// Zone is the time zone of the hours.
func (h Hours) Zone() *time.Location {
	if h.w == nil {
		return time.UTC
	}
	return h.w.zone
}

// Open says whether t is within the hours. Their first moment is, their last is
// not.
func (h Hours) Open(t time.Time) bool { return h.Next(t).Equal(t) }

// Next is the first open moment not before t; the zero time if there is none
// within a year.
func (h Hours) Next(t time.Time) time.Time {
	if h.w == nil || h.w.always {
		return t
	}
	for open := range h.w.from(t) {
		if open.From.After(t) {
			return open.From
		}
		return t
	}
	return time.Time{}
}

// Closes is when the hours that t is within end; the zero time if t is outside
// of them, or they do not end within a year.
func (h Hours) Closes(t time.Time) time.Time {
	end, forever := h.closes(t, t.AddDate(0, 0, farthest))
	if forever {
		return time.Time{}
	}
	return end
}

// Cover says whether the hours are open in all of w.
func (h Hours) Cover(w Window) bool {
	end, more := h.closes(w.From, w.To)
	return more || !end.Before(w.To)
}

// closes is Closes for who does not look farther than limit: more says that the
// hours go on until then.
func (h Hours) closes(t, limit time.Time) (end time.Time, more bool) {
	if h.w == nil || h.w.always {
		return time.Time{}, true
	}
	for open := range h.w.from(t) {
		reached := end // so far
		if reached.IsZero() {
			reached = t
		}
		if open.From.After(reached) {
			return end, false
		}
		if end = open.To; !end.Before(limit) {
			return end, true
		}
	}
	return end, false
}

// from yields the open spans that end after t, within a year.
func (w *week) from(t time.Time) iter.Seq[Window] {
	return func(yield func(Window) bool) {
		today := dayOf(t.In(w.zone))
		for ahead := range farthest + 1 {
			d := dayOf(today.plus(ahead))
			for _, s := range w.on(d) {
				open := Window{From: moment(d, s.from, w.zone, false), To: moment(d, s.to, w.zone, true)}
				if open.To.After(t) && open.To.After(open.From) && !yield(open) {
					return
				}
			}
		}
	}
}

// on are the open spans of a day.
func (w *week) on(d day) []span {
	if special, ok := w.special[d]; ok {
		return special
	}
	if w.free != nil && w.free(d) {
		return nil
	}
	return w.days[d.weekday()]
}

// moment is when clocks in the zone show so many minutes after midnight of the
// day. Of a time that comes twice it is the first or the last; of one that does
// not exist, because clocks go forward over it, the moment they do.
func moment(d day, minutes int, zone *time.Location, last bool) time.Time {
	wall := time.Date(d.year, d.month, d.day, 0, minutes, 0, 0, time.UTC)
	var found []time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := wall.Add(near).In(zone).Zone()
		t := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		if _, really := t.Zone(); really == offset {
			found = append(found, t)
		}
	}
	switch {
	case len(found) == 0:
		_, offset := wall.Add(-24 * time.Hour).In(zone).Zone()
		forward, _ := wall.Add(-time.Duration(offset) * time.Second).In(zone).ZoneBounds()
		return forward
	case last:
		return found[len(found)-1]
	}
	return found[0]
}
