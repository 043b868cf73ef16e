package demo

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ringback/prompts"
	"ringback/speech"
)

// announcement is what callers hear while no controller is there. It stands
// here and not in the catalogue because nothing reads the catalogue then. It
// is short: while it plays, no controller is looked for.
var announcement = []struct {
	language prompts.Language
	text     string
}{
	{prompts.German, "Einen Augenblick bitte. Es geht gleich weiter."},
	{prompts.English, "One moment, please."},
}

// pause is the silence between the two languages.
const pause = 700 * time.Millisecond

// announce writes the announcement below dir, named by its content, unless it
// is there, and returns its path without extension.
func announce(ctx context.Context, dir string, t Tools) (string, error) {
	sum := sha256.New()
	for _, a := range announcement {
		fmt.Fprintln(sum, a.language, a.text)
	}
	path := filepath.Join(dir, fmt.Sprintf("fallback-%.8x", sum.Sum(nil)))
	if written(path) {
		return path, nil
	}
	var voices []speech.Engine
	pico, err1 := speech.NewPico(ctx, t.Pico)
	if err1 == nil {
		voices = append(voices, pico)
	}
	espeak, err2 := speech.NewEspeak(ctx, t.Espeak)
	if err2 == nil {
		voices = append(voices, espeak)
	}
	if len(voices) == 0 {
		return "", fmt.Errorf("no voice speaks: %w", errors.Join(err1, err2))
	}
	var whole speech.Audio
	for i, a := range announcement {
		said, err := speak1(ctx, voices, a.language, a.text)
		if err != nil {
			return "", fmt.Errorf("speak the announcement in %q: %w", a.language, err)
		}
		if i > 0 {
			whole = append(whole, make(speech.Audio, int(pause.Seconds()*speech.Rate))...)
		}
		whole = append(whole, said...)
	}
	return path, write(path, whole)
}

// speak1 is the text by the first voice that delivers, at the loudness of all
// other lines.
func speak1(ctx context.Context, voices []speech.Engine, l prompts.Language, text string) (speech.Audio, error) {
	var faults []error
	for _, v := range voices {
		a, err := v.Speak(ctx, l, speech.WordsPerMinute(prompts.Slow), text)
		if err == nil {
			a, err = speech.Level(a, text)
		}
		if err == nil {
			return a, nil
		}
		faults = append(faults, err)
	}
	return nil, errors.Join(faults...)
}

// playMusic writes the hold music below dir, unless it is there.
func playMusic(dir string) error {
	path := filepath.Join(dir, "hold")
	if written(path) {
		return nil
	}
	return write(path, speech.HoldMusic())
}

// complete is what stands beside a sound when all its formats are written. It
// has no format's name, so Asterisk passes over it.
const complete = ".complete"

func written(path string) bool {
	_, err := os.Stat(path + complete)
	return err == nil
}

func write(path string, a speech.Audio) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := speech.WriteSound(path, a); err != nil {
		return err
	}
	return os.WriteFile(path+complete, nil, 0o600)
}
