package asterisk

import (
	"context"
	"errors"
	"time"

	"ringback/ivr"
)

// join joins the caller with an agent who was picked up.
func (c *call) join(ctx context.Context, t *telephone) error {
	bridge := bridgeOf(t.channel)
	// From here on there is something to be undone.
	c.talk = t
	err := c.line.ari.bridge(ctx, bridge)
	if err == nil {
		err = c.quiet(ctx)
	}
	if err == nil {
		c.mail.listen(false)
		err = c.line.ari.join(ctx, bridge, c.channel, t.channel)
	}
	switch {
	case err != nil:
		c.separate(ctx)
		// Refused for want of one of the two (resource_bridges.c): if it is not
		// the caller, the agent has hung up again.
		if err = c.failed(ctx, err); refusedWith(err, 400, 404, 409, 422) {
			return ivr.ErrNoAnswer
		}
		return err
	case closed(t.down):
		c.separate(ctx)
		if err := c.over(ctx); err != nil {
			return err
		}
		return ivr.ErrNoAnswer
	}
	return nil
}

// Talk waits until one of the two goes, and takes the other out of the bridge.
func (c *call) Talk(ctx context.Context, leg ivr.Leg) error {
	if c.talk != nil && c.talk.channel != leg.ID.String() {
		c.separate(ctx)
	}
	if c.talk == nil {
		if err := c.over(ctx); err != nil {
			return err
		}
		if err := c.findTalk(ctx, leg.ID.String()); err != nil {
			return c.failed(ctx, err)
		}
	}
	began := time.Now()
	select {
	case <-c.talk.down:
	case <-c.down:
	case <-ctx.Done():
	}
	c.line.metrics.talks.Observe(time.Since(began).Seconds())
	c.separate(ctx)
	return c.over(ctx)
}

// findTalk finds a talk that another process led. One that is over, or was
// never joined, is found as one whose agent has hung up.
func (c *call) findTalk(ctx context.Context, leg string) error {
	t, _ := c.line.expect(leg, false)
	there, err := c.line.look(ctx, t)
	if err == nil && there {
		var in []string
		in, err = c.line.ari.bridged(ctx, bridgeOf(leg))
		if refusedWith(err, 404) {
			err = nil
		}
		there = inBridge(in, c.channel, leg)
	}
	if err != nil {
		if !t.isMade() {
			c.line.strike(t)
		}
		return err
	}
	c.takeUp(t)
	if !there {
		c.endLeg(ctx, t)
		c.line.gone(t, hangup{})
	}
	return nil
}

// talkOn leaves a caller of whom nothing is known in the talk that another
// process joined, until one of the two hangs up: what the call was about can be
// asked afterwards.
func (c *call) talkOn() {
	if !c.resumed {
		return
	}
	select {
	case <-c.talk.down:
	case <-c.down:
	case <-c.ctx.Done():
	}
	c.separate(c.ctx)
}

// takeUp makes a telephone the one that the caller talks with.
func (c *call) takeUp(t *telephone) {
	t.want(true)
	c.talk, c.music = t, musicOff
	c.mail.listen(false)
	c.Flush()
}

// separate ends the talk that the caller is in, or was about to be in: the
// agent's leg is hung up if it is there, the caller taken out of the bridge if
// the line is up, and the bridge deleted; one after another. It acts even when
// ctx has ended, but not on what is another controller's.
func (c *call) separate(ctx context.Context) {
	t := c.talk
	c.talk, c.resumed = nil, false
	defer c.mail.listen(true)
	defer t.want(false)
	if errors.Is(c.gone(), ivr.ErrElsewhere) || t.notOurs() != nil {
		return
	}
	c.endLeg(ctx, t)
	bounded, cancel := c.cleanUp(ctx)
	defer cancel()
	if c.gone() == nil {
		err := c.line.ari.part(bounded, bridgeOf(t.channel), c.channel)
		// Not in it, not there any more, or no such bridge.
		if err != nil && !refusedWith(err, 400, 404, 409, 422) {
			c.line.log.Warn("take a caller out of a talk", "call_id", c.info.ID, "err", err)
		}
	}
	c.line.endBridge(bounded, bridgeOf(t.channel))
}

// endLeg hangs up, or rings no more, an agent's telephone. It acts even when
// ctx has ended, but not on what is another controller's.
func (c *call) endLeg(ctx context.Context, t *telephone) {
	if errors.Is(c.gone(), ivr.ErrElsewhere) || t.notOurs() != nil {
		return
	}
	bounded, cancel := c.cleanUp(ctx)
	defer cancel()
	c.line.endLeg(bounded, t)
}

// endLeg ends a telephone that we rang and waits, for a short while, until it is
// gone, so that its bridge is empty when it is deleted. Where Asterisk does not
// answer it is tried again, by the way. It is called by a goroutine of the line.
func (l *Line) endLeg(ctx context.Context, t *telephone) {
	if closed(t.down) {
		return
	}
	if err := l.tryEnd(ctx, t); err != nil {
		l.log.Warn("end a telephone that was rung", "channel", t.channel, "err", err)
		l.goroutines.Go(func() { l.keepEnding(t) })
		return
	}
	late := time.NewTimer(stopBound)
	defer late.Stop()
	select {
	case <-t.down:
	case <-late.C:
	}
}

// tryEnd is one try. It fails if another may help.
func (l *Line) tryEnd(ctx context.Context, t *telephone) error {
	err := l.oneByOne(ctx, func(ctx context.Context) error { return l.ari.hangUp(ctx, t.channel) })
	switch {
	case refusedWith(err, 404):
		l.gone(t, hangup{})
		return nil
	case errors.Is(err, ivr.ErrElsewhere):
		return nil
	}
	return err
}

// keepEnding tries until a telephone has ended, or is no longer ours.
func (l *Line) keepEnding(t *telephone) {
	for backoff := waits(); ; {
		wait, _ := backoff.Next()
		late := time.NewTimer(wait)
		select {
		case <-t.down:
			late.Stop()
			return
		case <-late.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), l.options.Request)
		err := l.tryEnd(ctx, t)
		cancel()
		if err == nil {
			return
		}
	}
}

// endBridge deletes a bridge, which may be gone.
func (l *Line) endBridge(ctx context.Context, id string) {
	err := l.oneByOne(ctx, func(ctx context.Context) error { return l.ari.deleteBridge(ctx, id) })
	if err != nil && !refusedWith(err, 404) && !errors.Is(err, ivr.ErrElsewhere) {
		l.log.Warn("delete a bridge", "bridge", id, "err", err)
	}
}

// oneByOne lets one deletion run at a time: many at once, of bridges and of
// channels in them, have crashed Asterisk (issue 1201 of asterisk/asterisk).
func (l *Line) oneByOne(ctx context.Context, remove func(context.Context) error) error {
	select {
	case l.deleting <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-l.deleting }()
	return remove(ctx)
}
