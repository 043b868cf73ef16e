package phone_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"ringback/phone"
	"ringback/phone/phonetest"
)

// telephone is one that is closed when the test ends.
func telephone(t *testing.T, o phone.Options) *phone.Phone {
	t.Helper()
	p, err := phone.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return p
}

func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// to is the address of somebody on a telephone.
func to(user string, p *phone.Phone) string { return "sip:" + user + "@" + p.Addr() }

// hears waits until a call has heard a tone of 440 Hz, and nothing else loud.
func hears(ctx context.Context, t *testing.T, who string, c *phone.Call) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var re, im, power float64
		pcm := c.Heard()
		for i, s := range pcm {
			w := 2 * math.Pi * 440 * float64(i) / phone.Rate
			re, im = re+float64(s)*math.Cos(w), im+float64(s)*math.Sin(w)
			power += float64(s) * float64(s)
		}
		// A tone of 200 ms, and its share of all that was heard.
		if n := float64(len(pcm)); power > 6000*6000/2*1600 && 2*(re*re+im*im)/n/power > 1600/n*0.8 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Errorf("%s heard nothing", who)
			return
		}
	}
}

func TestAnsweredCall(t *testing.T) {
	t.Parallel()
	ctx := patience(t)
	answered := make(chan *phone.Call, 1)
	rung := make(chan *phone.Incoming, 1)
	anna := telephone(t, phone.Options{Ring: func(in *phone.Incoming) {
		rung <- in
		if err := in.Ringing(); err != nil {
			t.Error(err)
		}
		c, err := in.Answer(ctx)
		if err != nil {
			t.Error(err)
		}
		if _, err := in.Answer(ctx); !errors.Is(err, phone.ErrSettled) {
			t.Errorf("answered twice: %v", err)
		}
		answered <- c
	}})
	bernd := telephone(t, phone.Options{})
	out, err := bernd.Dial(ctx, phone.CallOptions{To: to("anna", anna), From: "+4923150012345"})
	if err != nil {
		t.Fatal(err)
	}
	in := <-answered
	if r := <-rung; r.From != "+4923150012345" || r.To != "anna" || r.ID != out.ID() || in.ID() != out.ID() {
		t.Errorf("rung as %+v, dialled %s", r, out.ID())
	}
	// Both hear each other.
	var both sync.WaitGroup
	for who, c := range map[string]*phone.Call{"bernd": out, "anna": in} {
		both.Go(func() {
			if err := c.Speak(ctx, tone(400)); err != nil {
				t.Errorf("%s: %v", who, err)
			}
			hears(ctx, t, who, c)
		})
	}
	both.Wait()
	if err := in.Press(ctx, "1"); err != nil {
		t.Error(err)
	}
	if err := in.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, out.Done())
	if e, _ := out.End(); e.By != phone.FarEnd {
		t.Errorf("for the caller it was ended by %s", e.By)
	}
	if e, _ := in.End(); e.By != phone.NearEnd {
		t.Errorf("for who was rung it was ended by %s", e.By)
	}
	rings := anna.Rings()
	if len(rings) != 1 {
		t.Fatalf("%d rings", len(rings))
	}
	r := rings[0]
	if r.Status != 200 || r.At.After(r.Answered) || !r.Over.After(r.Answered) || len(anna.RingsOf("anna")) != 1 || len(anna.RingsOf("bernd")) != 0 {
		t.Errorf("the ring is noted as %+v", r)
	}
}

// Who rang hangs up, and a telephone may ring itself.
func TestRingingOneself(t *testing.T) {
	t.Parallel()
	ctx := patience(t)
	answered := make(chan *phone.Call, 1)
	p := telephone(t, phone.Options{Ring: func(in *phone.Incoming) {
		c, err := in.Answer(ctx)
		if err != nil {
			t.Error(err)
		}
		answered <- c
	}})
	out, err := p.Dial(ctx, phone.CallOptions{To: to("me", p), From: "me"})
	if err != nil {
		t.Fatal(err)
	}
	in := <-answered
	if err := out.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, in.Done())
	if e, _ := in.End(); e.By != phone.FarEnd {
		t.Errorf("ended by %s", e.By)
	}
}

