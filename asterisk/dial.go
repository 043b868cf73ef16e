package asterisk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/CyCoreSystems/ari/v5"
	"github.com/google/uuid"

	"ringback/ivr"
)

// The dialplan has no part in a call that we make: Stasis() is run on its
// channel when it is answered, with these arguments.
//
//	out,ATTEMPT,NUMBER
//	agent,CALL
const (
	outgoing = "out"
	agentLeg = "agent"

	argID     = 1 // of the attempt, or of the call the agent is for
	argDialed = 2 // the number, in E.164
)

// outEndpoint is what Asterisk dials for a call out.
func (o Options) outEndpoint(out ivr.Out) (string, error) {
	template := o.OutDial
	if template == "" && o.OutTrunk != "" {
		template = "PJSIP/%s@" + o.OutTrunk
	}
	if template == "" || shown(out.Number) == "" {
		return "", fmt.Errorf("%s: %w", out.Number.Masked(), errNotRung)
	}
	return strings.ReplaceAll(template, "%s", string(out.Number)), nil
}

// dialledVariable is a global variable of Asterisk that is set in the very
// request that dials: whoever comes later can tell whether it was dialled. It
// lives as long as Asterisk runs.
func dialledVariable(attempt uuid.UUID) string { return "RUNG_" + attempt.String() }

// Dial rings somebody and returns nil when the call is answered; the Handler
// leads it from then on. It fails with ivr.ErrNoAnswer, ivr.ErrBusy or
// ivr.ErrUnreachable. When ctx ends it rings no more, and Dial returns the
// cause, unless the call was answered in the last moment: that counts as
// answered. Where ctx ends with an ivr.ErrElsewhere, or another controller takes
// the line, it rings on, for Await there. After any other error Dialled tells
// whether it was dialled.
func (l *Line) Dial(ctx context.Context, out ivr.Out) error {
	err := l.dialOut(ctx, out)
	l.metrics.dialled.WithLabelValues(outOutcome(err)).Inc()
	return err
}

func (l *Line) dialOut(ctx context.Context, out ivr.Out) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	endpoint, err := l.options.outEndpoint(out)
	if err != nil {
		l.log.Warn("call out", "call_id", out.ID, "err", err)
		return ivr.ErrUnreachable
	}
	if !l.Connected() {
		return errors.New("call out: not connected to Asterisk")
	}
	t, known := l.expect(out.ID.String(), true)
	if known {
		return fmt.Errorf("call out %s: it is being dialled", out.ID)
	}
	role := strings.Join([]string{outgoing, out.ID.String(), string(out.Number)}, ",")
	err = l.originate(ctx, t, originating{
		Endpoint: endpoint, App: l.options.App, Args: role, Caller: l.options.OutCaller,
		Timeout:   wholeSeconds(max(out.Ring, time.Second)),
		Variables: l.variables(role, map[string]string{"GLOBAL(" + dialledVariable(out.ID) + ")": "1"}),
	})
	switch {
	case errors.Is(err, ivr.ErrUnreachable):
		l.log.Warn("call out", "call_id", out.ID, "err", err)
		return ivr.ErrUnreachable
	case err != nil:
		// It may ring all the same.
		if gone := l.ringNoMore(ctx, t); gone != nil || !closed(t.up) {
			return errors.Join(err, gone)
		}
		return nil
	}
	return l.untilAnswered(ctx, t, out.Ring)
}

// Await waits for a call out that another process dialled, as Dial does for its
// own. It fails with an error of its own where there is no such call any more.
func (l *Line) Await(ctx context.Context, out ivr.Out) error {
	id := out.ID.String()
	t, _ := l.expect(id, true)
	if l.on(id) != nil { // answered, and led already
		l.strike(t)
		return nil
	}
	there, err := l.look(ctx, t)
	switch {
	case err != nil && ctx.Err() == nil:
		return fmt.Errorf("await the call out %s: %w", id, err)
	case err == nil && !there && !closed(t.up) && !closed(t.down):
		l.strike(t)
		return fmt.Errorf("await the call out %s: %w", id, errUnknownFate)
	}
	t.want(true)
	return l.untilAnswered(ctx, t, out.Ring)
}

