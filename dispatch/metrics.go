package dispatch

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ringback/queue"
)

// step is one thing the dispatcher does over and over.
type step string

const (
	stepSweep   step = "sweep"
	stepMatch   step = "match"
	stepTurns   step = "turns"
	stepReview  step = "review"
	stepStop    step = "stop"
	stepBegin   step = "begin"
	stepResolve step = "resolve"
	stepBeat    step = "beat"
	stepMeasure step = "measure"
	stepReplay  step = "replay"
)

// Metrics are what is counted of the line in one process. One Metrics serves the
// dispatcher and the dialogues' store.
type Metrics struct {
	tickets  map[queue.State]*prometheus.GaugeVec
	oldest   *prometheus.GaugeVec
	agents   *prometheus.GaugeVec
	attempts *prometheus.CounterVec
	answered prometheus.Counter
	ringing  prometheus.Gauge
	refused  *prometheus.CounterVec
	matched  prometheus.Counter
	broken   prometheus.Counter
	steps    *prometheus.HistogramVec
	errors   *prometheus.CounterVec
	away     prometheus.Gauge
	kept     prometheus.Counter
	replayed *prometheus.CounterVec
	aside    prometheus.Counter
}

// NewMetrics registers the metrics of the line, from the start all at 0.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "ringback", Name: name, Help: help})
	}
	gauges := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "ringback", Name: name, Help: help}, labels)
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "ringback", Name: name, Help: help})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "ringback", Name: name, Help: help}, labels)
	}
	m := &Metrics{
		tickets: map[queue.State]*prometheus.GaugeVec{
			queue.StateWaiting:  gauges("line_waiting", "Callers who hold the line.", "topic"),
			queue.StateDue:      gauges("line_due", "People to be rung as soon as it is their turn.", "topic"),
			queue.StatePromised: gauges("line_promised", "People to be rung later.", "topic"),
			queue.StateRinging:  gauges("line_being_rung", "People who are being rung.", "topic"),
			queue.StateTalking:  gauges("line_talking", "People who talk with an agent, or are led on after being rung.", "topic"),
			queue.StateLeft:     gauges("line_left", "Places kept for who hung up in line.", "topic"),
		},
		oldest:   gauges("line_oldest_seconds", "How long ago the first of those who wait, or are due, rang.", "topic", "state"),
		agents:   gauges("line_agents", "Agents, by what they do.", "state"),
		attempts: counters("line_attempts_total", "Ended attempts to ring somebody back, by fate.", "fate"),
		answered: counter("line_picked_up_total", "Numbers that were rung and picked up."),
		ringing:  gauge("line_dialling", "Numbers that this controller is ringing."),
		refused:  counters("callbacks_refused_total", "Callbacks not promised, or put off, by the limit that was met; where one holds back everybody, the half minutes in which it did.", "reason"),
		matched:  counter("line_matches_total", "Tickets this controller bound to an agent."),
		broken:   counter("line_broken_total", "Calls of dead nodes that this controller found, to be rung back."),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "ringback", Name: "line_step_seconds", Help: "How long each step of moving the line took.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"step"}),
		errors:   counters("line_errors_total", "Steps of moving the line that failed.", "step"),
		away:     gauge("line_store_away", "1 while promises go to the journal because Postgres does not answer."),
		kept:     counter("line_promises_journaled_total", "Promises made while Postgres was away."),
		replayed: counters("journal_replayed_total", "Records of the journal brought into Postgres, by kind.", "kind"),
		aside:    counter("journal_set_aside_total", "Records of the journal that Postgres would not take."),
	}
	for _, f := range queue.Fates {
		m.attempts.WithLabelValues(string(f))
	}
	for _, l := range queue.Limits {
		m.refused.WithLabelValues(string(l))
	}
	for _, s := range []step{stepSweep, stepMatch, stepTurns, stepReview, stepStop, stepBegin, stepResolve, stepBeat, stepMeasure, stepReplay} {
		m.errors.WithLabelValues(string(s))
	}
	all := []prometheus.Collector{
		m.oldest, m.agents, m.attempts, m.answered, m.ringing, m.refused, m.matched, m.broken,
		m.steps, m.errors, m.away, m.kept, m.replayed, m.aside,
	}
	for _, g := range m.tickets {
		all = append(all, g)
	}
	for _, c := range all {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("metrics of the line: %w", err)
		}
	}
	return m, nil
}

// Resolved counts an attempt that ended.
func (m *Metrics) Resolved(f queue.Fate) { m.attempts.WithLabelValues(string(f)).Inc() }

// measure shows how full the line is, until ctx ends.
func (d *Dispatcher) measure(ctx context.Context) {
	for {
		// What fails is counted; the loops beside this one log it.
		_ = d.step(ctx, stepMeasure, func(ctx context.Context) error {
			depths, err := d.Store.Depth(ctx)
			if err != nil {
				return err
			}
			agents, err := d.Store.Agents(ctx)
			if err != nil {
				return err
			}
			d.show(depths, agents)
			return nil
		})
		if !pause(ctx, d.pace.measure) {
			return
		}
	}
}

// show sets the gauges; what is not in the answer is 0.
func (d *Dispatcher) show(depths []queue.Depth, agents []queue.Agent) {
	now, due := d.Now(), 0
	for _, t := range queue.Topics {
		for s, g := range d.Metrics.tickets {
			g.WithLabelValues(string(t)).Set(0)
			if s.InLine() {
				d.Metrics.oldest.WithLabelValues(string(t), string(s)).Set(0)
			}
		}
	}
	for _, depth := range depths {
		if g := d.Metrics.tickets[depth.State]; g != nil {
			g.WithLabelValues(string(depth.Topic)).Set(float64(depth.Tickets))
		}
		if depth.State.InLine() && !depth.RangAt.IsZero() {
			d.Metrics.oldest.WithLabelValues(string(depth.Topic), string(depth.State)).Set(max(now.Sub(depth.RangAt), time.Duration(0)).Seconds())
		}
		if depth.State == queue.StateDue {
			due += depth.Tickets
		}
	}
	d.waiting.Store(int64(due))
	count := map[queue.AgentState]int{}
	for _, a := range agents {
		count[a.State]++
	}
	for _, s := range queue.AgentStates {
		d.Metrics.agents.WithLabelValues(string(s)).Set(float64(count[s]))
	}
}
