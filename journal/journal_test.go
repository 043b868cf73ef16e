package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/queue"
)

// What was appended is read in order, the same again until it is done, and
// then never more: not by this process, and not by the next.
func TestReadUntilDone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := setup(t, dir)
	add(t, j, "a", "b")
	together(t, j, "c", "d", "e")
	for range 2 {
		records, err := j.Next(t.Context(), 4)
		if err != nil || len(records) != 4 || records[0].Number != 1 || records[3].Number != 4 || string(records[1].Payload) != "b" {
			t.Fatalf("got %v, %v", records, err)
		}
		if r := records[0]; r.Kind != "test" || time.Since(r.At) > patience || r.At.IsZero() {
			t.Errorf("got kind %q, at %s", r.Kind, r.At)
		}
	}
	if err := j.Done(3); err != nil { // in the middle of a frame
		t.Fatal(err)
	}
	if n := j.Waiting(); n != 2 {
		t.Errorf("%d wait, want 2", n)
	}
	if err := j.Done(2); err != nil {
		t.Errorf("what is done already: %v", err)
	}
	if err := j.Done(6); err == nil {
		t.Error("a record that never was is done")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = setup(t, dir)
	add(t, j, "f")
	records, err := j.Next(t.Context(), 100)
	if err != nil || len(records) != 3 || records[0].Number != 4 || records[2].Number != 6 {
		t.Fatalf("after opening again: %v, %v", records, err)
	}
	wantLeft(t, j, records2(records)...)
	wantLeft(t, j)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = setup(t, dir)
	wantLeft(t, j)
	add(t, j, "g")
	if records, err = j.Next(t.Context(), 1); err != nil || records[0].Number != 7 {
		t.Errorf("numbers begin again: %v, %v", records, err)
	}
}

func records2(records []Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, string(r.Payload))
	}
	return all
}

// Without a position, all that is left is read again; nothing is lost.
func TestPositionLost(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"gone": "", "damaged": "abcdefghijkl", "half": "abc"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			j := setup(t, dir)
			add(t, j, "a", "b", "c")
			if err := errors.Join(j.Done(2), j.Close()); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, positionFile)
			err := os.Remove(path)
			if text != "" {
				err = os.WriteFile(path, []byte(text), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			wantLeft(t, setup(t, dir), "a", "b", "c")
		})
	}
}

