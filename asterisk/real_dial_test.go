package asterisk_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/asterisk"
	"ringback/ivr"
)

// TestRealDial makes calls out that are answered, and not.
func TestRealDial(t *testing.T) {
	endpoint, rings := answerSIP(t)
	led := make(chan ivr.Info, 1)
	line := realLine(t, func(ctx context.Context, c ivr.Call) {
		led <- c.Info()
		if err := c.Say(ctx, say("short")); err != nil {
			t.Error(err)
		}
	}, func(o *asterisk.Options) {
		o.OutDial = endpoint[:len("PJSIP/trunk/sip:")] + "%s" + endpoint[len("PJSIP/trunk/sip:agent"):]
	})
	known := func(id uuid.UUID) ivr.Dialled {
		d, err := line.Dialled(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	given := errors.New("given up")
	for name, tc := range map[string]struct {
		act  func(p *rungPhone, giveUp context.CancelCauseFunc)
		want error
	}{
		"answered":    {func(p *rungPhone, _ context.CancelCauseFunc) { p.pickUp(t) }, nil},
		"busy":        {func(p *rungPhone, _ context.CancelCauseFunc) { p.refuse(t, 486) }, ivr.ErrBusy},
		"no answer":   {func(p *rungPhone, _ context.CancelCauseFunc) {}, ivr.ErrNoAnswer},
		"fails":       {func(p *rungPhone, _ context.CancelCauseFunc) { p.refuse(t, 500) }, ivr.ErrUnreachable},
		"is given up": {func(_ *rungPhone, giveUp context.CancelCauseFunc) { giveUp(given) }, given},
	} {
		t.Run(name, func(t *testing.T) {
			out := someOut(t)
			out.Ring = time.Second
			if d := known(out.ID); d != ivr.DialledNever {
				t.Errorf("%q before it was dialled", d)
			}
			ctx, giveUp := context.WithCancelCause(t.Context())
			ends := make(chan error, 1)
			go func() { ends <- line.Dial(ctx, out) }()
			p := rings().(*rungPhone)
			if p.in.From != "+49231116117" || p.in.To != "+4923150012345" {
				t.Errorf("rung by %s, as %s", p.in.From, p.in.To)
			}
			if d := known(out.ID); d != ivr.DialledRings {
				t.Errorf("%q while it rings", d)
			}
			tc.act(p, giveUp)
			wantErr(t, "Dial", receive(t, "the outcome", ends), tc.want)
			if tc.want == nil {
				if i := receive(t, "the call", led); i.Attempt != out.ID || i.Number != out.Number {
					t.Errorf("led as %+v", i)
				}
				receive(t, "the end", p.call.Done())
			}
			receive(t, "the telephone to be quiet", p.in.Gone())
			if err := line.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			(&rig{t: t}).until("it is over", func() bool { return known(out.ID) == ivr.DialledOver })
			if err := line.ForgetDial(t.Context(), out.ID); err != nil {
				t.Error(err)
			}
			if d := known(out.ID); d != ivr.DialledNever {
				t.Errorf("%q when it was forgotten", d)
			}
		})
	}
}
