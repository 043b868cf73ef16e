package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"ringback/config"
	"ringback/prompts"
	"ringback/speech"
)

// voices has every engine of every language say a word.
func voices(ctx context.Context, s *site) []Finding {
	ctx, cancel := context.WithTimeout(ctx, speaking)
	defer cancel()
	languages := s.Texts.Languages()
	found := make([][]Finding, len(languages))
	var asked sync.WaitGroup
	for i, l := range languages {
		asked.Go(func() { found[i] = s.voice(ctx, l) })
	}
	asked.Wait()
	return slices.Concat(found...)
}

// voice tries the engines of a language.
func (s *site) voice(ctx context.Context, l prompts.Language) []Finding {
	var all []Finding
	var speak []string
	for _, name := range s.Config.Speech.Voices[l] {
		if err := s.say(ctx, name, l); err != nil {
			all = append(all, warned(fmt.Sprintf("the engine %s does not speak %s: %s", name, l, reason(err)),
				fmt.Sprintf("Install it, or correct speech.%s, or take %s out of speech.voices.%s.", name, name, l))...)
			continue
		}
		speak = append(speak, string(name))
	}
	if len(speak) == 0 {
		return append(all, failed(fmt.Sprintf("nothing speaks %s, and the controller does not start without", l),
			fmt.Sprintf("Install espeak-ng, and set speech.voices.%s: [espeak].", l))...)
	}
	return append(fine("%s is spoken by %s", l, strings.Join(speak, ", then ")), all...)
}

// say fails with why an engine does not speak, without its label, which may be
// a command line or an address with a key in it.
func (s *site) say(ctx context.Context, name config.Engine, l prompts.Language) (err error) {
	defer func() {
		if inner := errors.Unwrap(err); inner != nil {
			err = inner
		}
	}()
	e, err := s.Engine(ctx, name, s.Config.Speech)
	if err != nil {
		return err
	}
	if !e.Speaks(l) {
		return errors.New("it has no voice for this language")
	}
	a, err := e.Speak(ctx, l, speech.WordsPerMinute(prompts.Normal), s.Texts.Name(l))
	if err == nil && a.Duration() == 0 {
		err = errors.New("it was silent")
	}
	return err
}

// recordings looks through the lines recorded by people.
func recordings(ctx context.Context, s *site) []Finding {
	dir := s.Config.Speech.Recordings
	if dir == "" {
		return fine("no folder of recordings is set: voices speak everything")
	}
	names, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err == nil {
		_, err = os.ReadDir(dir)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fine("there are no recordings: voices speak everything")
	case err != nil:
		return warned(fmt.Sprintf("the recordings cannot be looked at: %s", reason(err)), fmt.Sprintf("Let the user of the controller read %s.", dir))
	}
	var all []Finding
	good := 0
	for _, name := range names {
		if ctx.Err() != nil {
			return warned("there are too many recordings to look through in this time", "Look whether the folder's disk is slow.")
		}
		if why := s.unfit(name); why != "" {
			all = append(all, warned(fmt.Sprintf("the recording %s is passed over: %s", strings.TrimPrefix(name, dir), why),
				"Name recordings LANGUAGE/KEY.wav or LANGUAGE/KEY.simple.wav, in 16-bit WAV, or take this one away.")...)
			continue
		}
		good++
	}
	return append(fine("%d recordings in %s", good, dir), all...)
}

// unfit says why a recording is not heard, or nothing.
func (s *site) unfit(path string) string {
	language, file := filepath.Base(filepath.Dir(path)), filepath.Base(path)
	key, isWAV := strings.CutSuffix(file, ".wav")
	switch key = strings.TrimSuffix(key, ".simple"); {
	case !isWAV:
		return "it is no .wav"
	case !slices.Contains(s.Texts.Languages(), prompts.Language(language)):
		return "its folder is no language"
	case !slices.Contains(s.Texts.Fixed(), prompts.Key(key)):
		return "no line without values has this name"
	}
	f, err := os.Open(path)
	if err != nil {
		return reason(err)
	}
	defer f.Close()
	if _, err := speech.ReadWAV(f); err != nil {
		return reason(err)
	}
	return ""
}
