package main

import (
	"io"
	"log/slog"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"ringback/config"
	"ringback/ivr"
)

// newLogger returns the log of a controller. The packages put call_id on every
// line of a call.
func newLogger(c config.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(w, o)
	if c.Format == "json" {
		h = slog.NewJSONHandler(w, o)
	}
	return slog.New(h)
}

// newRegistry returns the metrics of the process and of its build.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "ringback_build_info",
		Help:        "Always 1; its labels say what is running.",
		ConstLabels: prometheus.Labels{"version": buildVersion(), "go": runtime.Version()},
	})
	build.Set(1)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build)
	return r
}

// newEnded counts calls by their result, from the start all at 0.
func newEnded(r prometheus.Registerer) *prometheus.CounterVec {
	ended := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ringback_calls_ended_total",
		Help: "Calls that ended, by result.",
	}, []string{"result"})
	for _, result := range []ivr.Result{ivr.Booked, ivr.Changed, ivr.Cancelled, ivr.Informed, ivr.Person, ivr.CalledBack, ivr.HungUp, ivr.Failed} {
		ended.WithLabelValues(string(result))
	}
	r.MustRegister(ended)
	return ended
}

// backlog is how the writing of transcripts keeps up.
type backlog interface {
	Waiting() int   // entries not written yet
	Dropped() int64 // entries given up while Postgres was away too long
	Refused() int64 // writes Postgres would not take
}

// watchCalls shows the backlog.
func watchCalls(r prometheus.Registerer, b backlog) {
	r.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "ringback_transcript_entries_waiting", Help: "Entries of transcripts not written yet.",
		}, func() float64 { return float64(b.Waiting()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "ringback_transcript_entries_dropped_total", Help: "Entries of transcripts given up because Postgres was away too long.",
		}, func() float64 { return float64(b.Dropped()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "ringback_transcript_writes_refused_total", Help: "Writes about calls that Postgres would not take.",
		}, func() float64 { return float64(b.Refused()) }),
	)
}
