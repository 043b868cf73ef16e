package speech

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"ringback/prompts"
)

// Prepare makes the clips of all lines without placeholders in every language,
// at normal and slow pace, in usual and simple words, so that calls find them.
// Progress is called after each, one call at a time; nil is allowed. What could
// not be made does not keep the rest from being made, and is in the error.
func (r *Renderer) Prepare(ctx context.Context, progress func(done, total int)) error {
	var manners []prompts.Manner
	for _, l := range r.texts.Languages() {
		for _, pace := range []prompts.Pace{prompts.Normal, prompts.Slow} {
			for _, simple := range []bool{false, true} {
				manners = append(manners, prompts.Manner{Language: l, Pace: pace, Simple: simple})
			}
		}
	}
	keys := r.texts.Fixed()

	var (
		mu     sync.Mutex
		done   int
		faults []error
	)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	for _, m := range manners {
		for _, key := range keys {
			g.Go(func() error {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				_, err := r.Clip(ctx, m, prompts.Line{Key: key})
				mu.Lock()
				defer mu.Unlock()
				done++
				if err != nil {
					faults = append(faults, err)
				}
				if progress != nil {
					progress(done, len(manners)*len(keys))
				}
				return nil
			})
		}
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("prepare clips: %w", err)
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("prepare clips: %w", err)
	}
	return nil
}
