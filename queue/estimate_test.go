package queue

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/quick"
	"time"
)

const minute = time.Minute

// talks is a recent past of many talks of that length.
func talks(mean time.Duration) Recent {
	return Recent{Talks: 10000, Talked: 10000 * mean}
}

func TestExpect(t *testing.T) {
	t.Parallel()
	leaving := talks(4 * minute)
	leaving.Left, leaving.Waited = 60, 600*minute // one in ten minutes
	for _, c := range []struct {
		about                string
		ahead, agents, ready int
		recent               Recent
		mean                 time.Duration
	}{
		{"an agent is ready", 0, 5, 1, talks(4 * minute), 0},
		{"as many ready as are ahead", 2, 5, 3, talks(4 * minute), 0},
		{"fewer ready than are ahead", 5, 4, 2, talks(4 * minute), 4 * minute},
		{"the next one, one agent", 0, 1, 0, talks(4 * minute), 4 * minute},
		{"the next one, four agents", 0, 4, 0, talks(4 * minute), minute},
		{"nine ahead, ten agents", 9, 10, 0, talks(4 * minute), 4 * minute},
		{"forty ahead", 40, 20, 0, talks(5 * minute), 41 * 5 * minute / 20},
		// 1/(1/4) + 1/(1/4+1/10) minutes
		{"one ahead, who may hang up", 1, 1, 0, leaving, 4*minute + seconds(60/0.35)},
		{"before the first talk", 3, 4, 0, Recent{}, firstHandling},
	} {
		e, known := Expect(c.ahead, c.agents, c.ready, c.recent)
		if !known || (e.Mean-c.mean).Abs() > c.mean/500 {
			t.Errorf("%s: %+v, %v; want a mean of %v", c.about, e, known, c.mean)
		}
		if e.Low > e.Mean || e.High < e.Mean || e.Mean > 0 && e.Low == e.High {
			t.Errorf("%s: the range is %v to %v", c.about, e.Low, e.High)
		}
	}
	if e, known := Expect(3, 0, 0, talks(minute)); known {
		t.Errorf("without agents: %+v", e)
	}
	few, _ := Expect(40, 20, 0, Recent{Talks: 3, Talked: 15 * minute})
	many, _ := Expect(40, 20, 0, talks(few.Mean*20/41))
	if few.High-few.Low < (many.High-many.Low)*5/4 {
		t.Errorf("%v after few talks is no less sure than %v after many", few, many)
	}
}

// TestExpectIsMonotone: more people ahead, fewer agents and longer talks never
// make a wait shorter.
func TestExpectIsMonotone(t *testing.T) {
	t.Parallel()
	monotone := func(ahead, agents, minutes, left uint8) bool {
		r := talks(time.Duration(minutes%20+1) * minute)
		r.Left, r.Waited = int(left), 1000*minute
		slower := r
		slower.Talked += 10000 * minute
		a, n := int(ahead), int(agents)+2
		e, _ := Expect(a, n, 0, r)
		behind, _ := Expect(a+1, n, 0, r)
		fewer, _ := Expect(a, n-1, 0, r)
		longer, _ := Expect(a, n, 0, slower)
		for _, worse := range []Expected{behind, fewer, longer} {
			if worse.Mean < e.Mean || worse.High < e.High || worse.Low < e.Low {
				return false
			}
		}
		low, high := e.Said()
		return low <= e.Low+sayable(e.Low)/2 && high >= e.High && low < high
	}
	if err := quick.Check(monotone, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}

func TestSaid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ low, high, saidLow, saidHigh time.Duration }{
		{0, 0, 0, minute}, // less than a minute
		{0, 40 * time.Second, 0, minute},
		{70 * time.Second, 130 * time.Second, minute, 3 * minute},
		{13 * minute, 13 * minute, 10 * minute, 15 * minute},
		{5 * minute, 5 * minute, 4 * minute, 5 * minute},
		{10 * minute, 10 * minute, 9 * minute, 10 * minute},
		{7 * minute, 9*minute + 1, 7 * minute, 10 * minute},
		{10*minute + 30*time.Second, 14 * minute, 10 * minute, 15 * minute}, // about ten to fifteen
		{9*minute + 59*time.Second, 16 * minute, 10 * minute, 20 * minute},
		{31 * minute, 44 * minute, 30 * minute, 45 * minute},
		{50 * minute, 65 * minute, 50 * minute, 75 * minute},
		{100 * minute, 140 * minute, 105 * minute, 150 * minute},
		{200 * minute, 250 * minute, 180 * minute, 300 * minute},
	} {
		low, high := Expected{Low: c.low, High: c.high}.Said()
		if low != c.saidLow || high != c.saidHigh {
			t.Errorf("%v to %v is said as %v to %v, want %v to %v", c.low, c.high, low, high, c.saidLow, c.saidHigh)
		}
	}
}

