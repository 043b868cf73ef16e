package asterisk_test

import (
	"context"
	"errors"
	"testing"

	"ringback/asterisk"
	"ringback/asterisk/aritest"
	"ringback/ivr"
)

// TestBrokenLine: the cause of a call's end is told from a hang-up.
func TestBrokenLine(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		act  func(r *rig, c *aritest.Caller)
		want error
	}{
		"hang-up":              {func(_ *rig, c *aritest.Caller) { c.HangUp() }, ivr.ErrHungUp},
		"normal clearing":      {func(_ *rig, c *aritest.Caller) { c.HangUpFor(16) }, ivr.ErrHungUp},
		"no audio":             {func(_ *rig, c *aritest.Caller) { c.Break() }, ivr.ErrLineBroke},
		"network out of order": {func(_ *rig, c *aritest.Caller) { c.HangUpFor(38) }, ivr.ErrLineBroke},
		"Asterisk restarts":    {func(r *rig, _ *aritest.Caller) { r.server.Restart() }, ivr.ErrLineBroke},
		"gone in a gap": {func(r *rig, c *aritest.Caller) {
			r.server.Disconnect()
			c.Vanish()
		}, ivr.ErrHungUp},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for method, wait := range map[string]func(context.Context, ivr.Call) error{
				"Key":  func(ctx context.Context, c ivr.Call) error { _, err := c.Key(ctx, patience); return err },
				"Say":  func(ctx context.Context, c ivr.Call) error { return c.Say(ctx, say("long")) },
				"Rest": func(ctx context.Context, c ivr.Call) error { return rest(ctx, c) },
			} {
				began := make(chan struct{})
				r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
					err := c.Answer(ctx)
					close(began)
					got := wait(ctx, c)
					<-ctx.Done()
					if !errors.Is(context.Cause(ctx), tc.want) {
						t.Errorf("%s: the cause is %v", method, context.Cause(ctx))
					}
					return errors.Join(err, got)
				})
				caller := r.server.Dial("+4923150012345")
				receive(t, "the call", began)
				tc.act(r, caller)
				wantErr(t, method, receive(t, "end", results), tc.want)
				want := 0.0
				if errors.Is(tc.want, ivr.ErrLineBroke) {
					want = 1
				}
				if n := r.count("ringback_ari_lines_broken_total"); n != want {
					t.Errorf("%s: %v broken lines counted", method, n)
				}
				r.stop()
			}
		})
	}
}

func rest(ctx context.Context, c ivr.Call) error {
	_, err := c.Rest(ctx, ivr.Rest{Music: true, Wait: patience})
	return err
}

// TestLostCallsAreReported: the line dropped while no controller was there, by a
// hang-up or with the Asterisk that carried it.
func TestLostCallsAreReported(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		act  func(s *aritest.Server, c *aritest.Caller)
		want error
	}{
		"a hang-up": {func(_ *aritest.Server, c *aritest.Caller) { c.Vanish() }, ivr.ErrHungUp},
		"a restart": {func(s *aritest.Server, _ *aritest.Caller) { s.Restart() }, ivr.ErrLineBroke},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			led := make(chan ivr.Info, 1)
			r := setup(t, talk(led, make(chan error, 1)))
			caller := r.server.Dial("+4923150012345")
			info := receive(t, "the call", led)
			r.line.Release()
			if err := receive(t, "the end of the first controller", r.ended); err != nil {
				t.Fatal(err)
			}
			tc.act(r.server, caller)
			books := &ledger{}
			books.write(info, false)
			type loss struct {
				info ivr.Info
				why  error
			}
			lost := make(chan loss, 1)
			r.successor(books, nothing, func(o *asterisk.Options) { o.Lost = func(i ivr.Info, why error) { lost <- loss{i, why} } })
			got := receive(t, "the lost call", lost)
			if got.info != info {
				t.Errorf("lost %+v, want %+v", got.info, info)
			}
			wantErr(t, "why", got.why, tc.want)
		})
	}
}
