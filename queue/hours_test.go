package queue

import (
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"time"
)

func hours(t *testing.T, text, holidays string) Hours {
	t.Helper()
	h, err := ParseHours(text, "Europe/Berlin", holidays)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// at reads a time of Germany: "2027-02-01 09:30".
func at(t *testing.T, text string) time.Time {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	moment, err := time.ParseInLocation("2006-01-02 15:04", text, berlin)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func TestHours(t *testing.T) {
	t.Parallel()
	const office, never = "Mon-Fri 08:00-20:00, Sat 09:00-14:00", ""
	for _, c := range []struct {
		about, text, holidays string
		at, next, closes      string // next: the same as at where it is open
	}{
		{"a Monday morning", office, "", "2027-02-01 08:00", "2027-02-01 08:00", "2027-02-01 20:00"},
		{"before it opens", office, "", "2027-02-01 07:59", "2027-02-01 08:00", never},
		{"the last minute", office, "", "2027-02-01 19:59", "2027-02-01 19:59", "2027-02-01 20:00"},
		{"closing time", office, "", "2027-02-01 20:00", "2027-02-02 08:00", never},
		{"over the weekend", office, "", "2027-02-06 14:00", "2027-02-08 08:00", never},
		{"a break at noon", "Mon 08:00-12:00,Mon 13:00-17:00", "", "2027-02-01 12:00", "2027-02-01 13:00", never},
		{"spans that touch are one", "Mon 12:00-17:00, Mon 08:00-12:00", "", "2027-02-01 09:00", "2027-02-01 09:00", "2027-02-01 17:00"},
		{"spans that overlap are one", "Mon 08:00-15:00, Mon 12:00-13:00", "", "2027-02-01 09:00", "2027-02-01 09:00", "2027-02-01 15:00"},
		{"through the night", "Fri 22:00-24:00, Sat 00:00-02:00", "", "2027-02-05 23:00", "2027-02-05 23:00", "2027-02-06 02:00"},
		{"days over the weekend", "sat-mon 8:00-9:00", "", "2027-02-02 08:00", "2027-02-06 08:00", never},
		{"always", "Always", "", "2027-02-07 03:00", "2027-02-07 03:00", never},
		{"written out, it is always too", "Mon-Sun 00:00-24:00", "", "2027-02-07 03:00", "2027-02-07 03:00", never},
		{"always, until a holiday", "always", "DE", "2026-12-24 12:00", "2026-12-24 12:00", "2026-12-25 00:00"},
		{"and after it", "always", "DE", "2026-12-25 12:00", "2026-12-27 00:00", never},
		{"never again within a year", "Fri 08:00-09:00", "2027-01-01 08:00-08:30, DE", "2027-01-01 08:45", "2027-01-08 08:00", never},
		{"a holiday", office, "DE-NW", "2026-06-04 10:00", "2026-06-05 08:00", never},
		{"no holiday in the state", office, "DE-NI", "2026-06-04 10:00", "2026-06-04 10:00", "2026-06-04 20:00"},
		{"a holiday that is worked", office, "DE-NW, 2026-06-04 open", "2026-06-04 10:00", "2026-06-04 10:00", "2026-06-04 20:00"},
		{"a holiday with hours", office, "DE-NW,2026-06-04 10:00-11:00, 2026-06-04 12:00-13:00", "2026-06-04 11:30", "2026-06-04 12:00", never},
		{"a day that is closed", office, "2026-12-24", "2026-12-24 10:00", "2026-12-25 08:00", never},
		{"a Sunday that is open", office, "2026-12-20 10:00-12:00", "2026-12-20 11:00", "2026-12-20 11:00", "2026-12-20 12:00"},
		{"the day clocks go forward", office + ", Sun 08:00-10:00", "", "2027-03-28 07:00", "2027-03-28 08:00", never},
		{"the day clocks go back", office + ", Sun 08:00-10:00", "", "2027-10-31 08:30", "2027-10-31 08:30", "2027-10-31 10:00"},
		{"from a time that does not exist", "Sun 02:30-04:00", "", "2027-03-28 01:30", "2027-03-28 03:00", never},
		{"hours that do not exist", "Sun 02:00-03:00", "", "2027-03-28 01:30", "2027-04-04 02:00", never},
	} {
		t.Run(c.about, func(t *testing.T) {
			t.Parallel()
			h, now := hours(t, c.text, c.holidays), at(t, c.at)
			if next := h.Next(now); !next.Equal(at(t, c.next)) {
				t.Errorf("next open at %v, want %s", next, c.next)
			}
			if open := c.at == c.next; h.Open(now) != open {
				t.Errorf("open: %v", h.Open(now))
			}
			want := time.Time{}
			if c.closes != never {
				want = at(t, c.closes)
			}
			if closes := h.Closes(now); !closes.Equal(want) {
				t.Errorf("closes at %v, want %v", closes, want)
			}
		})
	}
}

// TestClocksGoBack: the hour from two to three comes twice, and is open twice.
func TestClocksGoBack(t *testing.T) {
	t.Parallel()
	h := hours(t, "Sun 02:00-03:00", "")
	first := time.Date(2027, 10, 31, 0, 0, 0, 0, time.UTC) // two o'clock, in summer time
	if next := h.Next(first.Add(-time.Hour)); !next.Equal(first) {
		t.Errorf("opens at %v", next.UTC())
	}
	if closes := h.Closes(first); !closes.Equal(first.Add(2 * time.Hour)) {
		t.Errorf("closes at %v", closes.UTC())
	}
	if closes := h.Closes(first.Add(90 * time.Minute)); !closes.Equal(first.Add(2 * time.Hour)) {
		t.Errorf("the second time it closes at %v", closes.UTC())
	}
	half := hours(t, "Sun 02:00-02:30", "")
	if closes := half.Closes(first); !closes.Equal(first.Add(90 * time.Minute)) {
		t.Errorf("the half hour closes at %v, want the second time it is half past two", closes.UTC())
	}
}

func TestZeroHours(t *testing.T) {
	t.Parallel()
	var h Hours
	now := time.Now()
	if !h.Open(now) || !h.Next(now).Equal(now) || !h.Closes(now).IsZero() || h.Zone() != time.UTC || h.String() != "always" ||
		!h.Cover(Window{now, now.AddDate(9, 0, 0)}) {
		t.Error("the zero Hours are not always open")
	}
}

func TestNeverOpen(t *testing.T) {
	t.Parallel()
	days := make([]string, 0, 400)
	for d := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() < 2029; d = d.AddDate(0, 0, 1) {
		days = append(days, d.Format(time.DateOnly))
	}
	h := hours(t, "always", strings.Join(days, ","))
	now := at(t, "2027-02-01 12:00")
	if h.Open(now) || !h.Next(now).IsZero() || !h.Closes(now).IsZero() {
		t.Errorf("open at %v", h.Next(now))
	}
}

// TestHoursAgree: what the four say of any moment is one truth.
func TestHoursAgree(t *testing.T) {
	t.Parallel()
	h := hours(t, "Mon-Fri 08:00-20:00, Sat 09:00-14:00, Sun 02:15-03:15, Mon 00:00-02:00", "DE-BY, 2026-12-24 10:00-12:00")
	agree := func(minutes uint32) bool {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(minutes%(3*365*24*60)) * time.Minute)
		next, closes := h.Next(now), h.Closes(now)
		if next.Before(now) || !h.Open(next) || h.Open(now) != next.Equal(now) || h.Open(now) == closes.IsZero() {
			return false
		}
		if next.After(now) && h.Open(next.Add(-time.Second)) {
			return false
		}
		return closes.IsZero() || closes.After(now) && !h.Open(closes) && h.Open(closes.Add(-time.Second)) &&
			h.Cover(Window{now, closes}) && !h.Cover(Window{now, closes.Add(time.Second)})
	}
	if err := quick.Check(agree, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}

func TestParseHoursFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, zone, holidays, mend string }{
		{"", "Europe/Berlin", "", "Mon-Fri 08:00-20:00"},
		{"8-20", "Europe/Berlin", "", "Mon-Fri 08:00-20:00"},
		{"Mon-Fri", "Europe/Berlin", "", "Mon-Fri 08:00-20:00"},
		{"Mon-Fri 08:00-20:00,", "Europe/Berlin", "", "or \"always\""},
		{"Mo-Fr 08:00-20:00", "Europe/Berlin", "", "Mon-Fri 08:00-20:00"},
		{"Mon-Fry 08:00-20:00", "Europe/Berlin", "", "Mon, Tue, Wed"},
		{"Mon 20:00-08:00", "Europe/Berlin", "", "Sat 00:00-02:00"},
		{"Mon 08:00-08:00", "Europe/Berlin", "", "Sat 00:00-02:00"},
		{"Mon 08:00-24:30", "Europe/Berlin", "", "24:00"},
		{"Mon 08:75-09:00", "Europe/Berlin", "", "24:00"},
		{"Mon 8am-9am", "Europe/Berlin", "", "08:00-20:00"},
		{"always", "", "", "Europe/Berlin"},
		{"always", "Local", "", "Europe/Berlin"},
		{"always", "Mars/Olympus", "", "Europe/Berlin"},
		{"always", "Europe/Berlin", "NW", "DE-NW"},
		{"always", "Europe/Berlin", "DE-XX", "DE-NW"},
		{"always", "Europe/Berlin", "DE-", "DE-NW"},
		{"always", "Europe/Berlin", "AT", "DE-NW"},
		{"always", "Europe/Berlin", "DE-NW open", "2026-12-24"},
		{"always", "Europe/Berlin", "DE-NW, DE-BY", "name one"},
		{"always", "Europe/Berlin", "24.12.2026", "2026-12-24"},
		{"always", "Europe/Berlin", "2026-12-24 morning", "08:00-20:00"},
	} {
		h, err := ParseHours(c.text, c.zone, c.holidays)
		if err == nil || !strings.Contains(err.Error(), c.mend) {
			t.Errorf("ParseHours(%q, %q, %q) = %v, %v; want a hint at %q", c.text, c.zone, c.holidays, h, err, c.mend)
		}
	}
}

