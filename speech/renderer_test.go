package speech

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringback/prompts"
)

func heardOf(t *testing.T, c Clip) Audio {
	t.Helper()
	b, err := os.ReadFile(c.Path + ".sln16")
	if err != nil {
		t.Fatal(err)
	}
	return quantise(pcm16(b))
}

func TestClip(t *testing.T) {
	t.Parallel()
	v := &fakeVoice{name: "fake"}
	r := renderer(t, nil, v)
	c := clip(t, r, german, line("hello"), line("bye"))

	a := heardOf(t, c)
	if c.Duration != a.Duration() || c.Duration < 2*time.Second {
		t.Errorf("clip says %v, file lasts %v", c.Duration, a.Duration())
	}
	m := Measure(a)
	if m.Lead > 20*time.Millisecond {
		t.Errorf("begins with %v of silence", m.Lead)
	}
	for _, f := range formats {
		info, err := os.Stat(c.Path + f.ext)
		if err != nil || info.Size() != int64(f.size(len(a))) {
			t.Errorf("%s: %v, %v", f.ext, info, err)
		}
	}
	note, err := c.Note()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(note.Keys, []prompts.Key{"hello", "bye"}) || note.Engine != "fake" || note.Pace != "normal" ||
		note.Written != "guten Tag und willkommen auf Wiederhören" || note.Duration != c.Duration.Milliseconds() {
		t.Errorf("note is %+v", note)
	}
	if want := "sound:" + c.Path; c.Media() != want || !filepath.IsAbs(c.Path) {
		t.Errorf("media %q, want %q, absolute", c.Media(), want)
	}
	if got := v.heard(); len(got) != 2 {
		t.Errorf("spoke %q, want each line once", got)
	}

	if again := clip(t, r, german, line("hello"), line("bye")); again != c || len(v.heard()) > 0 {
		t.Error("the second time it was made again")
	}
	other := renderer(t, func(o *Options) { o.Dir = r.shelf.dir }, v)
	if again := clip(t, other, german, line("hello"), line("bye")); again != c || len(v.heard()) > 0 {
		t.Error("another process made it again")
	}
}

func TestClipsDifferByWhatIsHeard(t *testing.T) {
	t.Parallel()
	v, w := &fakeVoice{name: "fake"}, &fakeVoice{name: "fake 2"}
	r := renderer(t, nil, v)
	other := renderer(t, func(o *Options) { o.Dir = r.shelf.dir }, w)
	hello := line("hello")
	seen := map[string]string{}
	for name, c := range map[string]Clip{
		"normal":         clip(t, r, german, hello),
		"slow":           clip(t, r, prompts.Manner{Language: "de", Pace: prompts.Slow}, hello),
		"slowest":        clip(t, r, prompts.Manner{Language: "de", Pace: prompts.Slowest}, hello),
		"simple":         clip(t, r, prompts.Manner{Language: "de", Simple: true}, hello),
		"English":        clip(t, r, prompts.Manner{Language: "en"}, hello),
		"another engine": clip(t, other, german, hello),
		"two lines":      clip(t, r, german, hello, hello),
	} {
		if twin, ok := seen[c.Path]; ok {
			t.Errorf("%s and %s are one clip", name, twin)
		}
		seen[c.Path] = name
	}
	if a, b := clip(t, r, german, line("bye")), clip(t, r, prompts.Manner{Language: "de", Simple: true}, line("bye")); a != b {
		t.Error("a line without simpler words was made twice")
	}
}

