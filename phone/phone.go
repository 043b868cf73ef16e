// Package phone is a SIP telephone without a loudspeaker: it rings numbers and
// is rung, presses keys, speaks, and keeps everything it hears with its times.
// It must not know what the hotline says or why anybody rings.
package phone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// Options are the settings of a Phone; the zero value rings from 127.0.0.1
// over UDP.
type Options struct {
	// IP is the local address for signalling and media, "127.0.0.1" if empty.
	// OutboundIP finds the one that reaches a host.
	IP string
	// Port is the local port for signalling, for a telephone that others ring;
	// chosen by the system if zero.
	Port int
	// Transport carries the signalling: "udp" (if empty) or "tcp".
	Transport string
	// Name is shown as User-Agent; "Ringback telephone" if empty.
	Name string
	// NoReply is how long a silent address is waited for before Dial fails
	// with ErrNoReply; 5 s if zero.
	NoReply time.Duration
	// Ring is called, in a goroutine of its own, for each call that comes in; it
	// must not close the telephone. A call that it leaves as it was is refused
	// with 480, and so is every one if Ring is nil. What it answered lives on.
	Ring func(*Incoming)
	// Logger receives what the SIP library has to say; nothing if nil.
	Logger *slog.Logger
}

// Phone is a telephone with as many lines as one likes.
type Phone struct {
	opts   Options
	log    *slog.Logger
	ua     *sipgo.UserAgent
	dialog sipgo.DialogUA
	socket interface{ Close() error }
	served sync.WaitGroup // the signalling port, and those in Options.Ring

	mu       sync.Mutex
	calls    map[dialogID]*Call // nil: abandoned, never answered again
	ringing  map[*Incoming]bool
	attempts map[attempt]bool // every INVITE that ever came
	rings    []*Ring
	logins   []*login
	closed   bool
}

// The SIP library also logs by a default of its own, which can be set only
// before anything else of it is used. Its warnings there are about its own
// bookkeeping, and would stand between a person's captions.
func init() { sip.SetDefaultLogger(slog.New(slog.DiscardHandler)) }

// ErrClosed says that the telephone was put away.
var ErrClosed = errors.New("the telephone is closed")

// New opens the telephone's signalling port.
func New(o Options) (*Phone, error) {
	if o.IP == "" {
		o.IP = "127.0.0.1"
	}
	if o.Transport == "" {
		o.Transport = "udp"
	}
	if o.Name == "" {
		o.Name = "Ringback telephone"
	}
	if o.NoReply == 0 {
		o.NoReply = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Phone{
		opts: o, log: o.Logger,
		calls: map[dialogID]*Call{}, ringing: map[*Incoming]bool{}, attempts: map[attempt]bool{},
	}
	ua, err := sipgo.NewUA(
		sipgo.WithUserAgent(o.Name),
		sipgo.WithUserAgentHostname(o.IP),
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(p.log)),
		sipgo.WithUserAgentTransactionLayerOptions(
			sip.WithTransactionLayerLogger(p.log),
			sip.WithTransactionLayerUnhandledResponseHandler(func(r *sip.Response) {
				p.log.Debug("response outside a transaction", "response", r.Short())
			})),
	)
	if err != nil {
		return nil, fmt.Errorf("start SIP: %w", err)
	}
	p.ua = ua
	server, err := sipgo.NewServer(ua, sipgo.WithServerLogger(p.log))
	if err != nil {
		return nil, fmt.Errorf("start SIP: %w", err)
	}
	for _, m := range []sip.RequestMethod{sip.INVITE, sip.UPDATE, sip.ACK, sip.BYE, sip.CANCEL, sip.OPTIONS, sip.INFO, sip.NOTIFY} {
		server.OnRequest(m, p.answer)
	}
	port, serve, err := p.listen(server)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a signalling port: %w", err), ua.Close())
	}

	local := fmt.Sprintf("%s:%d", o.IP, port)
	client := []sipgo.ClientOption{sipgo.WithClientAddr(local), sipgo.WithClientLogger(p.log), sipgo.WithClientNAT()}
	if o.Transport == "udp" {
		client = append(client, sipgo.WithClientConnectionAddr(local))
	}
	p.dialog.Client, err = sipgo.NewClient(ua, client...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start SIP: %w", err), p.socket.Close(), ua.Close())
	}
	contact := sip.Uri{Scheme: "sip", User: "phone", Host: o.IP, Port: port}
	if o.Transport != "udp" {
		contact.UriParams.Add("transport", o.Transport)
	}
	p.dialog.ContactHDR = sip.ContactHeader{Address: contact}
	serve()
	return p, nil
}