// Next waits for a record, and for ctx.
func TestNextWaits(t *testing.T) {
	t.Parallel()
	j := setup(t, t.TempDir())
	ctx, cancel := context.WithCancelCause(t.Context())
	got := make(chan error)
	go func() {
		records, err := j.Next(ctx, 10)
		if err == nil && (len(records) != 1 || string(records[0].Payload) != "a") {
			err = fmt.Errorf("got %v", records)
		}
		got <- err
	}()
	add(t, j, "a")
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	if err := j.Done(1); err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	go func() {
		_, err := j.Next(ctx, 10)
		got <- err
	}()
	cancel(gone)
	if err := <-got; !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	go func() {
		_, err := j.Next(t.Context(), 10)
		got <- err
	}()
	if err := errors.Join(j.Close(), j.Close()); err != nil {
		t.Error(err)
	}
	if err := <-got; !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(j.Append(t.Context(), "test", nil)); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := j.Done(1); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// Files of which all is done are removed, the newest too, and the next one has
// room for itself; everything is for its owner's eyes only.
func TestForgets(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "journal")
	j := setup(t, dir, func(o *Options) { o.SegmentSize = 200 })
	for n := range 20 {
		add(t, j, fmt.Sprintf("%050d", n))
	}
	if n := len(segmentFiles(t, dir)); n < 5 || n > 10 {
		t.Errorf("%d segments of 200 bytes", n)
	}
	err := filepath.Walk(dir, func(path string, i os.FileInfo, err error) error {
		if mode := i.Mode().Perm(); err == nil && mode&0o077 != 0 {
			t.Errorf("%s has mode %v", path, mode)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	before := len(segmentFiles(t, dir))
	if err := j.Done(10); err != nil {
		t.Fatal(err)
	}
	if n := len(segmentFiles(t, dir)); n >= before {
		t.Errorf("%d segments are left of %d", n, before)
	}
	if got, _ := drain(t, j, 3); len(got) != 10 {
		t.Errorf("%d records are left, want 10", len(got))
	}
	if n := len(segmentFiles(t, dir)); n != 0 {
		t.Errorf("%d segments are left when all is done", n)
	}
	add(t, j, "next")
	wantLeft(t, j, "next")
}

// Many append at once: each is there once, and they share what the disk does.
func TestAppendersShare(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	slow := &slowFile{syncs: new(atomic.Int64)}
	j := setup(t, dir, func(o *Options) {
		o.SegmentSize = 10_000
		o.open = slow.open
	})
	const appenders, each = 50, 40
	var all sync.WaitGroup
	for a := range appenders {
		all.Go(func() {
			for n := range each {
				if err := j.Append(t.Context(), "test", fmt.Appendf(nil, "%d of %d", n, a)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var got []string
	all.Go(func() { // while they append
		for len(got) < appenders*each {
			records, err := j.Next(t.Context(), 77)
			if err != nil {
				t.Error(err)
				return
			}
			got = append(got, records2(records)...)
			if err := j.Done(records[len(records)-1].Number); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	slices.Sort(got)
	if once := slices.Compact(slices.Clone(got)); len(once) != appenders*each || len(got) != len(once) {
		t.Errorf("read %d records, %d of them different, want %d", len(got), len(once), appenders*each)
	}
	if n := slow.syncs.Load(); n > appenders*each/5 {
		t.Errorf("%d records by %d appenders took %d syncs", appenders*each, appenders, n)
	}
	if n := len(segmentFiles(t, dir)); n != 0 {
		t.Errorf("%d segments are left", n)
	}
}

// Two processes never have it at once.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := setup(t, dir)
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrInUse) {
		t.Fatalf("got %v", err)
	}
	if _, err := Open(dir, Options{Patience: 50 * time.Millisecond}); !errors.Is(err, ErrInUse) {
		t.Fatalf("got %v", err)
	}
	next := make(chan error)
	go func() {
		j, err := Open(dir, Options{Patience: patience})
		if err == nil {
			err = j.Close()
		}
		next <- err
	}()
	add(t, j, "a")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-next; err != nil {
		t.Errorf("the next one: %v", err)
	}
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	j := setup(t, t.TempDir())
	for name, err := range map[string]error{
		"no kind":        j.Append(t.Context(), "", nil),
		"a long kind":    j.Append(t.Context(), strings.Repeat("k", 256), nil),
		"a long payload": j.Append(t.Context(), "test", make([]byte, longestPayload+1)),
	} {
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if err := j.Append(ctx, "test", nil); !errors.Is(err, gone) || errors.Is(err, ErrUnknown) {
		t.Errorf("who had gone before: %v", err)
	}
	wantLeft(t, j)
	if err := j.Append(t.Context(), strings.Repeat("k", 255), make([]byte, longestPayload)); err != nil {
		t.Error(err)
	}
	if err := j.Append(t.Context(), "k", nil); err != nil {
		t.Error(err)
	}
	if got, damages := drain(t, j, 1); len(got) != 2 || len(got[0]) != longestPayload || got[1] != "" || damages != nil {
		t.Errorf("%d records are left", len(got))
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	j := setup(t, t.TempDir())
	r := queue.Registration{
		ID: uuid.New(), Dialog: `a"b@<192.0.2.1>`, Number: "+4923150012345", Node: "node-1",
		At: time.Date(2026, 11, 25, 8, 0, 0, 123, time.UTC), Language: "de",
	}
	if err := j.Register(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	add(t, j, "other")
	records, err := j.Next(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := records[0].Registration(); err != nil || got != r {
		t.Errorf("got %+v, %v, want %+v", got, err, r)
	}
	if _, err := records[1].Registration(); err == nil {
		t.Error("another kind is read as a registration")
	}
}