func TestRefusingACall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ring func(*phone.Incoming)
		want int
	}{
		"busy":          {func(in *phone.Incoming) { _ = in.Refuse(486, "Busy Here") }, 486},
		"declined":      {func(in *phone.Incoming) { _ = in.Ringing(); _ = in.Refuse(603, "Decline") }, 603},
		"undecided":     {func(in *phone.Incoming) { _ = in.Ringing() }, 480},
		"nobody at all": {nil, 480},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := patience(t)
			p := telephone(t, phone.Options{Ring: c.ring})
			_, err := telephone(t, phone.Options{}).Dial(ctx, phone.CallOptions{To: to("anna", p), From: "1"})
			var refused *phone.Refused
			if !errors.As(err, &refused) || refused.Status != c.want {
				t.Errorf("dial: %v, want %d", err, c.want)
			}
			if r := p.Rings(); len(r) != 1 || r[0].Status != c.want || !r[0].Answered.IsZero() || r[0].Over.IsZero() {
				t.Errorf("noted as %+v", r)
			}
		})
	}
}

func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	ctx := patience(t)
	ringing, over := make(chan struct{}), make(chan struct{})
	anna := telephone(t, phone.Options{Ring: func(in *phone.Incoming) {
		defer close(over)
		if err := in.Ringing(); err != nil {
			t.Error(err)
		}
		close(ringing)
		select {
		case <-in.Gone():
		case <-ctx.Done():
			t.Error("nobody told that the caller gave up")
		}
	}})
	dialling, stop := context.WithCancel(ctx)
	go func() {
		<-ringing
		stop()
	}()
	if _, err := telephone(t, phone.Options{}).Dial(dialling, phone.CallOptions{To: to("anna", anna), From: "1"}); !errors.Is(err, context.Canceled) {
		t.Errorf("dial: %v", err)
	}
	until(ctx, t, over)
	if r := anna.Rings()[0]; r.Status != 487 || !r.Answered.IsZero() || r.Over.IsZero() {
		t.Errorf("noted as %+v", r)
	}
}

// A CANCEL may cross the answer: then either nobody was called, or the call is
// ended. Nothing hangs, and what is noted agrees with what the caller saw.
func TestGivingUpAtAnyMoment(t *testing.T) {
	t.Parallel()
	ctx := patience(t)
	calls := make(chan *phone.Call, 100)
	anna := telephone(t, phone.Options{Ring: func(in *phone.Incoming) {
		_ = in.Ringing()
		c, err := in.Answer(ctx)
		if err == nil {
			calls <- c
		}
	}})
	bernd := telephone(t, phone.Options{})
	for i := range 40 {
		dialling, stop := context.WithTimeout(ctx, time.Duration(i)*100*time.Microsecond)
		c, err := bernd.Dial(dialling, phone.CallOptions{To: to("anna", anna), From: fmt.Sprint(i)})
		stop()
		if err == nil {
			err = c.HangUp(ctx)
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d: %v", i, err)
		}
	}
	for {
		select {
		case c := <-calls:
			until(ctx, t, c.Done())
			continue
		default:
		}
		if !slices.ContainsFunc(anna.Rings(), func(r phone.Ring) bool { return r.Over.IsZero() }) {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("a call is left: %+v", anna.Rings())
		}
	}
}

// invitation is an INVITE as it goes over the wire.
func invitation(to, host string) string {
	return "INVITE " + to + " SIP/2.0\r\nVia: SIP/2.0/UDP " + host + ";branch=z9hG4bKsame;rport\r\n" +
		"From: <sip:1@" + host + ">;tag=a\r\nTo: <" + to + ">\r\nCall-ID: one-call\r\nCSeq: 7 INVITE\r\n" +
		"Contact: <sip:1@" + host + ">\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
}

