package asterisk_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ringback/asterisk/aritest"
	"ringback/ivr"
)

// ringAndTalk rings the leg, says that the two are joined, and talks.
func ringAndTalk(leg ivr.Leg, joined chan<- struct{}) func(context.Context, ivr.Call) error {
	return func(ctx context.Context, c ivr.Call) error {
		if err := errors.Join(c.Answer(ctx), c.Ring(ctx, leg)); err != nil {
			return err
		}
		joined <- struct{}{}
		return c.Talk(ctx, leg)
	}
}

// talking is a rig with one caller who talks with an agent.
func talking(t *testing.T, after func(ctx context.Context, c ivr.Call, talked error) error, change ...func(*rig)) (
	r *rig, caller, agent *aritest.Caller, results <-chan error,
) {
	t.Helper()
	joined := make(chan struct{}, 1)
	talk := ringAndTalk(someLeg(), joined)
	r, results = lead(t, func(ctx context.Context, c ivr.Call) error { return after(ctx, c, talk(ctx, c)) }, change...)
	caller = r.server.Dial("+4923150012345")
	agent = r.rung()
	agent.PickUp()
	receive(t, "a talk", joined)
	return r, caller, agent, results
}

func noMore(_ context.Context, _ ivr.Call, talked error) error { return talked }

// TestAgentHangsUpFirst: the caller is heard again, and keys of the talk are
// nobody's.
func TestAgentHangsUpFirst(t *testing.T) {
	t.Parallel()
	r, caller, agent, results := talking(t, func(ctx context.Context, c ivr.Call, talked error) error {
		if _, err := c.Key(ctx, 0); !errors.Is(err, ivr.ErrSilence) {
			t.Errorf("a key of the talk was kept: %v", err)
		}
		said := c.Say(ctx, say("long"))
		k, err := c.Key(ctx, patience)
		if k != '9' {
			t.Errorf("key %q after the talk", k)
		}
		return errors.Join(talked, said, err)
	})
	for range 100 { // more than a mailbox takes
		caller.Press('1')
	}
	caller.Press('2')
	if keys := agent.HeardKeys(); len(keys) != 101 || keys[100] != '2' {
		t.Errorf("the agent heard %d keys", len(keys))
	}
	agent.HangUp()
	r.playing(caller)
	if caller.TalksWith() != nil {
		t.Error("still in a bridge")
	}
	caller.Press('9')
	if err := receive(t, "end", results); err != nil {
		t.Error(err)
	}
	receive(t, "the caller's end", caller.Done())
	if n := r.count("ringback_ari_mailbox_overflows_total"); n != 0 {
		t.Errorf("overflows: %v", n)
	}
	if n := r.count("ringback_ari_talk_seconds"); n != 1 {
		t.Errorf("talks measured: %v", n)
	}
	r.clean()
}

// TestCallerEndsTalk in every way: the agent's telephone is hung up.
func TestCallerEndsTalk(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		act  func(r *rig, caller, agent *aritest.Caller)
		want error
	}{
		"hangs up":               {func(_ *rig, c, _ *aritest.Caller) { c.HangUp() }, ivr.ErrHungUp},
		"breaks":                 {func(_ *rig, c, _ *aritest.Caller) { c.Break() }, ivr.ErrLineBroke},
		"loses the cell":         {func(_ *rig, c, _ *aritest.Caller) { c.HangUpFor(27) }, ivr.ErrLineBroke},
		"both":                   {func(_ *rig, c, a *aritest.Caller) { c.HangUp(); a.HangUp() }, ivr.ErrHungUp},
		"the agent's line broke": {func(_ *rig, _, a *aritest.Caller) { a.Break() }, nil},
		"the line stops":         {func(r *rig, _, _ *aritest.Caller) { r.stop() }, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, caller, agent, results := talking(t, noMore)
			tc.act(r, caller, agent)
			wantErr(t, "Talk", receive(t, "end", results), tc.want)
			receive(t, "the agent's end", agent.Done())
			receive(t, "the caller's end", caller.Done())
			r.clean()
		})
	}
}

