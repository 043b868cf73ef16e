package speech

import (
	"context"

	"ringback/prompts"
)

// Engine is a text-to-speech voice. Its methods are safe for concurrent use.
type Engine interface {
	// Name tells the engine, its version and what else makes it sound as it
	// does; audio cached under one name never comes from another.
	Name() string
	Speaks(prompts.Language) bool
	// Speak says a text at a rate in words a minute, as measured over typical
	// sentences of the hotline with their natural pauses.
	Speak(ctx context.Context, lang prompts.Language, wpm int, text string) (Audio, error)
}

// WordsPerMinute is how fast a pace is. 150 to 180 words a minute is what older
// people follow best; slower paces are for who did not understand at first.
func WordsPerMinute(p prompts.Pace) int {
	switch p {
	case prompts.Normal:
		return 160
	case prompts.Slow:
		return 130
	default:
		return 110
	}
}

// tempo is how the setting of an engine relates to words a minute: of each
// word's time a part is pauses, which stay, and a part is speech, which the
// setting divides.
type tempo struct {
	pause  float64 // seconds a word
	speech float64 // seconds a word, times the setting
}

// setting returns what to set for a rate.
func (t tempo) setting(wpm int) float64 {
	return t.speech / (60/float64(wpm) - t.pause)
}
