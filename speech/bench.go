package speech

import (
	"slices"
	"sync"
	"time"

	"ringback/prompts"
)

// bench is the engines in the order of configuration. One that failed rests for
// a while, so that callers do not wait for it again and again.
type bench struct {
	engines []Engine
	now     func() time.Time

	mu    sync.Mutex
	until map[string]time.Time // by name
}

// restAfterFailure is how long an engine is passed over.
const restAfterFailure = 30 * time.Second

func newBench(engines []Engine, now func() time.Time) *bench {
	return &bench{engines: engines, now: now, until: map[string]time.Time{}}
}

// inOrder are the engines for a language, first choice first.
func (b *bench) inOrder(lang prompts.Language) []Engine {
	var all []Engine
	for _, e := range b.engines {
		if e.Speaks(lang) {
			all = append(all, e)
		}
	}
	return all
}

// restingLast puts those that failed lately behind the others.
func (b *bench) restingLast(engines []Engine) []Engine {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	rests := func(e Engine) int {
		if now.Before(b.until[e.Name()]) {
			return 1
		}
		return 0
	}
	return slices.SortedStableFunc(slices.Values(engines), func(x, y Engine) int { return rests(x) - rests(y) })
}

// rest sends an engine to rest.
func (b *bench) rest(e Engine) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until[e.Name()] = b.now().Add(restAfterFailure)
}
