package asterisk_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringback/asterisk"
	"ringback/asterisk/aritest"
	"ringback/e164"
	"ringback/ivr"
)

func nothing(context.Context, ivr.Call) {}

func TestOptions(t *testing.T) {
	t.Parallel()
	good := asterisk.Options{URL: "http://127.0.0.1:8088/ari", User: "u", Password: "p", App: "ringback"}
	if _, err := asterisk.New(good, voice{}, nothing); err != nil {
		t.Errorf("good options: %v", err)
	}
	for name, change := range map[string]func(*asterisk.Options){
		"no scheme":   func(o *asterisk.Options) { o.URL = "127.0.0.1:8088/ari" },
		"other":       func(o *asterisk.Options) { o.URL = "ws://127.0.0.1:8088/ari" },
		"no user":     func(o *asterisk.Options) { o.User = "" },
		"no password": func(o *asterisk.Options) { o.Password = "" },
		"no app":      func(o *asterisk.Options) { o.App = "" },
	} {
		bad := good
		change(&bad)
		if _, err := asterisk.New(bad, voice{}, nothing); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := asterisk.New(good, nil, nothing); err == nil {
		t.Error("without a voice: accepted")
	}
}

func TestCallIsMadeKnown(t *testing.T) {
	t.Parallel()
	infos := make(chan ivr.Info, 1)
	started := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	release := make(chan struct{})
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		infos <- c.Info()
		<-release
	}, func(r *rig) { r.options.Now = func() time.Time { return started } })
	caller := r.server.Dial("0231 500123")
	got := receive(t, "call", infos)
	want := ivr.Info{ID: got.ID, Number: "+49231500123", Node: aritest.Node, Channel: caller.Channel(), Started: started}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if v := got.ID.Version(); v != 7 {
		t.Errorf("call id: UUID version %d, want 7", v)
	}
	if calls := r.line.Calls(); len(calls) != 1 || calls[0] != want {
		t.Errorf("Calls: %+v", calls)
	}
	close(release)
	receive(t, "hang-up when the handler returns", caller.Done())
	if err := r.line.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if calls := r.line.Calls(); len(calls) != 0 {
		t.Errorf("Calls after the end: %+v", calls)
	}
}

func TestCallingNumbers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		shown string
		args  []string
		want  e164.Number
	}{
		"from the dialplan": {"1", []string{"in", "0231500123", "allowed", "trunk"}, "+49231500123"},
		"from the channel":  {"+49231500123", nil, "+49231500123"},
		"withheld":          {"", []string{"in", "+49231500123", "prohib_passed_screen", "trunk"}, e164.Withheld},
		"unavailable":       {"", []string{"in", "+49231500123", "unavailable", "trunk"}, e164.Withheld},
		"anonymous":         {"", []string{"in", "anonymous", "allowed", "trunk"}, e164.Withheld},
		"no number":         {"", []string{"in", "4711x", "allowed", "trunk"}, e164.Withheld},
		"no presentation":   {"", []string{"in", "0231500123"}, "+49231500123"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			numbers := make(chan e164.Number, 1)
			r := setup(t, func(_ context.Context, c ivr.Call) { numbers <- c.Info().Number })
			r.server.DialArgs(tc.shown, tc.args...)
			if got := receive(t, "call", numbers); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if got := r.count("ringback_ari_numbers_invalid_total"); (name == "no number") != (got == 1) {
				t.Errorf("invalid numbers counted: %v", got)
			}
		})
	}
}

func TestOtherDirectionsAreLeftAlone(t *testing.T) {
	t.Parallel()
	led := make(chan ivr.Info, 2)
	r := setup(t, func(_ context.Context, c ivr.Call) { led <- c.Info() })
	other := r.server.DialArgs("", "out", "some-attempt")
	in := r.server.Dial("+4923150012345")
	if got := receive(t, "call", led); got.Channel != in.Channel() {
		t.Errorf("led channel %s", got.Channel)
	}
	receive(t, "end", in.Done())
	select {
	case <-other.Done():
		t.Error("a channel that did not come in was hung up")
	default:
	}
}

func TestDrain(t *testing.T) {
	t.Parallel()
	keys := make(chan ivr.Key, 1)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		k, err := c.Key(ctx, time.Hour)
		if err != nil {
			t.Errorf("a running call was disturbed: %v", err)
		}
		keys <- k
	})
	running := r.server.Dial("+4923150012345")
	r.until("a call", func() bool { return len(r.line.Calls()) == 1 })
	r.line.Drain()
	r.line.Drain()
	if r.line.Ready() || !r.line.Connected() {
		t.Error("draining: want connected and not ready")
	}
	late := r.server.Dial("+4923150012346")
	receive(t, "the new call to be sent on", late.SentOn())
	ctx, cancel := context.WithCancelCause(t.Context())
	impatient := errors.New("impatient")
	cancel(impatient)
	wantErr(t, "Wait", r.line.Wait(ctx), impatient)
	running.Press('1')
	receive(t, "key", keys)
	if err := r.line.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestEndOfRunEndsCalls(t *testing.T) {
	t.Parallel()
	causes := make(chan error, 1)
	spoke := make(chan error, 1)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		_, err := c.Key(ctx, time.Hour)
		causes <- err
		// The line is still up: a last word is possible.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		spoke <- c.Say(ctx, say("short"))
	})
	caller := r.server.Dial("+4923150012345")
	r.until("a call", func() bool { return len(r.line.Calls()) == 1 })
	r.stop()
	wantErr(t, "cause", receive(t, "cause", causes), context.Canceled)
	if err := receive(t, "last word", spoke); err != nil {
		t.Errorf("last word: %v", err)
	}
	receive(t, "hang-up", caller.Done())
	if err := receive(t, "end of Run", r.ended); err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := r.line.Run(t.Context()); err == nil {
		t.Error("Run twice: no error")
	}
}

