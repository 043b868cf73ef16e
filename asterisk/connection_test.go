package asterisk_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"ringback/ivr"
)

func TestServerAwayAtStart(t *testing.T) {
	t.Parallel()
	var away atomic.Bool
	away.Store(true)
	var tries atomic.Int32
	r := prepare(t, nothing, func(r *rig) {
		r.server.Intercept = func(w http.ResponseWriter, _ *http.Request) bool {
			if !away.Load() {
				return false
			}
			tries.Add(1)
			breakOff(w)
			return true
		}
	})
	r.run()
	r.until("second try", func() bool { return tries.Load() >= 2 })
	if r.line.Ready() || r.line.Connected() {
		t.Error("ready without Asterisk")
	}
	away.Store(false)
	r.until("ready", r.line.Ready)
	receive(t, "end of a call", r.server.Dial("+4923150012345").Done())
}

// breakOff closes the connection of a request without an answer.
func breakOff(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		conn.Close()
	}
}

func TestReconnects(t *testing.T) {
	t.Parallel()
	causes := make(chan error, 1)
	keys := make(chan ivr.Key, 1)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		k, err := c.Key(ctx, time.Hour)
		if err != nil {
			causes <- err
			return
		}
		keys <- k
	})
	stays, goes := r.server.Dial("+4923150012345"), r.server.Dial("+4923150012346")
	r.until("two calls", func() bool { return len(r.line.Calls()) == 2 })
	r.server.Disconnect()
	goes.Vanish() // nobody hears of it
	wantErr(t, "call whose channel is gone", receive(t, "end", causes), ivr.ErrHungUp)
	r.until("ready", r.line.Ready)
	stays.Press('7')
	if k := receive(t, "key", keys); k != '7' {
		t.Errorf("key after the reconnect: %c", k)
	}
	if n := r.count("ringback_ari_connections_lost_total"); n < 1 {
		t.Errorf("connections lost: %v", n)
	}
}

// halfOpen passes TCP on until it is told to freeze: then both ends are left
// without a word, as by a firewall that forgot the connection.
type halfOpen struct {
	net.Listener
	frozen chan struct{}
}

func newHalfOpen(t *testing.T, to string) *halfOpen {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &halfOpen{Listener: l, frozen: make(chan struct{})}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				return
			}
			t.Cleanup(func() { near.Close(); far.Close() })
			go p.pass(near, far)
			go p.pass(far, near)
		}
	}()
	return p
}

func (p *halfOpen) pass(from, to net.Conn) {
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		select {
		case <-p.frozen:
			return
		default:
		}
		if err != nil {
			to.Close()
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

func TestHalfOpenConnectionIsNoticed(t *testing.T) {
	t.Parallel()
	var proxy *halfOpen
	r := setup(t, nothing, func(r *rig) {
		proxy = newHalfOpen(t, r.server.URL()[len("http://"):len(r.server.URL())-len("/ari")])
		r.options.URL = "http://" + proxy.Addr().String() + "/ari"
	})
	close(proxy.frozen)
	began := time.Now()
	r.until("notice", func() bool { return !r.line.Connected() })
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("noticed after %s, want at most 10 s", took)
	}
}

func TestUnknownAndMalformedEvents(t *testing.T) {
	t.Parallel()
	r := setup(t, nothing)
	for _, frame := range []string{
		`{"type":"ChannelToneDetected","channel":{"id":"1"}}`,
		`{"type":"RESTResponse"}`,
		`{"type":"StasisStart","args":"no list"}`,
		`{`, ``, `null`, `[]`, `{"type":7}`, "\xff\xfe",
	} {
		r.server.Emit([]byte(frame))
	}
	receive(t, "a call afterwards", r.server.Dial("+4923150012345").Done())
	if n := r.count("ringback_ari_events_skipped_total"); n != 9 {
		t.Errorf("skipped: %v, want 9", n)
	}
	if n := r.count("ringback_ari_connections_lost_total"); n != 0 {
		t.Errorf("connections lost: %v", n)
	}
}

func TestFrameTooLong(t *testing.T) {
	t.Parallel()
	r := setup(t, nothing)
	r.server.Emit(bytes.Repeat([]byte("x"), 2<<20))
	r.until("reconnect", func() bool { return r.count("ringback_ari_connections_lost_total") == 1 && r.line.Ready() })
	receive(t, "a call afterwards", r.server.Dial("+4923150012345").Done())
}
