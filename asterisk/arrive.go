package asterisk

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/CyCoreSystems/ari/v5"
	"github.com/google/uuid"

	"ringback/e164"
	"ringback/ivr"
)

// The arguments of Stasis() in the dialplan of a call that comes in:
//
//	Stasis(ringback,in,${CALLERID(num)},${CALLERID(pres)},${trunk})
//
// Those of telephones that we ring are in dial.go.
const (
	argDirection = iota
	argNumber
	argPresentation
)

// The directions of a call that somebody made to us.
const (
	incoming = "in"
	// comingBack is a call that was here before, or waited for a controller.
	comingBack = "again"
)

// direction is what a channel in our application is for.
func direction(args []string) string {
	if len(args) <= argDirection {
		return incoming
	}
	return args[argDirection]
}

// arrive takes a channel that entered our application: a call, which it sends
// on while draining, or a telephone that we rang. Other channels are not for
// here.
func (l *Line) arrive(e *ari.StasisStart) {
	switch direction(e.Args) {
	case outgoing:
		if _, ok := parseID(e.Args); !ok {
			return
		}
	case agentLeg:
		l.legArrived(e.Channel.ID, e.Args)
		return
	case incoming, comingBack:
	default:
		return
	}
	// A channel enters again when the dialplan lets it; its old call is over.
	// One that was found by asking has not entered before.
	if c := l.on(e.Channel.ID); c != nil && !c.adopted.Load() {
		l.left(e.Channel.ID, hangup{})
	}
	c := l.newCall(e.Channel.ID, e.Channel.State)
	if direction(e.Args) == outgoing {
		c.out = true
		l.identify(c, l.rungInfo(e.Channel.ID, e.Args))
		l.answered(c, nil)
		return
	}
	shown := ""
	if e.Channel.Caller != nil {
		shown = e.Channel.Caller.Number
	}
	if direction(e.Args) == comingBack {
		c.again = true
		l.begin(c, func() { l.again(c, e.Args, shown) })
		return
	}
	l.anew(c, e.Args, shown)
	l.begin(c, nil)
}

// anew makes it a call that begins here.
func (l *Line) anew(c *call, args []string, shown string) {
	id, err := uuid.NewV7()
	if err != nil {
		id = uuid.New()
	}
	number, err := callingNumber(args, shown, l.options.Region)
	c.odd = err
	l.identify(c, ivr.Info{ID: id, Number: number, Node: l.nodeName(), Channel: c.channel, Started: l.options.Now()})
}

// answered begins the call of somebody we rang, and tells who dialled.
func (l *Line) answered(c *call, recall func()) (begun bool) {
	t := l.telephone(c.channel)
	begun = l.begin(c, recall)
	if t != nil {
		t.enter()
	}
	return begun
}

// legArrived takes an agent's telephone that was picked up.
func (l *Line) legArrived(channel string, args []string) {
	t, _ := l.expect(channel, false)
	t.made()
	t.enter()
	if t.isWanted() {
		return
	}
	call, _ := parseID(args)
	l.strayed(t, call)
}

// rungInfo is what is known of a call that we made. The arguments hold it, so
// that it is the same for whoever leads the call.
func (l *Line) rungInfo(channel string, args []string) ivr.Info {
	attempt, _ := parseID(args)
	number := e164.Withheld
	if len(args) > argDialed {
		// Ours, so it is one.
		if n, err := e164.Parse(args[argDialed], l.options.Region); err == nil {
			number = n
		}
	}
	return ivr.Info{ID: attempt, Attempt: attempt, Number: number, Node: l.nodeName(), Channel: channel, Started: l.options.Now()}
}

func (l *Line) newCall(channel, state string) *call {
	c := &call{line: l, channel: channel, mail: newMailbox(), down: make(chan struct{}), boot: l.since()}
	if state == stateUp {
		c.mail.up()
	}
	return c
}

// begin leads a call in a goroutine of its own and returns true, unless it is
// led already, or sent on while draining. Recall, if not nil, finds out first which call it is.
func (l *Line) begin(c *call, recall func()) bool {
	l.mu.Lock()
	parent := l.parent
	l.mu.Unlock()
	// Made here, so that what comes next for the call finds its context.
	ctx, cancel := context.WithCancelCause(parent)
	c.ctx, c.cancel = ctx, cancel
	switch l.add(c) {
	case entryKnown:
		cancel(nil)
		return false
	case entryRefused:
		cancel(nil)
		go l.pass(c)
		return false
	}
	go func() {
		defer l.goroutines.Done()
		defer l.remove(c)
		defer cancel(nil)
		if recall != nil {
			recall()
		}
		longest := l.options.Longest
		if c.info.TakenOver {
			l.metrics.taken.Inc()
			longest = max(longest-l.options.Now().Sub(c.info.Started), min(longest, shortest))
		}
		if c.odd != nil {
			l.metrics.numbers.Inc()
			l.log.Warn("calling number is none, taken for withheld", "call_id", c.info.ID, "err", c.odd)
		}
		ctx, stop := context.WithTimeoutCause(ctx, longest, ivr.ErrTooLong)
		defer stop()
		c.ctx = ctx
		l.lead(c)
	}()
	return true
}

// shortest is what a call that is taken over is given at least.
const shortest = time.Minute

// pass sends a channel on into the dialplan.
func (l *Line) pass(c *call) {
	defer l.goroutines.Done()
	l.metrics.sentOn.Inc()
	ctx, cancel := context.WithTimeout(context.Background(), l.options.Request)
	defer cancel()
	if err := l.ari.sendOn(ctx, c.channel); err != nil && !refusedWith(err, 404, 409) {
		l.log.Warn("send a call on while draining", "channel", c.channel, "err", err)
	}
}

// lead runs the handler and hangs up behind it.
func (l *Line) lead(c *call) {
	defer func() {
		// A fault in one call must not end all others.
		if p := recover(); p != nil {
			l.metrics.panics.Inc()
			l.log.Error("a call broke off", "call_id", c.info.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
		ctx, cancel := c.cleanUp(c.ctx)
		defer cancel()
		if err := c.HangUp(ctx); err != nil {
			l.log.Warn("hang up", "call_id", c.info.ID, "err", err)
		}
		if c.talk != nil {
			c.separate(ctx)
		}
	}()
	l.handler(c.ctx, c)
}

// callingNumber is who rings, as the dialplan passed it on, or else as the
// channel shows it. A number that is not to be shown is e164.Withheld,
// whatever its digits. What is no number is Withheld too, with an error.
func callingNumber(args []string, shown, region string) (e164.Number, error) {
	raw, presentation := shown, ""
	if len(args) > argNumber {
		raw = args[argNumber]
	}
	if len(args) > argPresentation {
		presentation = args[argPresentation]
	}
	// CALLERID(pres) is "prohib", "prohib_not_screened", "prohib_passed_screen",
	// "prohib_failed_screen" or "unavailable" when there is nothing to show
	// (main/callerid.c, Asterisk 22).
	if strings.HasPrefix(presentation, "prohib") || presentation == "unavailable" {
		return e164.Withheld, nil
	}
	n, err := e164.Parse(raw, region)
	if errors.Is(err, e164.ErrInvalid) {
		return e164.Withheld, fmt.Errorf("%s: %w", e164.Number(raw).Masked(), err)
	}
	return n, err
}