func TestReplaced(t *testing.T) {
	t.Parallel()
	type after struct{ say, key, hangUp, cause error }
	results := make(chan after, 1)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		_, err := c.Key(ctx, time.Hour)
		fresh := context.WithoutCancel(ctx)
		results <- after{say: c.Say(fresh, say("short")), key: err, hangUp: c.HangUp(fresh), cause: context.Cause(ctx)}
	})
	caller := r.server.Dial("+4923150012345")
	r.until("a call", func() bool { return len(r.line.Calls()) == 1 })
	r.server.Emit([]byte(`{"type":"ApplicationReplaced","application":"ringback","timestamp":"2026-11-23T23:11:48.082+0000"}`))
	wantErr(t, "Run", receive(t, "end of Run", r.ended), asterisk.ErrReplaced)
	got := receive(t, "end of the call", results)
	wantErr(t, "Key", got.key, asterisk.ErrReplaced)
	wantErr(t, "Say", got.say, asterisk.ErrReplaced)
	wantErr(t, "cause", got.cause, asterisk.ErrReplaced)
	if got.hangUp != nil {
		t.Errorf("HangUp: %v", got.hangUp)
	}
	select {
	case <-caller.Done():
		t.Error("the call of the other controller was hung up")
	default:
	}
	if heard := caller.Heard(); len(heard) != 0 {
		t.Errorf("the other controller's caller heard %v", heard)
	}
}

func TestLongestCall(t *testing.T) {
	t.Parallel()
	causes := make(chan error, 2)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		causes <- c.Say(ctx, say("long"))
		fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		causes <- c.Say(fresh, say("short"))
	}, func(r *rig) { r.options.Longest = 50 * time.Millisecond })
	caller := r.server.Dial("+4923150012345")
	wantErr(t, "Say", receive(t, "end", causes), ivr.ErrTooLong)
	if err := receive(t, "last word", causes); err != nil {
		t.Errorf("last word: %v", err)
	}
	receive(t, "hang-up", caller.Done())
	if got := fmt.Sprint(caller.Heard()); got != fmt.Sprint([]string{mediaOf("long"), mediaOf("short")}) {
		t.Errorf("heard %s", got)
	}
}

func TestPanicEndsOneCall(t *testing.T) {
	t.Parallel()
	r := setup(t, func(_ context.Context, c ivr.Call) {
		if c.Info().Number == "+49231500123" {
			panic("a fault")
		}
	})
	receive(t, "hang-up", r.server.Dial("+49231500123").Done())
	receive(t, "next call", r.server.Dial("+4923150012346").Done())
	r.until("idle", func() bool { return len(r.line.Calls()) == 0 })
	if n := r.count("ringback_ari_call_panics_total"); n != 1 {
		t.Errorf("panics counted: %v", n)
	}
}

// TestManyCalls leads 1,000 calls at once through a prompt, two keys and a
// second prompt, and looks that nothing is left over.
func TestManyCalls(t *testing.T) {
	// Counts goroutines, so not in parallel with others.
	const calls = 1000
	var good atomic.Int32
	r := prepare(t, func(ctx context.Context, c ivr.Call) {
		errs := []error{c.Answer(ctx), c.Say(ctx, say("long"))}
		for _, want := range []ivr.Key{'1', '2'} {
			k, err := c.Key(ctx, patience)
			if k != want {
				err = errors.Join(err, fmt.Errorf("key %q, want %q", k, want))
			}
			errs = append(errs, err)
		}
		errs = append(errs, c.Say(ctx, say("short")))
		if err := errors.Join(errs...); err != nil {
			t.Errorf("call: %v", err)
			return
		}
		good.Add(1)
	}, func(r *rig) { r.options.Request = patience })
	before := runtime.NumGoroutine()
	r.run()
	r.until("ready", r.line.Ready)
	var callers sync.WaitGroup
	for i := range calls {
		callers.Go(func() {
			c := r.server.Dial(fmt.Sprintf("+49231500%05d", i))
			r.playing(c)
			c.Press('1')
			c.Press('2')
			<-c.Done()
		})
	}
	callers.Wait()
	if err := r.line.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := good.Load(); n != calls {
		t.Errorf("%d good calls of %d", n, calls)
	}
	r.stop()
	if err := receive(t, "end of Run", r.ended); err != nil {
		t.Errorf("Run: %v", err)
	}
	r.server.Disconnect()
	r.until("no goroutine left", func() bool {
		r.server.CloseConnections()
		return runtime.NumGoroutine() <= before
	})
}
