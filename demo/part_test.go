package demo

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test program play a demo that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("DEMO_TEST_VICTIM"); dir != "" {
		victim(dir)
		return
	}
	os.Exit(m.Run())
}

// shell is a part that runs a script; it is ready when the script wrote "up".
func shell(dir, name, script string, out *notes) *part {
	p := &part{
		name: name,
		command: func() *exec.Cmd {
			c := exec.CommandContext(context.Background(), "sh", "-c", script)
			endTogether(c)
			return c
		},
		stop: []syscall.Signal{syscall.SIGTERM}, patience: time.Minute,
		pidFile: filepath.Join(dir, name+".pid"), logFile: filepath.Join(dir, name+".log"),
		out: out,
	}
	p.ready = func(ctx context.Context) error {
		return until(ctx, func(context.Context) error {
			text, err := os.ReadFile(p.logFile)
			if err == nil && !strings.Contains(string(text), "up\n") {
				err = os.ErrNotExist
			}
			return err
		})
	}
	return p
}

// notes is what a part tells a person, line by line.
type notes struct {
	mu    sync.Mutex
	text  bytes.Buffer
	lines chan string
}

func newNotes() *notes { return &notes{lines: make(chan string, 100)} }

func (n *notes) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines <- string(b)
	return n.text.Write(b)
}

func pidIn(t *testing.T, p *part) int {
	t.Helper()
	text, err := os.ReadFile(p.pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// lives says whether a process runs; one that ended and is not yet collected
// does not.
func lives(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}

func ends(t *testing.T, pid int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if until(ctx, func(context.Context) error {
		if lives(pid) {
			return os.ErrExist
		}
		return nil
	}) != nil {
		t.Errorf("process %d still runs", pid)
	}
}

func TestPartThatDiesIsStartedAgain(t *testing.T) {
	t.Parallel()
	out := newNotes()
	p := shell(t.TempDir(), "database", "echo up; exec sleep 1000", out)
	if err := p.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := pidIn(t, p)
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if line := <-out.lines; line != "database ended (signal: killed), it is started again\n" {
		t.Errorf("told %q", line)
	}
	if err := until(t.Context(), func(context.Context) error {
		if _, err := os.Stat(p.pidFile); err != nil {
			return err
		}
		if pidIn(t, p) == first {
			return os.ErrExist
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	second := pidIn(t, p)
	p.end(t.Context())
	p.end(t.Context())
	if lives(second) {
		t.Error("it was not ended")
	}
	if _, err := os.Stat(p.pidFile); err == nil {
		t.Error("the process number was left behind")
	}
}

func TestPartThatDoesNotStart(t *testing.T) {
	t.Parallel()
	out := newNotes()
	for script, says := range map[string]string{
		"echo so far so good; echo no such table >&2; exit 3": "no such table",
		"exit 1": "wrote nothing",
	} {
		p := shell(t.TempDir(), "controller", script, out)
		err := p.start(t.Context())
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), p.logFile) {
			t.Errorf("error %v, want one that says %q and names the log", err, says)
		}
		if _, err := os.Stat(p.pidFile); err == nil {
			t.Error("the process number was left behind")
		}
	}
	p := shell(t.TempDir(), "controller", "", out)
	p.command = func() *exec.Cmd { return exec.Command("/nowhere/at/all") }
	if err := p.start(t.Context()); err == nil || !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("a program that is not there: %v", err)
	}
}

func TestStartIsGivenUpWhenToldTo(t *testing.T) {
	t.Parallel()
	p := shell(t.TempDir(), "controller", "exec sleep 1000", newNotes())
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.start(ctx) }()
	if err := until(t.Context(), func(context.Context) error { _, err := os.Stat(p.pidFile); return err }); err != nil {
		t.Fatal(err)
	}
	pid := pidIn(t, p)
	cancel(os.ErrDeadlineExceeded)
	if err := <-done; err == nil || !strings.Contains(err.Error(), os.ErrDeadlineExceeded.Error()) {
		t.Errorf("error %v, want the cause", err)
	}
	if lives(pid) {
		t.Error("it still runs")
	}
}

// One that does not listen is killed, with all it started.
func TestPartThatDoesNotListenIsKilled(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*testing.T, *part){
		"when patience ends": func(t *testing.T, p *part) { p.end(t.Context()) },
		"when hurried": func(t *testing.T, p *part) {
			p.patience = time.Hour
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			p.end(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			p := shell(dir, "deaf", `trap "" TERM; sleep 1000 & echo $! > `+dir+`/own; echo up; while :; do wait; done`, newNotes())
			p.patience = time.Millisecond
			if err := p.start(t.Context()); err != nil {
				t.Fatal(err)
			}
			pid := pidIn(t, p)
			text, err := os.ReadFile(filepath.Join(dir, "own"))
			if err != nil {
				t.Fatal(err)
			}
			own, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			stop(t, p)
			if lives(pid) {
				t.Error("it still runs")
			}
			ends(t, own)
		})
	}
}

// The controller is stopped first: it says good-bye to callers, for which it
// needs the exchange, and writes down how calls ended, for which it needs the
// database.
func TestStopOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := &Demo{Dir: dir, folder: mustOpen(t, filepath.Join(dir, "demo"))}
	for _, name := range []string{"database", "exchange", "controller"} {
		p := shell(dir, name, `trap "echo `+name+` >> `+dir+`/order; exit 0" TERM; echo up; while :; do sleep 0.01; done`, newNotes())
		if err := p.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.parts = append(d.parts, p)
	}
	d.Stop(t.Context())
	d.Stop(t.Context())
	order, err := os.ReadFile(filepath.Join(dir, "order"))
	if err != nil || string(order) != "controller\nexchange\ndatabase\n" {
		t.Errorf("stopped in the order %q, %v", order, err)
	}
}

func mustOpen(t *testing.T, dir string) *folder {
	t.Helper()
	f, err := openFolder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// victim is a demo with one part; the test kills it.
func victim(dir string) {
	p := shell(dir, "part", "echo up; exec sleep 1000", newNotes())
	if err := p.start(context.Background()); err != nil {
		os.Stdout.WriteString(err.Error())
		os.Exit(1)
	}
	os.Stdout.WriteString("up\n")
	select {}
}

// Even kill -9 leaves nothing running.
func TestPartsDoNotOutliveAKilledDemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), "DEMO_TEST_VICTIM="+dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	pid := pidIn(t, &part{pidFile: filepath.Join(dir, "part.pid")})
	if !lives(pid) {
		t.Fatal("the part does not run")
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // killed
	ends(t, pid)
}
