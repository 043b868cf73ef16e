package asterisk_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ringback/asterisk"
	"ringback/asterisk/aritest"
	"ringback/ivr"
	"ringback/prompts"
	"ringback/speech"
)

// patience is how long a test waits for what must happen.
const patience = 2 * time.Minute

// rig is a line to a fake Asterisk.
type rig struct {
	t       testing.TB
	server  *aritest.Server
	options asterisk.Options
	line    *asterisk.Line
	metrics *prometheus.Registry
	stop    func()     // ends Run
	ended   chan error // what Run returned
}

// setup runs a line whose calls the handler leads, once it is ready. Change may
// alter what is set up.
func setup(t testing.TB, handler asterisk.Handler, change ...func(*rig)) *rig {
	t.Helper()
	r := prepare(t, handler, change...)
	r.start()
	return r
}

// setupInMemory is setup without a network, for a test in virtual time.
func setupInMemory(t testing.TB, handler asterisk.Handler) *rig {
	t.Helper()
	server := aritest.NewInMemory(t)
	r := prepareOn(t, server, handler, func(r *rig) { r.options.Dial = server.Connect })
	r.start()
	return r
}

// prepare makes a line and does not run it.
func prepare(t testing.TB, handler asterisk.Handler, change ...func(*rig)) *rig {
	t.Helper()
	return prepareOn(t, aritest.New(t), handler, change...)
}

func prepareOn(t testing.TB, server *aritest.Server, handler asterisk.Handler, change ...func(*rig)) *rig {
	t.Helper()
	r := &rig{t: t, server: server, metrics: prometheus.NewRegistry()}
	r.server.Length = func(media string) time.Duration { return lengthOf(media) }
	r.options = asterisk.Options{
		URL: r.server.URL(), User: aritest.User, Password: aritest.Password, App: aritest.App, Region: "DE",
		Logger: slog.New(slog.DiscardHandler), Registerer: r.metrics,
	}
	for _, f := range change {
		f(r)
	}
	line, err := asterisk.New(r.options, voice{}, handler)
	if err != nil {
		t.Fatal(err)
	}
	r.line = line
	return r
}

func (r *rig) start() {
	r.t.Helper()
	r.run()
	r.until("ready", r.line.Ready)
}

func (r *rig) run() {
	ctx, cancel := context.WithCancel(context.Background())
	r.ended = make(chan error, 1)
	r.stop = cancel
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		r.ended <- r.line.Run(ctx)
	}()
	r.t.Cleanup(func() {
		cancel()
		select {
		case <-finished:
		case <-time.After(patience):
			r.t.Error("the line did not stop")
		}
	})
}

// until waits for a condition that no signal tells of, by looking again after
// every millisecond.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			r.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// playing waits for the next prompt of a caller.
func (r *rig) playing(c *aritest.Caller) string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	media, err := c.WaitPlaying(ctx)
	if err != nil {
		r.t.Fatalf("waiting for a prompt: %v", err)
	}
	return media
}

// rung waits for the next telephone that is rung.
func (r *rig) rung() *aritest.Caller {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	c, err := r.server.WaitRung(ctx)
	if err != nil {
		r.t.Fatalf("waiting for a telephone to ring: %v", err)
	}
	return c
}

// await waits for something of a caller.
func (r *rig) await(what string, wait func(context.Context) error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	if err := wait(ctx); err != nil {
		r.t.Fatalf("waiting for %s: %v", what, err)
	}
}

// music waits until music sounds to a caller, or none does.
func (r *rig) music(c *aritest.Caller, sounds bool) {
	r.t.Helper()
	r.await("music", func(ctx context.Context) error { return c.WaitMusic(ctx, sounds) })
}

// clean waits until nothing is left over in Asterisk.
func (r *rig) clean() {
	r.t.Helper()
	r.until("nothing left over", func() bool { return r.server.Channels() == 0 && r.server.Bridges() == 0 })
	r.until("no telephone in the books", func() bool {
		return r.metrics == nil || r.count("ringback_ari_legs") == 0 && r.count("ringback_ari_calls_out_ringing") == 0
	})
	r.until("no line in use", func() bool {
		total, out := r.line.InUse()
		return total == 0 && out == 0
	})
}

// count is the sum of a metric over its labels.
func (r *rig) count(name string) float64 {
	r.t.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	var sum float64
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return sum
}

// receive takes what must come from a channel.
func receive[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain: %s", what)
		panic("unreachable")
	}
}

// wantErr fails the test unless err is want.
func wantErr(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

// The lines of the tests: how long each sounds. "none" is a file that is
// missing, "unspoken" a line that no voice speaks, "slow" one that is spoken
// only once somebody waits for it no longer.
var lengths = map[string]time.Duration{
	"short": 5 * time.Millisecond,
	"long":  time.Minute,
	"code":  50 * time.Millisecond,
	"none":  -1,
}

var errUnspoken = errors.New("no voice speaks this")

type voice struct{}

func (voice) Clip(ctx context.Context, _ prompts.Manner, lines ...prompts.Line) (speech.Clip, error) {
	key := string(lines[0].Key)
	switch key {
	case "unspoken":
		return speech.Clip{}, errUnspoken
	case "slow":
		<-ctx.Done()
		return speech.Clip{}, ctx.Err()
	}
	return speech.Clip{Path: "/prompts/" + key, Duration: max(lengths[key], 0)}, nil
}

func mediaOf(key string) string { return "sound:/prompts/" + key }

func lengthOf(media string) time.Duration { return lengths[media[len(mediaOf("")):]] }

// say is an utterance of one line.
func say(key string) ivr.Utterance {
	return ivr.Utterance{Lines: []prompts.Line{{Key: prompts.Key(key)}}}
}

// labelled is a counter's value for one value of its only label.
func (r *rig) labelled(name, label string) float64 {
	r.t.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && len(m.GetLabel()) == 1 && m.GetLabel()[0].GetValue() == label {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// requested is how many requests of an operation were answered.
func (r *rig) requested(operation string) uint64 {
	r.t.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "ringback_ari_request_seconds" && m.GetLabel()[0].GetValue() == operation {
				return m.GetHistogram().GetSampleCount()
			}
		}
	}
	return 0
}
