package asterisk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ringback/ivr"
)

// lead runs a line with one call and returns what its handler returned, with
// the caller acting meanwhile.
func lead[T any](t *testing.T, handler func(ctx context.Context, c ivr.Call) T, change ...func(*rig)) (*rig, <-chan T) {
	t.Helper()
	results := make(chan T, 1)
	r := setup(t, func(ctx context.Context, c ivr.Call) { results <- handler(ctx, c) }, change...)
	return r, results
}

func TestSayPlaysToTheEnd(t *testing.T) {
	t.Parallel()
	r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
		return errors.Join(c.Answer(ctx), c.Say(ctx, say("short")), c.Say(ctx, say("code")))
	})
	caller := r.server.Dial("+4923150012345")
	if err := receive(t, "end", results); err != nil {
		t.Error(err)
	}
	if got := caller.Heard(); !slices.Equal(got, []string{mediaOf("short"), mediaOf("code")}) {
		t.Errorf("heard %v", got)
	}
	if !caller.Answered() {
		t.Error("not answered")
	}
}

// TestKeyCutsPrompt measures in the time of a bubble, in which only waiting
// takes time: a machine that has no time for the test makes nobody late.
func TestKeyCutsPrompt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type result struct {
			key ivr.Key
			at  time.Time
			err error
		}
		results := make(chan result, 1)
		r := setupInMemory(t, func(ctx context.Context, c ivr.Call) {
			err := c.Say(ctx, say("long"))
			at := time.Now()
			k, keyErr := c.Key(ctx, time.Hour)
			results <- result{k, at, errors.Join(err, keyErr, c.Say(ctx, say("short")))}
		})
		caller := r.server.Dial("+4923150012345")
		r.playing(caller)
		pressed := time.Now()
		caller.Press('4')
		got := receive(t, "end", results)
		if got.err != nil || got.key != '4' {
			t.Errorf("got key %q, error %v", got.key, got.err)
		}
		if took := got.at.Sub(pressed); took > 100*time.Millisecond {
			t.Errorf("the prompt stopped after %s, want at most 100 ms", took)
		}
		// Had the first not ended, the second would have queued behind it.
		if got := caller.Heard(); len(got) != 2 {
			t.Errorf("heard %v", got)
		}
		if n := r.count("ringback_ari_playback_stop_seconds"); n != 1 {
			t.Errorf("stops measured: %v", n)
		}
	})
}

func TestTypeAheadAndUncut(t *testing.T) {
	t.Parallel()
	r, results := lead(t, func(ctx context.Context, c ivr.Call) string {
		var log []string
		note := func(what string, err error) {
			if err != nil {
				what += ": " + err.Error()
			}
			log = append(log, what)
		}
		note("cut", c.Say(ctx, say("long")))
		note("typed ahead", c.Say(ctx, say("short"))) // is not heard
		uncut := say("code")
		uncut.Uncut = true
		note("uncut", c.Say(ctx, uncut))
		for range 2 {
			k, err := c.Key(ctx, time.Hour)
			note(string(k), err)
		}
		_, err := c.Key(ctx, 0)
		note("no more", err)
		note("heard again", c.Say(ctx, say("short")))
		return strings.Join(log, ", ")
	})
	caller := r.server.Dial("+4923150012345")
	r.playing(caller)
	caller.Press('1')
	if got := r.playing(caller); got != mediaOf("code") {
		t.Errorf("heard %s after a key typed ahead", got)
	}
	caller.Press('#')
	got := receive(t, "end", results)
	if want := "cut, typed ahead, uncut, 1, #, no more: " + ivr.ErrSilence.Error() + ", heard again"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := caller.Heard(); !slices.Equal(got, []string{mediaOf("long"), mediaOf("code"), mediaOf("short")}) {
		t.Errorf("heard %v", got)
	}
}

func TestKeyWhileTheLineIsBeingSpoken(t *testing.T) {
	t.Parallel()
	speaking := make(chan struct{})
	r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
		close(speaking)
		return c.Say(ctx, say("slow"))
	})
	caller := r.server.Dial("+4923150012345")
	<-speaking
	caller.Press('1')
	if err := receive(t, "end", results); err != nil {
		t.Error(err)
	}
	if got := caller.Heard(); len(got) != 0 {
		t.Errorf("heard %v", got)
	}
}

func TestUnspokenLine(t *testing.T) {
	t.Parallel()
	r, results := lead(t, func(ctx context.Context, c ivr.Call) error { return c.Say(ctx, say("unspoken")) })
	r.server.Dial("+4923150012345")
	wantErr(t, "Say", receive(t, "end", results), errUnspoken)
}

func TestMissingFile(t *testing.T) {
	t.Parallel()
	r, results := lead(t, func(ctx context.Context, c ivr.Call) error { return c.Say(ctx, say("none")) })
	caller := r.server.Dial("+4923150012345")
	err := receive(t, "end", results)
	if err == nil || !strings.Contains(err.Error(), "/prompts/none") {
		t.Errorf("want an error that names the file, got %v", err)
	}
	if got := caller.Heard(); len(got) != 2 {
		t.Errorf("tried %d times, want 2", len(got))
	}
}

