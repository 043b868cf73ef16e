package asterisk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringback/asterisk/aritest"
	"ringback/ivr"
)

type rested struct {
	key ivr.Key
	err error
}

// TestRest ends a wait in every way.
func TestRest(t *testing.T) {
	t.Parallel()
	news := make(chan struct{}, 1)
	for name, tc := range map[string]struct {
		rest ivr.Rest
		act  func(r *rig, c *aritest.Caller)
		want rested
	}{
		"a key":              {ivr.Rest{Music: true}, func(r *rig, c *aritest.Caller) { c.Press('4') }, rested{'4', nil}},
		"a key in the quiet": {ivr.Rest{}, func(r *rig, c *aritest.Caller) { c.Press('#') }, rested{'#', nil}},
		"silence":            {ivr.Rest{Music: true, Wait: 50 * time.Millisecond}, nil, rested{0, ivr.ErrSilence}},
		"no wait at all":     {ivr.Rest{Music: true, Wait: -1}, nil, rested{0, ivr.ErrSilence}},
		"news":               {ivr.Rest{Music: true, News: news}, func(*rig, *aritest.Caller) { news <- struct{}{} }, rested{0, ivr.ErrNews}},
		"a voice": {ivr.Rest{Music: true, Voice: true}, func(r *rig, c *aritest.Caller) {
			r.await("somebody who listens", c.WaitListened)
			c.Utter()
		}, rested{0, ivr.ErrSpoke}},
		"a key that sounds like a voice": {ivr.Rest{Voice: true}, func(r *rig, c *aritest.Caller) {
			r.await("somebody who listens", c.WaitListened)
			c.Utter()
			c.Press('1')
		}, rested{'1', nil}},
		"a voice nobody listens for": {ivr.Rest{Wait: 50 * time.Millisecond}, func(_ *rig, c *aritest.Caller) { c.Utter() }, rested{0, ivr.ErrSilence}},
		"a hang-up":                  {ivr.Rest{Music: true, Voice: true}, func(_ *rig, c *aritest.Caller) { c.HangUp() }, rested{0, ivr.ErrHungUp}},
		"a line that breaks":         {ivr.Rest{Music: true}, func(_ *rig, c *aritest.Caller) { c.Break() }, rested{0, ivr.ErrLineBroke}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.rest.Wait == 0 {
				tc.rest.Wait = time.Hour
			}
			r, results := lead(t, func(ctx context.Context, c ivr.Call) rested {
				if err := c.Answer(ctx); err != nil {
					return rested{err: err}
				}
				k, err := c.Rest(ctx, tc.rest)
				return rested{k, err}
			})
			caller := r.server.Dial("+4923150012345")
			if tc.rest.Wait > time.Second && tc.rest.Music {
				r.music(caller, true)
			}
			if tc.act != nil {
				r.until("answered", caller.Answered)
				tc.act(r, caller)
			}
			got := receive(t, "the end of the wait", results)
			if got.key != tc.want.key || !errors.Is(got.err, tc.want.err) {
				t.Errorf("got %q, %v; want %q, %v", got.key, got.err, tc.want.key, tc.want.err)
			}
			r.clean()
		})
	}
}

// TestMusic sounds from one wait to the next without a hole, and not into what
// is said.
func TestMusic(t *testing.T) {
	t.Parallel()
	var starts atomic.Int32
	r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
		wait := ivr.Rest{Music: true, Wait: time.Hour}
		_, first := c.Rest(ctx, wait)
		_, second := c.Rest(ctx, wait)
		said := c.Say(ctx, say("long"))
		k, third := c.Key(ctx, patience)
		_, fourth := c.Rest(ctx, wait)
		wait.Music = false
		_, fifth := c.Rest(ctx, wait)
		if k != '3' {
			t.Errorf("the prompt was ended by %q", k)
		}
		return errors.Join(first, second, said, third, fourth, fifth)
	}, func(r *rig) {
		r.server.Intercept = func(_ http.ResponseWriter, q *http.Request) bool {
			if q.Method == http.MethodPost && strings.HasSuffix(q.URL.Path, "/moh") {
				starts.Add(1)
			}
			return false
		}
	})
	caller := r.server.Dial("+4923150012345")
	r.music(caller, true)
	caller.Press('1')
	caller.Press('2')
	if r.playing(caller); caller.Music() {
		t.Error("music into what is said")
	}
	if n := starts.Load(); n != 1 {
		t.Errorf("the music was started %d times", n)
	}
	caller.Press('3')
	r.music(caller, true)
	caller.Press('4')
	r.music(caller, false)
	caller.Press('5')
	if err := receive(t, "end", results); err != nil {
		t.Error(err)
	}
}

