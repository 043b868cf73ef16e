package asterisk_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/asterisk/aritest"
	"ringback/ivr"
)

// someLeg is an agent to be rung.
func someLeg() ivr.Leg {
	return ivr.Leg{ID: uuid.New(), Address: "alice", Shown: "+4923150012345", Ring: time.Hour}
}

// trunked lets SIP addresses and numbers be rung.
func trunked(r *rig) {
	r.options.OutTrunk = "trunk"
	r.options.OutCaller = "+49231116117"
}

// TestRing rings agents who do all that agents do.
func TestRing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		address string
		act     func(agent *aritest.Caller)
		dialled string
		want    error
		outcome string
	}{
		"answered":          {"alice", func(a *aritest.Caller) { a.PickUp() }, "PJSIP/alice", nil, "joined"},
		"at a SIP address":  {"sip:a@192.0.2.1:5070;transport=tcp", func(a *aritest.Caller) { a.PickUp() }, "PJSIP/trunk/sip:a@192.0.2.1:5070;transport=tcp", nil, "joined"},
		"busy":              {"alice", func(a *aritest.Caller) { a.Refuse(486) }, "PJSIP/alice", ivr.ErrBusy, "busy"},
		"declined":          {"alice", func(a *aritest.Caller) { a.Refuse(603) }, "PJSIP/alice", ivr.ErrBusy, "busy"},
		"not there":         {"alice", func(a *aritest.Caller) { a.Refuse(480) }, "PJSIP/alice", ivr.ErrNoAnswer, "no_answer"},
		"forbidden":         {"alice", func(a *aritest.Caller) { a.Refuse(403) }, "PJSIP/alice", ivr.ErrUnreachable, "unreachable"},
		"no such number":    {"alice", func(a *aritest.Caller) { a.Refuse(404) }, "PJSIP/alice", ivr.ErrUnreachable, "unreachable"},
		"congestion":        {"alice", func(a *aritest.Caller) { a.Refuse(503) }, "PJSIP/alice", ivr.ErrUnreachable, "unreachable"},
		"answered and gone": {"alice", func(a *aritest.Caller) { a.PickUp(); a.HangUp() }, "PJSIP/alice", ivr.ErrNoAnswer, "no_answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leg := someLeg()
			leg.Address = tc.address
			joined := make(chan struct{})
			r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
				err := errors.Join(c.Answer(ctx), c.Ring(ctx, leg))
				if err == nil {
					close(joined)
					err = c.Talk(ctx, leg)
				}
				return errors.Join(err, c.Say(ctx, say("short")))
			}, trunked)
			caller := r.server.Dial("+4923150012345")
			agent := r.rung()
			r.music(caller, true)
			if agent.Endpoint() != tc.dialled || agent.Shown() != "+4923150012345" || agent.Channel() != leg.ID.String() {
				t.Errorf("dialled %s as %s, showing %q", agent.Endpoint(), agent.Channel(), agent.Shown())
			}
			if n := r.count("ringback_ari_legs"); n != 1 {
				t.Errorf("%v legs", n)
			}
			if total, out := r.line.InUse(); total != 1 || out != 0 {
				t.Errorf("%d lines in use, %d out", total, out)
			}
			tc.act(agent)
			if tc.want == nil {
				receive(t, "a talk", joined)
				if caller.Music() || caller.TalksWith() != agent {
					t.Errorf("talks with %v, music %v", caller.TalksWith(), caller.Music())
				}
				agent.HangUp()
			}
			wantErr(t, "Ring", receive(t, "end", results), tc.want)
			receive(t, "the agent's end", agent.Done())
			receive(t, "the caller's end", caller.Done())
			if n := r.labelled("ringback_ari_legs_total", tc.outcome); n != 1 {
				t.Errorf("%v legs counted as %s", n, tc.outcome)
			}
			r.clean()
		})
	}
}

// TestRingsForSoLong: Asterisk ends a ringing that takes too long.
func TestRingsForSoLong(t *testing.T) {
	t.Parallel()
	leg := someLeg()
	leg.Ring = time.Second / 2 // a second is the least
	r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
		err := c.Ring(ctx, leg)
		return errors.Join(err, c.Say(ctx, say("short")))
	})
	caller := r.server.Dial("+4923150012345")
	agent := r.rung()
	wantErr(t, "Ring", receive(t, "end", results), ivr.ErrNoAnswer)
	receive(t, "the agent's end", agent.Done())
	receive(t, "the caller's end", caller.Done())
	r.clean()
}

// TestCannotBeRung: what Asterisk cannot ring is not tried twice, and nothing
// but an address is dialled.
func TestCannotBeRung(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		address string
		change  func(*rig)
	}{
		"not registered":      {"alice", func(r *rig) { r.server.Unknown = func(string) bool { return true } }},
		"a false conflict":    {"alice", func(r *rig) { r.server.Intercept = conflict }},
		"no trunk":            {"sip:alice@192.0.2.1", func(*rig) {}},
		"nothing":             {"", trunked},
		"two":                 {"alice&bob", trunked},
		"another technology":  {"Local/s@from-trunk", trunked},
		"another argument":    {"alice,1", trunked},
		"a line of its own":   {"sip:a@192.0.2.1\r\nX: y", trunked},
		"a variable":          {"${ENV(HOME)}", trunked},
		"another user's host": {"alice@elsewhere", trunked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leg := someLeg()
			leg.Address = tc.address
			r, results := lead(t, func(ctx context.Context, c ivr.Call) error { return c.Ring(ctx, leg) }, tc.change)
			caller := r.server.Dial("+4923150012345")
			wantErr(t, "Ring", receive(t, "end", results), ivr.ErrUnreachable)
			receive(t, "the caller's end", caller.Done())
			r.clean()
		})
	}
}

