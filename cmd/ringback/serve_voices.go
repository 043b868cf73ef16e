package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"ringback/config"
	"ringback/prompts"
	"ringback/speech"
)

// newRenderer makes the voices of the configuration. An engine that is not
// there is passed over; a language that is left without one is an error.
func newRenderer(ctx context.Context, c config.Speech, texts speech.Texts, log *slog.Logger) (*speech.Renderer, error) {
	made := map[config.Engine]speech.Engine{}
	var order []speech.Engine
	for _, l := range texts.Languages() {
		for _, name := range c.Voices[l] {
			e, tried := made[name]
			if !tried {
				var err error
				if e, err = newEngine(ctx, name, c); err != nil {
					log.Warn("a voice is not there and is passed over", "engine", name, "err", err)
				}
				made[name] = e
			}
			if e != nil {
				order = append(order, voice{e, l})
			}
		}
	}
	r, err := speech.New(speech.Options{Texts: texts, Dir: c.Dir, Recordings: c.Recordings, Engines: order, Log: log})
	if err != nil {
		return nil, fmt.Errorf("voices of speech.voices: %w", err)
	}
	return r, nil
}

// newEngine returns nil with every error.
func newEngine(ctx context.Context, name config.Engine, c config.Speech) (speech.Engine, error) {
	switch name {
	case config.EnginePico:
		e, err := speech.NewPico(ctx, c.Pico)
		if err != nil {
			return nil, err
		}
		return e, nil
	case config.EngineEspeak:
		e, err := speech.NewEspeak(ctx, c.Espeak)
		if err != nil {
			return nil, err
		}
		return e, nil
	case config.EngineCommand:
		return &speech.Command{Label: "command " + c.Command, Argv: strings.Fields(c.Command)}, nil
	case config.EngineHTTP:
		return &speech.HTTP{Label: "http " + c.HTTP, URL: c.HTTP}, nil
	}
	return nil, fmt.Errorf("there is no engine %q", name)
}

// voice is an engine kept to one language, so that each language has an order
// of its own.
type voice struct {
	speech.Engine
	language prompts.Language
}

func (v voice) Speaks(l prompts.Language) bool { return l == v.language && v.Engine.Speaks(l) }

// prepare speaks the fixed lines and says every few seconds how far it is. A
// line that cannot be made is logged: the other ones are still worth a call.
func prepare(ctx context.Context, r *speech.Renderer, log *slog.Logger) {
	began := time.Now()
	last := began
	total := 0
	err := r.Prepare(ctx, func(done, of int) {
		total = of
		if now := time.Now(); done < of && now.Sub(last) >= 2*time.Second {
			last = now
			log.Info("preparing the fixed lines", "done", done, "of", of)
		}
	})
	switch {
	case ctx.Err() != nil:
	case err != nil:
		log.Error("some lines could not be prepared", "err", err)
	default:
		log.Info("the fixed lines are prepared", "clips", total, "took", time.Since(began).Round(time.Millisecond))
	}
}

// Clips with a caller's data in them are removed when they were not needed for
// keepSaid: a caller who rings again on the same day hears them at once.
const (
	keepSaid   = 24 * time.Hour
	pruneEvery = time.Hour
)

// prune removes such clips until ctx ends.
func prune(ctx context.Context, r *speech.Renderer, log *slog.Logger) {
	for t := time.NewTicker(pruneEvery); ; {
		if n, err := r.Prune(keepSaid); err != nil {
			log.Error("remove old clips", "err", err)
		} else if n > 0 {
			log.Info("old clips removed", "clips", n)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

// spoken checks that the default language is one the texts are written in.
func spoken(l prompts.Language, languages []prompts.Language) error {
	if slices.Contains(languages, l) {
		return nil
	}
	return config.Faults{{Key: "call.default_language", Value: string(l), Mend: fmt.Sprintf("take one that the prompts are written in: %v", languages)}}
}