// An INVITE that is sent again rings once, whether it is ignored or not.
func TestSentAgainRingsOnce(t *testing.T) {
	t.Parallel()
	for name, ring := range map[string]func(*phone.Incoming){
		"ignored": func(in *phone.Incoming) { _ = in.Ignore() },
		"busy":    func(in *phone.Incoming) { _ = in.Refuse(486, "Busy Here") },
		"rings":   func(in *phone.Incoming) { _ = in.Ringing(); <-in.Gone() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := patience(t)
			handled := make(chan struct{})
			p, err := phone.New(phone.Options{Ring: func(in *phone.Incoming) {
				defer close(handled)
				ring(in)
			}})
			if err != nil {
				t.Fatal(err)
			}
			caller, err := net.Dial("udp", p.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer caller.Close()
			for range 3 {
				if _, err := caller.Write([]byte(invitation(to("anna", p), caller.LocalAddr().String()))); err != nil {
					t.Fatal(err)
				}
			}
			if name == "ignored" {
				until(ctx, t, handled)
				_ = caller.SetReadDeadline(time.Now().Add(400 * time.Millisecond))
				if n, err := caller.Read(make([]byte, 2000)); err == nil {
					t.Errorf("a telephone without power sent %d bytes", n)
				}
			} else if _, err := caller.Read(make([]byte, 2000)); err != nil {
				t.Fatal(err)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			until(ctx, t, handled)
			if r := p.Rings(); len(r) != 1 || r[0].ID != "one-call" || (name == "ignored") != (r[0].Status == 0) {
				t.Errorf("rings: %+v", r)
			}
		})
	}
}

// A telephone that answered sends a packet every 20 ms from the first moment,
// though nobody speaks; and an INVITE without an offer is answered with one.
func TestSilenceIsSent(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]bool{"offer": false, "late offer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answered := make(chan *phone.Call, 1)
			ctx := patience(t)
			p := telephone(t, phone.Options{Ring: func(in *phone.Incoming) {
				c, err := in.Answer(ctx)
				if err != nil {
					t.Error(err)
				}
				answered <- c
			}})
			h := phonetest.Start(t, func(*phonetest.Line) {})
			l, err := h.Ring(ctx, phonetest.Ringing{To: to("anna", p), From: "1", Late: late})
			if err != nil {
				t.Fatal(err)
			}
			c := <-answered
			packets, err := l.Wait(50)
			if err != nil {
				t.Fatal(err)
			}
			for i, pkt := range packets {
				if pkt.SequenceNumber != packets[0].SequenceNumber+uint16(i) || pkt.PayloadType != 8 || len(pkt.Payload) != 160 {
					t.Fatalf("packet %d: %+v", i, pkt.Header)
				}
			}
			if err := c.Press(ctx, "5"); err != nil {
				t.Fatal(err)
			}
			if k, err := l.Key(); err != nil || k.Key != '5' {
				t.Errorf("key %c arrived: %v", k.Key, err)
			}
			if _, err := l.Play(tone(500), false); err != nil {
				t.Fatal(err)
			}
			hears(ctx, t, "anna", c)
			if err := l.HangUp(); err != nil {
				t.Fatal(err)
			}
			until(ctx, t, c.Done())
		})
	}
}

// What cannot be spoken here is refused in a way that says so.
func TestUnusableMedia(t *testing.T) {
	t.Parallel()
	const head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
	h := phonetest.Start(t, func(*phonetest.Line) {})
	for name, offer := range map[string]string{
		"codec":     head + "m=audio 4000 RTP/AVP 18\r\n",
		"encrypted": head + "m=audio 4000 RTP/SAVP 8\r\n",
		"picture":   head + "m=video 4000 RTP/AVP 31\r\n",
		"nonsense":  "hello",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := patience(t)
			failed := make(chan error, 1)
			p := telephone(t, phone.Options{Ring: func(in *phone.Incoming) {
				_, err := in.Answer(ctx)
				failed <- err
			}})
			_, err := h.Ring(ctx, phonetest.Ringing{To: to("anna", p), From: "1", Offer: []byte(offer)})
			var declined *phonetest.Declined
			if !errors.As(err, &declined) || declined.Status != 488 {
				t.Errorf("rung: %v, want 488", err)
			}
			if err := <-failed; err == nil {
				t.Error("it was answered")
			}
		})
	}
	t.Run("late", func(t *testing.T) {
		t.Parallel()
		ctx := patience(t)
		failed := make(chan error, 1)
		p := telephone(t, phone.Options{Ring: func(in *phone.Incoming) {
			_, err := in.Answer(ctx)
			failed <- err
		}})
		l, err := h.Ring(ctx, phonetest.Ringing{To: to("anna", p), From: "1", Late: true, Offer: []byte(head + "m=audio 4000 RTP/AVP 18\r\n")})
		if err != nil {
			t.Fatal(err)
		}
		until(ctx, t, l.Gone())
		if err := <-failed; err == nil {
			t.Error("it was answered")
		}
	})
}

func TestClosedWhileRinging(t *testing.T) {
	t.Parallel()
	ctx := patience(t)
	ringing := make(chan struct{})
	anna, err := phone.New(phone.Options{Ring: func(in *phone.Incoming) {
		_ = in.Ringing()
		close(ringing)
		<-in.Gone()
	}})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-ringing
		if err := anna.Close(); err != nil {
			t.Error(err)
		}
	}()
	_, err = telephone(t, phone.Options{}).Dial(ctx, phone.CallOptions{To: to("anna", anna), From: "1"})
	var refused *phone.Refused
	if !errors.As(err, &refused) || refused.Status != 480 {
		t.Errorf("dial: %v, want 480", err)
	}
	if err := anna.Close(); err != nil {
		t.Error(err)
	}
}

