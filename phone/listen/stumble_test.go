package listen

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// TestStumbles: a busy exchange may stop for a moment in a prompt and then go
// on, or leave a little out. People hear the same prompt, and so does a Listener,
// at once, though another begins alike.
func TestStumbles(t *testing.T) {
	t.Parallel()
	opening := babble(101, 2*time.Second)
	this, other := slices.Concat(opening, babble(102, 4*time.Second)), slices.Concat(opening, babble(103, 3*time.Second))
	lib, _ := babblers(10, 2*time.Second)
	lib.Add("this", nil, "o this", this)
	lib.Add("other", nil, "o other", other)
	n := 0
	for _, at := range []time.Duration{100, 150, 200, 250, 300, 350, 400, 500, 700, 1000, 1300, 1900, 2500, 4000} {
		for _, stumble := range []time.Duration{-150, -60, 60, 100, 200, 400} {
			if n++; n%thinned != 0 {
				continue
			}
			t.Run(fmt.Sprintf("%d ms after %d ms", stumble, at), func(t *testing.T) {
				t.Parallel()
				at, stumble := samplesOf(at*time.Millisecond), stumble*time.Millisecond
				played := slices.Concat(this[:at], rest(max(0, stumble)), this[at+samplesOf(max(0, -stumble)):])
				call := slices.Concat(rest(time.Second), telephone(played, false, 1, nil), rest(2*time.Second))
				if got := lib.Recognise(call); names(got) != "this" {
					t.Errorf("heard %q, want this", names(got))
				} else if d := got[0].At - time.Second; d < -200*time.Millisecond || d > 650*time.Millisecond {
					t.Errorf("it began at %v, want 1s, or half a second later where that was not understood", got[0].At)
				}
				l, told := NewListener(lib), map[int]Report{}
				note := func(reports []Report) {
					for _, r := range reports {
						told[r.Number] = r
					}
				}
				for at := 0; at < len(call); at += 160 {
					note(l.Feed(call[at:min(at+160, len(call))]))
				}
				note(l.Finish())
				maps.DeleteFunc(told, func(_ int, r Report) bool { return r.Name == "" }) // taken back
				if len(told) != 1 {
					t.Errorf("told %+v", told)
				}
				for _, r := range told {
					if r.Name != "this" || !r.Over {
						t.Errorf("told %+v", r)
					}
				}
			})
		}
	}
}
