package ivr_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/ivr"
	"ringback/ivr/ivrtest"
	"ringback/prompts"
)

// relay is one call led by one process after the other: each gives way to the
// next at the given moments, which count what the caller goes through.
type relay struct {
	*lineCaller
	moments []string // gone through
	last    int      // when the last process began
}

// ride leads the call to its end.
func ride(t *testing.T, w *ivrtest.World, keys map[prompts.Key]string, free int, at ...int) (ivr.Outcome, *relay) {
	t.Helper()
	texts := prompts.Default()
	info := ivr.Info{ID: uuid.New(), Number: w.Caller, Node: "test", Started: time.Now(), Attempt: w.Attempt}
	if w.Attempt != uuid.Nil {
		info.ID = w.Attempt
	}
	r := &relay{lineCaller: &lineCaller{keys: keys}}
	var leave context.CancelCauseFunc
	r.at = func(what string) {
		r.moments = append(r.moments, what)
		n := len(r.moments)
		if n == free {
			if err := w.Line.Happens("agent: is free"); err != nil {
				t.Error(err)
			}
		}
		if slices.Contains(at, n) {
			leave(ivr.ErrElsewhere)
		}
	}
	for {
		r.last = len(r.moments)
		var ctx context.Context
		ctx, leave = context.WithCancelCause(t.Context())
		ctx, c := ivrtest.NewCaller(ctx, info, r, speaking(texts))
		o := w.Hotline(texts).Serve(ctx, c.In(w))
		leave(nil)
		if o.Result != ivr.Elsewhere {
			return o, r
		}
		if c.HungUp() {
			t.Fatal("who gave way hung up")
		}
		info.TakenOver = true
	}
}

// TestTakenOverInLine: whatever the caller goes through when the process dies,
// in line, while an agent's telephone rings or in the talk, the next one goes on
// with the same place, and no word is put between caller and agent.
func TestTakenOverInLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		given []string
		keys  map[prompts.Key]string
		free  int // the moment from which an agent is free
		facts []string
	}{
		{"waits", []string{"an agent who is busy", "3 people in line"}, map[prompts.Key]string{"main.menu": "0"}, 22,
			[]string{"the call ends as person", "the ticket is closed as served", "1 tickets"}},
		{"books meanwhile", []string{"an agent who is busy", "3 people in line"},
			map[prompts.Key]string{"main.menu": "0", "wait.callback": "2"}, 0,
			[]string{"the call ends as booked", "the ticket is closed as self", "1 tickets", "1 appointments"}},
		{"is rung back", []string{"an agent who is busy", "3 people in line"},
			map[prompts.Key]string{"main.menu": "0", "wait.callback": "1", "person.promise": "1"}, 0,
			[]string{"the call ends as callback", "the ticket is due", "1 tickets"}},
		{"is rung", []string{"an agent", "we ring"}, map[prompts.Key]string{"rung.ask": "1"}, 0,
			[]string{"the call ends as person", "the ticket is closed as served", "the attempt is reached"}},
		{"goes on", []string{"we ring whose line broke"}, map[prompts.Key]string{"rung.ask": "1"}, 0,
			[]string{"the call ends as booked", "the ticket is closed as self", "1 appointments"}},
		{"few lines", []string{"few lines are left"}, nil, 0, []string{"the call ends as callback", "the ticket is promised", "1 tickets"}},
	} {
		keys := maps.Clone(ivrtest.Answers)
		maps.Copy(keys, tt.keys)
		whole := 0
		t.Run(tt.name, virtuallyNow(func(t *testing.T) {
			time.Sleep(untilTuesday)
			w := world(t, tt.given...)
			o, r := ride(t, w, keys, tt.free)
			check(t, w, o, tt.facts...)
			whole = len(r.moments)
		}))
		for n := 1; n <= whole; n++ {
			t.Run(fmt.Sprint(tt.name, " ", n), virtually(func(t *testing.T) {
				w := world(t, tt.given...)
				o, r := ride(t, w, keys, tt.free, n)
				check(t, w, o, tt.facts...)
				if before := r.moments[n-1]; (before == "talk" || before == "ring") && r.moments[n] != before {
					t.Errorf("taken over in a %s it went on with %v", before, r.moments[n:])
				} else if before == "rest" && r.moments[n] != "takeover.here" && r.moments[n] != "rest" && r.moments[n] != "connect.now" && r.moments[n] != "ring" {
					t.Errorf("taken over in a rest it went on with %v", r.moments[n:])
				}
			}))
		}
	}
}
