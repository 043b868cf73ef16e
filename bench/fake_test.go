package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"ringback/asterisk/aritest"
)

// pretence is what a fake Asterisk answers.
type pretence struct {
	URL   string
	Calls int
	// Took is how long each key waited for the controller's next request, in ms.
	Took []float64
	// Unanswered keys had none within the time given.
	Unanswered int
}

// stopwatch times the controller from a key's event to its next request for
// the same channel.
type stopwatch struct {
	mu      sync.Mutex
	pressed map[string]time.Time // by channel
	took    []float64
}

func (w *stopwatch) press(channel string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pressed[channel] = time.Now()
}

// request sees every request before it is served.
func (w *stopwatch) request(_ http.ResponseWriter, r *http.Request) bool {
	now := time.Now()
	channel, ok := strings.CutPrefix(r.URL.Path, "/ari/channels/")
	if !ok {
		return false
	}
	channel, _, _ = strings.Cut(channel, "/")
	w.mu.Lock()
	defer w.mu.Unlock()
	if at, waits := w.pressed[channel]; waits {
		delete(w.pressed, channel)
		w.took = append(w.took, float64(now.Sub(at))/float64(time.Millisecond))
	}
	return false
}

// fakeAsterisk is the fake ARI server in a process of its own. "dial" makes
// calls and returns when all wait for a key; "press" has that many keys a
// second pressed, for ten seconds, by one call after another.
func fakeAsterisk(t *testing.T, _ []byte) {
	server := aritest.New(t)
	w := &stopwatch{pressed: make(map[string]time.Time)}
	server.Length = func(string) time.Duration { return 20 * time.Millisecond }
	server.Intercept = w.request
	var callers []*aritest.Caller
	next := 0
	obey(t, pretence{URL: server.URL()}, func(ctx context.Context, o order) any {
		switch o.Command {
		case "dial":
			until(t, 10*time.Second, "the controller", func() error {
				if !server.Connected() {
					return context.DeadlineExceeded
				}
				return nil
			})
			var fresh []*aritest.Caller
			for range o.N {
				fresh = append(fresh, server.Dial(fmt.Sprintf("+49231%07d", len(callers)+len(fresh))))
				pause(ctx, 3*time.Millisecond)
			}
			for _, c := range fresh {
				settle(ctx, t, c)
			}
			callers = append(callers, fresh...)
		case "press":
			w.took = nil
			gap := time.Second / time.Duration(o.N)
			begun := time.Now()
			for n := range o.N * 10 {
				pause(ctx, time.Until(begun.Add(time.Duration(n)*gap+rand.N(gap))))
				c := callers[next%len(callers)]
				next++
				w.press(c.Channel())
				c.Press('9')
			}
			pause(ctx, 2*time.Second)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		p := pretence{URL: server.URL(), Calls: len(callers), Took: w.took, Unanswered: len(w.pressed)}
		clear(w.pressed)
		return p
	})
}

// settle waits until a call has heard its greeting, with the languages offered,
// and waits for a key.
func settle(ctx context.Context, t *testing.T, c *aritest.Caller) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for range 3 {
		if _, err := c.WaitPlaying(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.WaitQuiet(ctx); err != nil {
		t.Fatal(err)
	}
}
