package asterisk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/ivr"
)

const (
	// roleVariable is a variable of every channel that we originate: the
	// arguments Stasis() gets when it is answered. Before that, it is all that
	// tells another process what the channel is for.
	roleVariable = "RINGBACK_ROLE"
	// absolute ends a channel that nobody looks after any more, as the dialplan
	// does with callers: backstop after the longest call.
	absolute = "TIMEOUT(absolute)"
	backstop = 5 * time.Minute
	// unheard is how much longer than it rings the end of a ringing is waited
	// for: Asterisk ends it by itself, and tells.
	unheard = 5 * time.Second
)

// bridgeOf is the id of the bridge in which an agent's leg and a caller are
// joined. A leg's id is never used again, so neither is the bridge's.
func bridgeOf(leg string) string { return leg + "-bridge" }

// errNotRung says that an address cannot be made an endpoint of Asterisk.
var errNotRung = errors.New("no address of a telephone")

// agentEndpoint is what Asterisk dials for an agent's address.
func (o Options) agentEndpoint(address string) (string, error) {
	// What ends an argument, or joins two, in Asterisk; and no line of a SIP
	// message ends in an address.
	if address == "" || strings.ContainsAny(address, "&,|()${}\"'<> \t\r\n") {
		return "", fmt.Errorf("%q: %w", address, errNotRung)
	}
	if !strings.HasPrefix(address, "sip:") && !strings.HasPrefix(address, "sips:") {
		if strings.ContainsAny(address, "/@") {
			return "", fmt.Errorf("%q: %w", address, errNotRung)
		}
		return "PJSIP/" + address, nil
	}
	if o.OutTrunk == "" {
		return "", fmt.Errorf("%q needs a trunk for calls out: %w", address, errNotRung)
	}
	return "PJSIP/" + o.OutTrunk + "/" + address, nil
}

// variables are those of a channel that we originate.
func (l *Line) variables(role string, more map[string]string) map[string]string {
	v := map[string]string{
		roleVariable: role,
		absolute:     fmt.Sprint(wholeSeconds(l.options.Longest + backstop)),
	}
	for name, value := range more {
		v[name] = value
	}
	return v
}

func shown(n e164.Number) string {
	if n == e164.Withheld {
		return ""
	}
	return string(n)
}

// Ring rings an agent and joins the two. A leg that another process began to
// ring for this call is taken up where it is.
func (c *call) Ring(ctx context.Context, leg ivr.Leg) error {
	if err := c.alone(ctx); err != nil {
		return err
	}
	err := c.ring(ctx, leg)
	c.line.metrics.rung.WithLabelValues(legOutcome(err)).Inc()
	return err
}

func (c *call) ring(ctx context.Context, leg ivr.Leg) error {
	endpoint, err := c.line.options.agentEndpoint(leg.Address)
	if err != nil {
		c.line.log.Warn("ring an agent", "call_id", c.info.ID, "leg", leg.ID, "err", err)
		return ivr.ErrUnreachable
	}
	if err := c.sound(ctx, musicOn); err != nil {
		if over := c.over(ctx); over != nil {
			return over
		}
		c.line.log.Warn("start the music", "call_id", c.info.ID, "err", err)
	}
	t, _ := c.line.expect(leg.ID.String(), false)
	t.want(true)
	role := strings.Join([]string{agentLeg, c.info.ID.String()}, ",")
	err = c.line.originate(ctx, t, originating{
		Endpoint: endpoint, App: c.line.options.App, Args: role, Caller: shown(leg.Shown),
		Timeout: wholeSeconds(max(leg.Ring, time.Second)), Variables: c.line.variables(role, nil),
	})
	if err != nil {
		return c.failedRinging(ctx, t, err)
	}
	if err := c.untilPickedUp(ctx, t, leg.Ring); err != nil {
		t.want(false)
		return err
	}
	return c.join(ctx, t)
}

// failedRinging makes the error of a request to ring one that ivr.Call promises.
// What may ring all the same is silenced.
func (c *call) failedRinging(ctx context.Context, t *telephone, err error) error {
	unreachable := errors.Is(err, ivr.ErrUnreachable)
	if !unreachable {
		t.made() // perhaps
		c.endLeg(ctx, t)
	}
	t.want(false)
	c.line.log.Warn("ring an agent", "call_id", c.info.ID, "leg", t.channel, "err", err)
	if err = c.failed(ctx, err); unreachable && c.over(ctx) == nil {
		return ivr.ErrUnreachable
	}
	return err
}

// untilPickedUp waits until an agent's telephone is picked up. If the caller
// goes meanwhile, or ctx ends, it rings no more.
func (c *call) untilPickedUp(ctx context.Context, t *telephone, ring time.Duration) error {
	late := time.NewTimer(ring + unheard)
	defer late.Stop()
	select {
	case <-t.up:
	case <-t.down:
		if err := c.over(ctx); err != nil {
			return err
		}
		return t.unanswered()
	case <-c.down:
	case <-ctx.Done():
	case <-late.C:
		c.endLeg(ctx, t)
		if err := c.over(ctx); err != nil {
			return err
		}
		return ivr.ErrNoAnswer
	}
	if err := c.over(ctx); err != nil {
		c.endLeg(ctx, t)
		return err
	}
	return nil
}

// legOutcome is the finite label of how the ringing of an agent ended.
func legOutcome(err error) string {
	switch {
	case err == nil:
		return "joined"
	case errors.Is(err, ivr.ErrNoAnswer):
		return "no_answer"
	case errors.Is(err, ivr.ErrBusy):
		return "busy"
	case errors.Is(err, ivr.ErrUnreachable):
		return "unreachable"
	case errors.Is(err, ivr.ErrElsewhere):
		return "elsewhere"
	}
	return "given_up"
}

// originate has a telephone rung that stands in the books. It fails with an
// ivr.ErrUnreachable if Asterisk cannot; of any other error it is not known
// whether it rings.
func (l *Line) originate(ctx context.Context, t *telephone, o originating) error {
	err := l.ari.originate(ctx, t.channel, o)
	switch {
	case err == nil:
		t.made()
		return nil
	case refusedWith(err, http.StatusConflict):
		// Either there is such a channel, of a request before, or Asterisk only
		// believes so: its reason for a failure is never cleared (22.10.1,
		// ast_channel_errno).
		there, found := l.look(ctx, t)
		if found != nil {
			return errors.Join(err, found)
		}
		if there {
			return nil
		}
	case refusedWith(err, http.StatusBadRequest, http.StatusInternalServerError):
	default:
		return err
	}
	l.strike(t)
	return fmt.Errorf("%w: %w", ivr.ErrUnreachable, err)
}

// look asks whether there is a channel of a telephone, and notes its state.
func (l *Line) look(ctx context.Context, t *telephone) (there bool, err error) {
	ch, err := l.ari.channel(ctx, t.channel)
	if refusedWith(err, http.StatusNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	t.made()
	if ch.State == stateRinging {
		t.ringing()
	}
	if ch.inStasis() && !t.out {
		t.enter()
	}
	return true, nil
}

// parseID is an id among the arguments of Stasis().
func parseID(args []string) (uuid.UUID, bool) {
	if len(args) <= argID {
		return uuid.Nil, false
	}
	id, err := uuid.Parse(args[argID])
	return id, err == nil
}
