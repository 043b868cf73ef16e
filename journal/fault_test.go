package journal

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// slowFile counts and delays what the disk does.
type slowFile struct {
	file
	syncs *atomic.Int64
}

func (s *slowFile) open(path string) (file, error) {
	f, err := create(path)
	return &slowFile{f, s.syncs}, err
}

func (s *slowFile) Sync() error {
	s.syncs.Add(1)
	timer := time.NewTimer(2 * time.Millisecond)
	defer timer.Stop()
	<-timer.C
	return s.file.Sync()
}

// failing are files of which a test says what fails.
type failing struct {
	write, sync, truncate, open atomic.Pointer[error]
	// half has a write that fails leave half of itself.
	half bool
}

func (f *failing) make(path string) (file, error) {
	if err := f.open.Load(); err != nil {
		return nil, *err
	}
	made, err := create(path)
	return failingFile{made, f}, err
}

type failingFile struct {
	file
	of *failing
}

func (f failingFile) Write(b []byte) (int, error) {
	if err := f.of.write.Load(); err != nil {
		n := 0
		if f.of.half {
			n, _ = f.file.Write(b[:len(b)/2])
		}
		return n, *err
	}
	return f.file.Write(b)
}

func (f failingFile) Sync() error {
	if err := f.of.sync.Load(); err != nil {
		return *err
	}
	return f.file.Sync()
}

func (f failingFile) Truncate(n int64) error {
	if err := f.of.truncate.Load(); err != nil {
		return *err
	}
	return f.file.Truncate(n)
}

var errDisk = errors.New("input/output error")

// Whatever the disk fails in: who was told so may try again, who was told
// "kept" is read, by this process and the next, and nothing is damaged.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	fault := func(err error) *error { return &err }
	for name, c := range map[string]struct {
		begin func(*failing)
		says  string
		// may is what may be read of what failed.
		may bool
	}{
		"full":                       {func(f *failing) { f.half = true; f.write.Store(fault(syscall.ENOSPC)) }, "is full", false},
		"full, and cannot be cut":    {func(f *failing) { f.half = true; f.write.Store(fault(syscall.ENOSPC)); f.truncate.Store(&errDisk) }, "is full", false},
		"write":                      {func(f *failing) { f.half = true; f.write.Store(&errDisk) }, "may be failing", false},
		"sync":                       {func(f *failing) { f.sync.Store(&errDisk) }, "may be failing", true},
		"sync, and cannot be cut":    {func(f *failing) { f.sync.Store(&errDisk); f.truncate.Store(&errDisk) }, "may be failing", true},
		"full when it is written to": {func(f *failing) { f.sync.Store(fault(syscall.EDQUOT)) }, "is full", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			f := &failing{}
			j := setup(t, dir, func(o *Options) { o.open = f.make })
			add(t, j, "before")
			c.begin(f)
			for range 3 {
				err := j.Append(t.Context(), "test", []byte("failed"))
				if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), dir) {
					t.Fatalf("error %v, want one that says %q", err, c.says)
				}
				if errors.Is(err, ErrUnknown) {
					t.Errorf("got %v", err)
				}
			}
			f.write.Store(nil)
			f.sync.Store(nil)
			f.truncate.Store(nil)
			add(t, j, "after")
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			j = setup(t, dir)
			got, damages := drain(t, j, 10)
			var kept []string
			for _, p := range got {
				if p != "failed" {
					kept = append(kept, p)
				} else if !c.may {
					t.Error("what could not be written is read")
				}
			}
			// A frame that could be neither finished nor cut is told of, because
			// nobody can know any more that nothing else was there.
			if strings.Join(kept, " ") != "before after" || (len(damages) > 0 && f.half == false) || len(damages) > 1 {
				t.Errorf("kept %q, damages %v", kept, damages)
			}
			if n := len(segmentFiles(t, dir)); n > 0 {
				t.Errorf("%d segments are left", n)
			}
		})
	}
}

// Where not even a file can be made, the error says so, and it goes on by
// itself once it can.
func TestNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := &failing{}
	full := error(syscall.ENOSPC)
	f.open.Store(&full)
	j := setup(t, dir, func(o *Options) { o.open = f.make })
	if err := j.Append(t.Context(), "test", nil); err == nil || !strings.Contains(err.Error(), "is full") {
		t.Errorf("got %v", err)
	}
	f.open.Store(nil)
	add(t, j, "after")
	wantLeft(t, j, "after")
}

// heldFile tells that the disk was asked, and answers when the test lets it.
type heldFile struct {
	file
	asked, answer chan struct{}
}

func (h heldFile) Sync() error {
	h.asked <- struct{}{}
	<-h.answer
	return h.file.Sync()
}

// Who does not wait for the disk does not know; what was written is read.
func TestWaitsNoLonger(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}), make(chan struct{})
	j := setup(t, t.TempDir(), func(o *Options) {
		o.open = func(path string) (file, error) {
			f, err := create(path)
			return heldFile{f, asked, answer}, err
		}
	})
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	got := make(chan error)
	go func() { got <- j.Append(ctx, "test", []byte("a")) }()
	<-asked
	cancel(gone)
	if err := <-got; !errors.Is(err, ErrUnknown) || !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	if n := j.Waiting(); n != 0 {
		t.Errorf("%d records wait before the disk has answered", n)
	}
	answer <- struct{}{}
	records, err := j.Next(t.Context(), 10)
	if err != nil || len(records) != 1 || string(records[0].Payload) != "a" {
		t.Errorf("read %v, %v", records, err)
	}
}
