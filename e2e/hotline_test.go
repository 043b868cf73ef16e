package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"ringback/demo"
	"ringback/phone"
	"ringback/phone/listen"
	"ringback/prompts"
)

// hotline is a running demo.
type hotline struct {
	dir  string
	info demo.Info
	db   *pgxpool.Pool
	stop func() // ends it, and returns when it has ended

	opening sync.Mutex
	known   *listen.Library // nil until somebody listens
}

// patient are the settings of the controllers of these tests: a busy machine
// listens slowly, and nobody should be taken for silent.
var patient = []string{
	"RINGBACK_CALL_FIRST_KEY=15s", "RINGBACK_CALL_BETWEEN_KEYS=8s", "RINGBACK_CALL_READY=10s",
}

// own starts a hotline for one test, which may do to it what others could not
// bear. It waits until there are ports for it. Flags are those of ringback demo.
func own(t *testing.T, flags ...string) *hotline {
	t.Helper()
	return ownWith(t, nil, flags...)
}

// ownWith is own with settings in the form NAME=value.
func ownWith(t *testing.T, settings []string, flags ...string) *hotline {
	t.Helper()
	// Not t.TempDir: a database and its sockets need a short path others may enter.
	dir, err := os.MkdirTemp("", "ringback-e2e-own-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	// What is spoken already need not be spoken again.
	spoken := filepath.Join("sounds", "fixed")
	if err := os.CopyFS(filepath.Join(dir, spoken), os.DirFS(filepath.Join(system.dir, spoken))); err != nil {
		t.Fatal(err)
	}
	base := <-freeBases
	t.Cleanup(func() { freeBases <- base })
	h, err := start(dir, base, settings, flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.stop)
	t.Cleanup(func() {
		if t.Failed() {
			h.tellLog(t)
		}
	})
	return h
}

// tellLog shows the last that the controllers wrote: the folder is removed.
func (h *hotline) tellLog(t *testing.T) {
	t.Helper()
	const most = 80
	text, err := os.ReadFile(filepath.Join(h.dir, "log", "controller.log"))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	t.Logf("%v; the controllers wrote:\n%s", err, strings.Join(lines[max(0, len(lines)-most):], "\n"))
}

// start runs a demo until it says ready.
func start(dir string, portBase int, settings []string, flags ...string) (*hotline, error) {
	args := append([]string{"demo", "--dir", dir, "--port-base", strconv.Itoa(portBase)}, flags...)
	cmd := exec.Command(binary, args...)
	cmd.Env = append(append(os.Environ(), patient...), settings...)
	cmd.Stderr = os.Stderr
	// A test that is killed must not leave a hotline behind.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	ready := make(chan struct{})
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			fmt.Printf("demo %d: %s\n", portBase, lines.Text())
			if strings.HasPrefix(lines.Text(), "ready") {
				close(ready)
				break
			}
		}
		_, _ = io.Copy(io.Discard, out)
		ended <- cmd.Wait()
	}()
	h := &hotline{dir: dir}
	h.stop = func() {
		if h.db != nil {
			h.db.Close()
		}
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(time.Minute):
			_ = cmd.Process.Kill()
			<-ended
		}
	}
	select {
	case <-ready:
	case err := <-ended:
		return nil, fmt.Errorf("the demo ended before it was ready: %w", err)
	case <-time.After(10 * time.Minute):
		h.stop()
		return nil, errors.New("the demo was not ready after ten minutes")
	}
	if err := h.open(); err != nil {
		h.stop()
		return nil, err
	}
	return h, nil
}

