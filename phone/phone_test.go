package phone_test

import (
	"context"
	"errors"
	"math"
	"net"
	"sync"
	"testing"
	"time"

	"ringback/phone"
	"ringback/phone/phonetest"
)

func setup(t *testing.T, o phone.Options, serve func(*phonetest.Line)) (*phone.Phone, *phonetest.Hotline, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	h := phonetest.Start(t, serve)
	p, err := phone.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return p, h, ctx
}

func dial(ctx context.Context, t *testing.T, p *phone.Phone, h *phonetest.Hotline, o phone.CallOptions) *phone.Call {
	t.Helper()
	o.To = h.URI()
	c, err := p.Dial(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// tone is a sound of that many milliseconds, loud as a prompt.
func tone(ms int) []int16 {
	pcm := make([]int16, ms*8)
	for i := range pcm {
		pcm[i] = int16(6000 * math.Sin(float64(i)*2*math.Pi*440/8000))
	}
	return pcm
}

func until(ctx context.Context, t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-ctx.Done():
		t.Fatal("waited too long")
	}
}

func TestKeysArriveAsPressed(t *testing.T) {
	t.Parallel()
	const want = "1122*#0000"
	got := make(chan string, 1)
	packets := make(chan []phonetest.Packet, 1)
	p, h, ctx := setup(t, phone.Options{}, func(l *phonetest.Line) {
		_ = l.Answer()
		keys := ""
		for range len(want) {
			k, err := l.Key()
			if err != nil {
				break
			}
			if k.Samples != 960 {
				t.Errorf("key %c was %d samples long, want 960", k.Key, k.Samples)
			}
			keys += string(k.Key)
		}
		got <- keys
		<-l.Gone()
		packets <- l.Packets()
	})
	c := dial(ctx, t, p, h, phone.CallOptions{From: "+4923150012345"})
	if err := c.Press(ctx, "11 22*#0000"); err != nil {
		t.Fatal(err)
	}
	if keys := <-got; keys != want {
		t.Errorf("keys %q arrived, want %q", keys, want)
	}
	if err := c.HangUp(ctx); err != nil {
		t.Fatal(err)
	}

	// The stream as RFC 4733 wants it: one packet every tick without a hole,
	// timestamps of voice that count on through the keys, and for each key one
	// marker, one timestamp, growing durations and three ends.
	all := <-packets
	keys := map[uint32][]phonetest.Packet{}
	for i, pkt := range all {
		if i > 0 && pkt.SequenceNumber != all[i-1].SequenceNumber+1 {
			t.Fatalf("packet %d: sequence number %d after %d", i, pkt.SequenceNumber, all[i-1].SequenceNumber)
		}
		clock := all[0].Timestamp + uint32(i)*160
		switch {
		case pkt.PayloadType == 96:
			keys[pkt.Timestamp] = append(keys[pkt.Timestamp], pkt)
		case pkt.Timestamp != clock:
			t.Fatalf("packet %d: timestamp is %d off the clock", i, int32(pkt.Timestamp-clock))
		}
	}
	if len(keys) != len(want) {
		t.Errorf("%d keys by timestamp, want %d", len(keys), len(want))
	}
	for _, k := range keys {
		ends, last := 0, 0
		for i, pkt := range k {
			if pkt.Marker != (i == 0) {
				t.Errorf("packet %d of a key: marker %v", i, pkt.Marker)
			}
			if pkt.Payload[1]&0x80 != 0 {
				ends++
			}
			d := int(pkt.Payload[2])<<8 | int(pkt.Payload[3])
			if d < last {
				t.Errorf("duration fell from %d to %d", last, d)
			}
			last = d
		}
		if ends != 3 || len(k) != 8 {
			t.Errorf("a key of %d packets with %d ends, want 8 and 3", len(k), ends)
		}
	}
}

func TestLongKeyArrivesOnce(t *testing.T) {
	t.Parallel()
	keys := make(chan phonetest.Key, 10)
	p, h, ctx := setup(t, phone.Options{}, func(l *phonetest.Line) {
		_ = l.Answer()
		for {
			k, err := l.Key()
			if err != nil {
				close(keys)
				return
			}
			keys <- k
		}
	})
	c := dial(ctx, t, p, h, phone.CallOptions{From: "1"})
	if err := c.Hold(ctx, '5', 3*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := c.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	var all []phonetest.Key
	for k := range keys {
		all = append(all, k)
	}
	if len(all) != 1 || all[0] != (phonetest.Key{Key: '5', Samples: 24000}) {
		t.Errorf("heard keys %v, want one 5 of 24000 samples", all)
	}
	if err := c.Hold(ctx, '5', time.Minute); err == nil {
		t.Error("a key of a minute was pressed")
	}
}

func TestMutedTelephoneSendsNothing(t *testing.T) {
	t.Parallel()
	sent := make(chan int, 2)
	p, h, ctx := setup(t, phone.Options{}, func(l *phonetest.Line) {
		_ = l.Answer()
		_, _ = l.Wait(10)
		sent <- len(l.Packets())
		_, _ = l.Play(tone(500), false)
		before := len(l.Packets())
		_, _ = l.Play(tone(500), false)
		sent <- len(l.Packets()) - before
		_ = l.HangUp()
	})
	c := dial(ctx, t, p, h, phone.CallOptions{From: "1"})
	<-sent
	c.Mute()
	if err := c.Press(ctx, "1"); !errors.Is(err, phone.ErrMuted) {
		t.Errorf("press while muted: %v, want ErrMuted", err)
	}
	if n := <-sent; n != 0 {
		t.Errorf("%d packets while muted", n)
	}
	until(ctx, t, c.Done())
	if e, _ := c.End(); e.By != phone.FarEnd {
		t.Errorf("ended by %s, want the far end", e.By)
	}
}

func TestHeardIsWhatWasSaid(t *testing.T) {
	t.Parallel()
	for name, codec := range map[string]phone.Codec{"alaw": phone.ALaw, "ulaw": phone.ULaw} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := tone(600)
			p, h, ctx := setup(t, phone.Options{}, func(l *phonetest.Line) {
				_ = l.Answer()
				l.Lose = func(n int) bool { return n >= 10 && n < 15 }
				_, _ = l.Play(said, false)
				_ = l.HangUp()
			})
			c := dial(ctx, t, p, h, phone.CallOptions{From: "1", Codecs: []phone.Codec{codec}})
			until(ctx, t, c.Done())
			heard := c.Heard()
			first := c.Packets()[0].Offset
			wrong := 0
			for i, s := range said {
				want := s
				if i >= 10*160 && i < 15*160 {
					want = 0
				}
				if math.Abs(float64(heard[first+i])-float64(want)) > 300 {
					wrong++
				}
			}
			if wrong > 0 {
				t.Errorf("%d of %d samples are not in their place", wrong, len(said))
			}
		})
	}
}

