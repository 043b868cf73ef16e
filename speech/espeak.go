package speech

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"ringback/prompts"
)

// Espeak is eSpeak NG by its program espeak-ng: robotic, and there for over a
// hundred languages.
type Espeak struct {
	command Command
	voices  map[string]bool
}

// espeakTempo was measured with TestPace: version 1.52, texts of the hotline. Languages not listed take the
// program's own notion of words a minute.
var espeakTempo = map[prompts.Language]tempo{
	prompts.German:  {pause: 0.0141, speech: 56.25},
	prompts.English: {speech: 55.7},
}

// NewEspeak returns the engine for the program at path. It asks the program
// for its version and voices, and fails when it does not run.
func NewEspeak(ctx context.Context, path string) (*Espeak, error) {
	// "eSpeak NG text-to-speech: 1.52.0  Data at: …"
	banner, err := run(ctx, []string{path, "--version"}, "")
	if err != nil {
		return nil, fmt.Errorf("ask espeak-ng for its version: %w", err)
	}
	_, version, _ := strings.Cut(string(banner), ": ")
	version, _, _ = strings.Cut(version, " ")

	list, err := run(ctx, []string{path, "--voices"}, "")
	if err != nil {
		return nil, fmt.Errorf("ask espeak-ng for its voices: %w", err)
	}
	e := &Espeak{voices: map[string]bool{}, command: Command{
		Label: "espeak-ng " + version,
		// At full amplitude (-a 100) its peaks touch full scale.
		Argv: []string{path, "-v", "{lang}", "-s", "{wpm}", "-a", "70", "-z", "--stdin", "--stdout"},
	}}
	for line := range strings.Lines(string(list)) {
		if f := strings.Fields(line); len(f) > 1 {
			e.voices[f[1]] = true
		}
	}
	if len(e.voices) < 2 { // the first is the heading
		return nil, errors.New("ask espeak-ng for its voices: it lists none")
	}
	return e, nil
}

// Name returns the program's name and version.
func (e *Espeak) Name() string { return e.command.Label }

// Speaks reports whether the program lists a voice for the language.
func (e *Espeak) Speaks(lang prompts.Language) bool { return e.voices[voice(lang)] }

// Speak runs espeak-ng.
func (e *Espeak) Speak(ctx context.Context, lang prompts.Language, wpm int, text string) (Audio, error) {
	setting := wpm
	if t, ok := espeakTempo[lang]; ok {
		setting = int(math.Round(t.setting(wpm)))
	}
	return e.command.speak(ctx, voice(lang), strconv.Itoa(setting), text)
}

// voice is espeak-ng's name for a language: the tag, except that plain English
// is listed by countries only.
func voice(lang prompts.Language) string {
	if lang == prompts.English {
		return "en-gb"
	}
	return strings.ToLower(string(lang))
}
