package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ringback/asterisk"
	"ringback/config"
	"ringback/ivr"
	"ringback/prompts"
)

// diary is a log that can be read while it is written.
type diary struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *diary) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *diary) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// controller is a program on a free port whose stores open as the test says.
func controller(t *testing.T, open func(context.Context) (*stores, error)) (*program, *diary) {
	t.Helper()
	c, err := config.Load("")
	if err != nil {
		t.Fatal(err)
	}
	c.HTTP.Listen, c.Intake.Listen, c.Journal.Dir = "127.0.0.1:0", "127.0.0.1:0", t.TempDir()
	c.Asterisk.Password = "secret"
	c.API.Keys = []config.Secret{"0123456789abcdef"}
	j := &diary{}
	p, err := newProgram(c, newLogger(c.Log, j))
	if err != nil {
		t.Fatal(err)
	}
	p.open = func(ctx context.Context, _ config.Config, _ *slog.Logger) (*stores, error) { return open(ctx) }
	return p, j
}

// never is a Postgres that does not answer.
func never(ctx context.Context) (*stores, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func fetch(t *testing.T, p *program, path string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.server.Address()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer 0123456789abcdef")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestPagesAnswerBeforePostgresDoes(t *testing.T) {
	t.Parallel()
	p, _ := controller(t, never)
	signals := make(chan os.Signal, 2)
	ran := make(chan error, 1)
	go func() { ran <- untilStopped(t.Context(), p, signals, func() {}) }()

	if r, _ := fetch(t, p, "/healthz"); r.StatusCode != 200 {
		t.Errorf("healthz: %s", r.Status)
	}
	r, body := fetch(t, p, "/readyz")
	if r.StatusCode != 503 || !strings.Contains(body, errNoStores.Error()) || !strings.Contains(body, errNoLine.Error()) {
		t.Errorf("readyz: %s %s", r.Status, body)
	}
	if r, body = fetch(t, p, "/api/v1/calls"); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("calls: %s %s", r.Status, body)
	}
	if r, body = fetch(t, p, "/metrics"); r.StatusCode != 200 || !strings.Contains(body, "ringback_build_info{") ||
		!strings.Contains(body, `ringback_calls_ended_total{result="booked"} 0`) || !strings.Contains(body, "go_goroutines") {
		t.Errorf("metrics: %s %s", r.Status, body)
	}
	if r, body = fetch(t, p, "/"); r.StatusCode != 200 || !strings.Contains(body, "116117") {
		t.Errorf("front page: %s %s", r.Status, body)
	}

	signals <- syscall.SIGTERM
	if err := <-ran; err != nil {
		t.Errorf("stopped while starting with %v", err)
	}
	p.Drain() // once more does no harm
}

func TestStoppedBeforeItStarted(t *testing.T) {
	t.Parallel()
	p, _ := controller(t, never)
	p.Drain()
	p.Drain()
	if err := p.Run(t.Context()); err != nil {
		t.Error(err)
	}

	p, _ = controller(t, never)
	ended, end := context.WithCancel(t.Context())
	end()
	if err := p.Run(ended); err != nil {
		t.Error(err)
	}
}

func TestRefusesAnOldSchema(t *testing.T) {
	t.Parallel()
	p, _ := controller(t, func(context.Context) (*stores, error) {
		return nil, fmt.Errorf("%w: its schema is at version 1 and this program needs 5", errSchema)
	})
	if err := p.Run(t.Context()); !errors.Is(err, errSchema) {
		t.Errorf("got %v", err)
	}
}

func TestWaitsForPostgresAndSaysWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		j := &diary{}
		want := &stores{}
		p := &program{log: slog.New(slog.NewTextHandler(j, nil))}
		p.open = func(context.Context, config.Config, *slog.Logger) (*stores, error) {
			if time.Since(began) < 12*time.Second {
				return nil, errors.New("connection refused")
			}
			return want, nil
		}
		got, err := p.waitForStores(t.Context())
		if err != nil || got != want {
			t.Fatalf("got %v, %v", got, err)
		}
		if n := strings.Count(j.String(), `msg="waiting for Postgres" err="connection refused"`); n != 3 {
			t.Errorf("said %d times in 12 s:\n%s", n, j)
		}
	})
}