// TestTalkTooLong ends at the longest duration of a call.
func TestTalkTooLong(t *testing.T) {
	t.Parallel()
	r, caller, agent, results := talking(t, func(ctx context.Context, c ivr.Call, talked error) error {
		fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return errors.Join(talked, c.Say(fresh, say("short")))
	}, func(r *rig) { r.options.Longest = time.Second })
	wantErr(t, "Talk", receive(t, "end", results), ivr.ErrTooLong)
	receive(t, "the agent's end", agent.Done())
	receive(t, "the caller's end", caller.Done())
	if len(caller.Heard()) != 1 {
		t.Errorf("heard %v", caller.Heard())
	}
	r.clean()
}

// TestBothHangUp lets both hang up at once, again and again.
func TestBothHangUp(t *testing.T) {
	t.Parallel()
	const calls = 200
	joined, ends := make(chan struct{}, calls), make(chan error, calls)
	r := setup(t, func(ctx context.Context, c ivr.Call) { ends <- ringAndTalk(someLeg(), joined)(ctx, c) })
	for i := range calls {
		caller := r.server.Dial("+4923150012345")
		agent := r.rung()
		agent.PickUp()
		receive(t, "a talk", joined)
		first, second := caller.HangUp, agent.HangUp
		if i%2 == 0 {
			first, second = second, first
		}
		go first()
		second()
		if err := receive(t, "its end", ends); err != nil && !errors.Is(err, ivr.ErrHungUp) {
			t.Errorf("Talk: %v", err)
		}
	}
	r.clean()
}

// TestNobodyTalks: a dialogue that does something else after Ring ends the talk,
// and so does one that returns.
func TestNobodyTalks(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(context.Context, ivr.Call) error{
		"says something": func(ctx context.Context, c ivr.Call) error { return c.Say(ctx, say("short")) },
		"waits for a key": func(ctx context.Context, c ivr.Call) error {
			_, err := c.Key(ctx, 0)
			return ignore(err, ivr.ErrSilence)
		},
		"rests": func(ctx context.Context, c ivr.Call) error {
			_, err := c.Rest(ctx, ivr.Rest{Wait: time.Millisecond})
			return ignore(err, ivr.ErrSilence)
		},
		"talks with another": func(ctx context.Context, c ivr.Call) error { return c.Talk(ctx, someLeg()) },
		"returns":            func(context.Context, ivr.Call) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
				return errors.Join(c.Ring(ctx, someLeg()), next(ctx, c))
			})
			caller := r.server.Dial("+4923150012345")
			agent := r.rung()
			agent.PickUp()
			if err := receive(t, "end", results); err != nil {
				t.Error(err)
			}
			receive(t, "the agent's end", agent.Done())
			receive(t, "the caller's end", caller.Done())
			r.clean()
		})
	}
}

func ignore(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// TestGapInATalk: what happened while nobody listened is put right by asking.
func TestGapInATalk(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		act  func(r *rig, caller, agent *aritest.Caller)
		want error
	}{
		"nothing":        {func(_ *rig, c, a *aritest.Caller) {}, nil},
		"agent gone":     {func(_ *rig, _, a *aritest.Caller) { a.Vanish() }, nil},
		"caller gone":    {func(_ *rig, c, _ *aritest.Caller) { c.Vanish() }, ivr.ErrHungUp},
		"both gone":      {func(_ *rig, c, a *aritest.Caller) { c.Vanish(); a.Vanish() }, ivr.ErrHungUp},
		"Asterisk anew":  {func(r *rig, _, _ *aritest.Caller) { r.server.Restart() }, ivr.ErrLineBroke},
		"hung up, heard": {func(r *rig, c, _ *aritest.Caller) { c.HangUp() }, ivr.ErrHungUp},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var cut atomic.Bool
			r, caller, agent, results := talking(t, noMore, away(&cut))
			cut.Store(true)
			r.server.Disconnect()
			tc.act(r, caller, agent)
			cut.Store(false)
			r.until("a new connection", func() bool { return r.count("ringback_ari_connections_lost_total") > 0 && r.line.Ready() })
			if name == "nothing" {
				if caller.TalksWith() != agent {
					t.Error("the talk was cut")
				}
				agent.HangUp()
			}
			wantErr(t, "Talk", receive(t, "end", results), tc.want)
			receive(t, "the agent's end", agent.Done())
			receive(t, "the caller's end", caller.Done())
			r.clean()
		})
	}
}