func TestRetell(t *testing.T) {
	t.Parallel()
	at := func(ahead int, low, high time.Duration, agents int) Standing {
		return Standing{Ahead: ahead, Low: low * minute, High: high * minute, Agents: agents}
	}
	told := at(40, 10, 15, 20)
	for _, c := range []struct {
		about           string
		told, now, tell Standing
		why             Why
	}{
		{"for the first time", Standing{}, told, told, WhyNone},
		{"nothing changed", told, told, told, WhyNone},
		{"the line moved", told, at(30, 7, 10, 20), at(30, 7, 10, 20), WhyNone},
		{"somebody came back", told, at(41, 10, 15, 20), at(41, 10, 15, 20), WhyEarlier},
		{"somebody came back, and agents went", told, at(41, 20, 30, 10), at(41, 20, 30, 10), WhyEarlier},
		{"a little slower", told, at(38, 10, 20, 20), at(38, 10, 15, 20), WhyNone},
		{"much slower", told, at(38, 15, 20, 20), at(38, 15, 20, 20), WhySlower},
		{"agents went", told, at(38, 15, 20, 12), at(38, 15, 20, 12), WhyFewer},
		{"all agents went", told, at(38, 0, 0, 0), at(38, 0, 0, 0), WhyFewer},
		{"agents went, and it is no longer", told, at(20, 8, 12, 15), at(20, 8, 12, 15), WhyNone},
		{"nobody knew before", at(40, 0, 0, 0), told, told, WhyNone},
		{"nobody knows yet", at(40, 0, 0, 0), at(39, 0, 0, 0), at(39, 0, 0, 0), WhyNone},
	} {
		if tell, why := Retell(c.told, c.now); tell != c.tell || why != c.why {
			t.Errorf("%s: tell %+v because %q, want %+v because %q", c.about, tell, why, c.tell, c.why)
		}
	}
}

// TestEstimateComesTrue simulates lines of launch days: more people ring than
// agents can serve, talks are lognormal, some hang up. What was expected on
// joining is compared with what happened.
func TestEstimateComesTrue(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]deskDay{
		"a small desk":         {agents: 8, overload: 1.4, handling: 4 * minute, cv: 0.7, patience: 25 * minute, seed: 1},
		"a large desk":         {agents: 60, overload: 1.3, handling: 210 * time.Second, cv: 0.6, patience: 20 * minute, seed: 2},
		"a patient long line":  {agents: 25, overload: 1.2, handling: 6 * minute, cv: 0.8, patience: 2 * time.Hour, seed: 3},
		"not much to wait for": {agents: 30, overload: 1.1, handling: 4 * minute, cv: 0.7, patience: 10 * minute, seed: 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			errors, within := d.play()
			slices.Sort(errors)
			median := errors[len(errors)/2]
			t.Logf("%d waits of a minute or longer: median error %.1f %%, %.0f %% within the range",
				len(errors), 100*median, 100*within)
			if len(errors) < 300 {
				t.Errorf("only %d people waited", len(errors))
			}
			if median >= 0.20 {
				t.Errorf("the median error is %.1f %%", 100*median)
			}
			if within < 0.75 {
				t.Errorf("%.0f %% of the waits ended within the range that was told", 100*within)
			}
		})
	}
}

// deskDay is a line before agents.
type deskDay struct {
	agents   int
	overload float64 // people who ring, for one who can be served
	handling time.Duration
	cv       float64 // its coefficient of variation
	patience time.Duration
	seed     uint64
}

type waiter struct {
	joined   time.Duration
	expected Expected
	gone     bool
}

// play lets six hours happen. It returns the relative errors of the waits of a
// minute or longer that ended with an agent, and how many of those ended within
// the range.
func (d deskDay) play() (errors []float64, within float64) {
	var (
		l      timeline
		random = chance{rand.New(rand.NewPCG(d.seed, 2))}
		line   []*waiter
		busy   int
		recent Recent
		serve  func()
	)
	serve = func() {
		for busy < d.agents && len(line) > 0 {
			w := line[0]
			line = line[1:]
			if w.gone {
				continue
			}
			w.gone = true
			waited := l.now - w.joined
			recent.Waited += waited
			if waited >= minute {
				errors = append(errors, math.Abs((w.expected.Mean-waited).Seconds())/waited.Seconds())
				if low, high := w.expected.Said(); waited >= low && waited <= high {
					within++
				}
			}
			busy++
			talk := random.lognormal(d.handling, d.cv)
			l.in(talk, func() {
				busy--
				recent.Talks++
				recent.Talked += talk
				serve()
			})
		}
	}
	var arrive func()
	arrive = func() {
		ahead := 0
		for _, w := range line {
			if !w.gone {
				ahead++
			}
		}
		w := &waiter{joined: l.now}
		w.expected, _ = Expect(ahead, d.agents, d.agents-busy, recent)
		line = append(line, w)
		l.in(random.exp(d.patience), func() {
			if !w.gone {
				w.gone = true
				recent.Left++
				recent.Waited += l.now - w.joined
			}
		})
		serve()
		between := time.Duration(float64(d.handling) / float64(d.agents) / d.overload)
		if l.now < 6*time.Hour {
			l.in(random.exp(between), arrive)
		}
	}
	l.in(0, arrive)
	l.run()
	return errors, within / float64(len(errors))
}
