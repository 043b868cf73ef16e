package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ringback/demo"
)

// The settings of a run, from the environment.
const (
	envRun     = "RINGBACK_BENCH"         // 1: measure
	envOut     = "RINGBACK_BENCH_OUT"     // folder of results and plots; docs/measurements
	envScale   = "RINGBACK_BENCH_SCALE"   // below 1 for a quick try: fewer calls, shorter
	envPorts   = "RINGBACK_BENCH_PORTS"   // first of 6,000 ports for audio, and of a demo's
	envProfile = "RINGBACK_BENCH_PROFILE" // folder for CPU profiles of the controller; none
	envBinary  = "RINGBACK_BIN"           // the ringback program
)

// portBase is where the ports begin that cannot be chosen by the system.
const portBase = 54000

// measuring skips a measurement unless it is asked for. Measurements run one
// after another: two at a time would measure each other.
func measuring(t *testing.T) *report {
	t.Helper()
	if os.Getenv(envRun) != "1" {
		t.Skip("measurements are taken by: make bench")
	}
	r := &report{t: t, Name: strings.ToLower(strings.TrimPrefix(t.Name(), "Test")), began: time.Now()}
	r.Machine, r.Scale, r.LoadBefore = machine(), scale(1), load()
	return r
}

// scale makes a size smaller in a quick try.
func scale(n float64) float64 {
	if f, err := strconv.ParseFloat(os.Getenv(envScale), 64); err == nil && f > 0 {
		return n * f
	}
	return n
}

func scaled(n int) int { return max(1, int(scale(float64(n)))) }

func scaledFor(d time.Duration) time.Duration { return time.Duration(scale(float64(d))) }

func ports(t *testing.T) int {
	t.Helper()
	text := os.Getenv(envPorts)
	if text == "" {
		return portBase
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", envPorts, err)
	}
	return n
}

// tools are the programs of others, fetched if need be.
func tools(t *testing.T) demo.Tools {
	t.Helper()
	found, err := demo.Install(t.Context(), demo.Options{Out: os.Stdout})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// binary is the ringback program.
func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv(envBinary)
	if path == "" {
		path = filepath.Join("..", "bin", "ringback")
	}
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("the ringback program: %v; make build makes it", err)
	}
	return path
}

// folder is a new one with a short name: paths of sockets are bounded.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rbench-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// pause waits for d, or less when the measurement is over.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// until asks again and again, a few milliseconds apart, until f is content.
func until(t *testing.T, bound time.Duration, what string, f func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	for {
		err := f()
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("waited %s for %s: %v", bound, what, err)
		}
		pause(ctx, 3*time.Millisecond)
	}
}

// started is a program that ends with the measurement.
type started struct {
	cmd  *exec.Cmd
	over chan struct{}
}

func start(t *testing.T, cmd *exec.Cmd) *started {
	t.Helper()
	// Who is interrupted leaves nothing running (prctl(2), PR_SET_PDEATHSIG).
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &started{cmd: cmd, over: make(chan struct{})}
	go func() {
		defer close(s.over)
		_ = cmd.Wait() // it is ended by a signal
	}()
	t.Cleanup(func() { s.stop(syscall.SIGTERM) })
	return s
}

// stop ends it by a signal, and by force if it takes longer than 20 s.
func (s *started) stop(signal syscall.Signal) {
	select {
	case <-s.over:
		return
	default:
	}
	_ = s.cmd.Process.Signal(signal) // it may just have ended
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	select {
	case <-s.over:
	case <-late.C:
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		<-s.over
	}
}

// say shows that something moves.
func (r *report) say(format string, args ...any) {
	fmt.Printf("  %6.1fs  %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}