func TestWaitQuiet(t *testing.T) {
	t.Parallel()
	spokeAt := make(chan time.Time, 2)
	p, h, ctx := setup(t, phone.Options{}, func(l *phonetest.Line) {
		_ = l.Answer()
		noise := make([]int16, 8000*20)
		for i := range noise { // comfort noise at −47 dB
			noise[i] = int16((i*7919%401 - 200))
		}
		menu := append(tone(400), noise[:8*900]...) // a pause between options
		menu = append(menu, tone(400)...)
		_, _ = l.Play(menu, false)
		spokeAt <- time.Now()
		_, _ = l.Play(noise, true)
		_, _ = l.Play(tone(100), false) // the old prompt's last words
		_, _ = l.Play(noise[:8*2000], false)
		_, _ = l.Play(tone(400), false)
		spokeAt <- time.Now()
		_, _ = l.Play(noise, true)
		_ = l.HangUp()
	})
	c := dial(ctx, t, p, h, phone.CallOptions{From: "1"})
	for range 2 {
		if err := c.WaitQuiet(ctx, 1200*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(<-spokeAt); d < 1100*time.Millisecond || d > 1800*time.Millisecond {
			t.Errorf("waited %v after the last word, want about 1.3s", d)
		}
		if err := c.Press(ctx, "1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.WaitQuiet(ctx, time.Second); !errors.Is(err, phone.ErrEnded) {
		t.Errorf("after the end: %v, want ErrEnded", err)
	}
}

func TestWithheldNumber(t *testing.T) {
	t.Parallel()
	type seen struct{ user, privacy, extra string }
	lines := make(chan seen, 1)
	p, h, ctx := setup(t, phone.Options{}, func(l *phonetest.Line) {
		s := seen{user: l.Number()}
		if p := l.Invite.GetHeader("Privacy"); p != nil {
			s.privacy = p.Value()
		}
		if x := l.Invite.GetHeader("X-Test"); x != nil {
			s.extra = x.Value()
		}
		lines <- s
		_ = l.Answer()
		_ = l.HangUp()
	})
	dial(ctx, t, p, h, phone.CallOptions{From: phone.Anonymous, Headers: map[string]string{"X-Test": "yes"}})
	if s := <-lines; s != (seen{"anonymous", "id", "yes"}) {
		t.Errorf("the hotline saw %+v", s)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	p, h, ctx := setup(t, phone.Options{}, func(l *phonetest.Line) { _ = l.Respond(486, "Busy Here", nil) })
	_, err := p.Dial(ctx, phone.CallOptions{To: h.URI(), From: "1"})
	var refused *phone.Refused
	if !errors.As(err, &refused) || refused.Status != 486 {
		t.Errorf("dial: %v, want refused with 486", err)
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	p, err := phone.New(phone.Options{NoReply: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	dead, err := net.ListenPacket("udp", "127.0.0.1:0") // hears, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Close()
	_, err = p.Dial(t.Context(), phone.CallOptions{To: "sip:1@" + dead.LocalAddr().String(), From: "1"})
	if !errors.Is(err, phone.ErrNoReply) {
		t.Errorf("dial: %v, want ErrNoReply", err)
	}
}

func TestCancelWhileRinging(t *testing.T) {
	t.Parallel()
	ringing := make(chan struct{})
	cancelled := make(chan struct{})
	p, h, ctx := setup(t, phone.Options{}, func(l *phonetest.Line) {
		_ = l.Respond(180, "Ringing", nil)
		close(ringing)
		<-l.Gone()
		close(cancelled)
	})
	dialling, stop := context.WithCancel(ctx)
	go func() {
		<-ringing
		stop()
	}()
	if _, err := p.Dial(dialling, phone.CallOptions{To: h.URI(), From: "1"}); !errors.Is(err, context.Canceled) {
		t.Errorf("dial: %v, want context.Canceled", err)
	}
	until(ctx, t, cancelled)
}

func TestEarlyMedia(t *testing.T) {
	t.Parallel()
	p, h, ctx := setup(t, phone.Options{}, func(l *phonetest.Line) {
		_ = l.Respond(183, "Session Progress", l.Description(true))
		_, _ = l.Play(tone(300), false)
		_ = l.Respond(486, "Busy Here", nil)
	})
	var early *phone.Call
	_, err := p.Dial(ctx, phone.CallOptions{To: h.URI(), From: "1", Early: func(c *phone.Call) { early = c }})
	var refused *phone.Refused
	if !errors.As(err, &refused) {
		t.Fatalf("dial: %v, want refused", err)
	}
	if early == nil || len(early.Packets()) != 15 {
		t.Fatalf("early media was not heard")
	}
}

func TestAbandonSaysNothing(t *testing.T) {
	t.Parallel()
	result := make(chan error, 1)
	p, h, ctx := setup(t, phone.Options{}, func(l *phonetest.Line) {
		_ = l.Answer()
		_, _ = l.Wait(5)
		select {
		case <-l.Gone():
			result <- errors.New("a BYE came")
		default:
			result <- nil
		}
	})
	c := dial(ctx, t, p, h, phone.CallOptions{From: "1"})
	if err := <-result; err != nil {
		t.Error(err)
	}
	c.Abandon()
	until(ctx, t, c.Done())
	if e, _ := c.End(); e.By != phone.Dropped {
		t.Errorf("ended by %s, want dropped", e.By)
	}
	if err := c.HangUp(ctx); err != nil {
		t.Errorf("hang up after vanishing: %v", err)
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	t.Parallel()
	const calls = 200
	p, h, ctx := setup(t, phone.Options{NoReply: 20 * time.Second}, func(l *phonetest.Line) {
		_ = l.Answer()
		if k, err := l.Key(); err == nil && k.Key == '7' {
			_ = l.HangUp()
		}
	})
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			c, err := p.Dial(ctx, phone.CallOptions{To: h.URI(), From: "1"})
			if err != nil {
				t.Error(err)
				return
			}
			if err := c.Press(ctx, "7"); err != nil && !errors.Is(err, phone.ErrEnded) {
				t.Error(err)
			}
			select {
			case <-c.Done():
				if e, _ := c.End(); e.By != phone.FarEnd {
					t.Errorf("ended by %s", e.By)
				}
			case <-ctx.Done():
				t.Error("the key did not arrive")
			}
		})
	}
	all.Wait()
}
