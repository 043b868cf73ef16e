package demo

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestOnlyOneDemoInAFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo")
	f, err := openFolder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if i, err := os.Stat(dir); err != nil || i.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v, %v; want it closed to others", i.Mode(), err)
	}
	if _, err := openFolder(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "already runs") {
		t.Errorf("a second demo: %v", err)
	}
	f.close()
	if _, err := os.Stat(dir); err == nil {
		t.Error("an empty folder was left behind")
	}
	if f, err = openFolder(t.Context(), dir); err != nil {
		t.Fatalf("after the first has gone: %v", err)
	}
	f.close()
}

func TestFolderThatCannotBe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, says := range map[string]string{
		filepath.Join(file, "demo"): "not a directory",
		"/tmp/a;b":                  "choose another",
		"/tmp/a&b":                  "choose another",
	} {
		_, err := openFolder(t.Context(), dir)
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "DIR=") {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// child is a process that lives until its input ends.
func child(t *testing.T, env ...string) (pid int, gone func() bool) {
	t.Helper()
	c := exec.Command("sh", "-c", "echo up; read x")
	c.Env = append(os.Environ(), env...)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Wait() // killed or not, it has ended
	}()
	t.Cleanup(func() {
		in.Close()
		<-ended
	})
	return c.Process.Pid, func() bool {
		select {
		case <-ended:
			return true
		case <-time.After(5 * time.Second):
			return false
		}
	}
}

// After a kill -9 of the demo, the next one ends what it left, and nothing
// else: a number in a file may be another program's by now.
func TestOrphansAreEndedAndOthersAreNot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := &folder{dir: dir}
	orphan, orphanGone := child(t, marker+dir)
	other, _ := child(t)
	longer, _ := child(t, marker+dir+"2")
	for name, pid := range map[string]int{"controller": orphan, "asterisk": other, "postgres": longer} {
		if err := os.WriteFile(f.path(name+".pid"), []byte(strconv.Itoa(pid)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.endOrphans(t.Context(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if !orphanGone() {
		t.Error("what the killed demo left still runs")
	}
	for _, pid := range []int{other, longer} {
		if _, err := os.Stat("/proc/" + strconv.Itoa(pid)); err != nil {
			t.Errorf("process %d of somebody else was ended", pid)
		}
	}
	if left, _ := filepath.Glob(f.path("*.pid")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestRoom(t *testing.T) {
	t.Parallel()
	if err := room(t.TempDir(), 1); err != nil {
		t.Error(err)
	}
	err := room(t.TempDir(), 1<<60)
	if err == nil || !strings.Contains(err.Error(), "MB left") || !strings.Contains(err.Error(), "free some") {
		t.Errorf("a full disk: %v", err)
	}
}
