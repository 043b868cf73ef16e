package ivr_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/ivr"
	"ringback/ivr/ivrtest"
	"ringback/prompts"
)

// interrupted leads one call in processes that give way to the next one while
// the given lines are said, and returns how it ended and what was heard from
// the last change on.
func interrupted(t *testing.T, w *ivrtest.World, at ...int) (ivr.Outcome, []prompts.Key) {
	t.Helper()
	texts := prompts.Default()
	info := ivr.Info{ID: uuid.New(), Number: w.Caller, Node: "test", Started: time.Now()}
	b := &ivrtest.Booker{}
	for {
		began := len(b.Lines)
		ctx, leave := context.WithCancelCause(t.Context())
		b.Interrupt = func(n int) {
			if slices.Contains(at, n) {
				leave(ivr.ErrElsewhere)
			}
		}
		ctx, c := ivrtest.NewCaller(ctx, info, b, speaking(texts))
		o := w.Hotline(texts).Serve(ctx, c)
		leave(nil)
		if o.Result != ivr.Elsewhere {
			return o, b.Lines[began:]
		}
		if c.HungUp() {
			t.Fatal("who gave way hung up")
		}
		info.TakenOver = true
	}
}

// TestTakenOverAnywhere: whatever is being said when the process dies, the next
// one goes on, and the caller ends with one appointment.
func TestTakenOverAnywhere(t *testing.T) {
	t.Parallel()
	whole := 0
	t.Run("undisturbed", virtuallyNow(func(t *testing.T) {
		w := ivrtest.NewWorld()
		w.Open(1)
		_, heard := interrupted(t, w)
		whole = len(heard)
	}))
	if whole < 10 {
		t.Fatalf("an undisturbed call has %d lines", whole)
	}
	for n := 1; n <= whole; n++ {
		t.Run(fmt.Sprint(n), virtually(func(t *testing.T) {
			w := ivrtest.NewWorld()
			w.Open(1)
			// And once more in the words that tell of the first time.
			o, heard := interrupted(t, w, n, n+1, n+4)
			if o.Result != ivr.Booked {
				t.Errorf("ended as %v after %v", o, heard)
			}
			if heard[0] != "takeover.here" {
				t.Errorf("the last process began with %v", heard)
			}
			if booked := w.Bookings.Count(booking.SeatBooked); booked != 1 {
				t.Errorf("%d seats are booked", booked)
			}
			if held := w.Bookings.Count(booking.SeatHeld); held != 0 {
				t.Errorf("%d seats are still held", held)
			}
		}))
	}
}

// TestTakenOverKeepsWhatIsHeld: the time that was spoken is the time that is
// spoken again.
func TestTakenOverKeepsWhatIsHeld(t *testing.T) {
	virtually(func(t *testing.T) {
		w := ivrtest.NewWorld()
		w.Open(3)
		texts := prompts.Default()
		info := ivr.Info{ID: uuid.New(), Number: w.Caller, Node: "test", Started: time.Now()}
		ctx, leave := context.WithCancelCause(t.Context())
		b := &ivrtest.Booker{}
		b.Interrupt = func(int) {
			if b.Lines[len(b.Lines)-1] == "choose.offer" {
				leave(ivr.ErrElsewhere)
			}
		}
		ctx, c := ivrtest.NewCaller(ctx, info, b, speaking(texts))
		if o := w.Hotline(texts).Serve(ctx, c); o.Result != ivr.Elsewhere {
			t.Fatalf("ended as %v", o)
		}
		before, _ := w.Log.Record(info.ID)

		info.TakenOver = true
		ctx, c = ivrtest.NewCaller(t.Context(), info, &ivrtest.Booker{}, speaking(texts))
		w.Hotline(texts).Serve(ctx, c)
		after, _ := w.Log.Record(info.ID)
		offer := func(e ivr.Entry) bool { return e.Line == "choose.offer" }
		first := slices.IndexFunc(before.Transcript, offer)
		again := slices.IndexFunc(after.Transcript[len(before.Transcript):], offer)
		if again < 0 || before.Transcript[first].Text != after.Transcript[len(before.Transcript)+again].Text {
			t.Errorf("offered %v, then %v", before.Transcript[first], after.Transcript[len(before.Transcript):])
		}
	})(t)
}

// TestTakenOverWithNothingWritten: a call of which nothing is known begins anew.
func TestTakenOverWithNothingWritten(t *testing.T) {
	virtually(func(t *testing.T) {
		w := ivrtest.NewWorld()
		w.Open(1)
		texts := prompts.Default()
		info := ivr.Info{ID: uuid.New(), Number: w.Caller, Node: "test", Started: time.Now(), TakenOver: true}
		b := &ivrtest.Booker{}
		ctx, c := ivrtest.NewCaller(t.Context(), info, b, speaking(texts))
		if o := w.Hotline(texts).Serve(ctx, c); o.Result != ivr.Booked || b.Lines[0] != "welcome.greeting" {
			t.Errorf("ended as %v after %v", o, b.Lines)
		}
	})(t)
}

// TestTakenOverFromAnotherVersion: a state that is not understood leads to the
// main menu, in the caller's language.
func TestTakenOverFromAnotherVersion(t *testing.T) {
	virtually(func(t *testing.T) {
		w := ivrtest.NewWorld()
		w.Open(1)
		texts := prompts.Default()
		info := ivr.Info{ID: uuid.New(), Number: w.Caller, Node: "test", Started: time.Now()}
		w.Log.Began(info)
		w.Log.Entered(info.ID, "choose", prompts.English, []byte(`{"Version":99,"Hold":7}`))
		info.TakenOver = true
		b := &ivrtest.Booker{}
		ctx, c := ivrtest.NewCaller(t.Context(), info, b, speaking(texts))
		o := w.Hotline(texts).Serve(ctx, c)
		if o.Result != ivr.Booked || !slices.Equal(b.Lines[:3], []prompts.Key{"takeover.here", "welcome.notice", "main.menu"}) {
			t.Errorf("ended as %v after %v", o, b.Lines)
		}
		if rec, _ := w.Log.Record(info.ID); rec.Language != prompts.English {
			t.Errorf("spoke %s", rec.Language)
		}
	})(t)
}
