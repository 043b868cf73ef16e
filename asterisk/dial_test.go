package asterisk_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/asterisk"
	"ringback/asterisk/aritest"
	"ringback/ivr"
)

// someOut is a call to be made.
func someOut(t testing.TB) ivr.Out {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return ivr.Out{ID: id, Number: "+4923150012345", Ring: time.Hour}
}

// dialling is a rig that makes one call out.
func dialling(t *testing.T, handler asterisk.Handler, change ...func(*rig)) (r *rig, out ivr.Out, giveUp context.CancelCauseFunc, results <-chan error) {
	t.Helper()
	r = setup(t, handler, append([]func(*rig){trunked}, change...)...)
	out = someOut(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	ends := make(chan error, 1)
	go func() { ends <- r.line.Dial(ctx, out) }()
	return r, out, cancel, ends
}

// TestDialAnswered: from the answer on it is a call like any other.
func TestDialAnswered(t *testing.T) {
	t.Parallel()
	led, said := make(chan ivr.Info, 1), make(chan error, 1)
	goOn := make(chan struct{})
	r, out, _, results := dialling(t, func(ctx context.Context, c ivr.Call) {
		led <- c.Info()
		<-goOn
		said <- errors.Join(c.Answer(ctx), c.Say(ctx, say("short")))
	})
	far := r.rung()
	if far.Endpoint() != "PJSIP/+4923150012345@trunk" || far.Shown() != "+49231116117" || far.Channel() != out.ID.String() {
		t.Errorf("dialled %s as %s, showing %q", far.Endpoint(), far.Channel(), far.Shown())
	}
	if total, out := r.line.InUse(); total != 1 || out != 1 {
		t.Errorf("while it rings, %d lines in use, %d out", total, out)
	}
	state(t, r, out.ID, ivr.DialledRings)
	far.PickUp()
	if err := receive(t, "Dial", results); err != nil {
		t.Errorf("Dial: %v", err)
	}
	got := receive(t, "the call", led)
	if got.ID != out.ID || got.Attempt != out.ID || got.Number != out.Number || got.Node != aritest.Node || got.Channel != far.Channel() {
		t.Errorf("led as %+v", got)
	}
	if total, out := r.line.InUse(); total != 1 || out != 1 {
		t.Errorf("when answered, %d lines in use, %d out", total, out)
	}
	state(t, r, out.ID, ivr.DialledLed)
	close(goOn)
	if err := receive(t, "what is said", said); err != nil {
		t.Error(err)
	}
	receive(t, "the end", far.Done())
	r.clean()
	state(t, r, out.ID, ivr.DialledOver)
	if err := r.line.ForgetDial(t.Context(), out.ID); err != nil {
		t.Error(err)
	}
	state(t, r, out.ID, ivr.DialledNever)
}

// state checks what is known of a call out.
func state(t *testing.T, r *rig, attempt uuid.UUID, want ivr.Dialled) {
	t.Helper()
	if got, err := r.line.Dialled(t.Context(), attempt); got != want || err != nil {
		t.Errorf("the call out is %q, %v; want %q", got, err, want)
	}
}

// TestDialNotAnswered: exactly one outcome, and no call.
func TestDialNotAnswered(t *testing.T) {
	t.Parallel()
	given := errors.New("given up")
	for name, tc := range map[string]struct {
		act     func(far *aritest.Caller, giveUp context.CancelCauseFunc)
		want    error
		outcome string
	}{
		"busy":        {func(f *aritest.Caller, _ context.CancelCauseFunc) { f.Refuse(486) }, ivr.ErrBusy, "busy"},
		"declined":    {func(f *aritest.Caller, _ context.CancelCauseFunc) { f.Refuse(603) }, ivr.ErrBusy, "busy"},
		"no answer":   {func(f *aritest.Caller, _ context.CancelCauseFunc) { f.Refuse(480) }, ivr.ErrNoAnswer, "no_answer"},
		"no number":   {func(f *aritest.Caller, _ context.CancelCauseFunc) { f.Refuse(404) }, ivr.ErrUnreachable, "unreachable"},
		"no network":  {func(f *aritest.Caller, _ context.CancelCauseFunc) { f.Refuse(503) }, ivr.ErrUnreachable, "unreachable"},
		"is given up": {func(_ *aritest.Caller, giveUp context.CancelCauseFunc) { giveUp(given) }, given, "given_up"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, out, giveUp, results := dialling(t, func(context.Context, ivr.Call) { t.Error("led a call that was not answered") })
			far := r.rung()
			tc.act(far, giveUp)
			wantErr(t, "Dial", receive(t, "the outcome", results), tc.want)
			receive(t, "the end", far.Done())
			state(t, r, out.ID, ivr.DialledOver)
			if n := r.labelled("ringback_ari_calls_out_total", tc.outcome); n != 1 {
				t.Errorf("%v counted as %s", n, tc.outcome)
			}
			r.clean()
		})
	}
}

