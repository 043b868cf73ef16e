package speech

import (
	"context"
	"fmt"
	"math"
	"strings"

	"ringback/prompts"
)

// Pico is SVOX Pico by its program pico2wave (Debian: libttspico-utils). It
// reads texts from standard input and needs a file to write to.
type Pico struct{ command Command }

// picoVoices are the voices that were calibrated: the tempo was measured with
// TestPace, over the speed levels and texts of the hotline.
var picoVoices = map[prompts.Language]struct {
	voice string
	tempo tempo
}{
	prompts.German:  {"de-DE", tempo{pause: 0.0304, speech: 35.57}},
	prompts.English: {"en-GB", tempo{pause: 0.0509, speech: 31.86}},
}

// NewPico returns the engine for the program at path. It fails when the
// program does not speak.
func NewPico(ctx context.Context, path string) (*Pico, error) {
	p := &Pico{Command{
		Label: "pico",
		Argv:  []string{path, "--lang={lang}", "--wave={out}"},
	}}
	if _, err := p.Speak(ctx, prompts.English, WordsPerMinute(prompts.Normal), "one"); err != nil {
		return nil, err
	}
	return p, nil
}

// Name returns "pico". The voices have had one version since 2009.
func (p *Pico) Name() string { return p.command.Label }

// Speaks reports whether a voice was calibrated for the language.
func (p *Pico) Speaks(lang prompts.Language) bool {
	_, ok := picoVoices[lang]
	return ok
}

// Speak runs pico2wave. The rate is markup around the text; pico decodes no
// entities ("&amp;" would be read aloud), so what could be markup in the text
// is taken out instead of escaped.
func (p *Pico) Speak(ctx context.Context, lang prompts.Language, wpm int, text string) (Audio, error) {
	v, ok := picoVoices[lang]
	if !ok {
		return nil, fmt.Errorf("speak with pico: no voice for %q", lang)
	}
	plain := strings.NewReplacer("<", " ", ">", " ").Replace(text)
	level := math.Round(v.tempo.setting(wpm))
	marked := fmt.Sprintf(`<speed level="%.0f">%s</speed>`, level, plain)
	return p.command.speak(ctx, v.voice, "", marked)
}
