package asterisk_test

import (
	"bytes"
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ringback/ivr"
)

// stalling passes TCP on; told to stall, it takes nothing more out of the
// connections for events there are, as a process that has no time does.
type stalling struct {
	net.Listener
	to    string
	stall atomic.Bool
	stuck chan struct{} // holds a token for each connection that stalls
}

func newStalling(t *testing.T, to string) *stalling {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &stalling{Listener: l, to: to, stuck: make(chan struct{}, 8)}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", p.to)
			if err != nil {
				near.Close()
				return
			}
			t.Cleanup(func() { near.Close(); far.Close() })
			var events atomic.Bool
			over := make(chan struct{})
			go func() {
				defer close(over)
				p.pass(near, far, func(b []byte) bool {
					if strings.HasPrefix(string(b), "GET /ari/events") {
						events.Store(true)
					}
					return true
				})
			}()
			go p.pass(far, near, func([]byte) bool {
				if !events.Load() || !p.stall.Load() {
					return true
				}
				p.stuck <- struct{}{}
				<-over
				return false
			})
		}
	}()
	return p
}

// pass passes on what goes says may go, and closes both ends after the last.
func (p *stalling) pass(from, to net.Conn, goes func([]byte) bool) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		if err != nil || !goes(b[:n]) {
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// TestSlowReader: who takes no events is cut off by Asterisk. The line comes
// back, and the call goes on.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	keys := make(chan ivr.Key, 1)
	var proxy *stalling
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		k, err := c.Key(ctx, patience)
		if err != nil {
			t.Errorf("the call ended: %v", err)
		}
		keys <- k
	}, func(r *rig) {
		r.server.WriteTimeout = 200 * time.Millisecond
		proxy = newStalling(t, r.server.URL()[len("http://"):len(r.server.URL())-len("/ari")])
		r.options.URL = "http://" + proxy.Addr().String() + "/ari"
	})
	caller := r.server.Dial("+4923150012345")
	r.until("a call", func() bool { return len(r.line.Calls()) == 1 })

	proxy.stall.Store(true)
	frame := []byte(`{"type":"ChannelTalkingStarted","padding":"` + string(bytes.Repeat([]byte("x"), 1<<19)) + `"}`)
	for range 64 { // more than the kernel holds for who does not read
		r.server.Emit(frame)
	}
	receive(t, "the reader to stall", proxy.stuck)
	proxy.stall.Store(false)
	r.until("a new connection", func() bool { return r.count("ringback_ari_connections_lost_total") == 1 && r.line.Ready() })
	caller.Press('7')
	if k := receive(t, "a key", keys); k != '7' {
		t.Errorf("key %c", k)
	}
}

// TestIdleHandlerStallsNobody: a call that reads nothing of what happens on its
// line does not keep the events of others.
func TestIdleHandlerStallsNobody(t *testing.T) {
	t.Parallel()
	release, led := make(chan struct{}), make(chan ivr.Info, 2)
	keys := make(chan ivr.Key, 1)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		led <- c.Info()
		if c.Info().Number == "+492315000001" {
			<-release
			return
		}
		k, err := c.Key(ctx, patience)
		if err != nil {
			t.Error(err)
		}
		keys <- k
	})
	idle := r.server.Dial("+492315000001")
	receive(t, "the idle call", led)
	other := r.server.Dial("+492315000002")
	receive(t, "the other call", led)
	for range 20_000 {
		idle.Press('1')
	}
	other.Press('7')
	if k := receive(t, "the other call's key", keys); k != '7' {
		t.Errorf("key %c", k)
	}
	if n := r.count("ringback_ari_connections_lost_total"); n != 0 {
		t.Errorf("connections lost: %v", n)
	}
	close(release)
}
