package speech

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"ringback/prompts"
)

// fakeVoice speaks by humming, as long as the text asks for.
type fakeVoice struct {
	name  string
	langs []prompts.Language // none: all
	// say replaces what is delivered.
	say func(ctx context.Context, text string) (Audio, error)

	mu     sync.Mutex
	spoken []string // "wpm text"
}

func (f *fakeVoice) Name() string { return f.name }

func (f *fakeVoice) Speaks(l prompts.Language) bool {
	for _, x := range f.langs {
		if x == l {
			return true
		}
	}
	return len(f.langs) == 0
}

func (f *fakeVoice) Speak(ctx context.Context, _ prompts.Language, wpm int, text string) (Audio, error) {
	f.mu.Lock()
	f.spoken = append(f.spoken, fmt.Sprint(wpm, " ", text))
	f.mu.Unlock()
	if f.say != nil {
		return f.say(ctx, text)
	}
	words := len(strings.Fields(text))
	return voiced(time.Duration(words)*time.Minute/time.Duration(wpm), -12), nil
}

// heard returns what was spoken since the last call.
func (f *fakeVoice) heard() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.spoken
	f.spoken = nil
	return s
}

var errBroken = errors.New("broken")

func broken(context.Context, string) (Audio, error) { return nil, errBroken }

func mute(context.Context, string) (Audio, error) { return silence(time.Second), nil }

// fakeTexts is a catalogue of a few lines; "|" in them is a rest of 300 ms and
// {x} the only placeholder.
type fakeTexts struct {
	lines map[prompts.Key]string
	fixed []prompts.Key
	langs []prompts.Language
}

func newTexts() *fakeTexts {
	return &fakeTexts{
		lines: map[prompts.Key]string{
			"hello":        "guten Tag und willkommen",
			"hello.simple": "guten Tag",
			"bye":          "auf Wiederhören",
			"code":         "Ihre Nummer ist | {x} | noch einmal | {x}",
			"rest":         "| danach |",
			"void":         " ",
		},
		fixed: []prompts.Key{"hello", "bye"},
		langs: []prompts.Language{"de", "en"},
	}
}

func (f *fakeTexts) Fixed() []prompts.Key          { return f.fixed }
func (f *fakeTexts) Languages() []prompts.Language { return f.langs }

func (f *fakeTexts) TextAll(m prompts.Manner, lines ...prompts.Line) (prompts.Text, error) {
	var t prompts.Text
	for i, l := range lines {
		s, ok := f.lines[l.Key]
		if !ok {
			return t, fmt.Errorf("no line %q", l.Key)
		}
		if simple, ok := f.lines[l.Key+".simple"]; ok && m.Simple {
			s = simple
		}
		for _, a := range l.Args {
			s = strings.ReplaceAll(s, "{"+a.Name+"}", string(a.Value.(prompts.Digits)))
		}
		if i > 0 {
			t.Spoken = append(t.Spoken, prompts.Segment{Rest: 500 * time.Millisecond})
			t.Written += " "
		}
		t.Written += strings.ReplaceAll(s, "|", "")
		for j, part := range strings.Split(s, "|") {
			if j > 0 {
				t.Spoken = append(t.Spoken, prompts.Segment{Rest: 300 * time.Millisecond})
			}
			if part != "" {
				t.Spoken = append(t.Spoken, prompts.Segment{Speech: part})
			}
		}
	}
	return t, nil
}

func line(key prompts.Key) prompts.Line { return prompts.Line{Key: key} }

func code(digits string) prompts.Line {
	return prompts.Line{Key: "code", Args: []prompts.Arg{{Name: "x", Value: prompts.Digits(digits)}}}
}

var german = prompts.Manner{Language: "de"}

// renderer returns one over a folder of its own; change may alter its options.
func renderer(t *testing.T, change func(*Options), engines ...Engine) *Renderer {
	t.Helper()
	o := Options{Texts: newTexts(), Dir: t.TempDir(), Engines: engines}
	if change != nil {
		change(&o)
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func clip(t *testing.T, r *Renderer, m prompts.Manner, lines ...prompts.Line) Clip {
	t.Helper()
	c, err := r.Clip(t.Context(), m, lines...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
