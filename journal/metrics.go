package journal

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what the journal counts.
type metrics struct {
	waiting  prometheus.Gauge
	appended prometheus.Counter
	failures prometheus.Counter
	damages  prometheus.Counter
	syncs    prometheus.Histogram
}

func newMetrics() *metrics {
	return &metrics{
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ringback_journal_waiting", Help: "Records on this machine's disk that are not in the database yet."}),
		appended: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ringback_journal_records_total", Help: "Records written down."}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ringback_journal_failures_total", Help: "Writes that failed: a full disk, or a failing one."}),
		damages: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ringback_journal_damages_total", Help: "Stretches that could not be read."}),
		syncs: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ringback_journal_sync_seconds", Help: "Time until the disk had what was written to it.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1}}),
	}
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.waiting, m.appended, m.failures, m.damages, m.syncs}
}

// register fails where another journal of this process counts there already.
func (m *metrics) register(r prometheus.Registerer) error {
	for i, c := range m.all() {
		if err := r.Register(c); err != nil {
			for _, before := range m.all()[:i] {
				r.Unregister(before)
			}
			return fmt.Errorf("metrics of the journal: %w", err)
		}
	}
	return nil
}

func (m *metrics) unregister(r prometheus.Registerer) {
	for _, c := range m.all() {
		r.Unregister(c)
	}
}
