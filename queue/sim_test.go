package queue

import (
	"cmp"
	"container/heap"
	"math"
	"math/rand/v2"
	"time"
)

// event is something that happens in the simulation; those of one moment in the
// order in which they were planned.
type event struct {
	at  time.Duration
	seq int
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(e[i].at, e[j].at), e[i].seq-e[j].seq) < 0
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// timeline runs events in order.
type timeline struct {
	now     time.Duration
	planned events
	seq     int
}

func (l *timeline) in(d time.Duration, do func()) {
	l.seq++
	heap.Push(&l.planned, event{l.now + d, l.seq, do})
}

func (l *timeline) run() {
	for l.planned.Len() > 0 {
		e := heap.Pop(&l.planned).(event)
		l.now = e.at
		e.do()
	}
}

// chance draws durations; the same seed gives the same day.
type chance struct{ *rand.Rand }

func (c chance) exp(mean time.Duration) time.Duration {
	return time.Duration(c.ExpFloat64() * float64(mean))
}

// lognormal draws with a mean and a coefficient of variation.
func (c chance) lognormal(mean time.Duration, cv float64) time.Duration {
	s2 := math.Log(1 + cv*cv)
	return time.Duration(float64(mean) * math.Exp(c.NormFloat64()*math.Sqrt(s2)-s2/2))
}
