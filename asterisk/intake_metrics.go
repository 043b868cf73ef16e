package asterisk

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// What became of an attempt.
const (
	intakeRegistered = "registered"
	intakeWithheld   = "withheld"    // shows no number, and keeps ringing
	intakeTurnedAway = "turned_away" // shows no number, and there was no room to let it ring
	intakeFailed     = "failed"      // could not be written down; Asterisk tries again
	intakeMalformed  = "malformed"
)

// intakeMetrics are what the intake counts.
type intakeMetrics struct {
	attempts *prometheus.CounterVec // result
	took     prometheus.Histogram
}

func newIntakeMetrics(r prometheus.Registerer) (*intakeMetrics, error) {
	m := &intakeMetrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ringback_intake_attempts_total", Help: "Callers beyond the last line, by what became of them."}, []string{"result"}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ringback_intake_seconds", Help: "Time from Asterisk's question until it has the answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}}),
	}
	for _, result := range []string{intakeRegistered, intakeWithheld, intakeTurnedAway, intakeFailed, intakeMalformed} {
		m.attempts.WithLabelValues(result)
	}
	return m, errors.Join(r.Register(m.attempts), r.Register(m.took))
}
