package asterisk_test

import (
	"context"
	"errors"
	"testing"

	"ringback/asterisk/aritest"
	"ringback/ivr"
)

// dialledElsewhere is a call out that a first controller began, and left.
func dialledElsewhere(t *testing.T) (r *rig, out ivr.Out, far *aritest.Caller) {
	t.Helper()
	r, out, _, results := dialling(t, func(context.Context, ivr.Call) { t.Error("led by the first controller") })
	far = r.rung()
	r.until("its request is answered", func() bool { return r.requested("originate") == 1 })
	r.line.Release()
	wantErr(t, "Dial", receive(t, "its end", results), ivr.ErrElsewhere)
	if err := receive(t, "the first controller's end", r.ended); err != nil {
		t.Fatal(err)
	}
	if !far.Ringing() {
		t.Fatal("it was cancelled")
	}
	return r, out, far
}

// TestAwait: the second controller waits for what the first one dialled, and
// leads it.
func TestAwait(t *testing.T) {
	t.Parallel()
	given := errors.New("given up")
	for name, tc := range map[string]struct {
		act  func(far *aritest.Caller, giveUp context.CancelCauseFunc)
		want error
	}{
		"answered":    {func(f *aritest.Caller, _ context.CancelCauseFunc) { f.PickUp() }, nil},
		"busy":        {func(f *aritest.Caller, _ context.CancelCauseFunc) { f.Refuse(486) }, ivr.ErrBusy},
		"no answer":   {func(f *aritest.Caller, _ context.CancelCauseFunc) { f.Refuse(480) }, ivr.ErrNoAnswer},
		"is given up": {func(_ *aritest.Caller, giveUp context.CancelCauseFunc) { giveUp(given) }, given},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, out, far := dialledElsewhere(t)
			led := make(chan ivr.Info, 1)
			next := r.successor(&ledger{}, func(_ context.Context, c ivr.Call) { led <- c.Info() })
			next.until("ready", next.line.Ready)
			next.until("a line in use", func() bool { total, out := next.line.InUse(); return total == 1 && out == 1 })
			state(t, next, out.ID, ivr.DialledRings)
			ctx, cancel := context.WithCancelCause(t.Context())
			results := make(chan error, 1)
			go func() { results <- next.line.Await(ctx, out) }()
			next.until("it is asked for", func() bool { return next.line.Awaited(out.ID) })
			tc.act(far, cancel)
			wantErr(t, "Await", receive(t, "the outcome", results), tc.want)
			receive(t, "the end", far.Done())
			if tc.want == nil {
				if i := receive(t, "the call", led); i.Attempt != out.ID || i.Number != out.Number {
					t.Errorf("led as %+v", i)
				}
			}
			next.clean()
			if err := next.line.Await(t.Context(), out); err == nil || errors.Is(err, ivr.ErrNoAnswer) {
				t.Errorf("Await of what is over: %v", err)
			}
			next.clean()
		})
	}
}

// TestAwaitOfALedCall is over at once.
func TestAwaitOfALedCall(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	r, out, _, results := dialling(t, func(context.Context, ivr.Call) { <-release })
	far := r.rung()
	far.PickUp()
	if err := receive(t, "Dial", results); err != nil {
		t.Fatal(err)
	}
	if err := r.line.Await(t.Context(), out); err != nil {
		t.Errorf("Await: %v", err)
	}
	close(release)
	receive(t, "the end", far.Done())
	r.clean()
}

// TestTakeOverOfACallOut: it was answered, and its controller left. It is led
// on, as the attempt it is.
func TestTakeOverOfACallOut(t *testing.T) {
	t.Parallel()
	for name, written := range map[string]bool{"written": true, "nothing written": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := make(chan ivr.Info, 1)
			r, out, _, results := dialling(t, talk(first, make(chan error, 1)))
			far := r.rung()
			far.PickUp()
			if err := receive(t, "Dial", results); err != nil {
				t.Fatal(err)
			}
			info := receive(t, "the call", first)
			books := &ledger{}
			if written {
				info.Attempt = [16]byte{} // not every ledger knows
				books.write(info, false)
			}
			led := make(chan ivr.Info, 1)
			next := r.successor(books, func(ctx context.Context, c ivr.Call) {
				led <- c.Info()
				if err := c.Say(ctx, say("code")); err != nil {
					t.Error(err)
				}
			})
			got := receive(t, "the call again", led)
			if got.ID != out.ID || got.Attempt != out.ID || got.Number != out.Number || got.TakenOver != written {
				t.Errorf("led on as %+v", got)
			}
			if err := next.line.Await(t.Context(), out); err != nil {
				select {
				case <-far.Done(): // it was over by then
				default:
					t.Errorf("Await: %v", err)
				}
			}
			receive(t, "the end", far.Done())
			next.clean()
		})
	}
}
