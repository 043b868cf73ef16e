package speech

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ringback/prompts"
)

// record puts a recording of voiced sound into a folder.
func record(t *testing.T, dir, name string, a Audio) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, wavFile(a.floats(), Rate, 16, 1), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRecordingsComeFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	v := &fakeVoice{name: "fake"}
	r := renderer(t, func(o *Options) { o.Recordings = dir }, v)
	slow := prompts.Manner{Language: "de", Pace: prompts.Slow}
	simple := prompts.Manner{Language: "de", Simple: true}
	engine := func(m prompts.Manner, lines ...prompts.Line) string {
		t.Helper()
		note, err := clip(t, r, m, lines...).Note()
		if err != nil {
			t.Fatal(err)
		}
		return note.Engine
	}

	if got := engine(german, line("hello")); got != "fake" {
		t.Errorf("without a recording: %s", got)
	}
	record(t, dir, "de/hello.wav", voiced(3200*time.Millisecond, -30))
	if got := engine(german, line("hello")); got != "recording" {
		t.Errorf("with one: %s", got)
	}
	c := clip(t, r, german, line("hello"))
	if m := Measure(heardOf(t, c)); math.Abs(m.LUFS-Loudness) > 0.2 || m.Lead > 20*time.Millisecond {
		t.Errorf("not levelled as voices are: %+v", m)
	}
	if again := clip(t, r, slow, line("hello")); again != c {
		t.Error("the slow pace is another clip of the same recording")
	}
	if got := engine(simple, line("hello")); got != "fake" {
		t.Errorf("the simpler words, not recorded: %s", got)
	}
	record(t, dir, "de/hello.simple.wav", voiced(time.Second, -30))
	if got := engine(simple, line("hello")); got != "recording" {
		t.Errorf("the simpler words, recorded: %s", got)
	}
	record(t, dir, "de/bye.wav", voiced(time.Second, -20))
	if got := engine(simple, line("bye")); got != "recording" {
		t.Errorf("a line that has no simpler words: %s", got)
	}
	if got := engine(prompts.Manner{Language: "en"}, line("hello")); got != "fake" {
		t.Errorf("in another language: %s", got)
	}

	// Together with a line that is spoken, and never for one with values.
	v.heard()
	record(t, dir, "de/code.wav", voiced(time.Second, -20))
	if got := engine(german, line("hello"), code("eins")); got != "fake" {
		t.Errorf("beside a spoken line: %s", got)
	}
	if got := v.heard(); len(got) != 3 {
		t.Errorf("spoke %q, want the line with values and not the recorded one", got)
	}
	if d := clip(t, r, german, line("hello"), line("bye")).Duration - c.Duration; d < 1500*time.Millisecond {
		t.Errorf("a second recorded line adds %v, want its length and a rest", d)
	}
}

func TestChangedRecordingIsHeard(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := renderer(t, func(o *Options) { o.Recordings = dir }, &fakeVoice{name: "fake"})
	record(t, dir, "de/hello.wav", voiced(1500*time.Millisecond, -20))
	before := clip(t, r, german, line("hello"))
	record(t, dir, "de/hello.wav", voiced(2500*time.Millisecond, -20))
	if after := clip(t, r, german, line("hello")); after.Duration < before.Duration+900*time.Millisecond {
		t.Errorf("lasts %v, before %v", after.Duration, before.Duration)
	}
}

func TestBadRecordingIsPassedOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	record(t, dir, "de/hello.wav", silence(3*time.Second))
	if err := os.WriteFile(filepath.Join(dir, "de", "bye.wav"), []byte("no WAV"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := renderer(t, func(o *Options) { o.Recordings = dir }, &fakeVoice{name: "fake"})
	for _, key := range []prompts.Key{"hello", "bye"} {
		note, err := clip(t, r, german, line(key)).Note()
		if err != nil || note.Engine != "fake" {
			t.Errorf("%s spoken by %q, %v", key, note.Engine, err)
		}
	}
}
