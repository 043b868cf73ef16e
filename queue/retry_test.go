package queue

import "testing"

func TestAgain(t *testing.T) {
	t.Parallel()
	const closed = ""
	for _, c := range []struct {
		about      string
		tries      int
		first, now string
		want       string
	}{
		{"never tried", 0, "2027-02-01 10:00", "2027-02-01 10:00", "2027-02-01 10:00"},
		{"after the first", 1, "2027-02-01 10:00", "2027-02-01 10:01", "2027-02-01 10:06"},
		{"after the second", 2, "2027-02-01 10:00", "2027-02-01 10:07", "2027-02-01 10:27"},
		{"after the third", 3, "2027-02-01 10:00", "2027-02-01 10:28", "2027-02-01 11:28"},
		{"next day at the hour of the first", 4, "2027-02-01 10:00", "2027-02-01 11:29", "2027-02-02 10:00"},
		{"after the last", 5, "2027-02-01 10:00", "2027-02-02 10:01", closed},
		{"far too often", 50, "2027-02-01 10:00", "2027-02-02 10:01", closed},
		{"never tried, at night", 0, "2027-02-01 22:00", "2027-02-01 22:00", "2027-02-02 08:00"},
		{"not at night", 1, "2027-02-01 20:58", "2027-02-01 20:59", "2027-02-02 08:00"},
		{"and from there on", 2, "2027-02-01 20:58", "2027-02-02 08:01", "2027-02-02 08:21"},
		{"next day is today by then", 4, "2027-02-01 20:50", "2027-02-02 09:30", "2027-02-02 20:50"},
		{"or tomorrow, where its hour is past", 4, "2027-02-01 08:10", "2027-02-02 08:30", "2027-02-03 08:10"},
		{"clocks go forward: the same hour", 4, "2027-03-27 10:00", "2027-03-27 12:00", "2027-03-28 10:00"},
		{"clocks go back: the same hour", 4, "2027-10-30 10:00", "2027-10-30 12:00", "2027-10-31 10:00"},
	} {
		// Times come from a database in UTC; the hour is the one of Germany.
		next, more := NewRules().Again(Ticket{Tries: c.tries}, at(t, c.first).UTC(), at(t, c.now).UTC())
		if c.want == closed {
			if more || !next.IsZero() {
				t.Errorf("%s: again at %v", c.about, next)
			}
			continue
		}
		if !more || !next.Equal(at(t, c.want)) {
			t.Errorf("%s: again at %v, %v; want %s", c.about, next, more, c.want)
		}
	}
}

func TestAgainByOtherRules(t *testing.T) {
	t.Parallel()
	now := at(t, "2027-02-01 10:00")
	r := NewRules()
	r.NextDay = false
	if next, more := r.Again(Ticket{Tries: 4}, now, now); more {
		t.Errorf("without the next day: %v", next)
	}
	r.Retries = nil
	if next, more := r.Again(Ticket{Tries: 1}, now, now); more {
		t.Errorf("rung once: %v", next)
	}
	r.NextDay = true
	if next, more := r.Again(Ticket{Tries: 1}, now, now); !more || !next.Equal(now.AddDate(0, 0, 1)) {
		t.Errorf("only the next day: %v, %v", next, more)
	}
	r.Ringing = hours(t, "Mon 08:00-20:00", "")
	if next, more := r.Again(Ticket{Tries: 1}, now, now); !more || !next.Equal(at(t, "2027-02-08 08:00")) {
		t.Errorf("only on Mondays: %v, %v", next, more)
	}
}
