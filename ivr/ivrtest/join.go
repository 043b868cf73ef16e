package ivrtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ringback/ivr"
)

// What agents do in scripts.
const (
	AgentAnswers   = "answers"
	AgentNoAnswer  = "does not answer"
	AgentBusy      = "is busy"
	AgentUnknown   = "cannot be reached"
	AgentHangsUp   = "hangs up"
	AgentIsCutOff  = "is cut off" // its line drops in a talk
	AgentFree      = "is free"    // whoever is ahead is served, and it is the caller's turn
	AgentGoes      = "signs out"
	LineBreaks     = "breaks"
	untilAnswered  = 3 * time.Second
	lengthOfATalk  = 3 * time.Minute
	untilItIsClear = time.Second // that a telephone is busy, or a line is dead
)

// errCutOff is an agent's line that dropped.
var errCutOff = errors.New("the agent was cut off")

// waiter is what the person does meanwhile.
func (c *Caller) waiter() Waiter {
	if w, ok := c.person.(Waiter); ok {
		return w
	}
	return plain{c.person}
}

// plain is a Person without more to say.
type plain struct{ Person }

func (p plain) Rests(r ivr.Rest) Act { return p.Asked(r.Wait) }
func (p plain) Rings(ivr.Leg) Act    { return Act{} }
func (p plain) Talks(ivr.Leg) Act    { return Act{} }

// Rest implements ivr.Call.
func (c *Caller) Rest(ctx context.Context, r ivr.Rest) (ivr.Key, error) {
	if err := c.up(ctx); err != nil {
		return 0, err
	}
	if len(c.keys) == 0 {
		act := c.waiter().Rests(r)
		if err := c.do(ctx, act); err != nil {
			return 0, err
		}
		if act.Speaks && r.Voice {
			return 0, ivr.ErrSpoke
		}
	}
	if len(c.keys) > 0 {
		k := c.keys[0]
		c.keys = c.keys[1:]
		return k, c.pass(ctx, min(r.Wait, 500*time.Millisecond))
	}
	t := time.NewTimer(r.Wait)
	defer t.Stop()
	select {
	case <-t.C:
		return 0, ivr.ErrSilence
	case <-r.News:
		return 0, ivr.ErrNews
	case <-c.gone:
		return 0, c.why
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// Ring implements ivr.Call.
func (c *Caller) Ring(ctx context.Context, l ivr.Leg) error {
	if err := c.up(ctx); err != nil {
		return err
	}
	act := c.waiter().Rings(l)
	if err := c.do(ctx, act); err != nil {
		return err
	}
	if act.Agent == "" && c.world != nil && c.world.Line.silent {
		act.Agent = AgentNoAnswer
	}
	if l.Address == "" {
		return ivr.ErrUnreachable
	}
	pause, then := untilAnswered, error(nil)
	switch act.Agent {
	case "", AgentAnswers:
	case AgentNoAnswer:
		pause, then = l.Ring, ivr.ErrNoAnswer
	case AgentBusy:
		pause, then = untilItIsClear, ivr.ErrBusy
	case AgentUnknown:
		pause, then = untilItIsClear, ivr.ErrUnreachable
	default:
		return fmt.Errorf("an agent whose telephone rings %s", act.Agent)
	}
	if err := c.pass(ctx, pause); err != nil {
		return err
	}
	return then
}

// Talk implements ivr.Call.
func (c *Caller) Talk(ctx context.Context, l ivr.Leg) error {
	if err := c.up(ctx); err != nil {
		return err
	}
	act := c.waiter().Talks(l)
	if err := c.pass(ctx, lengthOfATalk); err != nil {
		return err
	}
	if err := c.do(ctx, act); err != nil {
		return err
	}
	switch act.Agent {
	case "", AgentHangsUp:
		return nil
	case AgentIsCutOff:
		return errCutOff
	}
	return fmt.Errorf("an agent who talks %s", act.Agent)
}

// Refuse implements ivr.Call.
func (c *Caller) Refuse(ctx context.Context) error {
	if err := c.up(ctx); err != nil {
		return err
	}
	if c.answered {
		return errors.New("a call that was answered cannot be refused")
	}
	return c.HangUp(ctx)
}
