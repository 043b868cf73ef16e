package queue

import (
	"math"
	"sort"
	"time"
)

// Outlook is what decides how many people are to be rung for agents now.
type Outlook struct {
	Ready int // agents who are ready and bound to nobody
	// Wraps are when the wrap-ups under way end.
	Wraps []time.Time
	// Waiting is how many callers hold the line whom these agents serve: the one
	// line is for both.
	Waiting int
	// Ringing is how many attempts are under way for which no agent is bound.
	Ringing int
	// PickUp is the share of attempts that reach the person, lately; zero:
	// unknown, and taken as all.
	PickUp float64
}

// overrun is the greatest chance, each time, that more people pick up than there
// are agents for. One of them then waits for the next agent, Rules.RungWait at
// the longest.
const overrun = 0.05

// busiest is the most people that are rung for one agent, however few pick up.
const busiest = 3

// Pace is how many more people to begin to ring for agents now, of whom none is
// bound to one yet. Agents count who are ready, and who wrap up and will be within
// Rules.Ahead: that is what is rung ahead. Callers who hold the line take theirs
// first. Of the rest as many are rung as can pick up without there being, in more
// than one of twenty times, more of them than agents; where all pick up, that is
// one for each.
func (r Rules) Pace(o Outlook, now time.Time) int {
	agents := o.Ready - o.Waiting
	for _, ends := range o.Wraps {
		if !ends.After(now.Add(r.Ahead)) {
			agents++
		}
	}
	if agents <= 0 {
		return 0
	}
	pickUp := o.PickUp
	if !(pickUp > 0 && pickUp <= 1) { // so that NaN is unknown too
		pickUp = 1
	}
	beside := sort.Search((busiest-1)*agents, func(i int) bool {
		return moreThan(agents, agents+i+1, pickUp) > overrun
	})
	return max(0, agents+beside-o.Ringing)
}

// moreThan is the chance that of n people more than k pick up, each with the
// chance p: the upper tail of the binomial distribution.
func moreThan(k, n int, p float64) float64 {
	if p >= 1 {
		if n > k {
			return 1
		}
		return 0
	}
	lg := func(x int) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
	tail := 0.0
	for i := k + 1; i <= n; i++ {
		tail += math.Exp(lg(n) - lg(i) - lg(n-i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return tail
}
