package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// envRole makes this program a process of its own, so that what is measured
// shares neither memory nor scheduler with who measures. What it shall be is in
// envTask, as JSON. It takes commands as lines of JSON and answers each by one.
const (
	envRole = "RINGBACK_BENCH_ROLE"
	envTask = "RINGBACK_BENCH_TASK"
	reply   = "reply " // begins an answer: the test program says more on its own
)

// child is such a process.
type child struct {
	*started
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Scanner
}

// newChild starts one and waits for its first answer, which is put in into.
func newChild(t *testing.T, role string, task, into any) *child {
	t.Helper()
	text, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.timeout=1h")
	cmd.Env = append(os.Environ(), envRole+"="+role, envTask+"="+string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	// A pipe of our own: Wait would close one of exec's before it is read.
	out, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = write
	c := &child{t: t, in: in, out: bufio.NewScanner(out)}
	c.started = start(t, cmd)
	t.Cleanup(func() { out.Close() })
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	c.answer(into)
	return c
}

// end lets it end in good order: there are no more commands.
func (c *child) end() {
	_ = c.in.Close() // it may have ended by itself
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	select {
	case <-c.over:
	case <-late.C:
		c.stop(syscall.SIGKILL)
	}
}

// ask sends a command and waits for its answer.
func (c *child) ask(command string, n int, into any) {
	c.t.Helper()
	text, err := json.Marshal(order{command, n})
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.in.Write(append(text, '\n')); err != nil {
		c.t.Fatal(err)
	}
	c.answer(into)
}

func (c *child) answer(into any) {
	c.t.Helper()
	var said []string
	for c.out.Scan() {
		text, ok := strings.CutPrefix(c.out.Text(), reply)
		if !ok {
			said = append(said, c.out.Text())
			continue
		}
		if err := json.Unmarshal([]byte(text), into); err != nil {
			c.t.Fatal(err)
		}
		return
	}
	c.t.Fatalf("the process ended: %s", strings.Join(said, "\n"))
}

// order is a command to a child.
type order struct {
	Command string
	N       int
}

// TestChild is not a test: it is what the other processes run.
func TestChild(t *testing.T) {
	task := []byte(os.Getenv(envTask))
	switch role := os.Getenv(envRole); role {
	case "":
		t.Skip("only a measurement starts it")
	case "controller":
		controller(t, task)
	case "intake":
		intake(t, task)
	case "fake":
		fakeAsterisk(t, task)
	default:
		t.Fatalf("no role %q", role)
	}
}

// obey answers commands until there are no more.
func obey(t *testing.T, first any, do func(ctx context.Context, o order) any) {
	t.Helper()
	respond := func(v any) {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(reply + string(text))
	}
	respond(first)
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		var o order
		if err := json.Unmarshal(commands.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		respond(do(t.Context(), o))
	}
}

// usage is the time this process has used, in ns.
func usage(t *testing.T) int64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// profileFile is where the next CPU profile goes, or empty.
func profileFile(name string) string {
	dir := os.Getenv(envProfile)
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, fmt.Sprintf("%s-%d.pprof", name, os.Getpid()))
}