// listen opens the signalling port and returns its number, and what serves it:
// that returns once the library knows the port, for a request sent earlier
// would leave by another one.
func (p *Phone) listen(server *sipgo.Server) (port int, serve func(), err error) {
	addr := net.JoinHostPort(p.opts.IP, strconv.Itoa(p.opts.Port))
	if p.opts.Transport == "tcp" {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return 0, nil, err
		}
		p.socket = l
		return l.Addr().(*net.TCPAddr).Port, func() {
			p.served.Go(func() { _ = server.ServeTCP(l) }) // ends when the socket is closed
		}, nil
	}
	c, err := net.ListenPacket("udp", addr)
	if err != nil {
		return 0, nil, err
	}
	p.socket = c
	watched := &firstRead{PacketConn: c, began: make(chan struct{})}
	return c.LocalAddr().(*net.UDPAddr).Port, func() {
		p.served.Go(func() { _ = server.ServeUDP(watched) }) // ends when the socket is closed
		<-watched.began
	}, nil
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

// Addr is the host and port where the telephone is rung.
func (p *Phone) Addr() string {
	a := p.dialog.ContactHDR.Address
	return net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
}

// Close hangs up every call, refuses those that ring, logs out, and closes the
// telephone when Options.Ring has returned from every call. Closing twice is
// safe.
func (p *Phone) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	var open []*Call
	for _, c := range p.calls {
		if c != nil {
			open = append(open, c)
		}
	}
	ringing := slices.Collect(maps.Keys(p.ringing))
	logins := p.logins
	p.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for _, c := range open {
		all.Go(func() { _ = c.HangUp(ctx) }) // a far end that is gone answers no BYE
	}
	for _, l := range logins {
		all.Go(func() { _ = l.logout(ctx) }) // it would expire by itself
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		var each sync.WaitGroup
		for _, in := range ringing {
			each.Go(func() { _ = in.Refuse(sip.StatusTemporarilyUnavailable, "Temporarily Unavailable") })
		}
		each.Wait()
	}()
	all.Wait()
	select {
	case <-told:
	case <-ctx.Done(): // nor does it acknowledge
	}
	err := errors.Join(p.socket.Close(), p.ua.Close())
	<-told
	p.served.Wait()
	return err
}

// answer takes every request of the far end.
func (p *Phone) answer(req *sip.Request, tx sip.ServerTransaction) {
	if req.CallID() == nil || req.From() == nil || req.To() == nil {
		return // no SIP
	}
	id := dialogID{call: req.CallID().Value()}
	id.tag, _ = req.To().Params.Get("tag")
	p.mu.Lock()
	c, known := p.calls[id]
	p.mu.Unlock()
	switch {
	case known && c == nil:
		// Abandoned: a telephone without power says nothing.
	case req.Method == sip.ACK:
		if c != nil {
			c.acknowledged(req, tx)
		}
	case c != nil:
		c.request(req, tx)
	case req.Method == sip.INVITE && id.tag == "":
		p.rung(req, tx)
	case req.Method == sip.CANCEL && p.rangOnce(req):
		// Of a call that was ignored.
	case req.Method == sip.OPTIONS:
		p.respond(tx, sip.NewResponseFromRequest(req, sip.StatusOK, "OK", nil))
	default:
		p.respond(tx, sip.NewResponseFromRequest(req, sip.StatusCallTransactionDoesNotExists, "No such call", nil))
	}
}

func (p *Phone) respond(tx sip.ServerTransaction, res *sip.Response) {
	if err := tx.Respond(res); err != nil {
		p.log.Debug("answer a request", "error", err)
	}
}

// OutboundIP is the local address from which packets to host leave; host may
// carry a port.
func OutboundIP(host string) (string, error) {
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "5060")
	}
	c, err := net.Dial("udp", host) // sends nothing
	if err != nil {
		return "", fmt.Errorf("find the way to %s: %w", host, err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).IP.String(), nil
}