func TestSettingsThatCannotWork(t *testing.T) {
	t.Parallel()
	c, err := config.Load("")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	var faults config.Faults
	if _, err := newProgram(c, log); !errors.As(err, &faults) || faults[0].Key != "asterisk.password" {
		t.Errorf("without a password: %v", err)
	}
	c.Asterisk.Password, c.Call.DefaultLanguage = "secret", "xx"
	if _, err := newProgram(c, log); !errors.As(err, &faults) || faults[0].Key != "call.default_language" {
		t.Errorf("with a language nobody wrote: %v", err)
	}
	taken, _ := controller(t, never)
	defer taken.server.Close()
	c.Call.DefaultLanguage, c.HTTP.Listen = "de", taken.server.Address()
	if _, err := newProgram(c, log); err == nil || !strings.Contains(err.Error(), "http.listen") {
		t.Errorf("with an address that is taken: %v", err)
	}
}

// fakeLine has the calls it is given; each ends after its time.
type fakeLine struct {
	mu    sync.Mutex
	calls map[uuid.UUID]bool
	idle  chan struct{}
	taken error // ends Run
}

func newFakeLine(durations ...time.Duration) *fakeLine {
	l := &fakeLine{calls: map[uuid.UUID]bool{}, idle: make(chan struct{})}
	var all sync.WaitGroup
	for _, d := range durations {
		id := uuid.New()
		l.calls[id] = true
		all.Go(func() {
			<-time.After(d) // in the virtual time of the test
			l.mu.Lock()
			delete(l.calls, id)
			l.mu.Unlock()
		})
	}
	go func() { all.Wait(); close(l.idle) }()
	return l
}

func (l *fakeLine) Run(ctx context.Context) error {
	if l.taken != nil {
		return l.taken
	}
	<-ctx.Done()
	return nil
}

func (l *fakeLine) Drain() {}

func (l *fakeLine) Release() {}

func (l *fakeLine) Calls() []ivr.Info {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []ivr.Info
	for id := range l.calls {
		all = append(all, ivr.Info{ID: id})
	}
	return all
}

func (l *fakeLine) Wait(ctx context.Context) error {
	select {
	case <-l.idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// silent is an ivr.Log nobody reads.
type silent struct{}

func (silent) Began(ivr.Info)                                             {}
func (silent) Noted(uuid.UUID, ivr.Entry)                                 {}
func (silent) Entered(uuid.UUID, ivr.SceneName, prompts.Language, []byte) {}
func (silent) Ended(uuid.UUID, time.Time, ivr.Outcome)                    {}

func TestDraining(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		durations []time.Duration
		drain     time.Duration // of the configuration
		second    time.Duration // when the second signal comes; 0: never
		want      time.Duration // until Take returns
		finishing int           // calls logged as let finish
		ended     int           // calls logged as ended by the stop
	}{
		{"no calls", nil, time.Minute, 0, 0, 0, 0},
		{"calls end by themselves", []time.Duration{time.Second, 20 * time.Second}, time.Minute, 0, 20 * time.Second, 2, 0},
		{"one call takes too long", []time.Duration{time.Second, time.Hour}, time.Minute, 0, time.Minute, 2, 1},
		{"second signal", []time.Duration{time.Hour, time.Hour}, time.Minute, 3 * time.Second, 3 * time.Second, 2, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				j := &diary{}
				p := &program{config: config.Config{Drain: tt.drain}, log: slog.New(slog.NewTextHandler(j, nil))}
				p.drained, p.Drain = context.WithCancel(t.Context())
				p.handed, p.HandOver = context.WithCancel(t.Context())
				line := newFakeLine(tt.durations...)
				watched := newScenes(silent{})
				for _, c := range line.Calls() {
					watched.Entered(c.ID, "choose", "de", nil)
				}
				ctx, end := context.WithCancel(t.Context())
				defer end()
				p.Drain()
				if tt.second > 0 {
					time.AfterFunc(tt.second, end)
				}
				began := time.Now()
				if err := p.take(ctx, line, watched); err != nil {
					t.Error(err)
				}
				if got := time.Since(began); got != tt.want {
					t.Errorf("took %s, want %s", got, tt.want)
				}
				if n := strings.Count(j.String(), `msg="call is let finish" call_id=`); n != tt.finishing {
					t.Errorf("%d calls are said to finish, want %d:\n%s", n, tt.finishing, j)
				}
				if n := strings.Count(j.String(), `msg="call is ended by the stop" call_id=`); n != tt.ended {
					t.Errorf("%d calls are said to be ended, want %d:\n%s", n, tt.ended, j)
				}
				if strings.Count(j.String(), "call_id=") != strings.Count(j.String(), "scene=choose") {
					t.Errorf("a scene is missing:\n%s", j)
				}
				<-line.idle // the fake's calls end with the test
			})
		})
	}
}

