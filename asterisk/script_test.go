package asterisk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ringback/asterisk"
	"ringback/asterisk/aritest"
	"ringback/e164"
	"ringback/ivr"
	"ringback/ivr/ivrtest"
	"ringback/prompts"
	"ringback/speech"
)

// TestScripts plays the transcripts of the calls over the fake ARI: the same
// that run in virtual time in ivr and by real calls in e2e.
func TestScripts(t *testing.T) {
	t.Parallel()
	scripts, err := ivrtest.Scripts(os.DirFS("../ivr/testdata"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scripts {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			playOverARI(t, s)
		})
	}
}

func playOverARI(t *testing.T, script ivrtest.Script) {
	if need := script.Needs("few lines are left", "no hour is free", "the caller asked not to be rung"); need != "" {
		t.Skipf("over ARI nobody plays this yet: %s", need)
	}
	w := ivrtest.NewWorld()
	if !slices.ContainsFunc(script.Given, func(f ivrtest.Fact) bool { return f.Text == "nothing is free" }) {
		w.Open(1)
	}
	for _, f := range script.Given {
		if err := w.Given(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	voice := &notingVoice{texts: prompts.Default()}
	hotline := w.Hotline(voice.texts)
	// Nobody presses keys late here: a second is a long silence.
	hotline.Timing.FirstKey, hotline.Timing.BetweenKeys = time.Second, time.Second/2
	hotline.Timing.AfterError, hotline.Timing.Ready, hotline.Timing.Grasp = 1, time.Second, 0

	server := aritest.New(t)
	server.Length = func(string) time.Duration { return 50 * time.Millisecond }
	outcome := make(chan ivr.Outcome, 1)
	r := &rig{t: t, server: server, metrics: prometheus.NewRegistry()}
	line, err := asterisk.New(asterisk.Options{
		URL: server.URL(), User: aritest.User, Password: aritest.Password, App: aritest.App, Region: "DE",
		Logger: hotline.Logger, Registerer: r.metrics,
	}, voice, func(ctx context.Context, c ivr.Call) { outcome <- hotline.Serve(ctx, c) })
	if err != nil {
		t.Fatal(err)
	}
	r.line = line
	r.run()
	r.until("ready", line.Ready)

	number := string(w.Caller)
	if w.Caller == e164.Withheld {
		number = "anonymous"
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := ivrtest.Perform(ctx, script, &ariPhone{server.Dial(number), voice}); err != nil {
		t.Error(err)
	}
	o := receive(t, "the end of the call", outcome)
	for _, f := range script.Then {
		if err := w.Check(f, o); err != nil {
			t.Errorf("%s: %v", script.Name, err)
		}
	}
}

// notingVoice speaks nothing and remembers which file says what.
type notingVoice struct {
	texts *prompts.Catalogue
	mu    sync.Mutex
	said  [][]ivrtest.Heard
}

func (v *notingVoice) Clip(_ context.Context, m prompts.Manner, lines ...prompts.Line) (speech.Clip, error) {
	var heard []ivrtest.Heard
	for _, l := range lines {
		t, err := v.texts.Text(m, l)
		if err != nil {
			return speech.Clip{}, err
		}
		heard = append(heard, ivrtest.Heard{Key: l.Key, Text: t.Written})
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.said = append(v.said, heard)
	return speech.Clip{Path: fmt.Sprintf("/said/%d", len(v.said)-1), Duration: 50 * time.Millisecond}, nil
}

// ariPhone is a caller of the fake ARI as a telephone.
type ariPhone struct {
	*aritest.Caller
	voice *notingVoice
}

func (p *ariPhone) Hear(ctx context.Context) ([]ivrtest.Heard, error) {
	media, err := p.WaitPlaying(ctx)
	if errors.Is(err, aritest.ErrDown) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, err
	}
	var n int
	if _, err := fmt.Sscanf(media, "sound:/said/%d", &n); err != nil {
		return nil, fmt.Errorf("%s: %w", media, err)
	}
	p.voice.mu.Lock()
	defer p.voice.mu.Unlock()
	return p.voice.said[n], nil
}

func (p *ariPhone) Press(_ context.Context, keys string) error {
	for i := range len(keys) {
		p.Caller.Press(keys[i])
	}
	return nil
}

func (p *ariPhone) Speak(context.Context) error {
	p.Caller.Speak(2 * time.Second)
	return nil
}

func (p *ariPhone) HangUp(context.Context) error {
	p.Caller.HangUp()
	return nil
}
