package queue

import (
	"math"
	"time"
)

// Recent is what happened in line lately, in the last hour for example. The
// estimate of the wait comes from it. The zero Recent is that nothing did.
type Recent struct {
	Talks  int           // that ended
	Talked time.Duration // in all of them, wrap-up included
	Left   int           // who hung up in line
	Waited time.Duration // of all who were in line, together
}

// Until there are talks to go by, they are taken to last as long as those of
// launch days did (three and a half to six minutes), with the weight of a few.
const (
	firstHandling = 4 * time.Minute
	firstWeight   = 5
)

// Handling is how long an agent is busy with a caller, in the mean.
func (r Recent) Handling() time.Duration {
	return (r.Talked + firstWeight*firstHandling) / time.Duration(r.Talks+firstWeight)
}

// leaving is how many hang up in a second, of those in line: who left by the
// time that all waited, the maximum likelihood where patience is exponential
// and most waits end before it does.
func (r Recent) leaving() float64 {
	if r.Waited <= 0 {
		return 0
	}
	return float64(r.Left) / r.Waited.Seconds()
}

// Expected is how long a wait is expected to be: in the mean, and the range in
// which four of five end.
type Expected struct{ Mean, Low, High time.Duration }

// ninetieth is the normal distribution's quantile at 0.9, so that a tenth ends
// before the range and a tenth after it.
const ninetieth = 1.2816

// Expect estimates the wait of somebody with so many people ahead, served by so
// many agents, of whom so many are ready. False: nobody can know, there is no
// agent.
//
// While all agents are busy, the line moves when a talk ends or somebody ahead
// hangs up: with k ahead at the rate agents/handling + k·leaving. The wait is the
// sum of those moves, the last one being one's own turn (the queue-length
// estimator for M/M/c+M of Whitt, "Improving Service by Informing Customers About
// Anticipated Delays", Management Science 45(2), 1999). The range takes it as
// gamma distributed (Wilson and Hilferty's cube root), and knows that a mean of
// few talks is uncertain.
func Expect(ahead, agents, ready int, r Recent) (Expected, bool) {
	if agents <= 0 {
		return Expected{}, false
	}
	if ahead -= ready; ahead < 0 {
		return Expected{}, true
	}
	handling := r.Handling().Seconds()
	var mean, variance float64
	for k := 0; k <= ahead; k++ {
		move := 1 / (float64(agents)/handling + float64(k)*r.leaving())
		mean += move
		variance += move * move
	}
	variance += mean * mean / float64(r.Talks+firstWeight)
	ninth := variance / (9 * mean * mean)
	quantile := func(z float64) time.Duration {
		return seconds(mean * math.Pow(max(0, 1-ninth+z*math.Sqrt(ninth)), 3))
	}
	return Expected{seconds(mean), quantile(-ninetieth), quantile(ninetieth)}, true
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Said is the range as people say it: "about ten to fifteen minutes". Up to ten
// minutes it goes by minutes, then by five, from an hour by a quarter, from three
// hours by the hour; Low 0 and High a minute is "less than a minute". High is
// rounded up: to be served sooner than was said troubles nobody. Both ends never
// say the same.
func (e Expected) Said() (low, high time.Duration) {
	low = e.Low.Round(sayable(e.Low))
	high = (e.High + sayable(e.High) - 1).Truncate(sayable(e.High))
	if high <= low {
		high = max(high, time.Minute)
		low = high - sayable(high-1)
	}
	return low, high
}

// sayable is the step in which people speak of so long a time.
func sayable(d time.Duration) time.Duration {
	switch {
	case d < 10*time.Minute:
		return time.Minute
	case d < time.Hour:
		return 5 * time.Minute
	case d < 3*time.Hour:
		return 15 * time.Minute
	}
	return time.Hour
}

// Why is the reason that is given for telling somebody a worse place, or a longer
// wait, than before.
type Why string

// The reasons.
const (
	WhyNone    Why = ""        // it is no worse
	WhyEarlier Why = "earlier" // people who rang earlier came back, or their promised hour has come
	WhyFewer   Why = "fewer"   // fewer agents are there
	WhySlower  Why = "slower"  // the talks take longer than they did
)

// Retell compares what somebody was told with what is, and returns what to tell
// now, and the reason where it is worse. A place is never made better than it is.
// A wait that is expected to be longer, but whose middle lies within what was
// told, is told as before: what was said is still likely to come true.
func Retell(told, now Standing) (tell Standing, why Why) {
	switch {
	case told == (Standing{}): // nothing was
		return now, WhyNone
	case now.Ahead > told.Ahead:
		return now, WhyEarlier
	case now.Agents == 0 && told.Agents > 0:
		return now, WhyFewer
	case told.High == 0 || now.High <= told.High: // unknown before, or no longer
		return now, WhyNone
	case (now.Low+now.High)/2 <= told.High:
		now.Low, now.High = told.Low, told.High
		return now, WhyNone
	case now.Agents < told.Agents:
		return now, WhyFewer
	}
	return now, WhySlower
}