// open reads how the hotline is reached.
func (h *hotline) open() error {
	b, err := os.ReadFile(filepath.Join(h.dir, "demo.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &h.info); err != nil {
		return err
	}
	h.db, err = pgxpool.New(context.Background(), h.info.Database)
	return err
}

// ring rings the hotline as somebody who knows its prompts.
func (h *hotline) ring(t *testing.T, from string) *caller {
	t.Helper()
	return h.ringKnowing(t, from, h.prompts(t))
}

// ringKnowing rings the hotline as somebody who knows the prompts of a library.
func (h *hotline) ringKnowing(t *testing.T, from string, known *listen.Library) *caller {
	t.Helper()
	return answered(t, telephone, phone.CallOptions{To: "sip:" + h.info.Number + "@" + h.info.SIP, From: from}, known)
}

// answered rings with all options, as somebody who knows the prompts of a library.
func answered(t *testing.T, p *phone.Phone, o phone.CallOptions, known *listen.Library) *caller {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	call, err := p.Dial(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	return onTheLine(t, call, known)
}

// onTheLine is who is in a call, and hangs up when the test ends.
func onTheLine(t *testing.T, call *phone.Call, known *listen.Library) *caller {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = call.HangUp(ctx)
	})
	return &caller{t: t, call: call, known: known, listener: listen.NewListener(known), began: map[prompts.Key]time.Duration{}}
}

// sounds is where the hotline keeps its prompts.
func (h *hotline) sounds() string { return filepath.Join(h.dir, "sounds") }

// prompts are the prompts of the hotline, those included that are spoken later.
// To read them takes a second or so: it is done once.
func (h *hotline) prompts(t *testing.T) *listen.Library {
	t.Helper()
	h.opening.Lock()
	defer h.opening.Unlock()
	if h.known == nil {
		h.known = library(t, h.sounds())
	}
	return h.known
}

func library(t *testing.T, dir string) *listen.Library {
	t.Helper()
	lib, err := listen.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

// pid reads the number of a process of the hotline.
func (h *hotline) pid(t *testing.T, name string) int {
	t.Helper()
	n, err := h.readPid(name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (h *hotline) readPid(name string) (int, error) {
	b, err := os.ReadFile(filepath.Join(h.dir, name))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

// record is a call as the API shows it.
type record struct {
	ID         string     `json:"id"`
	Number     string     `json:"number"`
	StartedAt  time.Time  `json:"started_at"`
	EndedAt    *time.Time `json:"ended_at"`
	Language   string     `json:"language"`
	Scene      string     `json:"scene"`
	Outcome    *struct{ Result, Reason string }
	Transcript []entry
}

type entry struct {
	At         time.Time
	Kind, Line string
	Text, Keys string
}

// story is what was said and pressed, one thing a line.
func (r record) story() string {
	var b strings.Builder
	for _, e := range r.Transcript {
		fmt.Fprintf(&b, "%5.1f s  %s %s %s\n", e.At.Sub(r.StartedAt).Seconds(), e.Kind, e.Line, e.Keys)
	}
	return b.String()
}

// calls asks the API for the calls of a number, newest first.
func (h *hotline) calls(ctx context.Context, number string) ([]record, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.info.API+"/calls", nil)
	if err != nil {
		return nil, err
	}
	q := req.URL.Query()
	q.Set("number", number)
	req.URL.RawQuery = q.Encode()
	req.Header.Set("Authorization", "Bearer "+h.info.APIKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(resp.Body)
		return nil, fmt.Errorf("%s: %s", resp.Status, b)
	}
	var answer struct{ Calls []record }
	return answer.Calls, json.NewDecoder(resp.Body).Decode(&answer)
}

// lastCall waits until the newest call of a number has ended.
func (h *hotline) lastCall(t *testing.T, number string) record {
	t.Helper()
	var last record
	until(t, "the end of the call in the API", func() bool {
		all, err := h.calls(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == 0 || all[0].Outcome == nil {
			return false
		}
		last = all[0]
		return true
	})
	return last
}

// count is the one number a query returns.
func (h *hotline) count(t *testing.T, sql string, args ...any) int {
	t.Helper()
	var n int
	if err := h.db.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// until looks again and again for what no signal tells of.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	within(t, 30*time.Second, what, ok)
}

// within is until, for what may take that long.
func within(t *testing.T, longest time.Duration, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(longest)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
