package e2e

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ringback/ivr/ivrtest"
	"ringback/prompts"
)

// controller is one that a test runs itself, beside a demo without one.
type controller struct {
	cmd   *exec.Cmd
	ended chan error
}

// startController starts one; it takes the line as soon as it can. Env are
// settings in the form NAME=value.
func (h *hotline) startController(t *testing.T, env ...string) *controller {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(h.dir, "log", "controller.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c := &controller{cmd: exec.Command(binary, "serve", "--config", filepath.Join(h.dir, "ringback.yaml")), ended: make(chan error, 1)}
	c.cmd.Env = append(append(os.Environ(), patient...), env...)
	c.cmd.Stdout, c.cmd.Stderr = log, log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.ended <- c.cmd.Wait() }()
	t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	return c
}

// end sends a signal that ends the process, and waits for the end.
func (c *controller) end(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Error(err)
		return
	}
	select {
	case <-c.ended:
	case <-time.After(time.Minute):
		t.Errorf("the controller did not end a minute after %v", s)
	}
}

// book goes by ivrtest.Answers, whatever happens in between, until the hotline
// hangs up. A date of birth that is not the caller's is corrected.
func (c *caller) book(ctx context.Context) (heard []prompts.Key, err error) {
	for {
		lines, err := c.Hear(ctx)
		if errors.Is(err, io.EOF) {
			return heard, nil
		}
		if err != nil {
			return heard, err
		}
		for _, l := range lines {
			heard = append(heard, l.Key)
		}
		last := lines[len(lines)-1]
		keys := ivrtest.Answers[last.Key]
		if last.Key == "born.read" && !strings.Contains(last.Text, "24. Dezember 1935") {
			keys = "2"
		}
		if keys == "" {
			continue
		}
		if err := c.Press(ctx, keys); err != nil {
			return heard, err
		}
	}
}

// untilReady waits until a call is taken.
func (h *hotline) untilReady(t *testing.T) {
	t.Helper()
	until(t, "the controller to be ready", func() bool {
		resp, err := http.Get(h.info.Web + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// booked checks that the caller of a number holds one appointment, and that
// the call knows it.
func (h *hotline) booked(t *testing.T, number string) {
	t.Helper()
	if last := h.lastCall(t, number); last.Outcome.Result != "booked" {
		t.Errorf("the call of %s ended as %v", number, last.Outcome)
	}
	if n := h.count(t, `SELECT count(*) FROM appointments a JOIN persons p ON p.id = a.person_id
		WHERE p.number = $1 AND p.born = '1935-12-24' AND a.state = 'booked'`, number); n != 1 {
		t.Errorf("%s holds %d appointments", number, n)
	}
	if n := h.count(t, `SELECT count(*) FROM calls WHERE number = $1`, number); n != 1 {
		t.Errorf("%s made one call, and %d are written", number, n)
	}
}

// TestTwentyKills: the controller is killed twenty times at random moments, and
// every caller books.
func TestTwentyKills(t *testing.T) {
	t.Parallel()
	const kills, lines = 20, 4
	h := own(t, "--no-controller")
	ctl := h.startController(t)
	h.untilReady(t)

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	over := make(chan struct{})
	var callers sync.WaitGroup
	var mu sync.Mutex
	calls, taken := 0, 0
	for range lines {
		callers.Go(func() {
			for {
				number := newNumber()
				heard, err := h.ring(t, number).book(ctx)
				if err != nil {
					t.Errorf("%s after %v: %v", number, heard, err)
					return
				}
				h.booked(t, number)
				mu.Lock()
				calls++
				for _, k := range heard {
					if k == prompts.StillHere.Key {
						taken++
					}
				}
				mu.Unlock()
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	for range kills {
		select {
		case <-time.After(time.Second + time.Duration(random.Int64N(int64(6*time.Second)))):
		case <-ctx.Done():
			t.Fatal("no time is left")
		}
		ctl.end(t, syscall.SIGKILL)
		ctl = h.startController(t)
	}
	close(over)
	callers.Wait()
	t.Logf("%d calls booked; %d times one of them heard that somebody is still there", calls, taken)
	if taken == 0 {
		t.Error("nobody was taken over")
	}
	ctl.end(t, syscall.SIGTERM)
}

// TestUpgrade: a controller that gives way on purpose, and one that is replaced
// by a second one, leave their callers to the next.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	h := own(t, "--no-controller")
	first := h.startController(t)
	h.untilReady(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	number := newNumber()
	c := h.ring(t, number)
	c.expect(ctx, "main.menu")
	if err := c.Press(ctx, "1"); err != nil {
		t.Fatal(err)
	}
	c.expect(ctx, "born.ask")

	first.end(t, syscall.SIGUSR2)
	second := h.startController(t)
	c.expect(ctx, prompts.StillHere.Key)
	c.expect(ctx, "born.ask")

	// The second one listens elsewhere: both run at once for a moment.
	third := h.startController(t, "RINGBACK_HTTP_LISTEN=127.0.0.1:0")
	select {
	case err := <-second.ended:
		if err != nil {
			t.Errorf("who was replaced ended with %v", err)
		}
	case <-ctx.Done():
		t.Fatal("two controllers run side by side")
	}
	c.expect(ctx, prompts.StillHere.Key)
	c.expect(ctx, "born.ask")
	if err := c.Press(ctx, ivrtest.Born); err != nil {
		t.Fatal(err)
	}
	if heard, err := c.book(ctx); err != nil {
		t.Fatalf("after %v: %v", heard, err)
	}
	third.end(t, syscall.SIGTERM)
	if n := h.count(t, `SELECT count(*) FROM appointments a JOIN persons p ON p.id = a.person_id WHERE p.number = $1`, number); n != 1 {
		t.Errorf("%d appointments", n)
	}
}