func TestPersonalClipsAreKeptFromOthers(t *testing.T) {
	t.Parallel()
	v := &fakeVoice{name: "fake"}
	r := renderer(t, nil, v)
	c := clip(t, r, german, code("vier sieben eins"))
	if got := v.heard(); len(got) != 3 {
		t.Errorf("spoke %q, want the code once although it is said twice", got)
	}
	if filepath.Base(filepath.Dir(c.Path)) != saidDir {
		t.Errorf("stands in %s", c.Path)
	}
	for _, ext := range []string{".alaw", ".ulaw", ".g722", ".sln16", ".json"} {
		info, err := os.Stat(c.Path + ext)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", ext, info, err)
		}
	}
	if info, err := os.Stat(filepath.Dir(c.Path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info, err)
	}
	// Rests are silence of the length asked for, between what was trimmed.
	a := heardOf(t, c)
	longest, run := 0, 0
	for _, s := range a {
		if run++; s != 0 {
			run = 0
		}
		longest = max(longest, run)
	}
	if d := make(Audio, longest).Duration(); d < 300*time.Millisecond || d > 400*time.Millisecond {
		t.Errorf("longest silence %v, want 300 ms and what is around", d)
	}
	shared := renderer(t, func(o *Options) { o.SaidMode = 0o640 }, v)
	c = clip(t, shared, german, code("eins"))
	if info, err := os.Stat(filepath.Dir(c.Path)); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("shared folder: %v, %v", info, err)
	}
}

func TestClipBeginsWithSound(t *testing.T) {
	t.Parallel()
	r := renderer(t, nil, &fakeVoice{name: "fake"})
	if m := Measure(heardOf(t, clip(t, r, german, line("rest")))); m.Lead > 20*time.Millisecond {
		t.Errorf("begins with %v of silence", m.Lead)
	}
	for _, l := range []prompts.Line{line("void"), line("nowhere")} {
		if _, err := r.Clip(t.Context(), german, l); err == nil {
			t.Errorf("%s: a clip without anything to say", l.Key)
		}
	}
}

func TestNextEngineWhenOneFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		say   func(context.Context, string) (Audio, error)
		again bool // asked again for another text at once
	}{
		{"broken", broken, false},
		{"mute", mute, true},
	} {
		now := time.Now()
		first, second := &fakeVoice{name: "first", say: c.say}, &fakeVoice{name: "second"}
		r := renderer(t, func(o *Options) { o.Now = func() time.Time { return now } }, first, second)

		note, err := clip(t, r, german, line("hello")).Note()
		if err != nil || note.Engine != "second" {
			t.Errorf("%s: spoken by %q, %v", c.name, note.Engine, err)
		}
		if len(first.heard()) == 0 {
			t.Errorf("%s: the first was not asked", c.name)
		}
		clip(t, r, german, line("hello"))
		if len(first.heard()) != 0 {
			t.Errorf("%s: asked again for what it cannot say", c.name)
		}
		clip(t, r, german, line("bye"))
		if got := len(first.heard()) > 0; got != c.again {
			t.Errorf("%s: asked for the next line: %v, want %v", c.name, got, c.again)
		}

		// Once it has rested and works, it speaks again.
		first.say = nil
		now = now.Add(restAfterFailure)
		if !c.again {
			note, err = clip(t, r, german, line("hello")).Note()
			if err != nil || note.Engine != "first" {
				t.Errorf("%s: after its rest spoken by %q, %v", c.name, note.Engine, err)
			}
		}
	}
}

func TestNoEngineDelivers(t *testing.T) {
	t.Parallel()
	r := renderer(t, nil, &fakeVoice{name: "a", say: broken}, &fakeVoice{name: "b", say: mute})
	_, err := r.Clip(t.Context(), german, line("hello"))
	if !errors.Is(err, errBroken) || !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "hello") {
		t.Errorf("got %v, want both reasons and the line", err)
	}
	if entries, err := os.ReadDir(filepath.Join(r.shelf.dir, fixedDir)); err != nil || len(entries) > 0 {
		t.Errorf("left behind %v, %v", entries, err)
	}
}

func TestEngineByLanguage(t *testing.T) {
	t.Parallel()
	de := &fakeVoice{name: "de", langs: []prompts.Language{"de"}}
	r := renderer(t, nil, de, &fakeVoice{name: "all"})
	for lang, want := range map[prompts.Language]string{"de": "de", "en": "all"} {
		note, err := clip(t, r, prompts.Manner{Language: lang}, line("bye")).Note()
		if err != nil || note.Engine != want {
			t.Errorf("%s spoken by %q, want %q (%v)", lang, note.Engine, want, err)
		}
	}
	if _, err := New(Options{Texts: newTexts(), Dir: t.TempDir(), Engines: []Engine{de}}); err == nil {
		t.Error("started without a voice for English")
	}
}

