package asterisk

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what the line counts. All labels are finite.
type metrics struct {
	running    prometheus.Gauge
	connected  prometheus.Gauge
	events     *prometheus.CounterVec // type
	skipped    *prometheus.CounterVec // reason
	reconnects prometheus.Counter
	requests   *prometheus.HistogramVec // operation
	refused    *prometheus.CounterVec   // operation, reason
	overflows  prometheus.Counter
	stops      prometheus.Histogram
	unfinished prometheus.Counter
	sentOn     prometheus.Counter
	numbers    prometheus.Counter
	panics     prometheus.Counter
	orphans    prometheus.Counter
	taken      prometheus.Counter
	broken     prometheus.Counter
	legs       prometheus.Gauge
	dialling   prometheus.Gauge
	rung       *prometheus.CounterVec // outcome
	dialled    *prometheus.CounterVec // outcome
	talks      prometheus.Histogram
}

// The reasons of skipped events.
const (
	skippedMalformed = "malformed"
	skippedUnknown   = "unknown_type"
)

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	name := func(n, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Name: "ringback_ari_" + n, Help: help}
	}
	m := &metrics{
		running: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ringback_calls_running", Help: "Calls that are being led."}),
		connected: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ringback_ari_connected", Help: "1 while events of Asterisk are read."}),
		events:     prometheus.NewCounterVec(name("events_total", "Events read, by type."), []string{"type"}),
		skipped:    prometheus.NewCounterVec(name("events_skipped_total", "Frames that were no event known here, by reason."), []string{"reason"}),
		reconnects: prometheus.NewCounter(name("connections_lost_total", "Connections for events that were lost or not made.")),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ringback_ari_request_seconds", Help: "Time until Asterisk answered, by operation.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 3, 10}}, []string{"operation"}),
		refused:   prometheus.NewCounterVec(name("requests_failed_total", "Requests that Asterisk refused or did not answer."), []string{"operation", "reason"}),
		overflows: prometheus.NewCounter(name("mailbox_overflows_total", "Calls that pressed more keys than they could take.")),
		stops: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ringback_ari_playback_stop_seconds", Help: "Time from a key's event to the end of the prompt it cut.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1}}),
		unfinished: prometheus.NewCounter(name("playbacks_unfinished_total", "Playbacks of which no end was reported in time.")),
		sentOn:     prometheus.NewCounter(name("calls_sent_on_total", "Calls sent on into the dialplan while draining.")),
		numbers:    prometheus.NewCounter(name("numbers_invalid_total", "Calling numbers that were no telephone number.")),
		panics:     prometheus.NewCounter(name("call_panics_total", "Calls whose handler broke off by a panic.")),
		orphans:    prometheus.NewCounter(name("orphans_ended_total", "Channels ended because their call was over.")),
		taken:      prometheus.NewCounter(name("calls_taken_over_total", "Calls taken over from another controller.")),
		broken:     prometheus.NewCounter(name("lines_broken_total", "Calls whose line dropped and nobody hung up.")),
		legs: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ringback_ari_legs", Help: "Telephones of agents that ring, or are talked by."}),
		dialling: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ringback_ari_calls_out_ringing", Help: "Calls out that are not answered yet."}),
		rung:    prometheus.NewCounterVec(name("legs_total", "Ringings of agents, by outcome."), []string{"outcome"}),
		dialled: prometheus.NewCounterVec(name("calls_out_total", "Calls out, by what their ringing came to."), []string{"outcome"}),
		talks: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ringback_ari_talk_seconds", Help: "Length of talks with agents.",
			Buckets: []float64{5, 15, 30, 60, 120, 180, 240, 360, 600, 1200, 3600}}),
	}
	for _, reason := range []string{skippedMalformed, skippedUnknown} {
		m.skipped.WithLabelValues(reason)
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.running, m.connected, m.events, m.skipped, m.reconnects, m.requests,
		m.refused, m.overflows, m.stops, m.unfinished, m.sentOn, m.numbers, m.panics, m.orphans, m.taken,
		m.broken, m.legs, m.dialling, m.rung, m.dialled, m.talks} {
		errs = append(errs, r.Register(c))
	}
	return m, errors.Join(errs...)
}
