package bench

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/plot"

	"ringback/postgres/pgtest"
)

// TestSound measures from a key's release to the first sound of the next
// prompt, in the RTP as the caller receives it: Ringback and the same menu in
// the dialplan, in turn, on one Asterisk.
func TestSound(t *testing.T) {
	r := measuring(t)
	e := newExchange(t, 0)
	database := pgtest.URL(t)
	c := newController(t, e, database, folder(t), longPrompts)
	defer c.end()

	type side struct {
		name, number string
		values       map[int][]float64
	}
	sides := []*side{{"Ringback", hotline, map[int][]float64{}}, {"dialplan", nativeLong, map[int][]float64{}}}
	many := scaled(100)
	rounds := []struct{ calls, keys int }{{1, scaled(40)}, {many, scaled(20)}, {1, scaled(40)}, {many, scaled(20)}}
	for n, round := range rounds {
		for _, s := range sides {
			rest := func(int) time.Duration { return 400*time.Millisecond + rand.N(200*time.Millisecond) }
			if round.calls > 1 {
				rest = func(int) time.Duration { return 600*time.Millisecond + rand.N(800*time.Millisecond) }
			}
			h := crowd{to: e.sip, number: s.number, calls: round.calls, keys: round.keys, rest: rest, last: time.Second}.ring(t, nil, nil)
			s.values[round.calls] = append(s.values[round.calls], h.sounds...)
			slices.Sort(h.sounds)
			r.say("round %d of %d, %s, %d calls, %d keys: p50 %.1f ms, p99 %.1f ms, without sound: %d", n+1, len(rounds), s.name, round.calls,
				len(h.sounds), quantile(h.sounds, .5), quantile(h.sounds, .99), h.misses)
			for _, where := range h.silent {
				r.say("no next prompt was heard in %s", where)
			}
			if h.misses > round.calls*round.keys/100 {
				t.Errorf("%s: after %d of %d keys no other prompt was heard", s.name, h.misses, round.calls*round.keys)
			}
		}
	}
	for _, calls := range []int{1, many} {
		for _, s := range sides {
			r.add(fmt.Sprintf("%s, calls at once: %d", s.name, calls), spread(s.values[calls], "ms")...)
		}
	}
	late := func(s *side, calls int) float64 { return quantile(slices.Sorted(slices.Values(s.values[calls])), .99) }
	for _, calls := range []int{1, many} {
		r.atMost(fmt.Sprintf("p99 above the dialplan's, %d calls", calls), late(sides[0], calls)-late(sides[1], calls), 20, "ms")
	}
	r.write()
	var curves []curve
	edge := 5.0 // ms: all but the slowest few in a thousand keys are shown
	for _, calls := range []int{1, many} {
		for i, s := range sides {
			edge = max(edge, 1.2*quantile(slices.Sorted(slices.Values(s.values[calls])), .997))
			curves = append(curves, curve{
				name: fmt.Sprintf("%s, %d at once", s.name, calls), colour: sideColours[i], dashed: calls == 1,
				points: cumulated(s.values[calls]),
			})
		}
	}
	r.draw(".png", "Key released to first sound of the next prompt", "ms", "% of keys", func(p *plot.Plot) {
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, edge, 0, 100
	}, curves...)
}
