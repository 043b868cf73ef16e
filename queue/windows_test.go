package queue

import (
	"slices"
	"testing"
	"time"
)

func none(Window) int { return 0 }

// spoken is how windows are written in these tests: "Mon 10-11".
func spoken(ws []Window) []string {
	var all []string
	for _, w := range ws {
		if w.IsZero() {
			all = append(all, "soon")
			continue
		}
		all = append(all, w.From.Format("Mon 15")+w.To.Format("-15"))
	}
	return all
}

func TestWindows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about string
		now   string
		rules func(*Rules)
		n     int
		want  []string
	}{
		{"from the next full hour", "2027-02-01 09:30", nil, 3, []string{"Mon 10-11", "Mon 11-12", "Mon 12-13"}},
		{"one that begins now", "2027-02-01 10:00", nil, 1, []string{"Mon 10-11"}},
		{"into the next morning", "2027-02-01 19:01", nil, 3, []string{"Mon 20-21", "Tue 08-09", "Tue 09-10"}},
		{"within opening hours", "2027-02-05 16:00", func(r *Rules) { r.Hours = hours(t, "Mon-Fri 08:30-18:15", "") }, 3,
			[]string{"Fri 16-17", "Fri 17-18", "Mon 09-10"}},
		{"not on a holiday", "2027-03-25 17:00", func(r *Rules) { r.Hours = hours(t, "Mon-Fri 08:00-18:00", "DE-NW") }, 2,
			[]string{"Thu 17-18", "Tue 08-09"}}, // Good Friday to Easter Monday
		{"of two hours", "2027-02-01 09:30", func(r *Rules) { r.Window = 2 * time.Hour }, 2, []string{"Mon 10-12", "Mon 12-14"}},
		{"not beyond the horizon", "2027-02-01 09:30", func(r *Rules) { r.Horizon = 3 * time.Hour }, 9, []string{"Mon 10-11", "Mon 11-12"}},
		{"a horizon shorter than a window", "2027-02-01 09:30", func(r *Rules) { r.Horizon = time.Hour }, 9, nil},
		{"never open", "2027-02-01 09:30", func(r *Rules) { r.Hours = hours(t, "Mon-Sun 03:00-04:00", "") }, 9, nil},
		{"none wanted", "2027-02-01 09:30", nil, 0, nil},
		{"the night clocks go forward", "2027-03-28 00:00", func(r *Rules) { r.Ringing = Hours{} }, 3, []string{"Sun 00-01", "Sun 03-04", "Sun 04-05"}},
		// Between two and three comes twice: nobody would know which.
		{"the night clocks go back", "2027-10-31 00:00", func(r *Rules) { r.Ringing = Hours{} }, 4, []string{"Sun 00-01", "Sun 01-02", "Sun 03-04", "Sun 04-05"}},
	} {
		t.Run(c.about, func(t *testing.T) {
			t.Parallel()
			r := NewRules()
			if c.rules != nil {
				c.rules(&r)
			}
			now := at(t, c.now)
			got := r.Windows(now.UTC(), c.n, none)
			if !slices.Equal(spoken(got), c.want) {
				t.Errorf("windows %v, want %v", spoken(got), c.want)
			}
			for _, w := range got {
				if !r.IsWindow(w, now) || !r.IsWindow(Window{w.From.UTC(), w.To.UTC()}, now) {
					t.Errorf("%v is not known as one", w)
				}
			}
		})
	}
}

func TestFullWindows(t *testing.T) {
	t.Parallel()
	r := NewRules()
	now := at(t, "2027-02-01 09:30")
	taken := func(w Window) int {
		switch w.From.Hour() {
		case 10:
			return r.PerHour
		case 11:
			return r.PerHour + 5 // told while the store was away
		}
		return r.PerHour - 1
	}
	if got := spoken(r.Windows(now, 2, taken)); !slices.Equal(got, []string{"Mon 12-13", "Mon 13-14"}) {
		t.Errorf("windows %v", got)
	}
	if got := r.Windows(now, 3, func(Window) int { return r.PerHour }); got != nil {
		t.Errorf("all full: %v", got)
	}
	r.PerHour, r.Window = 3, 20*time.Minute
	if n := r.Room(); n != 1 {
		t.Errorf("room for %d in 20 minutes of 3 an hour", n)
	}
	r.PerHour = 1
	if n := r.Room(); n != 1 {
		t.Errorf("room for %d in 20 minutes of 1 an hour: nobody could be promised anything", n)
	}
}

func TestIsWindow(t *testing.T) {
	t.Parallel()
	r := NewRules()
	now := at(t, "2027-02-01 10:59")
	at := func(from, to string) Window { return Window{at(t, from), at(t, to)} }
	for _, c := range []struct {
		about string
		w     Window
		want  bool
	}{
		{"the one that runs", at("2027-02-01 10:00", "2027-02-01 11:00"), true},
		{"one that is over", at("2027-02-01 09:00", "2027-02-01 10:00"), false},
		{"across two", at("2027-02-01 11:30", "2027-02-01 12:30"), false},
		{"too long", at("2027-02-01 11:00", "2027-02-01 13:00"), false},
		{"at night", at("2027-02-01 22:00", "2027-02-01 23:00"), false},
		{"within the horizon", at("2027-02-08 09:00", "2027-02-08 10:00"), true},
		{"beyond it", at("2027-02-08 10:00", "2027-02-08 11:00"), false},
		{"none", Window{}, false},
	} {
		if got := r.IsWindow(c.w, now); got != c.want {
			t.Errorf("%s: %v", c.about, got)
		}
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	r := NewRules()
	r.PerHour, r.Horizon = 2, 4*time.Hour
	now := at(t, "2027-02-01 09:30")
	taken := func(w Window) int {
		if w.From.Hour() == 11 {
			return 1
		}
		return 0
	}
	want := []string{"Mon 10-11", "Mon 10-11", "Mon 11-12", "Mon 12-13", "Mon 12-13", "soon", "soon"}
	if got := spoken(r.Spread(now, 7, taken)); !slices.Equal(got, want) {
		t.Errorf("spread over %v, want %v", got, want)
	}
	if got := spoken(r.Spread(now, 2, taken)); !slices.Equal(got, want[:2]) {
		t.Errorf("two spread over %v", got)
	}
	if got := r.Spread(now, 0, taken); len(got) != 0 {
		t.Errorf("nobody spread over %v", got)
	}
}

// TestSpreadIsFair: a morning's rush is spread over the days in its order, no
// hour over its room, none left out.
func TestSpreadIsFair(t *testing.T) {
	t.Parallel()
	r := NewRules()
	now := at(t, "2027-02-01 08:00")
	given := r.Spread(now, 5000, none)
	count := map[Window]int{}
	for i, w := range given {
		count[w]++
		if i > 0 && w.From.Before(given[i-1].From) {
			t.Fatalf("number %d is rung before number %d", i+1, i)
		}
	}
	for w, n := range count {
		if n > r.PerHour || n < r.PerHour && w != given[len(given)-1] {
			t.Errorf("%d in %v", n, w)
		}
	}
}