// TestHolidays: all holidays of 2026 of every state, as their laws list them.
func TestHolidays(t *testing.T) {
	t.Parallel()
	everywhere := []string{"01-01", "04-03", "04-06", "05-01", "05-14", "05-25", "10-03", "12-25", "12-26"}
	some := map[string]string{
		"01-06": "BW BY ST",
		"03-08": "BE MV",
		"04-05": "BB", // Easter Sunday
		"05-24": "BB", // Whit Sunday
		"06-04": "BW BY HE NW RP SL",
		"08-15": "BY SL",
		"09-20": "TH",
		"10-31": "BB HB HH MV NI SH SN ST TH",
		"11-01": "BW BY NW RP SL",
		"11-18": "SN",
	}
	for _, state := range append(states(), "DE") {
		want := slices.Clone(everywhere)
		for date, where := range some {
			if code, isState := strings.CutPrefix(state, "DE-"); isState && slices.Contains(strings.Fields(where), code) {
				want = append(want, date)
			}
		}
		slices.Sort(want)
		if got := closedDays(t, state, 2026); !slices.Equal(got, want) {
			t.Errorf("%s in 2026: %v, want %v", state, got, want)
		}
	}
	if n := len(states()); n != 16 {
		t.Errorf("%d states", n)
	}
}

