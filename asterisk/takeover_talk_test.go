package asterisk_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/asterisk"
	"ringback/asterisk/aritest"
	"ringback/ivr"
)

// handover is a first controller that left at a certain moment, and what a
// second one needs to go on.
type handover struct {
	*rig
	books         *ledger
	caller, agent *aritest.Caller
	leg           ivr.Leg
}

// handedOver lets the first controller ring the agent, and talk if wanted, and
// go. What happens meanwhile is up to between.
func handedOver(t *testing.T, talks bool, between func(h *handover)) *handover {
	t.Helper()
	h := &handover{books: &ledger{}, leg: someLeg()}
	joined, led := make(chan struct{}, 1), make(chan ivr.Info, 1)
	ends := make(chan error, 1)
	h.rig = setup(t, func(ctx context.Context, c ivr.Call) {
		led <- c.Info()
		ends <- ringAndTalk(h.leg, joined)(ctx, c)
	})
	h.caller = h.server.Dial("+4923150012345")
	h.books.write(receive(t, "the call", led), false)
	h.agent = h.rung()
	if talks {
		h.agent.PickUp()
		receive(t, "a talk", joined)
	} else {
		h.until("the request to ring is answered", func() bool { return h.requested("originate") == 1 })
	}
	h.line.Release()
	wantErr(t, "the first controller's call", receive(t, "its end", ends), ivr.ErrElsewhere)
	if err := receive(t, "the first controller's end", h.ended); err != nil {
		t.Fatal(err)
	}
	if between != nil {
		between(h)
	}
	return h
}

// next is the second controller, with one call.
func (h *handover) next(handler func(ctx context.Context, c ivr.Call) error) (*rig, <-chan error) {
	h.t.Helper()
	results := make(chan error, 1)
	r := h.successor(h.books, func(ctx context.Context, c ivr.Call) { results <- handler(ctx, c) })
	return r, results
}

// TestTakeOverInATalk: it goes on without a word, whatever a dialogue says of
// itself before it comes to it.
func TestTakeOverInATalk(t *testing.T) {
	t.Parallel()
	h := handedOver(t, true, func(h *handover) {
		h.caller.Press('1')
		if h.agent.HeardKeys() != "1" {
			t.Error("the two are apart")
		}
	})
	talks := make(chan struct{})
	r, results := h.next(func(ctx context.Context, c ivr.Call) error {
		err := errors.Join(c.Answer(ctx), c.Say(ctx, say("short")))
		close(talks)
		return errors.Join(err, c.Talk(ctx, h.leg), c.Say(ctx, say("code")))
	})
	receive(t, "the talk to go on", talks)
	if h.caller.TalksWith() != h.agent {
		t.Error("the talk was cut")
	}
	h.agent.HangUp()
	if err := receive(t, "end", results); err != nil {
		t.Error(err)
	}
	receive(t, "the caller's end", h.caller.Done())
	if heard := h.caller.Heard(); len(heard) != 1 || heard[0] != mediaOf("code") {
		t.Errorf("heard %v", heard)
	}
	r.clean()
}

// TestTakeOverAfterATalk: it ended while no controller was there.
func TestTakeOverAfterATalk(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		between func(h *handover)
		dialled bool // the dialogue goes on with something else
	}{
		"the agent hung up":      {func(h *handover) { h.agent.HangUp() }, false},
		"and is told so":         {func(h *handover) { h.agent.HangUp() }, true},
		"another scene is known": {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := handedOver(t, true, tc.between)
			r, results := h.next(func(ctx context.Context, c ivr.Call) error {
				if tc.dialled {
					_, err := c.Rest(ctx, ivr.Rest{Music: true, Wait: time.Millisecond})
					return errors.Join(ignore(err, ivr.ErrSilence), c.Say(ctx, say("short")))
				}
				return errors.Join(c.Say(ctx, say("short")), c.Talk(ctx, h.leg))
			})
			if err := receive(t, "end", results); err != nil {
				t.Error(err)
			}
			receive(t, "the agent's end", h.agent.Done())
			receive(t, "the caller's end", h.caller.Done())
			if n := len(h.caller.Heard()); n != 1 {
				t.Errorf("heard %d prompts", n)
			}
			r.clean()
		})
	}
}

