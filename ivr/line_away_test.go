package ivr_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/ivr"
	"ringback/ivr/ivrtest"
	"ringback/prompts"
	"ringback/queue"
)

// lineAway is a queue.Store that does not answer from some moment on, but promises
// all the same, as a journal does.
type lineAway struct {
	queue.Store
	is *bool
}

func (l lineAway) Turn(ctx context.Context, id uuid.UUID) (queue.Turn, error) {
	if *l.is {
		return queue.Turn{}, errAway
	}
	return l.Store.Turn(ctx, id)
}

func (l lineAway) Standing(ctx context.Context, id uuid.UUID) (queue.Standing, error) {
	if *l.is {
		return queue.Standing{}, errAway
	}
	return l.Store.Standing(ctx, id)
}

func (l lineAway) Find(ctx context.Context, n e164.Number) ([]queue.Ticket, error) {
	if *l.is {
		return nil, errAway
	}
	return l.Store.Find(ctx, n)
}

func (l lineAway) Join(ctx context.Context, a queue.Arrival) (queue.Ticket, error) {
	if *l.is {
		return queue.Ticket{}, errAway
	}
	return l.Store.Join(ctx, a)
}

// TestLineAwayWhileWaiting: music goes on, and nobody hears of it.
func TestLineAwayWhileWaiting(t *testing.T) {
	virtually(func(t *testing.T) {
		w := world(t, "an agent who is busy", "3 people in line")
		h := w.Hotline(prompts.Default())
		var is bool
		h.Queue = lineAway{w.Line, &is}
		rests := 0
		p := &lineCaller{keys: map[prompts.Key]string{"main.menu": "0"}}
		p.at = func(what string) {
			if what != "rest" {
				return
			}
			rests++
			is = rests > 6 && rests < 10
			if rests == 12 {
				if err := w.Line.Happens("agent: is free"); err != nil {
					t.Error(err)
				}
			}
		}
		ctx, c := ivrtest.NewCaller(t.Context(), ivr.Info{ID: uuid.New(), Number: w.Caller, Started: time.Now()}, p, speaking(prompts.Default()))
		o := h.Serve(ctx, c.In(w))
		if o.Result != ivr.Person || rests < 12 {
			t.Errorf("ended as %v after %d rests and %v", o, rests, p.heard)
		}
	})(t)
}

// TestLineAwayPromises: who wants a person while the line cannot be asked is
// promised a callback.
func TestLineAwayPromises(t *testing.T) {
	virtually(func(t *testing.T) {
		w := world(t, "an agent")
		h := w.Hotline(prompts.Default())
		is := true
		h.Queue = lineAway{w.Line, &is}
		o, _ := call(t, w, h, []step{"1", "0", "1"})
		check(t, w, o, "the call ends as callback", "the ticket is due")
	})(t)
}

// noFate is a line that cannot say what we rang for.
type noFate struct{ queue.Store }

func (noFate) Rung(context.Context, uuid.UUID) (queue.Attempt, error) {
	return queue.Attempt{}, errAway
}

// TestRungForNobodyKnowsWhat: the person hears that we will try again.
func TestRungForNobodyKnowsWhat(t *testing.T) {
	virtually(func(t *testing.T) {
		w := world(t, "we ring")
		h := w.Hotline(prompts.Default())
		h.Queue = noFate{w.Line}
		o, rec := call(t, w, h, nil)
		if o.Result != ivr.Failed || said(rec, "rung.later") != 1 {
			t.Errorf("ended as %v", o)
		}
		if fate := w.Line.Fate(w.Attempt); fate != "" {
			t.Errorf("the attempt is %s", fate)
		}
	})(t)
}
