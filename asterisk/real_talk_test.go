package asterisk_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/asterisk"
	"ringback/ivr"
	"ringback/phone"
)

// realLine is a line to a real Asterisk.
func realLine(t *testing.T, handler asterisk.Handler, change ...func(*asterisk.Options)) *asterisk.Line {
	t.Helper()
	url, user, password, _ := realAsterisk(t)
	o := asterisk.Options{URL: url, User: user, Password: password, App: "ringback", Region: "DE",
		OutTrunk: "trunk", OutCaller: "+49231116117", Logger: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&o)
	}
	line, err := asterisk.New(o, files{writePrompts(t)}, handler)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, line: line}
	r.run()
	r.until("ready", line.Ready)
	s := &stage{t: t, url: url, user: user, password: password}
	r.until("application", func() bool { return s.ask("GET", "/applications/ringback", nil) == 200 })
	return line
}

// sipAgent is an agent's telephone, and the leg that rings it.
func sipAgent(t *testing.T) (ivr.Leg, func() rung) {
	t.Helper()
	endpoint, rings := answerSIP(t)
	return ivr.Leg{ID: uuid.New(), Address: endpoint[len("PJSIP/trunk/"):], Shown: "+4923150012345", Ring: 10 * time.Second}, rings
}

// loudness is the mean magnitude of what a telephone heard in the last d.
func loudness(c *phone.Call, d time.Duration) int {
	heard := c.Heard()
	heard = heard[max(0, len(heard)-samplesOf(d)):]
	sum := 0
	for _, s := range heard {
		sum += max(int(s), -int(s))
	}
	return sum / max(1, len(heard))
}

