// Package terminal is a telephone in the terminal: it rings a hotline or waits
// to be rung, sends keys, shows captions of what is said, and tells how the call
// ended.
// It must not know how the hotline works inside: it has a telephone, the
// hotline's API, and the folder with the prompts' audio.
package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"ringback/phone"
)

// Options are what a person asks of the telephone.
type Options struct {
	To   string // a SIP address; empty: the demo in Dir
	From string // a number; "anonymous" withholds it
	Keys string // groups of keys with blanks between; empty: from In
	Save string // a WAV file for all that is heard; empty: none
	Dir  string // the demo's folder

	// Of a telephone that waits to be rung.
	Port int    // where; 0: chosen by the system
	User string // whom it is for; empty: whoever is rung

	In     io.Reader // keys, where Keys is empty
	Out    io.Writer // captions
	Logger *slog.Logger
}

// pause is how long the hotline must be quiet to be waiting for keys. Rests
// between the options of a menu are up to 1.2 s.
const pause = 1500 * time.Millisecond

// longestRinging is how long an answer is waited for.
const longestRinging = 90 * time.Second

// errHungUp ends a call that the person ended.
var errHungUp = errors.New("you hung up")

// Run rings, and returns when the call is over: nil when it ended well, which
// is what the hotline's API calls booked, changed, cancelled, informed, person
// or callback, or, of a hotline without a known API, that it was answered and
// hung up itself. Else the error is one sentence for a person to read. When
// ctx ends, it hangs up.
func Run(ctx context.Context, o Options) error {
	t, err := aim(o)
	if err != nil {
		return err
	}
	ctx, hangUp := context.WithCancelCause(ctx)
	defer hangUp(nil)
	screen, keys, restore, err := keyboard(o, func() { hangUp(errHungUp) })
	if err != nil {
		return err
	}
	defer restore()

	p, err := phone.New(phone.Options{IP: t.ip, Transport: t.transport, Logger: o.Logger})
	if err != nil {
		return fmt.Errorf("open the telephone: %w", err)
	}
	defer p.Close() // the call is over by then; there is nothing left to lose

	c := newConversation(t, screen, keys)
	screen.note("Ringing %s at %s as %s.", t.number(), t.host, t.shownFrom())
	dialled := time.Now()
	if err := c.ring(ctx, p); err != nil {
		return err
	}
	go func() {
		if err := c.pressAll(ctx); err != nil {
			hangUp(err)
		}
	}()
	hungUp := c.hold(ctx)
	c.sayEnd(hungUp)
	if o.Save != "" {
		if err := saveWAV(o.Save, c.call.Heard()); err != nil {
			return fmt.Errorf("save what was heard: %w", err)
		}
		screen.note("Saved what was heard in %s.", o.Save)
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, errHungUp) && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return c.verdict(dialled, hungUp)
}

// conversation is one call and what goes on in it.
type conversation struct {
	target   target // where it was dialled here
	other    string // who is at the other end
	screen   *screen
	keys     <-chan string // groups of keys; closed when there are no more
	captions *captions
	call     *phone.Call
	early    atomic.Bool   // something can be heard
	heard    chan struct{} // closed when all captions are shown
}

func newConversation(t target, s *screen, keys <-chan string) *conversation {
	return &conversation{
		target: t, other: "The hotline", screen: s, keys: keys,
		captions: newCaptions(t.library, s, "hotline"), heard: make(chan struct{}),
	}
}

// ring dials, and hears early media already.
func (c *conversation) ring(ctx context.Context, p *phone.Phone) error {
	ringing, stop := context.WithTimeoutCause(ctx, longestRinging, errNoAnswer)
	defer stop()
	call, err := p.Dial(ringing, phone.CallOptions{To: c.target.uri, From: c.target.sipFrom(), Early: func(call *phone.Call) {
		c.early.Store(true)
		go func() {
			defer close(c.heard)
			c.captions.follow(call)
		}()
	}})
	if err != nil {
		if c.early.Load() {
			<-c.heard
		}
		return c.target.explain(err)
	}
	c.call = call
	return nil
}

// hold stays on the line until the call is over, and reports whether this side
// ended it.
func (c *conversation) hold(ctx context.Context) (hungUp bool) {
	select {
	case <-c.call.Done():
	case <-ctx.Done():
		hungUp = true
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		_ = c.call.HangUp(bye) // a hotline that is gone answers no BYE
	}
	<-c.heard
	return hungUp
}

// pressAll presses each group of keys: at once where a person types, else when
// the hotline waits for it.
func (c *conversation) pressAll(ctx context.Context) error {
	var pressed time.Duration
	for {
		var group string
		var more bool
		select {
		case group, more = <-c.keys:
		case <-c.call.Done():
		case <-ctx.Done():
		}
		if !more {
			return nil
		}
		if !c.screen.raw {
			if err := c.waitToAnswer(ctx, pressed); err != nil {
				c.screen.note("The call ended before %s was pressed.", group)
				return nil
			}
		}
		c.screen.say(c.call.Elapsed(), "you", group)
		err := c.call.Press(ctx, group)
		pressed = c.call.Elapsed()
		switch {
		case err == nil, errors.Is(err, phone.ErrEnded), ctx.Err() != nil:
		default:
			return fmt.Errorf("press %s: %w", group, err)
		}
	}
}

// waitToAnswer waits until the hotline waits for a key: it is quiet, or music
// sounds after something it has said since the last key.
func (c *conversation) waitToAnswer(ctx context.Context, pressed time.Duration) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	quiet := make(chan error, 1)
	go func() { quiet <- c.call.WaitQuiet(ctx, pause) }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-quiet:
			return err
		case <-tick.C:
			if c.captions.musicSince(pressed, c.call.Elapsed()) {
				return nil
			}
		}
	}
}

// sayEnd shows who hung up, and when.
func (c *conversation) sayEnd(hungUp bool) {
	end, _ := c.call.End()
	who := c.other
	if hungUp {
		who = "You"
	}
	c.screen.say(end.At, "", fmt.Sprintf("%s hung up after %s.", who, spoken(end.At-c.call.Answered())))
}

// verdict shows how the call ended and turns it into an error, or none.
func (c *conversation) verdict(dialled time.Time, hungUp bool) error {
	if c.target.api == nil {
		if hungUp {
			return errHungUp
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), apiPatience)
	defer cancel()
	o, err := c.target.api.outcome(ctx, c.target.from, dialled)
	if err != nil {
		return fmt.Errorf("ask the hotline how the call ended: %w", err)
	}
	c.screen.note("Result: %s (%s).", o.Result, o.Reason)
	return o.judge(hungUp)
}

// spoken is a duration as a person says it.
func spoken(d time.Duration) string {
	d = d.Round(time.Second)
	if d < time.Minute {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
}
