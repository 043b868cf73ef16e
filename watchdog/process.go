package watchdog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// watchProcess ends a controller that gives no answer, until ctx ends.
//
// Each question may take as long as a controller may be silent, and the next is
// asked meanwhile: a slow answer is an answer. Where the connection is refused
// there is nobody to end: a frozen process still holds its port, and the kernel
// takes connections for it.
func (w *Watchdog) watchProcess(ctx context.Context) {
	tick := time.NewTicker(w.options.Interval)
	defer tick.Stop()
	signs := make(chan struct{}, 1)
	quiet := newSilence(w.options.Interval)
	// Looked at when it is due, not only at the next tick after.
	due := time.NewTimer(w.options.Frozen)
	defer due.Stop()
	var watched process
	ask := func() {
		if w.answers(ctx) {
			select {
			case signs <- struct{}{}:
			default:
			}
		}
	}
	go ask()
	for {
		select {
		case <-ctx.Done():
			return
		case <-signs:
			quiet.sign()
			due.Reset(w.options.Frozen)
			continue
		case <-tick.C:
			go ask()
		case <-due.C:
		}
		if p := w.controller(); p != watched { // one that just began has its own time
			watched = p
			quiet.sign()
			due.Reset(w.options.Frozen)
		}
		left := w.options.Frozen - quiet.lasts()
		if left > 0 {
			due.Reset(left)
			continue
		}
		w.end(watched)
		quiet.sign()
		due.Reset(w.options.Frozen)
	}
}

// answers asks the controller whether it lives. Any answer will do, and so will
// a refused connection. It returns false when there was none in time.
func (w *Watchdog) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, w.options.Frozen)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.alive, nil)
	if err != nil {
		return false
	}
	resp, err := w.http.Do(req)
	if err != nil {
		return errors.Is(err, syscall.ECONNREFUSED)
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<10))
	return err == nil
}

// process is one that runs. The same number with another start is another one.
type process struct {
	pid   int
	start string // in ticks since the machine's start (proc(5), stat, field 22)
}

// controller is the process in the pid file if it is a controller of ours;
// else none.
func (w *Watchdog) controller() process {
	if w.options.PIDFile == "" {
		return process{}
	}
	text, err := os.ReadFile(w.options.PIDFile)
	if err != nil {
		return process{}
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || !w.serves(pid) {
		return process{}
	}
	start, err := startOf(pid)
	if err != nil {
		return process{}
	}
	return process{pid: pid, start: start}
}

// serves says whether a process runs this program as a controller: a number in
// a file may belong to anybody by now.
func (w *Watchdog) serves(pid int) bool {
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return false
	}
	// The file was replaced since, by an upgrade.
	if strings.TrimSuffix(exe, " (deleted)") != w.program {
		return false
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	args := strings.Split(string(line), "\x00")
	return len(args) > 1 && args[1] == "serve"
}

func startOf(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	// The second field is the program's name, which may hold spaces and
	// brackets; the fields behind it begin with the third.
	_, after, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')'):]), " ")
	fields := strings.Fields(after)
	if len(fields) < 20 {
		return "", fmt.Errorf("stat of process %d has %d fields", pid, len(fields))
	}
	return fields[22-3], nil
}

// end kills a frozen controller. It is not asked to end: it does not listen.
func (w *Watchdog) end(p process) {
	if p.pid == 0 {
		w.log.Error("the controller does not answer, and the pid file names no controller of this program", "pid_file", w.options.PIDFile)
		return
	}
	// A handle on the process (pidfd_open(2)), so that the one looked at now
	// is the one that is killed.
	found, err := os.FindProcess(p.pid)
	if err != nil {
		return
	}
	defer func() { _ = found.Release() }() // of a handle, nothing can be done about it
	if start, err := startOf(p.pid); err != nil || start != p.start {
		return
	}
	err = found.Kill()
	switch {
	case errors.Is(err, os.ErrProcessDone):
	case err != nil:
		w.log.Error("end the frozen controller", "pid", p.pid, "err", err)
	default:
		w.log.Error("the controller was frozen and was ended", "pid", p.pid, "silent_for", w.options.Frozen)
	}
}
