package queue

import (
	"reflect"
	"regexp"
	"testing"
	"time"
)

// TestFigures: every number of the statistics is among the figures, and each
// figure says what it means.
func TestFigures(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	empty := Stats{}.Figures()
	seen := map[string]bool{}
	for _, f := range empty {
		if !name.MatchString(f.Name) || seen[f.Name] || len(f.Means) < 20 {
			t.Errorf("figure %+v", f)
		}
		seen[f.Name] = true
		if f.Known && f.Value != 0 || f.Unit == UnitShare && f.Known {
			t.Errorf("of nothing, %s is %v", f.Name, f.Value)
		}
	}

	// Each field changes something, where there is what shares and means are of.
	whole := Stats{Offered: 20, Answered: 10, Within: 5, Talks: 8, Reached: 6, Told: 4, SignedIn: time.Hour}
	figures := whole.Figures()
	all := reflect.TypeFor[Stats]()
	for i := range all.NumField() {
		field, changed := all.Field(i), whole
		switch v := reflect.ValueOf(&changed).Elem().Field(i).Addr().Interface().(type) {
		case *int:
			*v++
		case *time.Duration:
			*v += time.Minute
		case *float64:
			*v += 0.25
		case *map[Fate]int:
			for _, f := range Fates {
				changed.Attempts = map[Fate]int{f: 1}
				if reflect.DeepEqual(changed.Figures(), figures) {
					t.Errorf("no figure shows attempts that came to %s", f)
				}
			}
		case *time.Time:
			continue // the span itself
		default:
			t.Fatalf("%s is a %T", field.Name, v)
		}
		if reflect.DeepEqual(changed.Figures(), figures) {
			t.Errorf("no figure shows %s", field.Name)
		}
	}
}

func TestFiguresOfADay(t *testing.T) {
	t.Parallel()
	s := Stats{Answered: 6, Within: 4, Abandoned: 2, AnswerMean: 90 * time.Second, Busy: 3 * time.Hour, SignedIn: 4 * time.Hour, Told: 4, Right: 3, ErrorMedian: .2}
	for _, f := range s.Figures() {
		want := map[string]float64{
			"service_level": .5, "abandonment": .25, "answer_mean": 90, "occupancy": .75, "estimates_right": .75, "estimate_error": .2,
		}
		if w, ok := want[f.Name]; ok && (f.Value != w || !f.Known) {
			t.Errorf("%+v, want %v", f, w)
		}
	}
}
