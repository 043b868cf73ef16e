package postgres

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"
)

// How old what a cache keeps may be.
const (
	// cacheShare bounds what loading costs: it is not repeated before so many
	// times its duration.
	cacheShare = 20
	// cacheStale is too old to be used even while something new is loaded.
	cacheStale = 30 * time.Second
)

// cache keeps something that takes a while to load and may be a little old. The
// zero cache is empty.
type cache[T any] struct {
	mu      sync.Mutex
	value   *T
	at      time.Time
	cost    time.Duration
	failed  error         // why loading failed the last time
	loading chan struct{} // closed when the loading under way is over; nil: none
}

// get returns what is kept, and has it loaded anew where it is older than age:
// nobody waits for that unless there is nothing that can be used.
func (c *cache[T]) get(ctx context.Context, age time.Duration, load func(context.Context) (*T, error)) (*T, error) {
	c.mu.Lock()
	old := time.Since(c.at)
	if c.value == nil || old > max(age, cacheShare*c.cost) {
		if c.loading == nil {
			c.loading = make(chan struct{})
			go c.load(context.WithoutCancel(ctx), load, c.loading)
		}
	}
	value, loading := c.value, c.loading
	c.mu.Unlock()
	if value != nil && (loading == nil || old < cacheStale) {
		return value, nil
	}
	select {
	case <-loading:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.value == nil {
		return nil, cmp.Or(c.failed, errors.New("nothing was loaded"))
	}
	return c.value, nil
}

func (c *cache[T]) load(ctx context.Context, load func(context.Context) (*T, error), done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, cacheStale)
	defer cancel()
	began := time.Now()
	value, err := load(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = err
	if err == nil {
		c.value, c.at, c.cost = value, time.Now(), time.Since(began)
	}
	c.loading = nil
	close(done)
}