// away has the fake Asterisk break off connections for events while cut.
func away(cut *atomic.Bool) func(*rig) {
	return func(r *rig) {
		r.server.Intercept = func(w http.ResponseWriter, q *http.Request) bool {
			yes := cut.Load() && strings.HasSuffix(q.URL.Path, "/events")
			if yes {
				breakOff(w)
			}
			return yes
		}
	}
}

// TestGapWhileRinging: the agent's answer, or end, is found by asking.
func TestGapWhileRinging(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		act  func(agent *aritest.Caller)
		want error
	}{
		"rings on":    {func(*aritest.Caller) {}, nil},
		"ended":       {func(a *aritest.Caller) { a.Refuse(486) }, ivr.ErrNoAnswer},
		"Stasis away": {func(a *aritest.Caller) { a.PickUp() }, ivr.ErrNoAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var cut atomic.Bool
			joined := make(chan struct{}, 1)
			r, results := lead(t, ringAndTalk(someLeg(), joined), away(&cut))
			caller := r.server.Dial("+4923150012345")
			agent := r.rung()
			r.until("a telephone rings", func() bool { return r.count("ringback_ari_legs") == 1 })
			r.until("its request is answered", func() bool { return r.requested("originate") == 1 })
			cut.Store(true)
			r.server.Disconnect()
			tc.act(agent)
			cut.Store(false)
			r.until("a new connection", func() bool { return r.count("ringback_ari_connections_lost_total") > 0 && r.line.Ready() })
			if tc.want == nil {
				agent.PickUp()
				receive(t, "a talk", joined)
				agent.HangUp()
			}
			wantErr(t, "the call", receive(t, "its end", results), tc.want)
			receive(t, "the caller's end", caller.Done())
			r.clean()
		})
	}
}

// TestManyTalks lets 300 callers talk with agents who answer by themselves.
func TestManyTalks(t *testing.T) {
	t.Parallel()
	const calls = 300
	ends := make(chan error, calls)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		ends <- ringAndTalk(someLeg(), make(chan struct{}, 1))(ctx, c)
	}, func(r *rig) {
		r.options.Request = patience
		r.server.Rings = func(agent *aritest.Caller) {
			agent.PickUp()
			caller, err := agent.WaitTalk(context.Background())
			if err != nil {
				t.Errorf("an agent waits for a caller: %v", err)
				return
			}
			caller.Press('5')
			agent.HangUp()
		}
	})
	for range calls {
		r.server.Dial("+4923150012345")
	}
	talked := 0
	for range calls {
		switch err := receive(t, "the end of a call", ends); {
		case err == nil:
			talked++
		case !errors.Is(err, ivr.ErrNoAnswer): // hung up before Ring returned
			t.Errorf("a call: %v", err)
		}
	}
	if talked == 0 {
		t.Error("nobody talked")
	}
	r.clean()
}

// TestAgentCannotBeHungUp: an Asterisk that does not do it is asked again.
func TestAgentCannotBeHungUp(t *testing.T) {
	t.Parallel()
	var refusals atomic.Int32
	r, caller, agent, results := talking(t, noMore, func(r *rig) {
		r.server.Intercept = func(w http.ResponseWriter, q *http.Request) bool {
			leg := q.Method == http.MethodDelete && strings.HasPrefix(q.URL.Path, "/ari/channels/") && !strings.Contains(q.URL.Path, aritest.Node)
			if !leg || refusals.Add(1) > 2 {
				return false
			}
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
	})
	caller.HangUp()
	wantErr(t, "Talk", receive(t, "end", results), ivr.ErrHungUp)
	receive(t, "the agent's end", agent.Done())
	r.clean()
	if n := refusals.Load(); n != 3 {
		t.Errorf("asked %d times", n)
	}
}
