package bench

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"ringback/postgres/pgtest"
)

// The call that is measured: as long as a booking, and with as many keys.
const (
	callLength = 180 * time.Second
	callKeys   = 25
)

// TestCPU measures what a call and a key cost: Asterisk with the controller,
// and beside it at the same time a second Asterisk with the same menu in its
// dialplan, so that what else the machine does weighs on both alike.
func TestCPU(t *testing.T) {
	r := measuring(t)
	us, them := newExchange(t, 0), newExchange(t, 1)
	database, rendered := pgtest.URL(t), folder(t)
	calls := scaled(40)

	// A whole call: half of the keys cut the prompt short, half follow it.
	length := scaledFor(callLength)
	pace := length / callKeys
	whole := crowd{calls: calls, keys: callKeys, last: time.Second, rest: func(i int) time.Duration {
		if i%2 == 0 {
			return pace*2/3 - 2*120*time.Millisecond
		}
		return pace*4/3 - 2*120*time.Millisecond
	}}
	r.say("%d calls of %s with %d keys on each side", calls, length, callKeys)
	c := newController(t, us, database, rendered, shortPrompts)
	// One caller first: lines that nobody has heard yet are spoken for her.
	crowd{to: us.sip, number: hotline, calls: 1, last: time.Second}.ring(t, nil, nil)
	cost := spend(t, whole, us, them, c, nativeShort, false)
	c.end()
	perCall := func(d time.Duration) float64 { return d.Seconds() * 1000 / float64(calls) }
	total := cost.asterisk + cost.controller
	r.add("a call with Ringback", figure{"Asterisk", perCall(cost.asterisk), "ms"}, figure{"controller", perCall(cost.controller), "ms"},
		figure{"together", perCall(total), "ms"})
	r.add("a call in the dialplan", figure{"Asterisk", perCall(cost.native), "ms"})
	ratio := total.Seconds() / cost.native.Seconds()
	r.add("ratio of a call", figure{"CPU", ratio, "times"})
	r.atMost("CPU of a call, times the dialplan's", ratio, 1.1, "times")

	// A key by itself: as much audio in the same time, once with few keys and
	// once with many, and the difference.
	c = newController(t, us, database, rendered, longPrompts)
	defer c.end()
	window := scaledFor(24 * time.Second)
	keyed := func(keys int) costs {
		every := window / time.Duration(keys)
		return spend(t, crowd{calls: calls, keys: keys, last: time.Second,
			rest: func(int) time.Duration { return every - 240*time.Millisecond }}, us, them, c, nativeLong, true)
	}
	few, most := 2, 32
	if window < 16*time.Second {
		most = int(window / (500 * time.Millisecond))
	}
	r.say("a key by itself: %d and %d keys in %s", few, most, window)
	low, high := keyed(few), keyed(most)
	perKey := func(a, b time.Duration) float64 {
		return (b - a).Seconds() * 1e6 / float64(calls*(most-few))
	}
	asterisk, ctl, native := perKey(low.asterisk, high.asterisk), perKey(low.controller, high.controller), perKey(low.native, high.native)
	r.add("a key with Ringback", figure{"Asterisk", asterisk, "µs"}, figure{"controller", ctl, "µs"}, figure{"together", asterisk + ctl, "µs"})
	r.add("a key in the dialplan", figure{"Asterisk", native, "µs"})
	r.add("ratio of a key", figure{"CPU", (asterisk + ctl) / native, "times"})
	r.write()
	r.bars(".png", fmt.Sprintf("CPU of a call of %.0f s with %d keys", length.Seconds(), callKeys), "ms of CPU a call",
		[]string{"Ringback", "dialplan"},
		barSeries{"Asterisk", theirs, 0, []float64{perCall(cost.asterisk), perCall(cost.native)}},
		barSeries{"controller", ours, 0, []float64{perCall(cost.controller), 0}})
}

// costs is the time that the processes of both sides used.
type costs struct{ asterisk, controller, native time.Duration }

// spend has the crowd ring both sides at once and returns what that cost: from
// before the first ring until all have hung up, or, with inMenu, only while
// they press keys.
func spend(t *testing.T, c crowd, us, them *exchange, controller *child, native string, inMenu bool) costs {
	t.Helper()
	read := func() costs {
		var u used
		controller.ask("use", 0, &u)
		return costs{cpuTime(t, us.cmd.Process.Pid), time.Duration(u.CPU), cpuTime(t, them.cmd.Process.Pid)}
	}
	var before, after costs
	var both, ready, over sync.WaitGroup
	ready.Add(2)
	over.Add(2)
	var once [2]sync.Once
	meet := func(g *sync.WaitGroup, o *sync.Once, mark *costs) func() {
		return func() {
			g.Done()
			g.Wait()
			if inMenu {
				o.Do(func() { *mark = read() })
			}
		}
	}
	if !inMenu {
		before = read()
	}
	for _, side := range []crowd{{to: us.sip, number: hotline}, {to: them.sip, number: native}} {
		both.Go(func() {
			side.calls, side.keys, side.rest, side.last = c.calls, c.keys, c.rest, c.last
			side.ring(t, meet(&ready, &once[0], &before), meet(&over, &once[1], &after))
		})
	}
	both.Wait()
	if !inMenu {
		pause(t.Context(), 2*time.Second) // what is written behind the caller's back
		after = read()
	}
	return costs{after.asterisk - before.asterisk, after.controller - before.controller, after.native - before.native}
}
