package queue

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// always is how hours that never close are written.
const always = "always"

var (
	spansForm  = regexp.MustCompile(`^([A-Za-z]{3})(?:-([A-Za-z]{3}))? +(\S+)$`)
	clocksForm = regexp.MustCompile(`^([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})$`)
	weekdays   = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
)

// ParseHours reads hours such as "Mon-Fri 08:00-20:00, Sat 09:00-14:00", or
// "always". A range of days may go over the weekend ("Sat-Mon"); a span ends at
// 24:00 at the latest, and the next day may go on from there. Zone is an IANA
// time zone, for example "Europe/Berlin".
//
// Holidays are closed: those of Germany ("DE") or of one of its states
// ("DE-NW"), and single days, separated by commas. A single day that is
// otherwise than the rest is written with its hours, or as open to have those of
// its weekday: "DE-NW, 2026-12-24, 2026-12-31 08:00-12:00, 2026-06-04 open".
// Empty: none. Errors say what to write instead.
func ParseHours(text, zone, holidays string) (Hours, error) {
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "" || zone == "Local" {
		return Hours{}, fmt.Errorf("%q is no time zone; take a name such as Europe/Berlin", zone)
	}
	w := &week{zone: location, special: map[day][]span{}, text: strings.TrimSpace(text)}
	if strings.EqualFold(w.text, always) {
		for d := range w.days {
			w.days[d] = []span{wholeDay}
		}
	} else if err := w.parseDays(text); err != nil {
		return Hours{}, err
	}
	if err := w.parseHolidays(holidays); err != nil {
		return Hours{}, err
	}
	w.always = w.free == nil && len(w.special) == 0 &&
		!slices.ContainsFunc(w.days[:], func(day []span) bool { return !slices.Equal(day, []span{wholeDay}) })
	return Hours{w}, nil
}

var wholeDay = span{0, 24 * 60}

func (w *week) parseDays(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		m := spansForm.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			return fmt.Errorf(`%q are no hours; write "Mon-Fri 08:00-20:00, Sat 09:00-14:00", or "always"`, part)
		}
		s, err := parseSpan(m[3])
		if err != nil {
			return err
		}
		first, last := slices.Index(weekdays, strings.ToLower(m[1])), slices.Index(weekdays, strings.ToLower(cmp.Or(m[2], m[1])))
		if first < 0 || last < 0 {
			return fmt.Errorf("%q are no days of the week; write Mon, Tue, Wed, Thu, Fri, Sat, Sun", part)
		}
		for d := first; ; d = (d + 1) % 7 {
			w.days[d] = joinSpans(append(w.days[d], s))
			if d == last {
				break
			}
		}
	}
	return nil
}

// parseSpan reads "08:00-20:00".
func parseSpan(text string) (span, error) {
	m := clocksForm.FindStringSubmatch(text)
	if m == nil {
		return span{}, fmt.Errorf("%q are no hours of a day; write them as 08:00-20:00", text)
	}
	var at [4]int
	for i := range at {
		at[i], _ = strconv.Atoi(m[i+1]) // digits, by the form
	}
	s := span{at[0]*60 + at[1], at[2]*60 + at[3]}
	if at[1] > 59 || at[3] > 59 || s.to > wholeDay.to || s.from >= s.to {
		return span{}, fmt.Errorf(`%q are no hours of one day; they end at 24:00 at the latest, so write "Fri 22:00-24:00, Sat 00:00-02:00" for a night`, text)
	}
	return s, nil
}

// joinSpans orders the spans of a day and makes one of those that touch.
func joinSpans(spans []span) []span {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	joined := spans[:1]
	for _, s := range spans[1:] {
		if last := &joined[len(joined)-1]; s.from <= last.to {
			last.to = max(last.to, s.to)
		} else {
			joined = append(joined, s)
		}
	}
	return joined
}

func (w *week) parseHolidays(text string) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	for part := range strings.SplitSeq(text, ",") {
		name, rest, _ := strings.Cut(strings.TrimSpace(part), " ")
		if date, err := time.Parse(time.DateOnly, name); err == nil {
			if err := w.parseSpecial(dayOf(date), strings.TrimSpace(rest)); err != nil {
				return err
			}
			continue
		}
		free, known := holidaysOf(name)
		switch {
		case !known || rest != "":
			return fmt.Errorf(`%q is neither a day nor a state; write "DE", a state such as "DE-NW" (%s), or a day such as "2026-12-24" or "2026-12-31 08:00-12:00"`,
				strings.TrimSpace(part), strings.Join(states(), " "))
		case w.free != nil:
			return fmt.Errorf("%q is a second state; name one, and the other's holidays as days", name)
		}
		w.free = free
	}
	return nil
}

// parseSpecial reads what is written after a day: nothing for closed, "open", or
// hours.
func (w *week) parseSpecial(d day, text string) error {
	switch text {
	case "", "closed":
		w.special[d] = nil
	case "open":
		w.special[d] = w.days[d.weekday()]
	default:
		s, err := parseSpan(text)
		if err != nil {
			return fmt.Errorf("%04d-%02d-%02d: %w", d.year, d.month, d.day, err)
		}
		w.special[d] = joinSpans(append(slices.Clone(w.special[d]), s))
	}
	return nil
}
