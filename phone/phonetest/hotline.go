// Package phonetest is a far end in tests: a small SIP server that answers or
// rings, plays audio and notes what a telephone sends.
// It must not know the telephone it tests: it reads RTP and SIP on its own.
package phonetest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// Hotline is a SIP server on 127.0.0.1.
type Hotline struct {
	t      testing.TB
	addr   string
	ua     *sipgo.UserAgent
	dialog sipgo.DialogUA
	serve  func(*Line)

	mu    sync.Mutex
	lines map[string]*Line
}

// Start opens a hotline that gives each caller to serve, each in its own
// goroutine, and is closed when the test ends.
func Start(t testing.TB, serve func(*Line)) *Hotline {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	ua, err := sipgo.NewUA(sipgo.WithUserAgent("hotline"),
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(quiet)),
		sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(quiet),
			sip.WithTransactionLayerUnhandledResponseHandler(func(*sip.Response) {})))
	if err != nil {
		t.Fatal(err)
	}
	srv, err := sipgo.NewServer(ua, sipgo.WithServerLogger(quiet))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &Hotline{t: t, addr: conn.LocalAddr().String(), ua: ua, serve: serve, lines: map[string]*Line{}}
	h.dialog.Client, err = sipgo.NewClient(ua, sipgo.WithClientLogger(quiet), sipgo.WithClientAddr(h.addr), sipgo.WithClientConnectionAddr(h.addr))
	if err != nil {
		t.Fatal(err)
	}
	h.dialog.ContactHDR = sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: "hotline", Host: "127.0.0.1", Port: conn.LocalAddr().(*net.UDPAddr).Port}}
	srv.OnInvite(h.invite)
	srv.OnAck(func(req *sip.Request, tx sip.ServerTransaction) {
		if l := h.line(req); l != nil {
			if d, ok := l.dialog.(*sipgo.DialogServerSession); ok {
				_ = d.ReadAck(req, tx)
			}
		}
	})
	srv.OnBye(func(req *sip.Request, tx sip.ServerTransaction) {
		if l := h.line(req); l != nil {
			_ = l.dialog.ReadBye(req, tx)
			l.close()
		}
	})
	var served sync.WaitGroup
	watched := &firstRead{PacketConn: conn, began: make(chan struct{})}
	served.Go(func() { _ = srv.ServeUDP(watched) })
	<-watched.began // what is sent earlier would leave by another port
	t.Cleanup(func() {
		h.mu.Lock()
		for _, l := range h.lines {
			l.close()
		}
		h.mu.Unlock()
		_ = conn.Close()
		_ = ua.Close()
		served.Wait()
	})
	return h
}

// firstRead tells when a socket is read for the first time.
type firstRead struct {
	net.PacketConn
	once  sync.Once
	began chan struct{}
}

func (f *firstRead) ReadFrom(b []byte) (int, net.Addr, error) {
	f.once.Do(func() { close(f.began) })
	return f.PacketConn.ReadFrom(b)
}

// Addr is the hotline's host and port.
func (h *Hotline) Addr() string { return h.addr }

// URI is the address to ring.
func (h *Hotline) URI() string { return fmt.Sprintf("sip:116117@%s", h.addr) }

func (h *Hotline) line(req *sip.Request) *Line {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lines[req.CallID().Value()]
}

func (h *Hotline) keep(l *Line) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines[l.Invite.CallID().Value()] = l
}

func (h *Hotline) invite(req *sip.Request, tx sip.ServerTransaction) {
	dialog, err := h.dialog.ReadInvite(req, tx)
	if err != nil {
		h.t.Errorf("read INVITE: %v", err)
		return
	}
	l, err := newLine(dialog, req)
	if err == nil {
		err = l.understand(req.Body())
	}
	if err != nil {
		h.t.Errorf("open a line: %v", err)
		return
	}
	h.keep(l)
	stop := context.AfterFunc(dialog.Context(), l.close)
	defer stop()
	h.serve(l)
}
