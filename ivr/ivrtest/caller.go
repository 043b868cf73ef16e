package ivrtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ringback/booking"
	"ringback/ivr"
)

// Act is what a caller does at one moment.
type Act struct {
	Keys   string // pressed one after the other
	HangUp bool
	Speaks bool   // where a voice is waited for
	Agent  string // what the agent does whose telephone is rung, or who talks
	// Happens is what happens to the line meanwhile: "agent: is free", "line: breaks".
	Happens []string
	// None of them: the caller lets the hotline wait.
}

// Person decides what a Caller does.
type Person interface {
	// Hears is called when the hotline begins to speak; keys returned are
	// pressed at once and cut it short.
	Hears(u ivr.Utterance) Act
	// Asked is called when the hotline waits for a key and none was typed
	// ahead.
	Asked(wait time.Duration) Act
	// Speaks is called after the tone: how long the caller speaks.
	Speaks(longest time.Duration) (time.Duration, Act)
}

// Waiter is a Person who has something to do while waiting in line, and who says
// what agents do. Others answer a rest as they answer a question, and talk for
// three minutes with an agent who answers.
type Waiter interface {
	Rests(r ivr.Rest) Act
	Rings(l ivr.Leg) Act
	Talks(l ivr.Leg) Act
}

// Caller is an ivr.Call acted out by a Person. Run it in virtual time
// (testing/synctest): it takes the time that speech takes.
type Caller struct {
	person   Person
	info     ivr.Info
	duration func(ivr.Utterance) time.Duration
	hangUp   context.CancelCauseFunc
	keys     []ivr.Key
	gone     chan struct{} // closed when the line is down
	why      error         // then
	world    *World        // where things happen; nil: nowhere

	answered bool
}

// NewCaller rings with a context that ends when the person hangs up. Duration
// tells how long an utterance lasts.
func NewCaller(ctx context.Context, info ivr.Info, p Person, duration func(ivr.Utterance) time.Duration) (context.Context, *Caller) {
	ctx, hangUp := context.WithCancelCause(ctx)
	return ctx, &Caller{person: p, info: info, duration: duration, hangUp: hangUp, gone: make(chan struct{})}
}

// In lets what happens in the call happen to this world.
func (c *Caller) In(w *World) *Caller {
	c.world = w
	w.call.Store(c)
	return c
}

// reaction is how long after a line began a key that cuts it short is pressed.
const reaction = time.Second

// Info implements ivr.Call.
func (c *Caller) Info() ivr.Info { return c.info }

// Ours implements ivr.Call.
func (c *Caller) Ours(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), ivr.ErrElsewhere) {
		return ivr.ErrElsewhere
	}
	return nil
}

// Answer implements ivr.Call.
func (c *Caller) Answer(ctx context.Context) error {
	c.answered = true
	return c.up(ctx)
}

// Say implements ivr.Call.
func (c *Caller) Say(ctx context.Context, u ivr.Utterance) error {
	if err := c.up(ctx); err != nil {
		return err
	}
	if len(c.keys) > 0 && !u.Uncut {
		return nil
	}
	if err := c.do(ctx, c.person.Hears(u)); err != nil {
		return err
	}
	if len(c.keys) > 0 && !u.Uncut {
		return c.pass(ctx, reaction)
	}
	return c.pass(ctx, c.duration(u))
}

// Key implements ivr.Call.
func (c *Caller) Key(ctx context.Context, wait time.Duration) (ivr.Key, error) {
	if err := c.up(ctx); err != nil {
		return 0, err
	}
	if len(c.keys) == 0 {
		if err := c.do(ctx, c.person.Asked(wait)); err != nil {
			return 0, err
		}
		if len(c.keys) == 0 {
			if err := c.pass(ctx, wait); err != nil {
				return 0, err
			}
			return 0, ivr.ErrSilence
		}
		if err := c.pass(ctx, 500*time.Millisecond); err != nil {
			return 0, err
		}
	}
	k := c.keys[0]
	c.keys = c.keys[1:]
	return k, nil
}

// Flush implements ivr.Call.
func (c *Caller) Flush() { c.keys = nil }

// Record implements ivr.Call.
func (c *Caller) Record(ctx context.Context, longest time.Duration) (booking.Recording, error) {
	if err := c.up(ctx); err != nil {
		return booking.Recording{}, err
	}
	length, act := c.person.Speaks(longest)
	r := booking.Recording{Length: length, WAV: []byte("RIFF")}
	if err := c.pass(ctx, length); err != nil {
		return r, err
	}
	return r, c.do(ctx, act)
}

// HangUp implements ivr.Call.
func (c *Caller) HangUp(context.Context) error {
	c.drop(ivr.ErrHungUp)
	return nil
}

// HungUp says whether the line is down.
func (c *Caller) HungUp() bool { return c.why != nil }

// drop ends the line.
func (c *Caller) drop(why error) {
	if c.why == nil {
		c.why = why
		close(c.gone)
		c.hangUp(why)
	}
}

// do presses keys, hangs up, or lets things happen.
func (c *Caller) do(ctx context.Context, a Act) error {
	for _, what := range a.Happens {
		if what == "line: "+LineBreaks {
			c.drop(ivr.ErrLineBroke)
			return ivr.ErrLineBroke
		}
		if c.world == nil {
			return fmt.Errorf("%q has no world to happen in", what)
		}
		if err := c.world.Line.Happens(what); err != nil {
			return err
		}
	}
	if a.HangUp {
		c.drop(ivr.ErrHungUp)
		return ivr.ErrHungUp
	}
	for i := range len(a.Keys) {
		c.keys = append(c.keys, ivr.Key(a.Keys[i]))
	}
	return ctx.Err()
}

// up says what stands against going on.
func (c *Caller) up(ctx context.Context) error {
	if c.why != nil {
		return c.why
	}
	return context.Cause(ctx)
}

// pass lets time go by.
func (c *Caller) pass(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-c.gone:
		return c.why
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
