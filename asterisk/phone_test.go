package asterisk_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"ringback/phone"
)

// sipPhone is a telephone in a call to a real Asterisk.
type sipPhone struct {
	answered chan struct{}
	call     *phone.Call        // written before answered is closed
	leave    context.CancelFunc // ends the call, answered or not
	over     chan struct{}
	refused  int // the SIP status; written before over is closed
}

// ringSIP calls "to" (host:port) from a number and returns while it rings.
func ringSIP(t testing.TB, to, number string) *sipPhone {
	t.Helper()
	telephone, err := phone.New(phone.Options{NoReply: patience})
	if err != nil {
		t.Fatalf("SIP phone: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &sipPhone{answered: make(chan struct{}), leave: cancel, over: make(chan struct{})}
	go func() {
		defer close(p.over)
		call, err := telephone.Dial(ctx, phone.CallOptions{
			To: "sip:116117@" + to, From: number, Codecs: []phone.Codec{phone.ALaw},
		})
		var refused *phone.Refused
		switch {
		case errors.As(err, &refused), errors.Is(err, context.Canceled):
			t.Logf("SIP call not answered: %v", err)
			if refused != nil {
				p.refused = refused.Status
			}
			return
		case err != nil:
			t.Errorf("SIP call: %v", err)
			return
		}
		p.call = call
		close(p.answered)
		select {
		case <-call.Done(): // the far end hung up
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			if err := call.HangUp(ctx); err != nil {
				t.Errorf("SIP call: %v", err)
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-p.over
		if err := telephone.Close(); err != nil {
			t.Errorf("SIP phone: %v", err)
		}
	})
	return p
}

// press holds a key and returns when it was let go: when the first packet of
// the key's end was sent.
func (p *sipPhone) press(t testing.TB, key byte, held time.Duration) time.Time {
	t.Helper()
	p.pickedUp(t)
	if err := p.call.Hold(t.Context(), key, held); err != nil {
		t.Fatalf("press %c: %v", key, err)
	}
	return p.call.Dialled().Add(p.call.LastKey())
}

// stay keeps the line open for so long, in silence.
func (p *sipPhone) stay(t testing.TB, d time.Duration) {
	t.Helper()
	p.say(t, make([]int16, samplesOf(d)))
}

// speak is heard for so long: a loud square tone of 500 Hz.
func (p *sipPhone) speak(t testing.TB, d time.Duration) {
	t.Helper()
	p.say(t, tone(d))
}

func tone(d time.Duration) []int16 {
	tone := make([]int16, samplesOf(d))
	for i := range tone {
		tone[i] = 22000
		if i%16 >= 8 {
			tone[i] = -22000
		}
	}
	return tone
}

func (p *sipPhone) say(t testing.TB, pcm []int16) {
	t.Helper()
	p.pickedUp(t)
	if err := p.call.Speak(t.Context(), pcm); err != nil {
		t.Fatalf("speak: %v", err)
	}
}

func (p *sipPhone) hangUp() { p.leave() }

// endedBy waits until the call is over and says who ended it.
func (p *sipPhone) endedBy(t testing.TB) phone.Party {
	t.Helper()
	receive(t, "end of the SIP call", p.over)
	if p.call == nil {
		return phone.Nobody
	}
	e, _ := p.call.End()
	return e.By
}

// pickedUp waits until the call is answered.
func (p *sipPhone) pickedUp(t testing.TB) {
	t.Helper()
	select {
	case <-p.answered:
	case <-p.over:
		t.Fatal("the call is over")
	}
}

func samplesOf(d time.Duration) int { return int(d * phone.Rate / time.Second) }

// vanish ends the call as a telephone does whose power fails.
func (p *sipPhone) vanish(t testing.TB) {
	t.Helper()
	p.pickedUp(t)
	p.call.Abandon()
	p.leave()
}

// rungPhone is a call that rings a SIP telephone.
type rungPhone struct {
	in   *phone.Incoming
	call *phone.Call // once it was picked up
}

// answerSIP is a telephone that Asterisk reaches at the endpoint; rings waits
// for the next call that rings there.
func answerSIP(t testing.TB) (endpoint string, rings func() rung) {
	t.Helper()
	calls := make(chan *phone.Incoming, 8)
	telephone, err := phone.New(phone.Options{Ring: func(in *phone.Incoming) {
		if err := in.Ringing(); err != nil {
			t.Logf("a telephone rings: %v", err)
		}
		calls <- in
		<-in.Gone()
	}})
	if err != nil {
		t.Fatalf("SIP telephone: %v", err)
	}
	t.Cleanup(func() {
		if err := telephone.Close(); err != nil {
			t.Errorf("SIP telephone: %v", err)
		}
	})
	return "PJSIP/trunk/sip:agent@" + telephone.Addr(), func() rung {
		return &rungPhone{in: receive(t, "a telephone to ring", calls)}
	}
}

func (p *rungPhone) pickUp(t testing.TB) {
	t.Helper()
	call, err := p.in.Answer(t.Context())
	if err != nil {
		t.Fatalf("pick up: %v", err)
	}
	p.call = call
}

func (p *rungPhone) refuse(t testing.TB, status int) {
	t.Helper()
	if err := p.in.Refuse(status, "No"); err != nil {
		t.Fatalf("refuse: %v", err)
	}
}

func (p *rungPhone) hangUp() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = p.call.HangUp(ctx) // the far end may have hung up
}