func TestOneMakingForAllWhoAsk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		v := &fakeVoice{name: "fake", say: func(ctx context.Context, _ string) (Audio, error) {
			<-release
			return voiced(time.Second, -12), ctx.Err()
		}}
		r := renderer(t, func(o *Options) { o.Dir = dir }, v)

		var all sync.WaitGroup
		leaving, leave := context.WithCancelCause(t.Context())
		hungUp := errors.New("hung up")
		for i := range 20 {
			all.Go(func() {
				ctx := t.Context()
				if i == 0 {
					ctx = leaving
				}
				_, err := r.Clip(ctx, german, line("hello"))
				if i == 0 && !errors.Is(err, hungUp) {
					t.Errorf("who hung up got %v", err)
				}
				if i > 0 && err != nil {
					t.Errorf("caller %d: %v", i, err)
				}
			})
		}
		synctest.Wait() // all wait for the voice
		leave(hungUp)
		synctest.Wait() // and one has gone
		close(release)
		all.Wait()
		if got := v.heard(); len(got) != 1 {
			t.Errorf("spoke %d times, want once", len(got))
		}
	})
}

func TestEngineTakesTooLong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		stuck := &fakeVoice{name: "stuck", say: func(ctx context.Context, _ string) (Audio, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		r := renderer(t, func(o *Options) { o.Dir, o.EngineTimeout = dir, 3*time.Second }, stuck, &fakeVoice{name: "fake"})
		began := time.Now()
		note, err := clip(t, r, german, line("bye")).Note()
		if err != nil || note.Engine != "fake" || time.Since(began) != 3*time.Second {
			t.Errorf("spoken by %q after %v, %v", note.Engine, time.Since(began), err)
		}
	})
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	v := &fakeVoice{name: "fake"}
	r := renderer(t, nil, v)
	var steps []int
	if err := r.Prepare(t.Context(), func(done, total int) {
		if steps = append(steps, done); total != 16 {
			t.Errorf("total %d, want 2 lines × 2 languages × 2 paces × 2 wordings", total)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(steps) || len(steps) != 16 {
		t.Errorf("progress went %v", steps)
	}
	// "bye" has no simpler words: 8 for "hello", 4 for "bye".
	if got := v.heard(); len(got) != 12 {
		t.Errorf("spoke %d times, want 12: %q", len(got), got)
	}
	for _, pace := range []prompts.Pace{prompts.Normal, prompts.Slow} {
		clip(t, r, prompts.Manner{Language: "en", Pace: pace, Simple: true}, line("hello"))
	}
	if got := v.heard(); len(got) > 0 {
		t.Errorf("spoke %q again", got)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Prepare(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of ctx: %v", err)
	}
}

func TestPrepareGoesOnAfterAFault(t *testing.T) {
	t.Parallel()
	v := &fakeVoice{name: "fake", say: func(_ context.Context, text string) (Audio, error) {
		if strings.HasPrefix(text, "auf") {
			return silence(time.Second), nil
		}
		return voiced(time.Second, -12), nil
	}}
	r := renderer(t, nil, v)
	done := 0
	err := r.Prepare(t.Context(), func(d, _ int) { done = d })
	if !errors.Is(err, ErrRefused) || done != 16 {
		t.Errorf("got %v after %d of 16", err, done)
	}
}

func TestWordsPerMinute(t *testing.T) {
	t.Parallel()
	normal, slow, slowest := WordsPerMinute(prompts.Normal), WordsPerMinute(prompts.Slow), WordsPerMinute(prompts.Slowest)
	if normal < 150 || normal > 180 || slow >= 150 || slowest >= slow {
		t.Errorf("paces are %d, %d and %d words a minute", normal, slow, slowest)
	}
	if got := (tempo{pause: 0.1, speech: 30}).setting(120); math.Abs(got-75) > 1e-9 {
		t.Errorf("setting %v, want 75: half a second a word, a fifth of it pause", got)
	}
}
