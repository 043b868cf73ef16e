package queue

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
)

// A launch day: many more people ring one node than it has lines. Rates are
// those of days that happened (North Rhine-Westphalia, 25 January 2021, and
// others): 80 to 200 attempts a second in the first hour, 70 % of them redials,
// 6 to 16 attempts a person.

// rush is the setting of one such day.
type rush struct {
	lines, keep int
	persons     float64 // who ring for the first time, a second
	lasts       time.Duration
	seed        uint64
}

// dayReport is how it went.
type dayReport struct {
	Attempts, Redials            int
	Given                        [4]int // by the index in Stages
	Persons, Served, Promised    int
	Forgotten                    int // neither served nor taken down
	OverLines, OutRefused, Swaps int
}

type caller struct {
	attempts, most int
	ticket         *Ticket
	served         bool
}

// play lets the day happen.
func (r rush) play() dayReport {
	var (
		d       dayReport
		l       timeline
		random  = chance{rand.New(rand.NewPCG(r.seed, 1))}
		load    = Load{Lines: r.lines, Keep: r.keep}
		line    []*Ticket // in the order in which they were taken down
		persons []*caller
		ring    func(c *caller)
	)
	begin := time.Date(2027, 2, 1, 7, 0, 0, 0, time.UTC)
	hold := func(length time.Duration, then func()) {
		load.InUse++
		l.in(length, func() { load.InUse--; then() })
	}
	// again rings again, as most do who were not let in, and some who were told
	// an hour.
	again := func(c *caller, share float64) {
		if c.attempts < c.most && random.Float64() < share {
			l.in(5*time.Second+random.exp(20*time.Second), func() { ring(c) })
		}
	}
	takeDown := func(c *caller) {
		if c.ticket == nil { // a redial finds the ticket of the first attempt
			c.ticket = &Ticket{ID: uuid.UUID{byte(random.Uint32())}, RangAt: begin.Add(l.now)}
			line = append(line, c.ticket)
		}
	}
	ring = func(c *caller) {
		d.Attempts++
		if c.attempts++; c.attempts > 1 {
			d.Redials++
		}
		stage := Admit(load)
		d.Given[slices.Index(Stages, stage)]++
		switch stage {
		case StageFull:
			hold(random.lognormal(3*time.Minute+30*time.Second, 0.6), func() { c.served = true })
		case StageExpress:
			takeDown(c)
			hold(15*time.Second, func() { again(c, 0.15) })
		case StageEarly:
			takeDown(c)
			hold(20*time.Second, func() { again(c, 0.15) })
		case StageRegister:
			takeDown(c)
			again(c, 0.75)
		}
		if load.InUse > load.Lines {
			d.OverLines++
		}
	}
	var arrive func()
	arrive = func() {
		c := &caller{most: 6 + random.IntN(11)}
		persons = append(persons, c)
		ring(c)
		if next := random.exp(time.Duration(float64(time.Second) / r.persons)); l.now+next < r.lasts {
			l.in(next, arrive)
		}
	}
	var callOut func()
	callOut = func() { // people are rung back all the while
		if load.Out < load.Keep {
			if load.InUse >= load.Lines {
				d.OutRefused++
			} else {
				load.Out++
				hold(random.lognormal(2*time.Minute, 1), func() { load.Out-- })
			}
		}
		if l.now < r.lasts {
			l.in(random.exp(time.Second), callOut)
		}
	}
	l.in(0, arrive)
	l.in(0, callOut)
	l.run()

	d.Persons = len(persons)
	for _, c := range persons {
		switch {
		case c.served:
			d.Served++
		case c.ticket != nil:
			d.Promised++
		default:
			d.Forgotten++
		}
	}
	for i := 1; i < len(line); i++ {
		if Less(*line[i], *line[i-1]) {
			d.Swaps++
		}
	}
	return d
}

// TestRush: nobody is refused without being taken down first, in the order in
// which people first rang; the lines are never exceeded, and calls out always
// find theirs.
func TestRush(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]rush{
		"80 attempts a second":  {lines: 240, keep: 20, persons: 29, lasts: 4 * time.Minute, seed: 1},
		"200 attempts a second": {lines: 240, keep: 20, persons: 60, lasts: 150 * time.Second, seed: 2},
		"20 lines":              {lines: 20, keep: 4, persons: 5, lasts: 10 * time.Minute, seed: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := r.play()
			t.Logf("%.0f attempts a second, %.0f %% redials: %+v",
				float64(d.Attempts)/r.lasts.Seconds(), 100*float64(d.Redials)/float64(d.Attempts), d)
			if d.Forgotten > 0 || d.Served+d.Promised != d.Persons {
				t.Errorf("%d of %d neither served nor taken down", d.Forgotten, d.Persons)
			}
			if d.OverLines > 0 {
				t.Errorf("more lines than permitted in use %d times", d.OverLines)
			}
			if d.OutRefused > 0 {
				t.Errorf("no line for a call out %d times", d.OutRefused)
			}
			if d.Swaps > 0 {
				t.Errorf("%d are not in the order in which they first rang", d.Swaps)
			}
			for i, n := range d.Given {
				if n == 0 {
					t.Errorf("the stage %s was never needed: the day was no rush", Stages[i])
				}
			}
			if again := r.play(); again != d {
				t.Errorf("the same seed gave another day: %+v", again)
			}
			other := r
			other.seed += 100
			if other.play() == d {
				t.Error("another seed gave the same day")
			}
		})
	}
}
