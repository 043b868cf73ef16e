package ivr_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
	"ringback/ivr"
	"ringback/ivr/ivrtest"
	"ringback/prompts"
	"ringback/queue"
)

// errAway is a store that cannot be reached.
var errAway = errors.New("connection refused")

// away is a booking.Store that cannot be reached until a moment.
type away struct {
	booking.Store
	until time.Time
}

func (a away) Place(ctx context.Context, postcode string) (booking.Place, error) {
	if time.Now().Before(a.until) {
		return booking.Place{}, errAway
	}
	return a.Store.Place(ctx, postcode)
}

// noPromises is a queue.Store that cannot be reached.
type noPromises struct{ queue.Store }

func (noPromises) Find(context.Context, e164.Number) ([]queue.Ticket, error) { return nil, errAway }
func (noPromises) Join(context.Context, queue.Arrival) (queue.Ticket, error) {
	return queue.Ticket{}, errAway
}
func (noPromises) Promise(context.Context, queue.Arrival, queue.Window) (queue.Ticket, error) {
	return queue.Ticket{}, errAway
}

// aims are the keys that lead to the question for the postcode and beyond.
var aims = []step{"1", "1", ivrtest.Born, "1", ivrtest.Postcode, "1", "1", "1"}

// call rings with the steps, then keeps silent to the end.
func call(t *testing.T, w *ivrtest.World, h *ivr.Hotline, steps []step) (ivr.Outcome, ivr.Record) {
	t.Helper()
	p := &walker{steps: steps, onward: true, begun: time.Now(), read: w.Log.Only}
	o, id := ring(t, w, h, prompts.Default(), p)
	rec, _ := w.Log.Record(id)
	return o, rec
}

// said counts how often a line was said.
func said(r ivr.Record, key string) int {
	n := 0
	for _, e := range r.Transcript {
		if e.Kind == ivr.EntrySay && e.Line == key {
			n++
		}
	}
	return n
}

// TestStoreAwayForAWhile: the caller is asked for a moment, and goes on.
func TestStoreAwayForAWhile(t *testing.T) {
	virtually(func(t *testing.T) {
		w := ivrtest.NewWorld()
		w.Open(1)
		h := w.Hotline(prompts.Default())
		h.Bookings = away{w.Bookings, time.Now().Add(70 * time.Second)}
		o, rec := call(t, w, h, aims)
		if o.Result != ivr.Booked || said(rec, "common.moment") == 0 {
			t.Errorf("%v after %d requests for a moment", o, said(rec, "common.moment"))
		}
	})(t)
}

// TestStoreAwayForGood: the caller is told, and rung back.
func TestStoreAwayForGood(t *testing.T) {
	virtually(func(t *testing.T) {
		w := ivrtest.NewWorld()
		h := w.Hotline(prompts.Default())
		h.Bookings = away{w.Bookings, time.Now().Add(time.Hour)}
		o, rec := call(t, w, h, aims[:5])
		if o != (ivr.Outcome{Result: ivr.CalledBack, Reason: "trouble"}) || said(rec, "trouble.sorry") != 1 {
			t.Errorf("%v, and trouble was told %d times", o, said(rec, "trouble.sorry"))
		}
	})(t)
}

// TestNothingWorks: when not even a callback can be noted the caller is told
// to ring again, and the call counts as failed.
func TestNothingWorks(t *testing.T) {
	virtually(func(t *testing.T) {
		w := ivrtest.NewWorld()
		h := w.Hotline(prompts.Default())
		h.Queue = noPromises{w.Line}
		o, rec := call(t, w, h, []step{"1", "0"})
		if o.Result != ivr.Failed || said(rec, "trouble.later") != 1 {
			t.Errorf("%v, and told %d times to ring later", o, said(rec, "trouble.later"))
		}
	})(t)
}

// TestControllerStops: a call cut off by its controller leaves a callback.
func TestControllerStops(t *testing.T) {
	virtually(func(t *testing.T) {
		w := ivrtest.NewWorld()
		ctx, stop := context.WithCancel(t.Context())
		ctx, c := ivrtest.NewCaller(ctx, ivr.Info{ID: uuid.New(), Number: w.Caller}, stopAt{"main.menu", stop}, speaking(prompts.Default()))
		o := w.Hotline(prompts.Default()).Serve(ctx, c)
		if o != (ivr.Outcome{Result: ivr.CalledBack, Reason: "stopped in main"}) || len(w.Line.Tickets()) != 1 || !w.Line.Tickets()[0].Promised {
			t.Errorf("%v with %+v", o, w.Line.Tickets())
		}
	})(t)
}

