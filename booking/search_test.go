package booking

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
)

var dortmund = Centre{ID: 1, Name: "Dortmund", TimeZone: "Europe/Berlin"}

func TestTrailAfter(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		zone string
		want Want
		last string // local
		from string // the earliest start that fits, with its offset
	}{
		{"another time is two hours later", "Europe/Berlin", AnotherTime, "2027-02-01 10:20", "2027-02-01T12:20:00+01:00"},
		{"another time late in the day is tomorrow's first", "Europe/Berlin", AnotherTime, "2027-02-01 23:30", "2027-02-02T01:30:00+01:00"},
		{"two hours are two hours when clocks go forward", "Europe/Berlin", AnotherTime, "2027-03-28 01:30", "2027-03-28T04:30:00+02:00"},
		{"and when they go back", "Europe/Berlin", AnotherTime, "2026-10-25 01:30", "2026-10-25T02:30:00+01:00"},
		{"another day is from midnight", "Europe/Berlin", AnotherDay, "2027-02-01 10:20", "2027-02-02T00:00:00+01:00"},
		{"the day of 23 hours", "Europe/Berlin", AnotherDay, "2027-03-28 10:20", "2027-03-29T00:00:00+02:00"},
		{"the day before it", "Europe/Berlin", AnotherDay, "2027-03-27 10:20", "2027-03-28T00:00:00+01:00"},
		{"the day of 25 hours", "Europe/Berlin", AnotherDay, "2026-10-25 10:20", "2026-10-26T00:00:00+01:00"},
		{"the end of a year", "Europe/Berlin", AnotherDay, "2026-12-31 17:50", "2027-01-01T00:00:00+01:00"},
		{"a day is the centre's, not UTC's", "America/St_Johns", AnotherDay, "2027-01-11 23:50", "2027-01-12T00:00:00-03:30"},
		{"midnight that does not exist", "America/Santiago", AnotherDay, "2026-09-05 10:00", "2026-09-06T01:00:00-03:00"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			centre := Centre{ID: 1, TimeZone: c.zone}
			last, err := time.ParseInLocation("2006-01-02 15:04", c.last, centre.Location())
			if err != nil {
				t.Fatal(err)
			}
			from, err := time.Parse(time.RFC3339, c.from)
			if err != nil {
				t.Fatal(err)
			}
			var trail Trail
			trail.First(1, time.Time{})
			// The Store may hand out a start in any zone.
			trail.Next(c.want, Slot{ID: 7, Centre: centre, Start: last.UTC()})
			if !trail.After.Before(from) {
				t.Errorf("%v would not be found after %v", from, trail.After.In(centre.Location()))
			}
			if earlier := from.Add(-time.Minute); earlier.After(trail.After) {
				t.Errorf("%v would be found already", earlier)
			}
		})
	}
}

func TestTrailNeverOffersARefusedSlotAgain(t *testing.T) {
	t.Parallel()
	var trail Trail
	trail.First(1, time.Time{})
	start := time.Date(2027, 2, 1, 9, 0, 0, 0, time.UTC)
	trail.Next(AnotherTime, Slot{ID: 3, Centre: dortmund, Start: start})
	trail.Next(AnotherDay, Slot{ID: 5, Centre: dortmund, Start: start.Add(3 * time.Hour)})
	trail.Next(AnotherDay, Slot{ID: 5, Centre: dortmund, Start: start.Add(3 * time.Hour)})
	call := uuid.New()
	person := Person{Number: "+49231500123"}
	s := trail.Search(call, person)
	if want := []int64{3, 5}; !reflect.DeepEqual(s.Not, want) {
		t.Errorf("Not is %v, want %v", s.Not, want)
	}
	if s.CallID != call || s.Person != person || s.Centre != 1 || !s.After.Equal(trail.After) {
		t.Errorf("the search is %+v", s)
	}
	s.Not[0] = 99
	if trail.Refused[0] != 3 {
		t.Error("the search shares the trail's memory")
	}
}

func TestTrailWrapsOnce(t *testing.T) {
	t.Parallel()
	var trail Trail
	begin := time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	trail.First(1, begin)
	if trail.Wrap() {
		t.Fatal("it wraps although it stands at the beginning")
	}
	trail.Next(AnotherTime, Slot{ID: 3, Centre: dortmund, Start: begin.Add(9 * time.Hour)})
	if !trail.Wrap() || !trail.After.Equal(begin) {
		t.Fatalf("it does not wrap: %+v", trail)
	}
	trail.Next(AnotherTime, Slot{ID: 4, Centre: dortmund, Start: begin.Add(9*time.Hour + 10*time.Minute)})
	if trail.Wrap() {
		t.Error("it wraps twice")
	}
}

func TestTrailVisitsEveryCentreOnce(t *testing.T) {
	t.Parallel()
	nearby := []Centre{{ID: 2}, {ID: 5}, {ID: 1}, {ID: 3}}
	var trail Trail
	begin := time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	trail.First(1, begin)
	trail.Next(AnotherTime, Slot{ID: 3, Centre: dortmund, Start: begin.Add(9 * time.Hour)})
	trail.Wrap()
	var visited []int64
	for trail.NextCentre(nearby) {
		visited = append(visited, trail.Centre)
		if !trail.After.Equal(begin) || trail.Wrapped {
			t.Fatalf("centre %d does not begin anew: %+v", trail.Centre, trail)
		}
		if len(visited) > len(nearby) {
			t.Fatal("it goes round in circles")
		}
	}
	if want := []int64{2, 5, 3}; !reflect.DeepEqual(visited, want) {
		t.Errorf("visited %v, want %v", visited, want)
	}
	if len(trail.Refused) != 1 {
		t.Errorf("the refused slots are %v", trail.Refused)
	}
}

func TestTrailSurvivesBeingSaved(t *testing.T) {
	t.Parallel()
	var trail Trail
	trail.First(1, time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC))
	trail.Next(AnotherDay, Slot{ID: 3, Centre: dortmund, Start: time.Date(2027, 2, 1, 9, 0, 0, 0, time.UTC)})
	trail.NextCentre([]Centre{{ID: 2}})
	trail.Next(AnotherTime, Slot{ID: 9, Centre: dortmund, Start: time.Date(2027, 2, 3, 9, 0, 0, 0, time.UTC)})
	saved, err := json.Marshal(trail)
	if err != nil {
		t.Fatal(err)
	}
	var back Trail
	if err := json.Unmarshal(saved, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, trail) {
		t.Errorf("saved\n%+v, back\n%+v", trail, back)
	}
}