// TestRealTalk goes from music to a talk in which both hear each other, and from
// the agent's hang-up to what is said next.
func TestRealTalk(t *testing.T) {
	leg, rings := sipAgent(t)
	told := make(chan string)
	caller, results := leadReal(t, func(ctx context.Context, c ivr.Call) error {
		err := errors.Join(c.Answer(ctx), c.Ring(ctx, leg))
		told <- "joined"
		err = errors.Join(err, c.Talk(ctx, leg))
		if _, key := c.Key(ctx, 0); !errors.Is(key, ivr.ErrSilence) {
			t.Errorf("a key of the talk was kept: %v", key)
		}
		return errors.Join(err, c.Say(ctx, say("short")))
	}, trunk)
	agent := rings().(*rungPhone)
	if agent.in.From != "+4923150012345" {
		t.Errorf("the agent's telephone shows %q", agent.in.From)
	}
	caller.pickedUp(t)
	caller.stay(t, 600*time.Millisecond)
	music := loudness(caller.call, 400*time.Millisecond)
	agent.pickUp(t)
	receive(t, "a talk", told)
	caller.stay(t, 300*time.Millisecond)
	quiet := loudness(caller.call, 200*time.Millisecond)
	caller.speak(t, 500*time.Millisecond)
	heard := loudness(agent.call, 300*time.Millisecond)
	if err := agent.call.Speak(t.Context(), tone(500*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	answered := loudness(caller.call, 300*time.Millisecond)
	t.Logf("the caller heard music at %d, nothing at %d, the agent at %d; the agent the caller at %d", music, quiet, answered, heard)
	if music < 50 || quiet > music/4 || heard < 10_000 || answered < 10_000 {
		t.Error("that is not what a talk sounds like")
	}
	caller.press(t, '5', tap)
	agent.hangUp()
	if err := receive(t, "end", results); err != nil {
		t.Error(err)
	}
	if by := caller.endedBy(t); by != phone.FarEnd {
		t.Errorf("ended by %s", by)
	}
}

// trunk lets SIP addresses be rung.
func trunk(o *asterisk.Options) { o.OutTrunk = "trunk" }

// TestRealTalkEndedByCaller hangs up the agent's telephone.
func TestRealTalkEndedByCaller(t *testing.T) {
	leg, rings := sipAgent(t)
	joined := make(chan struct{}, 1)
	caller, results := leadReal(t, ringAndTalk(leg, joined), trunk)
	agent := rings().(*rungPhone)
	agent.pickUp(t)
	receive(t, "a talk", joined)
	caller.pickedUp(t)
	caller.hangUp()
	wantErr(t, "Talk", receive(t, "end", results), ivr.ErrHungUp)
	receive(t, "the agent's end", agent.call.Done())
	if e, _ := agent.call.End(); e.By != phone.FarEnd {
		t.Errorf("the agent's telephone was ended by %s", e.By)
	}
}

// TestRealRing rings agents who do not answer.
func TestRealRing(t *testing.T) {
	for name, tc := range map[string]struct {
		act  func(t *testing.T, agent *rungPhone, caller *sipPhone)
		want error
	}{
		"busy":        {func(t *testing.T, a *rungPhone, _ *sipPhone) { a.refuse(t, 486) }, ivr.ErrBusy},
		"declined":    {func(t *testing.T, a *rungPhone, _ *sipPhone) { a.refuse(t, 603) }, ivr.ErrBusy},
		"not there":   {func(t *testing.T, a *rungPhone, _ *sipPhone) { a.refuse(t, 480) }, ivr.ErrNoAnswer},
		"no number":   {func(t *testing.T, a *rungPhone, _ *sipPhone) { a.refuse(t, 404) }, ivr.ErrUnreachable},
		"no answer":   {func(*testing.T, *rungPhone, *sipPhone) {}, ivr.ErrNoAnswer},
		"caller goes": {func(_ *testing.T, _ *rungPhone, c *sipPhone) { c.hangUp() }, ivr.ErrHungUp},
	} {
		t.Run(name, func(t *testing.T) {
			leg, rings := sipAgent(t)
			leg.Ring = time.Second
			caller, results := leadReal(t, func(ctx context.Context, c ivr.Call) error {
				return errors.Join(c.Answer(ctx), c.Ring(ctx, leg))
			}, trunk)
			agent := rings().(*rungPhone)
			caller.pickedUp(t)
			tc.act(t, agent, caller)
			wantErr(t, "Ring", receive(t, "end", results), tc.want)
			receive(t, "the agent's telephone to be quiet", agent.in.Gone())
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		for _, address := range []string{"nobody", "sip:a@127.0.0.1:9"} {
			_, results := leadReal(t, func(ctx context.Context, c ivr.Call) error {
				return errors.Join(c.Answer(ctx), c.Ring(ctx, ivr.Leg{ID: uuid.New(), Address: address, Ring: time.Second}))
			}, trunk)
			wantErr(t, address, receive(t, "end", results), ivr.ErrUnreachable)
		}
	})
}

// TestRealRest waits with music for a key, and for a voice.
func TestRealRest(t *testing.T) {
	told := make(chan string)
	caller, results := leadReal(t, func(ctx context.Context, c ivr.Call) []error {
		errs := []error{c.Answer(ctx)}
		told <- "key"
		k, err := c.Rest(ctx, ivr.Rest{Wait: patience, Music: true})
		if k != '7' {
			t.Errorf("key %q, %v", k, err)
		}
		errs = append(errs, err, c.Say(ctx, say("short")))
		told <- "voice"
		_, err = c.Rest(ctx, ivr.Rest{Wait: patience, Music: true, Voice: true})
		return append(errs, ignore(err, ivr.ErrSpoke))
	})
	receive(t, "a wait", told)
	caller.pickedUp(t)
	caller.stay(t, 500*time.Millisecond)
	if l := loudness(caller.call, 300*time.Millisecond); l < 50 {
		t.Errorf("music at %d", l)
	}
	caller.press(t, '7', tap)
	receive(t, "a wait", told)
	caller.stay(t, 500*time.Millisecond)
	caller.speak(t, 300*time.Millisecond)
	if err := errors.Join(receive(t, "end", results)...); err != nil {
		t.Error(err)
	}
}

// TestRealEarlyMedia says something before it refuses with 480, and nobody has
// answered.
func TestRealEarlyMedia(t *testing.T) {
	caller, results := leadReal(t, func(ctx context.Context, c ivr.Call) error {
		return errors.Join(c.Say(ctx, say("short")), c.Refuse(ctx))
	})
	if err := receive(t, "end", results); err != nil {
		t.Error(err)
	}
	if by := caller.endedBy(t); by != phone.Nobody || caller.refused != 480 {
		t.Errorf("ended by %s, with %d", by, caller.refused)
	}
}

// TestRealTalkSpeed measures how soon after picking up the two hear each other.
func TestRealTalkSpeed(t *testing.T) {
	const talks = 10
	var took []time.Duration
	for range talks {
		leg, rings := sipAgent(t)
		joined := make(chan struct{}, 1)
		caller, results := leadReal(t, ringAndTalk(leg, joined), trunk)
		agent := rings().(*rungPhone)
		began := time.Now()
		agent.pickUp(t)
		receive(t, "a talk", joined)
		took = append(took, time.Since(began))
		caller.hangUp()
		wantErr(t, "Talk", receive(t, "end", results), ivr.ErrHungUp)
	}
	slices.Sort(took)
	t.Logf("joined after picking up: median %s, longest %s", took[talks/2], took[talks-1])
	if longest := took[talks-1]; longest > time.Second {
		t.Errorf("longest %s", longest)
	}
}

// TestRealTakeOverInATalk: the controller goes, the two talk on, and the next one
// goes on when the agent hangs up.
func TestRealTakeOverInATalk(t *testing.T) {
	leg, rings := sipAgent(t)
	joined, led := make(chan struct{}, 1), make(chan ivr.Info, 1)
	_, _, _, sip := realAsterisk(t)
	first := realLine(t, func(ctx context.Context, c ivr.Call) {
		led <- c.Info()
		wantErr(t, "Talk", ringAndTalk(leg, joined)(ctx, c), ivr.ErrElsewhere)
	}, trunk)
	caller := ringSIP(t, sip, "+4923150012345")
	books := &ledger{}
	books.write(receive(t, "the call", led), false)
	agent := rings().(*rungPhone)
	agent.pickUp(t)
	receive(t, "a talk", joined)
	first.Release()
	caller.pickedUp(t)
	caller.speak(t, 300*time.Millisecond)
	if l := loudness(agent.call, 200*time.Millisecond); l < 10_000 {
		t.Errorf("without a controller the agent hears %d", l)
	}
	results := make(chan error, 1)
	realLine(t, func(ctx context.Context, c ivr.Call) {
		if !c.Info().TakenOver {
			t.Errorf("led as %+v", c.Info())
		}
		results <- errors.Join(c.Say(ctx, say("long")), c.Talk(ctx, leg), c.Say(ctx, say("short")))
	}, trunk, func(o *asterisk.Options) { o.Ledger = books })
	caller.speak(t, 300*time.Millisecond)
	if l := loudness(agent.call, 200*time.Millisecond); l < 10_000 {
		t.Errorf("with the next controller the agent hears %d", l)
	}
	agent.hangUp()
	if err := receive(t, "end", results); err != nil {
		t.Error(err)
	}
	if by := caller.endedBy(t); by != phone.FarEnd {
		t.Errorf("ended by %s", by)
	}
}

// TestRealAnswerMeetsHangUp lets agents pick up in the moment in which the caller
// hangs up: nothing is left over in Asterisk.
func TestRealAnswerMeetsHangUp(t *testing.T) {
	url, user, password, sip := realAsterisk(t)
	legs := make(chan ivr.Leg, 1)
	ends := make(chan error, 1)
	realLine(t, func(ctx context.Context, c ivr.Call) {
		ends <- errors.Join(c.Answer(ctx), ringAndTalk(<-legs, make(chan struct{}, 1))(ctx, c))
	}, trunk)
	for i := range 20 {
		leg, rings := sipAgent(t)
		legs <- leg
		caller := ringSIP(t, sip, "+4923150012345")
		agent := rings().(*rungPhone)
		caller.pickedUp(t)
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			if call, err := agent.in.Answer(t.Context()); err == nil {
				agent.call = call
			}
		}()
		if i%2 == 0 {
			caller.stay(t, time.Duration(i)*time.Millisecond)
		}
		caller.hangUp()
		wantErr(t, "the call", receive(t, "its end", ends), ivr.ErrHungUp)
		<-answered
		receive(t, "the agent's telephone to be quiet", agent.in.Gone())
	}
	s := &stage{t: t, url: url, user: user, password: password}
	r := &rig{t: t}
	r.until("nothing left over", func() bool { return s.get("/channels") == "[]" && s.get("/bridges") == "[]" })
}
