package journal

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// written is a segment with frames of one record and of several, the bytes at
// which each frame ends, and the payloads that are complete there.
func written(t testing.TB) (name string, b []byte, ends map[int][]string) {
	t.Helper()
	dir := t.TempDir()
	j := setup(t, dir)
	ends = map[int][]string{0: nil}
	var all []string
	for _, frame := range [][]string{{"a"}, {"b", "", "c"}, {"dddd"}, {"e", "f"}} {
		together(t, j, frame...)
		all = append(all, frame...)
		_, b := contents(t, dir)
		ends[len(b)] = slices.Clone(all)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	name, b = contents(t, dir)
	return name, b, ends
}

// complete are the payloads of all frames that end within n bytes.
func complete(ends map[int][]string, n int) []string {
	best := 0
	for end := range ends {
		if end <= n {
			best = max(best, end)
		}
	}
	return ends[best]
}

// A crash may leave any part of the last frame. Wherever a segment is cut, or
// goes on with zeros or with what lay on the disk before, all that was complete
// is read, what was not is gone, and what comes next follows it.
func TestCrashAtEveryByte(t *testing.T) {
	t.Parallel()
	name, b, ends := written(t)
	other, old, _ := written(t)
	if name == other {
		t.Fatal("two segments have one name")
	}
	for n := range len(b) + 1 {
		for what, behind := range map[string][]byte{"nothing": nil, "zeros": make([]byte, 5000), "an older file": old} {
			if behind != nil && n%7 > 0 {
				continue // what follows matters less than where it is cut
			}
			dir := place(t, name, slices.Concat(b[:n], behind))
			j, err := Open(dir, Options{Logger: discard, open: createUnsynced})
			if err != nil {
				t.Fatalf("cut at byte %d, then %s: %v", n, what, err)
			}
			add(t, j, "next")
			got, damages := drain(t, j, 100)
			if want := append(slices.Clone(complete(ends, n)), "next"); !slices.Equal(got, want) || len(damages) > 0 {
				t.Fatalf("cut at byte %d, then %s: read %q, want %q; damages %v", n, what, got, want, damages)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Any byte may go bad. In the middle it is told, and costs the records of its
// own frame only; the file is kept. In the last frame it cannot be told from
// an unfinished one.
func TestEveryByteBad(t *testing.T) {
	t.Parallel()
	name, b, ends := written(t)
	bounds := slices.Sorted(func(yield func(int) bool) {
		for end := range ends {
			if !yield(end) {
				return
			}
		}
	})
	for n := range b {
		bad := bytes.Clone(b)
		bad[n] ^= 0x10
		dir := place(t, name, bad)
		j, err := Open(dir, Options{Logger: discard, open: createUnsynced})
		if err != nil {
			t.Fatalf("byte %d is bad: %v", n, err)
		}
		add(t, j, "next")
		got, damages := drain(t, j, 100)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		i, _ := slices.BinarySearch(bounds, n+1) // the frame's end
		from, to := bounds[i-1], bounds[i]
		all := ends[len(b)]
		want := slices.Concat(ends[from], all[len(ends[to]):], []string{"next"})
		if !slices.Equal(got, want) {
			t.Fatalf("byte %d is bad: read %q, want %q", n, got, want)
		}
		kept, err := filepath.Glob(filepath.Join(dir, "*"+keptAs))
		if err != nil {
			t.Fatal(err)
		}
		if to == len(b) {
			if len(damages) > 0 || len(kept) > 0 {
				t.Fatalf("byte %d of the last frame is bad: damages %v, kept %q", n, damages, kept)
			}
			continue
		}
		if len(damages) != 1 || len(kept) != 1 {
			t.Fatalf("byte %d is bad: damages %v, kept %q", n, damages, kept)
		}
		d := damages[0]
		if d.Offset != int64(from) || d.Length != int64(to-from) || d.From != uint64(len(ends[from])+1) || d.To != uint64(len(ends[to])) {
			t.Fatalf("byte %d is bad: told %+v, want bytes %d to %d", n, d, from, to)
		}
		for _, says := range []string{name + keptAs, "smartctl", fmt.Sprintf("records %d to %d", d.From, d.To)} {
			if !strings.Contains(d.Error(), says) {
				t.Fatalf("%q does not say %q", d.Error(), says)
			}
		}
		if left, err := os.ReadFile(kept[0]); err != nil || !bytes.Equal(left, bad) {
			t.Fatalf("the damaged file was changed: %v", err)
		}
	}
}

// A segment that is gone, or of which nothing can be read, costs nothing else.
func TestSegmentLost(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(path string) error{
		"gone":         os.Remove,
		"overwritten":  func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte(magic), 100), 0o600) },
		"half of it":   func(path string) error { return os.Truncate(path, 100) },
		"its contents": func(path string) error { return os.Truncate(path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			j := setup(t, dir, func(o *Options) { o.SegmentSize = 200 })
			all := numbered(1, 20)
			add(t, j, all...)
			if got, err := j.Next(t.Context(), 1); err != nil || len(got) != 1 { // it has begun to read
				t.Fatal(got, err)
			}
			if err := lose(segmentFiles(t, dir)[1]); err != nil {
				t.Fatal(err)
			}
			got, damages := drain(t, j, 3)
			if len(damages) != 1 {
				t.Fatalf("damages %v, want one", damages)
			}
			d := damages[0]
			if want := slices.Concat(all[:d.From-1], all[d.To:]); !slices.Equal(got, want) || d.From > d.To {
				t.Errorf("read %q, want %q; lost %d to %d", got, want, d.From, d.To)
			}
		})
	}
}

// TestAppender is not a test: it is the process that is killed.
func TestAppender(t *testing.T) {
	dir := os.Getenv("RINGBACK_JOURNAL_APPENDER")
	if dir == "" {
		t.Skip("only TestKilled starts it")
	}
	j, err := Open(dir, Options{Logger: discard, SegmentSize: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	run := os.Getpid()
	var out sync.Mutex
	var all sync.WaitGroup
	for a := range 8 {
		all.Go(func() {
			for n := 0; ; n++ {
				p := fmt.Sprintf("%d-%d-%d", run, a, n)
				if err := j.Append(t.Context(), "test", []byte(p)); err != nil {
					t.Error(err)
					return
				}
				out.Lock()
				fmt.Println("kept " + p)
				out.Unlock()
			}
		})
	}
	all.Wait()
}

// A process that is killed at any moment lets the next one in at once, and
// everything it was told is kept is there.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	told := map[string]bool{}
	for round := range 5 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAppender$")
		cmd.Env = append(os.Environ(), "RINGBACK_JOURNAL_APPENDER="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); {
			if p, ok := strings.CutPrefix(lines.Text(), "kept "); ok {
				told[p] = true
				n++
			}
			if n == 200+150*round {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				n++ // what it had said before is still in the pipe
			}
		}
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // it was killed
	}
	j := setup(t, dir)
	got, damages := drain(t, j, 100)
	if len(damages) > 0 {
		t.Errorf("damages %v", damages)
	}
	seen := map[string]int{}
	for _, p := range got {
		seen[p]++
	}
	for p := range told {
		if seen[p] != 1 {
			t.Errorf("%q was kept, and is read %d times", p, seen[p])
		}
	}
	if len(told) < 2500 {
		t.Errorf("only %d were told: %d were read", len(told), len(got))
	}
}

// FuzzSegment reads whatever stands in a segment: the search for frames comes
// to an end, and finds the same again in what it left.
func FuzzSegment(f *testing.F) {
	const salt = 0x0123456789abcdef
	one := appendFrame(nil, salt, 1, []Record{{Kind: "k", Payload: []byte("one")}})
	two := appendFrame(nil, salt, 2, []Record{{Kind: "k", Payload: []byte("two")}, {Kind: "k"}})
	f.Add([]byte{})
	f.Add(slices.Concat(one, two))
	f.Add(slices.Concat(one, []byte("damage RBJ1"), two))
	f.Add(slices.Concat(two, one, one))
	f.Add(two[:len(two)-1])
	f.Add(bytes.Repeat([]byte(magic), 20))
	f.Fuzz(func(t *testing.T, b []byte) {
		end, next := survey(b, salt, 1)
		if end < 0 || end > len(b) || next < 1 || (end == 0) != (next == 1) {
			t.Fatalf("%d bytes end at %d, next is %d", len(b), end, next)
		}
		if again, same := survey(b[:end], salt, 1); again != end || same != next {
			t.Errorf("cut at %d it ends at %d; next is %d, then %d", end, again, next, same)
		}
		if whole, _ := survey(slices.Concat(b[:end], appendFrame(nil, salt, next, []Record{{Kind: "k"}})), salt, 1); whole <= end {
			t.Errorf("what is appended at %d is not read", end)
		}
	})
}

// A header whose checksum is right may still say anything.
func FuzzBody(f *testing.F) {
	f.Add(uint32(1), uint64(1), []byte{0, 0, 0, 0, 0, 0, 0, 0, 1, 'k', 0, 0, 0, 0})
	f.Add(uint32(1<<31), uint64(1<<63), []byte{})
	f.Add(uint32(2), ^uint64(0), make([]byte, 26))
	f.Fuzz(func(t *testing.T, count uint32, first uint64, body []byte) {
		b := appendFrame(nil, 1, first, []Record{{}})[:headerSize]
		b = resealed(b, count, body)
		h, records, err := readFrame(b, 1, 1)
		if err == nil && (len(records) != int(count) || h.size() != int64(len(b))) {
			t.Errorf("read %d records of %d, %d bytes of %d", len(records), count, h.size(), len(b))
		}
	})
}