// TestMusicThatCannotBeStopped is ended by what is played next, and stopped for
// good as soon as that is possible.
func TestMusicThatCannotBeStopped(t *testing.T) {
	t.Parallel()
	var refuse atomic.Bool
	refuse.Store(true)
	r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
		_, err := c.Rest(ctx, ivr.Rest{Music: true, Wait: time.Millisecond})
		if !errors.Is(err, ivr.ErrSilence) {
			return err
		}
		return errors.Join(c.Say(ctx, say("short")), c.Say(ctx, say("short")))
	}, func(r *rig) {
		r.server.Intercept = func(w http.ResponseWriter, q *http.Request) bool {
			no := q.Method == http.MethodDelete && strings.HasSuffix(q.URL.Path, "/moh") && refuse.Swap(false)
			if no {
				w.WriteHeader(http.StatusInternalServerError)
			}
			return no
		}
	})
	caller := r.server.Dial("+4923150012345")
	if err := receive(t, "end", results); err != nil {
		t.Error(err)
	}
	if n := len(caller.Heard()); n != 2 || caller.Music() {
		t.Errorf("%d prompts, music %v", n, caller.Music())
	}
}

// TestWaitingCallers leads 1,000 who wait: what each costs, and that nothing is
// asked or sent meanwhile.
func TestWaitingCallers(t *testing.T) {
	// Measures memory, so not in parallel with others.
	const (
		callers = 1000
		most    = 50 << 10
	)
	var requests atomic.Int64
	ends := make(chan error, callers)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		if err := c.Answer(ctx); err != nil {
			ends <- err
			return
		}
		k, err := c.Rest(ctx, ivr.Rest{Music: true, Wait: time.Hour, News: make(chan struct{})})
		if k != '1' {
			err = errors.Join(err, fmt.Errorf("key %q", k))
		}
		ends <- err
	}, func(r *rig) {
		r.options.Request = patience
		r.server.Intercept = func(_ http.ResponseWriter, q *http.Request) bool {
			if strings.Contains(q.URL.Path, "/channels/") {
				requests.Add(1)
			}
			return false
		}
	})
	before := memory()
	all := make([]*aritest.Caller, callers)
	var ringing sync.WaitGroup
	for i := range all {
		ringing.Go(func() {
			all[i] = r.server.Dial(fmt.Sprintf("+49231500%05d", i))
			r.music(all[i], true)
		})
	}
	ringing.Wait()
	asked := requests.Load()
	each := (memory() - before) / callers
	t.Logf("a waiting caller costs %d bytes, the fake Asterisk's share included", each)
	if each > most {
		t.Errorf("more than %d", most)
	}
	if asked != 2*callers { // answer, and start the music
		t.Errorf("%d requests for %d callers", asked, callers)
	}
	if n := requests.Load() - asked; n != 0 {
		t.Errorf("%d requests while waiting", n)
	}
	for _, c := range all {
		c.Press('1')
	}
	for range callers {
		if err := receive(t, "the end of a wait", ends); err != nil {
			t.Fatal(err)
		}
	}
}

// memory is what the heap and the stacks hold, in bytes.
func memory() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// TestEarlyMedia says something before the call is answered, and releases it
// with 480, or answers it all the same.
func TestEarlyMedia(t *testing.T) {
	t.Parallel()
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
			return errors.Join(c.Say(ctx, say("short")), c.Refuse(ctx), c.Refuse(ctx))
		})
		caller := r.server.Dial("+4923150012345")
		if err := receive(t, "end", results); err != nil {
			t.Error(err)
		}
		receive(t, "hang-up", caller.Done())
		if caller.Answered() || !caller.Early() || len(caller.Heard()) != 1 || caller.EndedFor() != "no_answer" {
			t.Errorf("answered %v, early media %v, heard %v, ended for %q", caller.Answered(), caller.Early(), caller.Heard(), caller.EndedFor())
		}
	})
	t.Run("refused, which takes a while", func(t *testing.T) {
		t.Parallel()
		asked := make(chan string, 2)
		r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
			return errors.Join(c.Say(ctx, say("short")), c.Refuse(ctx), c.HangUp(ctx))
		}, func(r *rig) {
			r.server.Intercept = func(w http.ResponseWriter, q *http.Request) bool {
				if q.Method != http.MethodDelete || !strings.Contains(q.URL.Path, "/channels/") {
					return false
				}
				asked <- q.URL.Query().Get("reason")
				w.WriteHeader(http.StatusNoContent)
				return true
			}
		})
		caller := r.server.Dial("+4923150012345")
		if err := receive(t, "end", results); err != nil {
			t.Error(err)
		}
		caller.HangUp()
		if first := receive(t, "a request", asked); first != "no_answer" || len(asked) > 0 {
			t.Errorf("asked to end it for %q, and %d times more", first, len(asked))
		}
	})
	t.Run("answered", func(t *testing.T) {
		t.Parallel()
		r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
			return errors.Join(c.Say(ctx, say("short")), c.Answer(ctx), c.Say(ctx, say("short")))
		})
		caller := r.server.Dial("+4923150012345")
		if err := receive(t, "end", results); err != nil {
			t.Error(err)
		}
		if !caller.Answered() || len(caller.Heard()) != 2 {
			t.Errorf("answered %v, heard %v", caller.Answered(), caller.Heard())
		}
	})
}
