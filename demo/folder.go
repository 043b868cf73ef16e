package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// folder is where a demo lives. While it is open no other demo runs in it.
type folder struct {
	dir  string
	lock *flock.Flock
	made bool // by us, just now
}

// needed on the disk for the database, the sounds and the logs.
const needed = 500 << 20

// openFolder makes and locks the folder, and ends what a demo that was killed
// left running in it.
func openFolder(ctx context.Context, dir string) (*folder, error) {
	if strings.ContainsAny(dir, "\n\r;[]&,()$") {
		return nil, fmt.Errorf("the folder %q has one of ; [ ] & , ( ) $ in its name, which Asterisk does not understand: choose another with DIR=…", dir)
	}
	f := &folder{dir: dir}
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		f.made = true
	}
	// Recordings of callers will lie here: nobody else may look.
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder %s cannot be made (%w): choose another with DIR=…", dir, reason(err))
	}
	f.lock = flock.New(f.path("lock"))
	free, err := f.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("the folder %s cannot be written (%w): choose another with DIR=…", dir, reason(err))
	}
	if !free {
		return nil, fmt.Errorf("a demo already runs in %s: stop it with Ctrl-C, or start another with DIR=second PORT_BASE=31000", dir)
	}
	if err := room(dir, needed); err != nil {
		f.close()
		return nil, err
	}
	err = f.endOrphans(ctx, 10*time.Second)
	if err == nil {
		err = os.MkdirAll(f.path("log"), 0o700)
	}
	if err != nil {
		f.close()
		return nil, err
	}
	_ = os.Remove(f.path("demo.json")) // of a demo that was killed; usually there is none
	return f, nil
}

func (f *folder) path(rel ...string) string {
	return filepath.Join(append([]string{f.dir}, rel...)...)
}

// close lets another demo in, and leaves no empty folder behind.
func (f *folder) close() {
	_ = f.lock.Unlock() // ends with the process at the latest
	if f.made {
		_ = os.Remove(f.path("lock"))
		_ = os.Remove(f.path("log"))
		_ = os.Remove(f.dir) // stays when something is in it
	}
}

// marker stands in the environment of all that a demo starts, with the demo's
// folder: a process number alone may belong to somebody else by now.
const marker = "DEMO_OF_RINGBACK="

// endOrphans waits for what a killed demo started: the kernel told it to end.
// What does not within patience, which a database needs to shut down, is ended.
func (f *folder) endOrphans(ctx context.Context, patience time.Duration) error {
	files, err := filepath.Glob(f.path("*.pid"))
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			if err := f.endOrphan(ctx, pid, patience); err != nil {
				return err
			}
		}
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) endOrphan(ctx context.Context, pid int, patience time.Duration) error {
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	t := time.NewTicker(pace)
	defer t.Stop()
	for f.owns(pid) {
		select {
		case <-t.C:
		case <-patient.Done():
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("process %d of an earlier demo in %s does not end: end it and try again (%w)", pid, f.dir, err)
			}
			return nil
		}
	}
	return nil
}

// owns says whether a process lives and was started by a demo in this folder.
func (f *folder) owns(pid int) bool {
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return false
	}
	return bytes.Contains(append([]byte{0}, env...), []byte("\x00"+marker+f.dir+"\x00"))
}
