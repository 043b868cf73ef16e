package asterisk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"ringback/ivr"
)

var _ ivr.Call = (*call)(nil)

// call is an ivr.Call on a channel of Asterisk. Its exported methods are for
// the one goroutine that leads the call; lose and abandon are for the line.
type call struct {
	line    *Line
	channel string   // its id in Asterisk
	info    ivr.Info // its goroutine's; see Line.identify
	mail    *mailbox
	ctx     context.Context // of the handler
	cancel  context.CancelCauseFunc
	plays   int         // playbacks begun
	odd     error       // a calling number that is none
	adopted atomic.Bool // found on its channel; its StasisStart may be on the way
	out     bool        // we rang
	again   bool        // it was here before, and comes back
	boot    time.Time   // when the Asterisk that carries it was started
	music   music
	talk    *telephone  // of the agent the caller is joined with; nil: none
	resumed bool        // another process joined the two
	ending  atomic.Bool // Asterisk was asked to end it, and will

	down     chan struct{} // closed when the line is no longer ours
	downOnce sync.Once
	lost     error // why; set before down is closed
}

func (c *call) Info() ivr.Info { return c.info }

// lose says that the line is no longer ours to act on: it dropped
// (ivr.ErrHungUp, ivr.ErrLineBroke) or is another controller's (ErrReplaced). From then on every
// method returns cause.
func (c *call) lose(cause error) {
	c.downOnce.Do(func() {
		if errors.Is(cause, ivr.ErrLineBroke) {
			c.line.metrics.broken.Inc()
		}
		c.lost = cause
		close(c.down)
		c.cancel(cause)
	})
}

// abandon hangs up over the head of whoever leads the call.
func (c *call) abandon() {
	ctx, cancel := c.cleanUp(context.Background())
	defer cancel()
	if err := c.HangUp(ctx); err != nil {
		c.line.log.Warn("hang up", "channel", c.channel, "err", err)
	}
	c.lose(ivr.ErrHungUp)
}

// gone returns why the line is no longer ours, or nil while it is.
func (c *call) gone() error {
	select {
	case <-c.down:
		return c.lost
	default:
		return nil
	}
}

// over returns why nothing more can be done: the line is gone, or else ctx has
// ended. A line that is gone counts more than whatever ctx says.
func (c *call) over(ctx context.Context) error {
	if err := c.gone(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// cleanUp is a context for what must be done although ctx has ended.
func (c *call) cleanUp(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), c.line.options.Request)
}

// failed makes the error of a request one that ivr.Call promises: that of a
// line that is gone, the cause of a context that ended, or err itself.
// Asterisk may refuse for want of a channel before it has told of its end; it
// is asked then.
func (c *call) failed(ctx context.Context, err error) error {
	if over := c.over(ctx); over != nil {
		return over
	}
	if refusedWith(err, 404, 409, 412) {
		if _, err := c.line.ari.channel(ctx, c.channel); refusedWith(err, 404) {
			c.vanished(ctx)
		}
		c.settle()
		if over := c.over(ctx); over != nil {
			return over
		}
	}
	return err
}

// vanished is what a channel does that is not there any more. Its event, with
// the reason, is on the way; or there is none, because Asterisk was started anew
// or nobody listened.
func (c *call) vanished(ctx context.Context) {
	late := time.NewTimer(stopBound)
	defer late.Stop()
	select {
	case <-c.down:
		return
	case <-late.C:
	}
	if info, err := c.line.ari.info(ctx); err == nil && !bootOf(info).Equal(c.boot) {
		c.lose(ivr.ErrLineBroke)
	}
	c.lose(c.mail.why())
}

// settle waits for a line that is about to drop until it has. Asterisk tells
// the end of a playback or recording, as failed, between the two.
func (c *call) settle() {
	if !c.mail.isHangingUp() {
		return
	}
	late := time.NewTimer(stopBound)
	defer late.Stop()
	select {
	case <-c.down:
	case <-late.C:
		c.lose(c.mail.why())
	}
}

// Ours fails with ErrReplaced if another controller leads the call. Where that
// cannot be found out just now, the call is taken for ours.
func (c *call) Ours(ctx context.Context) error {
	if err := c.gone(); errors.Is(err, ivr.ErrElsewhere) {
		return err
	}
	if err := c.line.ours(ctx); errors.Is(err, ErrReplaced) {
		return err
	}
	return nil
}

// Answer takes the call and returns when its channel is up, so that nothing
// said afterwards is lost.
func (c *call) Answer(ctx context.Context) error {
	if err := c.over(ctx); err != nil {
		return err
	}
	if c.mail.isUp() {
		return nil // taken over
	}
	if err := c.line.ari.answer(ctx, c.channel); err != nil {
		return c.failed(ctx, err)
	}
	late := time.NewTimer(c.line.options.Request)
	defer late.Stop()
	for !c.mail.isUp() {
		select {
		case <-c.mail.news:
		case <-c.down:
			return c.lost
		case <-ctx.Done():
			return c.over(ctx)
		case <-late.C:
			return fmt.Errorf("answer: the channel is not up after %s", c.line.options.Request)
		}
	}
	return nil
}

// Key returns the next key. The wait begins with the call of Key.
func (c *call) Key(ctx context.Context, wait time.Duration) (ivr.Key, error) {
	if err := c.alone(ctx); err != nil {
		return 0, err
	}
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for {
		if err := c.over(ctx); err != nil {
			return 0, err
		}
		if k, ok := c.mail.next(); ok {
			return k, nil
		}
		select {
		case <-c.mail.news:
		case <-c.down:
		case <-ctx.Done():
		case <-timeout.C:
			return 0, ivr.ErrSilence
		}
	}
}

// Flush forgets the keys typed ahead.
func (c *call) Flush() { c.mail.forget(0, c.mail.seen()) }

// HangUp ends the line. The context of the call ends a moment later, when
// Asterisk reports it.
func (c *call) HangUp(ctx context.Context) error { return c.hangUp(ctx, c.line.ari.hangUp) }

func (c *call) hangUp(ctx context.Context, request func(context.Context, string) error) error {
	if c.gone() != nil || c.ending.Load() {
		// Ended, or no longer ours to end. A second request would change the
		// cause of an end that Asterisk has not come to yet.
		return nil
	}
	err := request(ctx, c.channel)
	if err == nil || refusedWith(err, 404) {
		c.ending.Store(true)
		return nil
	}
	if c.gone() != nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