// closedDays are the days of a year, as month and day, on which a state's
// holidays keep the line closed.
func closedDays(t *testing.T, state string, year int) []string {
	t.Helper()
	h := hours(t, "always", state)
	var days []string
	for d := time.Date(year, 1, 1, 12, 0, 0, 0, h.Zone()); d.Year() == year; d = d.AddDate(0, 0, 1) {
		if !h.Open(d) {
			days = append(days, d.Format("01-02"))
		}
	}
	return days
}

// TestMovingHolidays has what moves with Easter, and what a state had once.
func TestMovingHolidays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state string
		year  int
		days  []string
	}{
		{"DE-NW", 2024, []string{"03-29", "04-01", "05-09", "05-20", "05-30"}},
		{"DE-NW", 2025, []string{"04-18", "04-21", "05-29", "06-09", "06-19"}},
		{"DE-NW", 2027, []string{"03-26", "03-29", "05-06", "05-17", "05-27"}},
		{"DE-SN", 2025, []string{"11-19"}},
		{"DE-SN", 2027, []string{"11-17"}},
		{"DE-SN", 2028, []string{"11-22"}},
		{"DE-BE", 2025, []string{"03-08", "05-08"}},
		{"DE-BE", 2028, []string{"06-17"}},
		{"DE-MV", 2023, []string{"03-08"}},
	} {
		got := closedDays(t, c.state, c.year)
		for _, d := range c.days {
			if !slices.Contains(got, d) {
				t.Errorf("%s in %d: %s is missing in %v", c.state, c.year, d, got)
			}
		}
	}
	if slices.Contains(closedDays(t, "DE-MV", 2022), "03-08") || slices.Contains(closedDays(t, "DE-BE", 2026), "05-08") {
		t.Error("a holiday in a year in which it was none")
	}
}