// TestCannotDial: nothing is dialled, and nothing says that it was.
func TestCannotDial(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*rig){
		"unknown to Asterisk": func(r *rig) { r.server.Unknown = func(string) bool { return true } },
		"no trunk":            func(r *rig) { r.options.OutTrunk = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, out, _, results := dialling(t, nothing, change)
			wantErr(t, "Dial", receive(t, "the outcome", results), ivr.ErrUnreachable)
			state(t, r, out.ID, ivr.DialledNever)
			r.clean()
		})
	}
	t.Run("twice", func(t *testing.T) {
		t.Parallel()
		r, out, _, results := dialling(t, nothing)
		far := r.rung()
		if err := r.line.Dial(t.Context(), out); err == nil || errors.Is(err, ivr.ErrUnreachable) {
			t.Errorf("dialled twice: %v", err)
		}
		far.Refuse(486)
		wantErr(t, "Dial", receive(t, "the outcome", results), ivr.ErrBusy)
		r.clean()
	})
	t.Run("not connected", func(t *testing.T) {
		t.Parallel()
		r := prepare(t, nothing, trunked)
		if err := r.line.Dial(t.Context(), someOut(t)); err == nil {
			t.Error("dialled without a connection")
		}
	})
	t.Run("late", func(t *testing.T) {
		t.Parallel()
		r := setup(t, nothing, trunked)
		given := errors.New("given up")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(given)
		wantErr(t, "Dial", r.line.Dial(ctx, someOut(t)), given)
		r.clean()
	})
}

// TestDialTemplate sends calls out where it is told.
func TestDialTemplate(t *testing.T) {
	t.Parallel()
	r, _, _, results := dialling(t, nothing, func(r *rig) { r.options.OutDial = "PJSIP/trunk/sip:%s@192.0.2.1:5070" })
	far := r.rung()
	if far.Endpoint() != "PJSIP/trunk/sip:+4923150012345@192.0.2.1:5070" {
		t.Errorf("dialled %s", far.Endpoint())
	}
	far.PickUp()
	if err := receive(t, "Dial", results); err != nil {
		t.Error(err)
	}
	receive(t, "the end", far.Done())
}

// TestAnswerMeetsGivingUp lets somebody pick up in the moment in which the call
// is given up: it is answered and led, or it is neither.
func TestAnswerMeetsGivingUp(t *testing.T) {
	t.Parallel()
	const calls = 200
	led := make(chan uuid.UUID, calls)
	r := setup(t, func(ctx context.Context, c ivr.Call) { led <- c.Info().Attempt }, trunked)
	given := errors.New("given up")
	answered, unanswered := 0, 0
	for i := range calls {
		out := someOut(t)
		ctx, giveUp := context.WithCancelCause(t.Context())
		ends := make(chan error, 1)
		go func() { ends <- r.line.Dial(ctx, out) }()
		far := r.rung()
		both := make(chan struct{})
		var late <-chan struct{}
		switch i % 3 {
		case 1:
			far.PickUp()
		case 2:
			late = far.Done()
		}
		go func() {
			defer close(both)
			if late != nil {
				<-late
			}
			far.PickUp()
		}()
		giveUp(given)
		switch err := receive(t, "the outcome", ends); {
		case err == nil:
			answered++
			if got := receive(t, "the call", led); got != out.ID {
				t.Fatalf("led %s, want %s", got, out.ID)
			}
		case errors.Is(err, given):
			unanswered++
		default:
			t.Fatalf("Dial: %v", err)
		}
		<-both
		receive(t, "the end", far.Done())
	}
	if err := r.line.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d were answered", answered, calls)
	if answered < calls/3 || unanswered < calls/3 || len(led) > 0 {
		t.Errorf("%d answered, %d not, %d led too many", answered, unanswered, len(led))
	}
	r.clean()
}

