package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen.
const patience = time.Minute

// setup opens a journal that is closed with the test.
func setup(t testing.TB, dir string, change ...func(*Options)) *Journal {
	t.Helper()
	o := Options{Logger: discard}
	for _, f := range change {
		f(&o)
	}
	j, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return j
}

func add(t testing.TB, j *Journal, payloads ...string) {
	t.Helper()
	for _, p := range payloads {
		if err := j.Append(t.Context(), "test", []byte(p)); err != nil {
			t.Fatal(err)
		}
	}
}

// together writes payloads as one frame, as they are for appenders who wait at
// the same time.
func together(t testing.TB, j *Journal, payloads ...string) {
	t.Helper()
	var records []Record
	for _, p := range payloads {
		records = append(records, Record{Kind: "test", At: time.Now(), Payload: []byte(p)})
	}
	if err := j.commit(records); err != nil {
		t.Fatal(err)
	}
}

var errNoMore = errors.New("there is no more")

// drain reads all that is left, some at a time, and says that it is done.
func drain(t testing.TB, j *Journal, most int) (payloads []string, damages []*Damage) {
	t.Helper()
	ended, end := context.WithCancelCause(t.Context())
	end(errNoMore)
	var last uint64
	for {
		records, err := j.Next(ended, most)
		var d *Damage
		switch {
		case errors.As(err, &d):
			damages = append(damages, d)
			continue
		case errors.Is(err, errNoMore):
			return payloads, damages
		case err != nil:
			t.Fatal(err)
		case len(records) > most:
			t.Fatalf("%d records, want %d at most", len(records), most)
		}
		for _, r := range records {
			if r.Number <= last {
				t.Fatalf("record %d follows %d", r.Number, last)
			}
			last = r.Number
			payloads = append(payloads, string(r.Payload))
		}
		if err := j.Done(last); err != nil {
			t.Fatal(err)
		}
	}
}

// wantLeft drains the journal.
func wantLeft(t testing.TB, j *Journal, payloads ...string) {
	t.Helper()
	got, damages := drain(t, j, 1000)
	if !slices.Equal(got, payloads) || len(damages) > 0 {
		t.Errorf("left are %q, want %q; damages %v", got, payloads, damages)
	}
}

// segmentFiles are the names of the segments in a folder.
func segmentFiles(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.journal"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// contents is a segment's file, the only one in dir.
func contents(t testing.TB, dir string) (name string, b []byte) {
	t.Helper()
	files := segmentFiles(t, dir)
	if len(files) != 1 {
		t.Fatalf("%d segments, want 1", len(files))
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Base(files[0]), b
}

// place makes a folder with one segment.
func place(t testing.TB, name string, b []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func numbered(from, to int) []string {
	var all []string
	for n := from; n <= to; n++ {
		all = append(all, fmt.Sprintf("payload %d", n))
	}
	return all
}

var discard = slog.New(slog.DiscardHandler)

// resealed puts another body behind a header, with the checksums that fit.
func resealed(head []byte, count uint32, body []byte) []byte {
	binary.LittleEndian.PutUint32(head[4:], uint32(len(body)))
	binary.LittleEndian.PutUint32(head[16:], count)
	binary.LittleEndian.PutUint32(head[20:], crc32.Checksum(body, castagnoli))
	binary.LittleEndian.PutUint32(head[24:], checksum(1, head))
	return append(head, body...)
}

// unsynced is a file for tests of what is in it, of which there are many.
type unsynced struct{ *os.File }

func (unsynced) Sync() error { return nil }

func createUnsynced(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	return unsynced{f}, err
}
