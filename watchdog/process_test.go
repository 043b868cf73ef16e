package watchdog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test program play a controller, "serve ADDRESS", and
// something else, "other ADDRESS".
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && (os.Args[1] == "serve" || os.Args[1] == "other") {
		// Where the tests that started it ended without it, nobody needs it.
		time.AfterFunc(time.Minute, func() { os.Exit(2) })
		fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Args[2], http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// played is a process that plays a controller.
type played struct {
	t     *testing.T
	cmd   *exec.Cmd
	ended chan struct{}
}

func play(t *testing.T, role, address string) *played {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &played{t: t, cmd: exec.Command(program, role, address), ended: make(chan struct{})}
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how it ended is in ProcessState
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	until(t, role+" answers", func() bool {
		resp, err := http.Get("http://" + address)
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	return p
}

func (p *played) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// killed waits for the process to be killed.
func (p *played) killed(within time.Duration) {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		p.t.Fatalf("not ended after %v", within)
	}
	if s, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
		p.t.Errorf("it ended with %v", p.cmd.ProcessState)
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// node is a machine with a place for one controller.
type node struct{ address, pidFile string }

func newNode(t *testing.T) node {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return node{address: l.Addr().String(), pidFile: filepath.Join(t.TempDir(), "controller.pid")}
}

func (n node) name(t *testing.T, pid int) {
	t.Helper()
	if err := os.WriteFile(n.pidFile, []byte(strconv.Itoa(pid)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// frozenAfter is short for the sake of the tests, and long for a busy machine.
const frozenAfter = 2 * time.Second

// watch runs a watchdog until the test ends.
func (n node) watch(t *testing.T) {
	t.Helper()
	w, err := New(Options{
		Exchange: &exchange{began: time.Now(), present: func(time.Duration) (string, error) { return "", errors.New("not asked here") }},
		Address:  n.address, PIDFile: n.pidFile, Interval: frozenAfter / 4, Frozen: frozenAfter,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A frozen controller is ended, and the next one that freezes as well.
func TestFrozenControllerIsEnded(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	first := play(t, "serve", n.address)
	n.name(t, first.cmd.Process.Pid)
	n.watch(t)
	for range 2 {
		first.signal(syscall.SIGSTOP)
		began := time.Now()
		first.killed(20 * time.Second)
		if took := time.Since(began); took < frozenAfter/4 {
			t.Errorf("ended after %v already", took)
		}
		first = play(t, "serve", n.address)
		n.name(t, first.cmd.Process.Pid)
	}
}

// Whoever is not a controller of this program is not ended, whatever the file
// says: a number may have been given away since.
func TestOnlyControllersAreEnded(t *testing.T) {
	t.Parallel()
	sleeper := exec.Command("sleep", "60")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = sleeper.Process.Kill(), sleeper.Wait() })
	n := newNode(t)
	other := play(t, "other", n.address)
	w, err := New(Options{Exchange: &exchange{}, Address: n.address, PIDFile: n.pidFile})
	if err != nil {
		t.Fatal(err)
	}
	for what, pid := range map[string]int{
		"another program": sleeper.Process.Pid, "another command": other.cmd.Process.Pid, "nobody": 1 << 30, "a group": -1,
	} {
		n.name(t, pid)
		if p := w.controller(); p.pid != 0 {
			t.Errorf("%s is taken for a controller: %+v", what, p)
		}
	}
	n.name(t, play(t, "serve", newNode(t).address).cmd.Process.Pid)
	if p := w.controller(); p.pid == 0 || p.start == "" {
		t.Error("a controller is not found")
	}
	if err := os.Remove(n.pidFile); err != nil {
		t.Fatal(err)
	}
	if p := w.controller(); p.pid != 0 {
		t.Errorf("without a file: %+v", p)
	}
}

// A controller that is slow, or that serves its pages elsewhere, is not frozen.
func TestSlowIsNotFrozen(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	slow := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		select {
		case <-time.After(frozenAfter * 2 / 3):
			w.WriteHeader(http.StatusInternalServerError) // an answer all the same
		case <-r.Context().Done():
		}
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = slow.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = slow.Close() })

	elsewhere := newNode(t)
	for what, address := range map[string]string{"slow": l.Addr().String(), "elsewhere": elsewhere.address} {
		n := newNode(t)
		c := play(t, "serve", newNode(t).address)
		n.name(t, c.cmd.Process.Pid)
		n.address = address
		n.watch(t)
		t.Cleanup(func() {
			select {
			case <-c.ended:
				t.Errorf("%s: it was ended", what)
			default:
			}
		})
	}
	until(t, "many questions", func() bool { return asked.Load() > 12 })
}

func TestAliveURL(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"127.0.0.1:8080":  "http://127.0.0.1:8080/healthz",
		":8080":           "http://127.0.0.1:8080/healthz",
		"0.0.0.0:8080":    "http://127.0.0.1:8080/healthz",
		"[::]:8080":       "http://127.0.0.1:8080/healthz",
		"[2001:db8::1]:1": "http://[2001:db8::1]:1/healthz",
		"8080":            "",
	} {
		got, err := aliveURL(address)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q, %v", address, got, err)
		}
	}
}
