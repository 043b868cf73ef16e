package queue

import (
	"sync"

	"github.com/google/uuid"
)

// Bell wakes whoever waits for a ticket in this process. It only shortens the
// wait: what it tells of stands in the Store. The zero Bell is usable.
type Bell struct {
	mu      sync.Mutex
	waiters map[uuid.UUID]map[chan struct{}]struct{}
}

// Listen returns a channel that gets one token for any number of Rings, until
// stop is called.
func (b *Bell) Listen(ticket uuid.UUID) (rung <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiters == nil {
		b.waiters = map[uuid.UUID]map[chan struct{}]struct{}{}
	}
	if b.waiters[ticket] == nil {
		b.waiters[ticket] = map[chan struct{}]struct{}{}
	}
	b.waiters[ticket][c] = struct{}{}
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.waiters[ticket], c)
		if len(b.waiters[ticket]) == 0 {
			delete(b.waiters, ticket)
		}
	}
}

// Ring wakes who listens for the ticket.
func (b *Bell) Ring(ticket uuid.UUID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.waiters[ticket] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