// untilAnswered waits until a call out is answered.
func (l *Line) untilAnswered(ctx context.Context, t *telephone, ring time.Duration) error {
	late := time.NewTimer(ring + unheard)
	defer late.Stop()
	select {
	case <-t.up:
		return nil
	case <-t.down:
	case <-ctx.Done():
		if err := l.ringNoMore(ctx, t); err != nil {
			return err
		}
	case <-late.C:
		if err := l.ringNoMore(context.WithoutCancel(ctx), t); err != nil {
			return err
		}
	}
	switch {
	case closed(t.up):
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return t.unanswered()
}

// ringNoMore gives up a call out and waits until it is known what it came to. It
// fails with what keeps it from acting.
func (l *Line) ringNoMore(ctx context.Context, t *telephone) error {
	for _, cause := range []error{context.Cause(ctx), l.notOurs()} {
		if errors.Is(cause, ivr.ErrElsewhere) {
			l.strike(t)
			return cause
		}
	}
	if closed(t.up) || closed(t.down) {
		return nil
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.options.Request)
	defer cancel()
	err := l.ari.hangUp(bounded, t.channel)
	if refusedWith(err, http.StatusNotFound) {
		err = nil
	}
	if err != nil {
		// It rings for as long as it was told to, and is led if it is answered.
		l.log.Warn("end a call out that rings", "call_id", t.channel, "err", err)
		l.strike(t)
		return err
	}
	select {
	case <-t.up:
	case <-t.down:
	case <-bounded.Done():
		// Gone, and nobody told.
		l.strike(t)
		t.leave(hangup{}, errUnknownFate)
	}
	return nil
}

// outOutcome is the finite label of how a call out ended, up to its answer.
func outOutcome(err error) string {
	if err == nil {
		return "answered"
	}
	return legOutcome(err)
}

// Dialled is what became of a call out, for a process that did not begin it. An
// attempt that is older than this Asterisk, by the time in its UUIDv7, counts as
// over: what became of it died with the Asterisk before.
func (l *Line) Dialled(ctx context.Context, attempt uuid.UUID) (ivr.Dialled, error) {
	id := attempt.String()
	if l.on(id) != nil {
		return ivr.DialledLed, nil
	}
	ch, err := l.ari.channel(ctx, id)
	switch {
	case err == nil && ch.inStasis():
		return ivr.DialledLed, nil
	case err == nil:
		return ivr.DialledRings, nil
	case !refusedWith(err, http.StatusNotFound):
		return "", fmt.Errorf("what became of the call out %s: %w", id, err)
	}
	mark, err := l.ari.global(ctx, dialledVariable(attempt))
	if err == nil && (mark != "" || l.on(id) != nil) {
		return ivr.DialledOver, nil
	}
	var info ari.AsteriskInfo
	if err == nil {
		info, err = l.ari.info(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("what became of the call out %s: %w", id, err)
	}
	if begun, known := began(attempt); known && begun.Before(bootOf(info)) {
		return ivr.DialledOver, nil
	}
	return ivr.DialledNever, nil
}

// began is the time in a UUIDv7 (RFC 9562 section 5.7), to the millisecond.
func began(id uuid.UUID) (t time.Time, known bool) {
	if id.Version() != 7 {
		return time.Time{}, false
	}
	return time.Unix(id.Time().UnixTime()), true
}

// ForgetDial lets Asterisk forget that a call out was dialled, once that stands
// elsewhere.
func (l *Line) ForgetDial(ctx context.Context, attempt uuid.UUID) error {
	if err := l.ari.forgetGlobal(ctx, dialledVariable(attempt)); err != nil {
		return fmt.Errorf("forget the call out %s: %w", attempt, err)
	}
	return nil
}
