package asterisk

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"ringback/ivr"
)

// ErrReplaced says that another controller leads the calls of this Asterisk
// now. It is what Run returns then, and the cause of the context of every call
// that was running. It is an ivr.ErrElsewhere.
var ErrReplaced = fmt.Errorf("another controller took over the line: %w", ivr.ErrElsewhere)

const (
	// epochVariable is the global variable of Asterisk in which the controller
	// that leads its calls writes its mark.
	epochVariable = "RINGBACK_CONTROLLER"
	// beatEvery is how often a process notes that it runs.
	beatEvery = 250 * time.Millisecond
	// frozen is for how long a process did not run when it must ask whether
	// its calls are still its own. Shorter than any watchdog's patience.
	frozen = 2 * time.Second
)

// epoch tells whether this process is still the one that leads the calls of
// its Asterisk. Asterisk tells who was replaced by an event, but a process that
// was frozen (SIGSTOP, a virtual machine moved) may wake up in the middle of an
// action, long before it reads that event. So the mark of who leads stands in
// Asterisk itself, and whoever did not run for a while looks there before it
// acts again.
type epoch struct {
	ari  *requester
	mark string
	now  func() time.Duration // runs on while the process is frozen

	beat    atomic.Int64 // when the process was last seen to run, by now
	suspect atomic.Bool  // it was frozen since it last looked
	claimed atomic.Bool

	mu sync.Mutex // one looks at a time
}

func newEpoch(r *requester) *epoch {
	began := time.Now()
	e := &epoch{ari: r, mark: uuid.NewString(), now: func() time.Duration { return time.Since(began) }}
	e.beat.Store(int64(e.now()))
	return e
}

// run notes that the process runs, until ctx ends.
func (e *epoch) run(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			e.note()
		}
	}
}

// note notes that the process runs, and whether it did not for a while. After
// a pause it does not matter who notices first.
func (e *epoch) note() {
	now := e.now()
	if now-time.Duration(e.beat.Swap(int64(now))) > frozen {
		e.suspect.Store(true)
	}
}

// ours fails with ErrReplaced if another process leads the calls, and with
// another error if that is not known. It asks Asterisk only after a pause.
func (e *epoch) ours(ctx context.Context) error {
	if e.note(); !e.suspect.Load() {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.suspect.Load() {
		return nil
	}
	if err := e.look(ctx); err != nil {
		return err
	}
	e.suspect.Store(false)
	return nil
}

// look asks Asterisk whose mark it bears. One that was started anew bears none.
func (e *epoch) look(ctx context.Context) error {
	if !e.claimed.Load() {
		return nil
	}
	var v struct{ Value string }
	err := e.ari.exchange(ctx, "epoch", http.MethodGet, variablePath(url.Values{"variable": {epochVariable}}), nil, &v)
	if err != nil {
		return err
	}
	if v.Value != "" && v.Value != e.mark {
		return ErrReplaced
	}
	return nil
}

// claim marks Asterisk as led by this process.
func (e *epoch) claim(ctx context.Context) error {
	path := variablePath(url.Values{"variable": {epochVariable}, "value": {e.mark}})
	if err := e.ari.exchange(ctx, "claim", http.MethodPost, path, nil, nil); err != nil {
		return err
	}
	e.claimed.Store(true)
	return nil
}

func variablePath(q url.Values) string { return "/asterisk/variable?" + q.Encode() }
