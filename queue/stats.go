package queue

import "time"

// The thresholds of Stats.
const (
	// ServiceWithin is the wait up to which a caller counts as answered in time.
	// Eighty per cent within twenty seconds is what call centres are measured by.
	ServiceWithin = 20 * time.Second
	// AbandonAfter is the wait up to which hanging up in line is no abandonment:
	// the person misdialled, or thought better of it.
	AbandonAfter = 5 * time.Second
)

// Stats is how the line did in a span of time. Waits, talks and attempts count
// in the span in which they ended.
type Stats struct {
	From, To time.Time

	// Offered is how often somebody who rang came into the line.
	Offered int
	// Answered is how many waits ended with an agent who answered, Within how
	// many of them within ServiceWithin.
	Answered, Within int
	// AnswerMean is the average speed of answer: the mean wait of the Answered.
	AnswerMean time.Duration
	// Abandoned is how many hung up in line after more than AbandonAfter and were
	// promised nothing, whether or not they rang again; AbandonedShort how many
	// did sooner.
	Abandoned, AbandonedShort int
	// Deferred is how many waits ended with the promise to be rung, Alone how
	// many because the person went on without an agent.
	Deferred, Alone int

	// Talks with agents, and how long an agent was busy with one in the mean: the
	// talk, and the wrap-up after it.
	Talks        int
	HandlingMean time.Duration
	// Busy is how long agents talked and wrapped up, SignedIn how long they did
	// that, were reserved, or ready.
	Busy, SignedIn time.Duration

	// Promised is how many tickets were promised to be rung.
	Promised int
	// Reached is how many people were reached, Late how many of them after the
	// hour that was promised.
	Reached, Late int
	// DelayMean and Delay90 are how long after the beginning of the promised
	// hour, or where none was promised after the promise, the attempt began that
	// reached the person: in the mean, and for nine of ten at most.
	DelayMean, Delay90 time.Duration
	// Unreached is how many tickets were closed after the last attempt.
	Unreached int
	// Attempts is how many ended, by fate.
	Attempts map[Fate]int

	// Told is how many of the Answered had been told how long they would wait,
	// Right how many of them waited neither less nor more than that.
	Told, Right int
	// ErrorMedian is the median of how far the middle of what was told was from
	// the wait, as a share of the wait; waits under a minute count as one.
	ErrorMedian float64
}

// ServiceLevel is the share of callers who were answered within ServiceWithin,
// of those who were answered or abandoned the line. It is 1 where nobody was.
func (s Stats) ServiceLevel() float64 { return share(s.Within, s.Answered+s.Abandoned, 1) }

// Abandonment is the share of callers who abandoned the line, of those who were
// answered or did.
func (s Stats) Abandonment() float64 { return share(s.Abandoned, s.Answered+s.Abandoned, 0) }

// Occupancy is the share of the time at work in which agents were busy with
// callers.
func (s Stats) Occupancy() float64 {
	if s.SignedIn <= 0 {
		return 0
	}
	return float64(s.Busy) / float64(s.SignedIn)
}

func share(n, of int, none float64) float64 {
	if of == 0 {
		return none
	}
	return float64(n) / float64(of)
}
