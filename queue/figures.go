package queue

import (
	"fmt"
	"time"
)

// Unit is what a Figure counts.
type Unit string

// The units.
const (
	UnitCount   Unit = "count"
	UnitShare   Unit = "share" // from 0 to 1; of an error also more
	UnitSeconds Unit = "seconds"
)

// Figure is one number of the statistics, with what it means.
type Figure struct {
	Name string // of small letters and underscores, the same in every version
	Unit Unit
	// Value, where there was anything to count: a share or a mean of nothing is
	// not Known.
	Value float64
	Known bool
	Means string // its definition
}

// Figures are all numbers of the statistics in the order in which they are
// read, each with its definition.
func (s Stats) Figures() []Figure {
	offered := s.Answered + s.Abandoned
	figures := []Figure{
		count("offered", s.Offered, "Times somebody who rang came into the line. Who was rung and then waits for the agent is not among them."),
		count("answered", s.Answered, "Waits that ended with an agent who answered."),
		share01("service_level", s.ServiceLevel(), offered,
			fmt.Sprintf("Answered within %g seconds of coming into the line, as a share of those answered and abandoned.", ServiceWithin.Seconds())),
		mean("answer_mean", s.AnswerMean, s.Answered, "Average speed of answer: the mean wait of those answered."),
		count("abandoned", s.Abandoned,
			fmt.Sprintf("Hung up in line after more than %g seconds and were promised nothing, whether or not they rang again.", AbandonAfter.Seconds())),
		share01("abandonment", s.Abandonment(), offered, "Abandoned, as a share of those answered and abandoned."),
		count("abandoned_short", s.AbandonedShort,
			fmt.Sprintf("Hung up in line within %g seconds: counted apart, since they misdialled or thought better of it.", AbandonAfter.Seconds())),
		count("deferred", s.Deferred, "Waits that ended with the promise to be rung."),
		count("alone", s.Alone, "Waits that ended because the person went on without an agent."),

		count("talks", s.Talks, "Talks with agents that ended."),
		mean("handling_mean", s.HandlingMean, s.Talks, "Handling time: how long an agent was busy with one talk in the mean, the wrap-up after it included."),
		{
			Name: "occupancy", Unit: UnitShare, Value: s.Occupancy(), Known: s.SignedIn > 0,
			Means: "Time in which agents talked or wrapped up, as a share of the time they were at work: talking, wrapping up, reserved or ready.",
		},
		{Name: "agents_busy", Unit: UnitSeconds, Value: s.Busy.Seconds(), Known: true, Means: "Time in which agents talked or wrapped up, added up."},
		{Name: "agents_signed_in", Unit: UnitSeconds, Value: s.SignedIn.Seconds(), Known: true, Means: "Time in which agents were at work, added up."},

		count("callbacks_promised", s.Promised, "Tickets that were promised to be rung."),
		count("callbacks_reached", s.Reached, "People who were rung and reached: they pressed 1, or spoke where they have no keys."),
		count("callbacks_late", s.Late, "Of those reached, how many were rung only after the hour they were promised."),
		mean("callback_delay_mean", s.DelayMean, s.Reached,
			"From the beginning of the promised hour, or where none was promised from the promise, to the beginning of the attempt that reached the person: in the mean."),
		mean("callback_delay_90", s.Delay90, s.Reached, "The same for nine of ten people at most."),
		count("callbacks_unreached", s.Unreached, "Tickets closed because the last attempt did not reach the person either."),
	}
	for _, f := range Fates {
		figures = append(figures, count("attempts_"+string(f), s.Attempts[f], "Attempts to ring somebody that ended so: "+fateMeans[f]+"."))
	}
	return append(figures,
		count("estimates_told", s.Told, "Of those answered, how many had been told how long they would wait."),
		share01("estimates_right", float64(s.Right)/float64(max(1, s.Told)), s.Told, "Of those, the share whose wait was neither shorter nor longer than they were told."),
		share01("estimate_error", s.ErrorMedian, s.Told,
			"How far the middle of what they were told was from the wait, as a share of the wait (of a minute where it was shorter): the median."),
	)
}

var fateMeans = map[Fate]string{
	FateReached:  "the person was reached",
	FateDeclined: "picked up, and nobody pressed 1: a mailbox, or another person",
	FateNoAnswer: "it rang, and nobody picked up",
	FateBusy:     "busy",
	FateFailed:   "the network could not ring the number",
	FateStopped:  "stopped, because the person rang in or the ticket was closed",
	FateUnmade:   "known never to have been dialled; counts for nothing",
	FateUnknown:  "nobody knows, because a controller died; counts as made",
}

func count(name string, n int, means string) Figure {
	return Figure{Name: name, Unit: UnitCount, Value: float64(n), Known: true, Means: means}
}

// share01 is not known where it would be one of nothing.
func share01(name string, share float64, of int, means string) Figure {
	return Figure{Name: name, Unit: UnitShare, Value: share, Known: of > 0, Means: means}
}

func mean(name string, d time.Duration, of int, means string) Figure {
	return Figure{Name: name, Unit: UnitSeconds, Value: d.Seconds(), Known: of > 0, Means: means}
}