func TestAnotherControllerTakesOver(t *testing.T) {
	t.Parallel()
	j := &diary{}
	p := &program{log: slog.New(slog.NewTextHandler(j, nil))}
	p.drained, p.Drain = context.WithCancel(t.Context())
	p.handed, p.HandOver = context.WithCancel(t.Context())
	line := newFakeLine()
	line.taken = fmt.Errorf("read events: %w", asterisk.ErrReplaced)
	if err := p.take(t.Context(), line, newScenes(silent{})); err != nil || !strings.Contains(j.String(), "took over") {
		t.Errorf("%v, log:\n%s", err, j)
	}
	line.taken = errors.New("something else")
	if err := p.take(t.Context(), line, newScenes(silent{})); !errors.Is(err, line.taken) {
		t.Errorf("got %v", err)
	}
}

func TestScenesForgetCallsThatEnded(t *testing.T) {
	t.Parallel()
	s := newScenes(silent{})
	id := uuid.New()
	s.Entered(id, "welcome", "de", nil)
	s.Entered(id, "choose", "de", nil)
	if got := s.of(id); got != "choose" {
		t.Errorf("the call is in %q", got)
	}
	s.Ended(id, time.Now(), ivr.Outcome{})
	if len(s.now) != 0 {
		t.Errorf("%v is remembered", s.now)
	}
}

func TestVoices(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	missing := filepath.Join(t.TempDir(), "no-such-program")
	c := config.Speech{
		Dir: t.TempDir(), Pico: missing, Espeak: missing,
		Voices: map[prompts.Language][]config.Engine{"de": {config.EnginePico, config.EngineEspeak}, "en": {config.EngineEspeak}},
	}
	texts := prompts.Default()
	if _, err := newRenderer(t.Context(), c, texts, log); err == nil || !strings.Contains(err.Error(), "speech.voices") {
		t.Errorf("without a voice: %v", err)
	}
	c.HTTP = "http://127.0.0.1:1/speak"
	c.Voices["de"] = append(c.Voices["de"], config.EngineHTTP)
	if _, err := newRenderer(t.Context(), c, texts, log); err == nil {
		t.Error("English has no voice, and nobody minded")
	}
	c.Command = "speak --lang {lang}"
	c.Voices["en"] = append(c.Voices["en"], config.EngineCommand)
	if _, err := newRenderer(t.Context(), c, texts, log); err != nil {
		t.Errorf("with a voice for each language: %v", err)
	}
}

func TestLogFollowsItsSettings(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := newLogger(config.Log{Level: "warn", Format: "json"}, &out)
	log.Info("not told")
	log.Warn("told")
	var line struct{ Msg, Level string }
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Msg != "told" || line.Level != "WARN" {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestServeHelpExplainsTheSettings(t *testing.T) {
	t.Parallel()
	if help := serveHelp(); !strings.Contains(help, "asterisk.longest_call") || !strings.Contains(help, "SIGTERM") {
		t.Errorf("help is\n%s", help)
	}
}

func TestReadinessKeepsAddressesToItself(t *testing.T) {
	t.Parallel()
	p := &program{}
	p.stores.Store(&stores{Ping: func(context.Context) error { return errors.New("dial tcp 10.0.0.7:5432: refused") }})
	if err := p.postgres(t.Context()); !errors.Is(err, errAway) || strings.Contains(err.Error(), "10.0.0.7") {
		t.Errorf("got %v", err)
	}
	p.stores.Store(&stores{Ping: func(context.Context) error { return nil }})
	if err := p.postgres(t.Context()); err != nil {
		t.Errorf("got %v", err)
	}
}