// TestDrainedWhileRinging: who was rung and picks up is not turned away.
func TestDrainedWhileRinging(t *testing.T) {
	t.Parallel()
	r, _, _, results := dialling(t, func(ctx context.Context, c ivr.Call) {
		if err := c.Say(ctx, say("short")); err != nil {
			t.Error(err)
		}
	})
	far := r.rung()
	r.line.Drain()
	far.PickUp()
	if err := receive(t, "Dial", results); err != nil {
		t.Error(err)
	}
	receive(t, "the end", far.Done())
	if len(far.Heard()) != 1 {
		t.Error("nothing was said")
	}
	r.clean()
}

// TestDialInAGap: an outcome that nobody saw is said to be none.
func TestDialInAGap(t *testing.T) {
	t.Parallel()
	var cut atomic.Bool
	r, out, _, results := dialling(t, nothing, away(&cut))
	far := r.rung()
	r.until("its request is answered", func() bool { return r.requested("originate") == 1 })
	cut.Store(true)
	r.server.Disconnect()
	far.Refuse(486)
	cut.Store(false)
	err := receive(t, "Dial", results)
	for _, known := range []error{nil, ivr.ErrBusy, ivr.ErrNoAnswer, ivr.ErrUnreachable} {
		if errors.Is(err, known) {
			t.Errorf("Dial: %v", err)
		}
	}
	state(t, r, out.ID, ivr.DialledOver)
	r.clean()
}

// TestDialledBeforeTheRestart: what an Asterisk before it dialled, a new one does
// not know; it counts as made.
func TestDialledBeforeTheRestart(t *testing.T) {
	t.Parallel()
	r, out, _, results := dialling(t, nothing)
	r.rung()
	r.until("its request is answered", func() bool { return r.requested("originate") == 1 })
	r.server.Restart()
	if err := receive(t, "Dial", results); err == nil || errors.Is(err, ivr.ErrNoAnswer) {
		t.Errorf("Dial: %v", err)
	}
	state(t, r, out.ID, ivr.DialledOver)
	state(t, r, someOut(t).ID, ivr.DialledNever)
	state(t, r, uuid.New(), ivr.DialledNever) // no time in it
}

// TestDialledCannotBeAsked passes on why.
func TestDialledCannotBeAsked(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/ari/channels/", "/ari/asterisk/variable", "/ari/asterisk/info"} {
		var broken atomic.Bool
		r := setup(t, nothing, func(r *rig) {
			r.server.Intercept = func(w http.ResponseWriter, q *http.Request) bool {
				no := broken.Load() && strings.HasPrefix(q.URL.Path, path) && q.Method == http.MethodGet
				if no {
					w.WriteHeader(http.StatusInternalServerError)
				}
				return no
			}
		})
		broken.Store(true)
		if got, err := r.line.Dialled(t.Context(), uuid.New()); err == nil {
			t.Errorf("%s does not answer: %q", path, got)
		}
	}
}

// TestGivenUpAtAHandOver: who gives way and gives up what it dials, in any
// order, lets it ring on for the next one.
func TestGivenUpAtAHandOver(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(r *rig, giveUp context.CancelCauseFunc){
		"released": func(r *rig, giveUp context.CancelCauseFunc) {
			r.line.Release()
			giveUp(errors.New("stopped"))
		},
		"told so": func(_ *rig, giveUp context.CancelCauseFunc) { giveUp(ivr.ErrElsewhere) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _, giveUp, results := dialling(t, nothing)
			far := r.rung()
			r.until("its request is answered", func() bool { return r.requested("originate") == 1 })
			do(r, giveUp)
			wantErr(t, "Dial", receive(t, "its end", results), ivr.ErrElsewhere)
			if !far.Ringing() {
				t.Error("it rings no more")
			}
		})
	}
}
