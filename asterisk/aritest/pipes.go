package aritest

import (
	"context"
	"net"
	"sync"
	"testing"
)

// NewInMemory is New without a network: who connects does it by Connect. A test
// in virtual time (testing/synctest) needs that, whose clock stands still as long
// as somebody waits for a network.
func NewInMemory(t testing.TB) *Server {
	t.Helper()
	return start(t, &pipes{made: make(chan net.Conn), closed: make(chan struct{})})
}

// Connect makes a connection to a server of NewInMemory, whatever the address.
func (s *Server) Connect(ctx context.Context, _, _ string) (net.Conn, error) {
	return s.pipes.connect(ctx)
}

// pipes is a net.Listener whose connections are made in memory.
type pipes struct {
	made   chan net.Conn // the server's ends
	once   sync.Once
	closed chan struct{}
}

func (p *pipes) connect(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.made <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Accept implements net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.made:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr implements net.Listener. An address that reaches nobody.
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8088} }