func TestFixedPort(t *testing.T) {
	t.Parallel()
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.LocalAddr().(*net.UDPAddr).Port
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	p := telephone(t, phone.Options{Port: port})
	if want := fmt.Sprintf("127.0.0.1:%d", port); p.Addr() != want {
		t.Errorf("it is at %s, want %s", p.Addr(), want)
	}
	if second, err := phone.New(phone.Options{Port: port}); err == nil {
		_ = second.Close()
		t.Error("two telephones have one port")
	}
}

func TestRungOverTCP(t *testing.T) {
	t.Parallel()
	ctx := patience(t)
	answered := make(chan *phone.Call, 1)
	anna := telephone(t, phone.Options{Transport: "tcp", Ring: func(in *phone.Incoming) {
		c, err := in.Answer(ctx)
		if err != nil {
			t.Error(err)
		}
		answered <- c
	}})
	out, err := telephone(t, phone.Options{Transport: "tcp"}).Dial(ctx, phone.CallOptions{To: to("anna", anna) + ";transport=tcp", From: "1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := (<-answered).HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, out.Done())
}

func TestRegister(t *testing.T) {
	t.Parallel()
	ctx := patience(t)
	r := phonetest.StartRegistrar(t, "anna", "s3cret word")
	answered := make(chan *phone.Call, 1)
	anna := telephone(t, phone.Options{Ring: func(in *phone.Incoming) {
		c, err := in.Answer(ctx)
		if err != nil {
			t.Error(err)
		}
		answered <- c
	}})
	account := phone.Account{Registrar: "sip:" + r.Addr, User: "anna", Password: "s3cret word", Expires: time.Second}
	logout, err := anna.Register(ctx, account)
	if err != nil {
		t.Fatal(err)
	}
	contact := <-r.Registered
	if contact.User != "anna" || r.Challenges() != 1 {
		t.Errorf("registered %s after %d challenges", contact.String(), r.Challenges())
	}
	out, err := telephone(t, phone.Options{}).Dial(ctx, phone.CallOptions{To: contact.String(), From: "1"})
	if err != nil {
		t.Fatal(err)
	}
	<-answered
	if err := out.HangUp(ctx); err != nil {
		t.Error(err)
	}
	for range 2 { // before the login expires, and once more
		select {
		case <-r.Registered:
		case <-ctx.Done():
			t.Fatal("it did not log in again")
		}
	}
	if err := logout(ctx); err != nil {
		t.Fatal(err)
	}
	if left := <-r.Left; left.String() != contact.String() {
		t.Errorf("%s logged out", left.String())
	}
	if err := logout(ctx); err != nil {
		t.Error(err)
	}

	account.Password = "wrong"
	var refused *phone.Refused
	if _, err := anna.Register(ctx, account); !errors.As(err, &refused) || refused.Status != 401 {
		t.Errorf("with a wrong password: %v", err)
	}
	account.Registrar = "sip:"
	if _, err := anna.Register(ctx, account); err == nil {
		t.Error("logged in nowhere")
	}
}

func TestManyAreRungAtOnce(t *testing.T) {
	t.Parallel()
	const calls = 200
	ctx := patience(t)
	anna := telephone(t, phone.Options{Ring: func(in *phone.Incoming) {
		_ = in.Ringing()
		c, err := in.Answer(ctx)
		if err != nil {
			t.Error(err)
			return
		}
		if err := c.Press(ctx, "1"); err != nil && !errors.Is(err, phone.ErrEnded) {
			t.Error(err)
		}
		if err := c.HangUp(ctx); err != nil {
			t.Error(err)
		}
	}})
	bernd := telephone(t, phone.Options{NoReply: 20 * time.Second})
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() {
			c, err := bernd.Dial(ctx, phone.CallOptions{To: to(fmt.Sprint(i), anna), From: "1"})
			if err != nil {
				t.Error(err)
				return
			}
			until(ctx, t, c.Done())
		})
	}
	all.Wait()
	for i := range calls {
		if n := len(anna.RingsOf(fmt.Sprint(i))); n != 1 {
			t.Errorf("%d was rung %d times", i, n)
		}
	}
}