// TestUnfinishedPlayback loses the end of a playback: the call goes on.
func TestUnfinishedPlayback(t *testing.T) {
	t.Parallel()
	r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
		return c.Say(ctx, say("short"))
	}, func(r *rig) {
		r.server.Length = func(string) time.Duration { return time.Hour }
	})
	r.server.Dial("+4923150012345")
	if err := receive(t, "end", results); err != nil {
		t.Error(err)
	}
	if n := r.count("ringback_ari_playbacks_unfinished_total"); n != 1 {
		t.Errorf("counted %v, want 1", n)
	}
}

// TestHangUpAtEveryMethod drops the line in the middle of each method: all
// return ErrHungUp at once, also with a context that never ends.
func TestHangUpAtEveryMethod(t *testing.T) {
	t.Parallel()
	for name, method := range map[string]func(context.Context, ivr.Call) error{
		"Say":      func(ctx context.Context, c ivr.Call) error { return c.Say(ctx, say("long")) },
		"Say slow": func(ctx context.Context, c ivr.Call) error { return c.Say(ctx, say("slow")) },
		"Key": func(ctx context.Context, c ivr.Call) error {
			_, err := c.Key(ctx, time.Hour)
			return err
		},
		"Record": func(ctx context.Context, c ivr.Call) error {
			_, err := c.Record(ctx, time.Minute)
			return err
		},
	} {
		for _, fresh := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				began := make(chan struct{})
				type result struct{ err, cause, again, hangUp error }
				r, results := lead(t, func(ctx context.Context, c ivr.Call) result {
					given := ctx
					if fresh {
						given = context.WithoutCancel(ctx)
					}
					close(began)
					err := method(given, c)
					<-ctx.Done()
					return result{err, context.Cause(ctx), method(given, c), c.HangUp(given)}
				})
				caller := r.server.Dial("+4923150012345")
				<-began
				if strings.HasSuffix(name, "Say") {
					r.playing(caller)
				}
				if name == "Record" {
					if err := caller.WaitRecording(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				caller.HangUp()
				got := receive(t, "end", results)
				for what, err := range map[string]error{"method": got.err, "cause": got.cause, "once more": got.again} {
					wantErr(t, what, err, ivr.ErrHungUp)
				}
				if got.hangUp != nil {
					t.Errorf("HangUp: %v", got.hangUp)
				}
			})
		}
	}
}

// TestChannelGoneBeforeItsEvent has a request refused for want of a channel
// whose end nobody reported.
func TestChannelGoneBeforeItsEvent(t *testing.T) {
	t.Parallel()
	began, vanished := make(chan struct{}), make(chan struct{})
	r, results := lead(t, func(ctx context.Context, c ivr.Call) []error {
		close(began)
		<-vanished
		_, record := c.Record(ctx, time.Second)
		return []error{c.Answer(ctx), c.Say(ctx, say("short")), record, context.Cause(ctx)}
	})
	caller := r.server.Dial("+4923150012345")
	<-began
	caller.Vanish()
	close(vanished)
	for i, err := range receive(t, "end", results) {
		wantErr(t, fmt.Sprint("method ", i), err, ivr.ErrHungUp)
	}
}

// TestSlowServer has Asterisk take requests and never answer.
func TestSlowServer(t *testing.T) {
	t.Parallel()
	var slow atomic.Bool
	began, answers := make(chan struct{}), make(chan struct{})
	const bound = 50 * time.Millisecond
	type result struct {
		errs []error
		took time.Duration
	}
	r, results := lead(t, func(ctx context.Context, c ivr.Call) result {
		<-began
		start := time.Now()
		_, record := c.Record(ctx, time.Second)
		return result{[]error{c.Answer(ctx), c.Say(ctx, say("short")), record, c.HangUp(ctx)}, time.Since(start)}
	}, func(r *rig) {
		r.options.Request = bound
		r.server.Intercept = func(http.ResponseWriter, *http.Request) bool {
			if slow.Load() {
				<-answers
			}
			return slow.Load()
		}
	})
	t.Cleanup(func() { close(answers) })
	r.server.Dial("+4923150012345")
	slow.Store(true)
	close(began)
	got := receive(t, "end", results)
	for i, err := range got.errs {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d: got %v, want a time-out", i, err)
		}
	}
	// Each request takes the bound; stopping what may have begun takes two
	// more bounds and a wait for its end.
	if most := 20*bound + 4*time.Second; got.took > most {
		t.Errorf("took %s, want at most %s", got.took, most)
	}
}

func TestAnswerIsUp(t *testing.T) {
	t.Parallel()
	caught := make(chan bool, 1)
	var r *rig
	number := make(chan func() bool, 1)
	r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
		answered := <-number
		err := errors.Join(c.Answer(ctx), c.Answer(ctx))
		caught <- answered()
		return err
	})
	caller := r.server.Dial("+4923150012345")
	number <- caller.Answered
	if err := receive(t, "end", results); err != nil {
		t.Error(err)
	}
	if !receive(t, "state", caught) {
		t.Error("Answer returned before the channel was up")
	}
}
