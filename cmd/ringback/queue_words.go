package main

import (
	"fmt"
	"strings"
	"time"

	"ringback/e164"
	"ringback/queue"
)

// age is a length of time as people say it, in two units at most: "4 min",
// "1 h 20 min", "3 d".
func age(d time.Duration) string {
	d = max(0, d.Round(time.Second))
	days, hours, minutes := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60
	switch {
	case days > 0 && hours > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case days > 0:
		return fmt.Sprintf("%d d", days)
	case hours > 0 && minutes > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	case hours > 0:
		return fmt.Sprintf("%d h", hours)
	case minutes > 0:
		return fmt.Sprintf("%d min", minutes)
	}
	return fmt.Sprintf("%d s", int(d/time.Second))
}

// clock is a moment in the desk's zone: the hour alone on the same day.
func (d *desk) clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	t, today := t.In(d.zone), d.now().In(d.zone)
	if t.Format(time.DateOnly) == today.Format(time.DateOnly) {
		return t.Format("15:04:05")
	}
	return t.Format("Mon " + time.DateOnly + " 15:04:05")
}

// hour is a moment to the minute.
func (d *desk) hour(t time.Time) string {
	text := d.clock(t)
	if t.IsZero() {
		return text
	}
	return text[:len(text)-len(":05")]
}

// window is a promised hour: "14:00 to 15:00".
func (d *desk) window(w queue.Window) string {
	if w.IsZero() {
		return "-"
	}
	return d.hour(w.From) + " to " + w.To.In(d.zone).Format("15:04")
}

// number shows a ticket's number, or what stands for it.
func number(t queue.Ticket, whole bool) string {
	switch {
	case t.Number == e164.Withheld && t.Short != "":
		return "ticket " + t.Short
	case t.Number == e164.Withheld:
		return "withheld"
	case whole:
		return string(t.Number)
	}
	return t.Number.Masked()
}

// doing is what a ticket does, and since or until when: "waits", "to be rung
// now", "rung from 14:00".
func (d *desk) doing(t queue.Ticket) string {
	switch t.State {
	case queue.StateWaiting:
		if t.Agent != "" {
			return "waits, meets " + t.Agent
		}
		return "waits"
	case queue.StateLeft:
		return "hung up, place is kept"
	case queue.StatePromised:
		if !t.Window.IsZero() && !t.DueAt.After(t.Window.From) {
			return "rung " + d.window(t.Window)
		}
		return "rung from " + d.hour(t.DueAt)
	case queue.StateDue:
		if t.Agent != "" {
			return "to be rung for " + t.Agent
		}
		return "to be rung"
	case queue.StateRinging:
		return "is rung"
	case queue.StateTalking:
		if t.Agent != "" {
			return "talks with " + t.Agent
		}
		return "talks"
	}
	return "closed: " + string(t.End)
}

// wait is an expected wait as a range: "5 min to 12 min".
func wait(s queue.Standing) string {
	if s.High == 0 {
		return "not known"
	}
	if s.Low.Round(time.Minute) == s.High.Round(time.Minute) {
		return "about " + age(s.High.Round(time.Minute))
	}
	return age(s.Low) + " to " + age(s.High)
}

// moment reads a time of the command line, in the desk's zone: "14:30" is one of
// today.
func (d *desk) moment(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, d.zone); err == nil {
			return t, nil
		}
	}
	t, err := time.ParseInLocation("15:04", text, d.zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no time: write it as 14:30, \"2027-02-01 14:30\" or 2027-02-01T14:30:00+01:00", text)
	}
	now := d.now().In(d.zone)
	return time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, d.zone), nil
}

// many is a count with its noun: "1 ticket", "2 tickets".
func many(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