// stopAt stops the controller when a line is heard.
type stopAt struct {
	line prompts.Key
	stop func()
}

func (s stopAt) Hears(u ivr.Utterance) ivrtest.Act {
	if u.Lines[0].Key == s.line {
		s.stop()
	}
	return ivrtest.Act{}
}
func (s stopAt) Asked(time.Duration) ivrtest.Act { return ivrtest.Act{} }
func (s stopAt) Speaks(time.Duration) (time.Duration, ivrtest.Act) {
	return 0, ivrtest.Act{}
}

// TestSlowerIsRemembered: who asks for slower speech hears it again next time,
// and in the language chosen.
func TestSlowerIsRemembered(t *testing.T) {
	virtually(func(t *testing.T) {
		w := ivrtest.NewWorld()
		h := w.Hotline(prompts.Default())
		call(t, w, h, []step{"2", "9", stepHangUp})
		got, err := w.Habits.Habit(t.Context(), w.Caller)
		if err != nil || got != (ivr.Habit{Language: prompts.English, Pace: prompts.Slow}) {
			t.Errorf("remembered %+v, %v", got, err)
		}
		_, rec := call(t, w, h, []step{stepHangUp})
		if rec.Language != prompts.English {
			t.Errorf("greeted in %s", rec.Language)
		}
	})(t)
}

// TestPersonalDigitsAreMasked: no transcript shows what was keyed of a person.
func TestPersonalDigitsAreMasked(t *testing.T) {
	virtually(func(t *testing.T) {
		w := ivrtest.NewWorld()
		w.Open(1)
		_, rec := call(t, w, w.Hotline(prompts.Default()), aims)
		appointments, err := w.Bookings.Appointments(t.Context(), w.Caller, time.Date(1935, 12, 24, 0, 0, 0, 0, time.UTC))
		if err != nil || len(appointments) != 1 {
			t.Fatalf("%d appointments, %v", len(appointments), err)
		}
		code := appointments[0].Code
		secrets := []string{ivrtest.Born, "1935", ivrtest.Postcode, code, code[:3] + " " + code[3:6]}
		for _, e := range rec.Transcript {
			for _, secret := range secrets {
				if strings.Contains(e.Keys, secret) || strings.Contains(e.Text, secret) {
					t.Errorf("the transcript shows %q: %+v", secret, e)
				}
			}
		}
		if n := said(rec, "code.read"); n != 1 {
			t.Errorf("the code was read %d times", n)
		}
	})(t)
}

// TestTooLongACall: at its longest duration a call ends with a promise.
func TestTooLongACall(t *testing.T) {
	virtually(func(t *testing.T) {
		w := ivrtest.NewWorld()
		o, rec := call(t, w, w.Hotline(prompts.Default()), repeat("9", 500))
		if o != (ivr.Outcome{Result: ivr.CalledBack, Reason: "too_long"}) || said(rec, "trouble.long") != 1 {
			t.Errorf("%v, and told %d times that it takes long", o, said(rec, "trouble.long"))
		}
	})(t)
}

func repeat(s step, n int) []step {
	all := make([]step, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func TestParseBorn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for digits, want := range map[string]string{
		"24121935": "1935-12-24",
		"241235":   "1935-12-24",
		"010319":   "1919-03-01",
		"010105":   "2005-01-01", // nobody is 121
		"29021940": "1940-02-29",
		"29021941": "", // no leap year
		"31041935": "",
		"00121935": "",
		"24121800": "", // nobody is 226
		"24122030": "", // not born yet
		"2412193":  "",
		"":         "",
	} {
		got, ok := ivr.ParseBorn(digits, now)
		if ok != (want != "") || ok && got.Format(time.DateOnly) != want {
			t.Errorf("%s: got %v, %v, want %s", digits, got, ok, want)
		}
	}
}
