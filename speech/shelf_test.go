package speech

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestPrune(t *testing.T) {
	t.Parallel()
	now := time.Now()
	v := &fakeVoice{name: "fake"}
	r := renderer(t, func(o *Options) { o.Now = func() time.Time { return now } }, v)
	fixed := clip(t, r, german, line("hello"))
	old := clip(t, r, german, code("eins"))
	heard := clip(t, r, german, code("zwei"))
	// What processes that crashed left: half a clip, and files half written.
	crashed := []string{
		filepath.Join(r.shelf.dir, saidDir, "0123.alaw"),
		filepath.Join(r.shelf.dir, saidDir, unfinished+"1"),
		filepath.Join(r.shelf.dir, fixedDir, unfinished+"2"),
	}
	for _, path := range crashed {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := r.Prune(time.Hour); n != 0 || err != nil {
		t.Errorf("pruned %d young clips, %v", n, err)
	}

	now = now.Add(2 * time.Hour)
	if again := clip(t, r, german, code("zwei")); again != heard {
		t.Error("made again although it was there")
	}
	if n, err := r.Prune(time.Hour); n != 1 || err != nil {
		t.Errorf("pruned %d, %v; want the one not heard for an hour", n, err)
	}
	for _, ext := range []string{".alaw", ".ulaw", ".g722", ".sln16", ".json"} {
		if _, err := os.Stat(old.Path + ext); !os.IsNotExist(err) {
			t.Errorf("%s of the old clip is still there: %v", ext, err)
		}
		for _, c := range []Clip{fixed, heard} {
			if _, err := os.Stat(c.Path + ext); err != nil {
				t.Error(err)
			}
		}
	}
	for _, path := range crashed {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is still there", path)
		}
	}
	if n, err := r.Prune(0); n != 0 || err != nil {
		t.Errorf("pruning again: %d, %v", n, err)
	}
}

func TestHalfAClipIsMadeAnew(t *testing.T) {
	t.Parallel()
	for _, ext := range []string{".alaw", ".g722", ".sln16", ".json"} {
		v := &fakeVoice{name: "fake"}
		r := renderer(t, nil, v)
		c := clip(t, r, german, line("hello"))
		// A loss of power left an empty file; a person deleted one.
		if err := os.Truncate(c.Path+ext, 0); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if again := clip(t, r, german, line("hello")); again != c {
				t.Errorf("%s: made as %v, was %v", ext, again, c)
			}
			for _, e := range []string{".alaw", ".ulaw", ".g722", ".sln16", ".json"} {
				if info, err := os.Stat(c.Path + e); err != nil || info.Size() == 0 {
					t.Errorf("%s: %s was not mended: %v", ext, e, err)
				}
			}
			if err := os.Remove(c.Path + ext); err != nil {
				t.Fatal(err)
			}
		}
	}
}