// conflict refuses every originate as Asterisk does that cannot and believes,
// for a reason long gone, that it is for the id.
func conflict(w http.ResponseWriter, q *http.Request) bool {
	yes := originates(q)
	if yes {
		w.WriteHeader(http.StatusConflict)
	}
	return yes
}

// TestCallerGoesWhileRinging: the agent's telephone rings no more, however the
// caller, or the call, went.
func TestCallerGoesWhileRinging(t *testing.T) {
	t.Parallel()
	given := errors.New("given up")
	for name, tc := range map[string]struct {
		act  func(c *aritest.Caller, giveUp context.CancelCauseFunc)
		want error
	}{
		"hangs up":       {func(c *aritest.Caller, _ context.CancelCauseFunc) { c.HangUp() }, ivr.ErrHungUp},
		"breaks":         {func(c *aritest.Caller, _ context.CancelCauseFunc) { c.Break() }, ivr.ErrLineBroke},
		"is given up":    {func(_ *aritest.Caller, giveUp context.CancelCauseFunc) { giveUp(given) }, given},
		"types too much": {func(c *aritest.Caller, _ context.CancelCauseFunc) { typeMuch(c) }, ivr.ErrTooManyKeys},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			giveUp := make(chan context.CancelCauseFunc, 1)
			r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
				ctx, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				giveUp <- cancel
				return errors.Join(c.Answer(ctx), c.Ring(ctx, someLeg()))
			})
			caller := r.server.Dial("+4923150012345")
			agent := r.rung()
			tc.act(caller, <-giveUp)
			wantErr(t, "Ring", receive(t, "end", results), tc.want)
			receive(t, "the agent's end", agent.Done())
			if agent.EndedFor() != "normal" || agent.Answered() {
				t.Errorf("ended for %q, answered: %v", agent.EndedFor(), agent.Answered())
			}
			receive(t, "the caller's end", caller.Done())
			r.clean()
		})
	}
}

func typeMuch(c *aritest.Caller) {
	for range 65 {
		c.Press('1')
	}
}

// TestKeysWhileRinging are kept.
func TestKeysWhileRinging(t *testing.T) {
	t.Parallel()
	r, results := lead(t, func(ctx context.Context, c ivr.Call) rested {
		wantErr(t, "Ring", c.Ring(ctx, someLeg()), ivr.ErrBusy)
		k, err := c.Key(ctx, 0)
		return rested{k, err}
	})
	caller := r.server.Dial("+4923150012345")
	agent := r.rung()
	caller.Press('7')
	agent.Refuse(486)
	if got := receive(t, "end", results); got.key != '7' || got.err != nil {
		t.Errorf("got %q, %v", got.key, got.err)
	}
}

// TestAnswerMeetsHangUp lets the agent pick up in the moment in which the caller
// hangs up: whatever comes first, nothing is left over.
func TestAnswerMeetsHangUp(t *testing.T) {
	t.Parallel()
	const calls = 200
	ends := make(chan error, calls)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		leg := someLeg()
		err := c.Ring(ctx, leg)
		if err == nil {
			err = c.Talk(ctx, leg)
		}
		ends <- err
	})
	for i := range calls {
		caller := r.server.Dial("+4923150012345")
		agent := r.rung()
		both := make(chan struct{})
		go func() {
			defer close(both)
			agent.PickUp()
		}()
		if i%2 == 0 {
			<-both
		}
		caller.HangUp()
		<-both
		wantErr(t, "the call", receive(t, "its end", ends), ivr.ErrHungUp)
	}
	r.clean()
}

// TestAnswerIsLost: Asterisk takes the request to ring, and its answer gets
// lost. The telephone rings no more.
func TestAnswerIsLost(t *testing.T) {
	t.Parallel()
	r, results := lead(t, func(ctx context.Context, c ivr.Call) error { return c.Ring(ctx, someLeg()) }, func(r *rig) {
		r.options.Request = 200 * time.Millisecond
		r.server.Intercept = func(_ http.ResponseWriter, q *http.Request) bool {
			if !originates(q) || q.Header.Get("X-Again") != "" {
				return false
			}
			again, err := http.NewRequest(q.Method, "http://"+q.Host+q.URL.Path, q.Body)
			if err != nil {
				t.Error(err)
			}
			again.Header = q.Header.Clone()
			again.Header.Set("X-Again", "yes")
			resp, err := http.DefaultClient.Do(again)
			if err != nil {
				t.Error(err)
				return true
			}
			resp.Body.Close()
			<-q.Context().Done()
			return true
		}
	})
	caller := r.server.Dial("+4923150012345")
	agent := r.rung()
	if err := receive(t, "end", results); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Ring: %v", err)
	}
	receive(t, "the agent's end", agent.Done())
	receive(t, "the caller's end", caller.Done())
	r.clean()
}

// originates says whether a request rings a telephone.
func originates(q *http.Request) bool {
	id, ok := strings.CutPrefix(q.URL.Path, "/ari/channels/")
	return ok && q.Method == http.MethodPost && !strings.Contains(id, "/")
}
