package speech

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"ringback/prompts"
)

// speakAll has an engine speak all that a plan has to say, each stretch once
// and side by side.
func (r *Renderer) speakAll(ctx context.Context, p *plan, e Engine) (map[string]Audio, error) {
	var texts []string
	voices := map[string]Audio{}
	for _, c := range p.pieces {
		if _, seen := voices[c.speech]; c.speech != "" && !seen {
			voices[c.speech] = nil
			texts = append(texts, c.speech)
		}
	}
	audio := make([]Audio, len(texts))
	g, ctx := errgroup.WithContext(ctx)
	for i, text := range texts {
		g.Go(func() (err error) {
			audio[i], err = r.speak(ctx, e, p.note.Language, p.wpm, text)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, text := range texts {
		voices[text] = audio[i]
	}
	return voices, nil
}

// speak has an engine say one stretch. What it said of late, and what it said
// badly, is remembered; that it did not work is not, but sends it to rest.
func (r *Renderer) speak(ctx context.Context, e Engine, lang prompts.Language, wpm int, text string) (Audio, error) {
	key := fmt.Sprintf("%s\x00%s\x00%d\x00%s", e.Name(), lang, wpm, text)
	if v, ok := r.spoken.Get(key); ok {
		return v.audio, v.err
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	timed, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	raw, err := e.Speak(timed, lang, wpm, text)
	if err != nil {
		if ctx.Err() == nil {
			r.engines.rest(e)
		}
		return nil, err
	}
	var v spoken
	if v.audio, v.err = Level(raw, text); v.err != nil {
		v.err = fmt.Errorf("speak with %s: %w", e.Name(), v.err)
	}
	r.spoken.Add(key, v)
	return v.audio, v.err
}