// TestTakeOverWhileRinging: the telephone that rings is the one that is joined,
// and it is not rung twice.
func TestTakeOverWhileRinging(t *testing.T) {
	t.Parallel()
	for name, early := range map[string]bool{"rings": false, "is answered before it is asked for": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := handedOver(t, false, nil)
			ring, joined := make(chan struct{}), make(chan struct{}, 1)
			r, results := h.next(func(ctx context.Context, c ivr.Call) error {
				<-ring
				return ringAndTalk(h.leg, joined)(ctx, c)
			})
			r.until("ready", r.line.Ready)
			r.until("the call", func() bool { return len(r.line.Calls()) == 1 })
			if early {
				h.agent.PickUp()
				close(ring)
			} else {
				close(ring)
				r.music(h.caller, true)
				h.agent.PickUp()
			}
			receive(t, "a talk", joined)
			if h.caller.TalksWith() != h.agent {
				t.Error("talks with somebody else")
			}
			h.agent.HangUp()
			if err := receive(t, "end", results); err != nil {
				t.Error(err)
			}
			receive(t, "the caller's end", h.caller.Done())
			r.clean()
		})
	}
}

// TestOrphanedLegs are ended: of a call that is over, that rings or talks, and
// of one whose dialogue does not ask for it.
func TestOrphanedLegs(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		talks, led bool
	}{
		"the caller hung up while it rang":     {false, false},
		"the caller hung up in the talk":       {true, false},
		"nobody wants the one that rings":      {false, true},
		"nobody talks with the one that talks": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := handedOver(t, tc.talks, func(h *handover) {
				if !tc.led {
					h.caller.HangUp()
				}
			})
			r := &rig{t: t, server: h.server, options: h.options}
			r.options.Ledger, r.options.Registerer = h.books, nil
			done := make(chan struct{})
			line, err := asterisk.New(r.options, voice{}, func(ctx context.Context, c ivr.Call) {
				if tc.talks {
					return // hangs up
				}
				_, _ = c.Key(ctx, patience) // ends with the test
				close(done)
			})
			if err != nil {
				t.Fatal(err)
			}
			line.SetGrace(20 * time.Millisecond)
			r.line = line
			r.run()
			receive(t, "the agent's end", h.agent.Done())
			if tc.led && !tc.talks {
				h.caller.Press('1')
				receive(t, "the call", done)
			}
			r.until("nothing left over", func() bool { return r.server.Channels() == 0 && r.server.Bridges() == 0 })
		})
	}
}

// TestStrayLeg: an agent who is picked up for a call that is not led here is hung
// up at once.
func TestStrayLeg(t *testing.T) {
	t.Parallel()
	h := handedOver(t, false, func(h *handover) { h.caller.HangUp() })
	r := h.successor(&ledger{}, nothing)
	receive(t, "the agent's end", h.agent.Done())
	r.until("ready", r.line.Ready)
	r.clean()
}

// TestTalkThatNeverWas: a leg nobody joined, or that was never rung, has hung up.
func TestTalkThatNeverWas(t *testing.T) {
	t.Parallel()
	t.Run("rings", func(t *testing.T) {
		t.Parallel()
		h := handedOver(t, false, nil)
		r, results := h.next(func(ctx context.Context, c ivr.Call) error { return c.Talk(ctx, h.leg) })
		if err := receive(t, "end", results); err != nil {
			t.Error(err)
		}
		receive(t, "the agent's end", h.agent.Done())
		r.clean()
	})
	t.Run("unknown", func(t *testing.T) {
		t.Parallel()
		r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
			return c.Talk(ctx, ivr.Leg{ID: uuid.New()})
		})
		r.server.Dial("+4923150012345")
		if err := receive(t, "end", results); err != nil {
			t.Error(err)
		}
		r.clean()
	})
}

// TestTakeOverOfAnUnknownTalk: while the books cannot be read, the two talk on;
// what is said comes afterwards.
func TestTakeOverOfAnUnknownTalk(t *testing.T) {
	t.Parallel()
	for name, callerFirst := range map[string]bool{"the agent hangs up": false, "the caller hangs up": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := handedOver(t, true, nil)
			h.books = &ledger{}
			r, results := h.next(func(ctx context.Context, c ivr.Call) error {
				_, err := c.Key(ctx, 0)
				return errors.Join(ignore(err, ivr.ErrSilence), c.Say(ctx, say("short")))
			})
			r.until("the call", func() bool { return len(r.line.Calls()) == 1 && r.line.Calls()[0].ID != uuid.Nil })
			if h.caller.TalksWith() != h.agent {
				t.Error("the talk was cut")
			}
			if callerFirst {
				h.caller.HangUp()
				wantErr(t, "the call", receive(t, "its end", results), ivr.ErrHungUp)
			} else {
				h.agent.HangUp()
				if err := receive(t, "end", results); err != nil {
					t.Error(err)
				}
			}
			receive(t, "the agent's end", h.agent.Done())
			receive(t, "the caller's end", h.caller.Done())
			r.clean()
		})
	}
}
