// Package asterisk is the telephone line: it makes every call that reaches an
// Asterisk an ivr.Call, over ARI.
// It must not know what is said in a call, what is booked, or who rings.
package asterisk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ringback/ivr"
	"ringback/prompts"
	"ringback/speech"
)

// Handler leads one call. It is given every call, in a goroutine of its own,
// and the line is hung up when it returns.
type Handler func(ctx context.Context, c ivr.Call)

// Voice makes lines audible. A clip may take some 300 ms; Clip returns early
// when ctx ends.
type Voice interface {
	Clip(ctx context.Context, m prompts.Manner, lines ...prompts.Line) (speech.Clip, error)
}

// Options say where Asterisk is, and the limits of a call.
type Options struct {
	URL      string // of ARI, for example http://127.0.0.1:8088/ari
	User     string // of ari.conf
	Password string
	App      string // the application named in the dialplan's Stasis()
	Region   string // ISO 3166 country of national calling numbers, for example "DE"

	// Dial makes the connections to Asterisk, those for requests and the one for
	// events; nil: by TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Ledger tells of calls that another process led. Without one they begin anew.
	Ledger Ledger
	// Lost is told of calls that ended while no process led them, and why:
	// ivr.ErrLineBroke if Asterisk ended, else ivr.ErrHungUp. It may be nil.
	Lost func(ivr.Info, error)

	// OutTrunk is the trunk, by its name in pjsip.conf, over which SIP addresses
	// are rung. Without one only our own telephones can be.
	OutTrunk string
	// OutDial is what Asterisk dials for a call out; %s is the number in E.164
	// ("+4923150012345"). By default "PJSIP/%s@" and OutTrunk: the number at the
	// trunk's own address. "PJSIP/trunk/sip:%s@192.0.2.1:5060" sends it elsewhere.
	// Without %s all go to one telephone, to try things out.
	OutDial string
	// OutCaller is the number that calls out show.
	OutCaller string

	Longest time.Duration // longest call, by default one hour
	Request time.Duration // longest wait for an answer of Asterisk, by default 3 s

	Logger     *slog.Logger          // by default slog.Default
	Registerer prometheus.Registerer // of the metrics; by default one that nobody reads
	Now        func() time.Time      // by default time.Now
}

// Line is the line to one Asterisk and the calls on it.
type Line struct {
	options Options
	voice   Voice
	handler Handler
	log     *slog.Logger
	ari     *requester
	metrics *metrics
	epoch   *epoch

	mu        sync.Mutex
	node      string
	started   bool // Run was called
	connected bool
	draining  bool
	running   map[*call]ivr.Info
	channels  map[string]*call        // the call now on a channel
	outgoing  int                     // of those, calls out
	told      map[string]bool         // channels whose calls were entered while Asterisk is asked; nil: it is not
	over      map[string]bool         // channels whose calls were found by asking, and ended, with no StasisStart
	idle      chan struct{}           // closed while no call runs
	parent    context.Context         // of the calls
	end       context.CancelCauseFunc // ends Run
	elsewhere error                   // why the calls are another process's; nil: they are ours
	boot      time.Time               // when Asterisk was started

	telephones map[string]*telephone // that we ring, or agents talk by, by channel
	dialling   int                   // of those, calls out

	deleting chan struct{} // holds a token while something is deleted, see oneByOne
	grace    time.Duration // see grace; shorter in tests

	goroutines sync.WaitGroup // of calls and errands
}

// New checks the options and makes a line. Nothing happens before Run.
func New(o Options, v Voice, h Handler) (*Line, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("ARI address: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("ARI address %q: want http://host:port/ari", u.Redacted())
	}
	if o.App == "" || o.User == "" || o.Password == "" {
		return nil, errors.New("ARI: application, user and password are needed")
	}
	if v == nil || h == nil {
		return nil, errors.New("ARI: a voice and a handler of calls are needed")
	}
	if o.OutDial != "" && (strings.Count(o.OutDial, "%s") > 1 || !strings.HasPrefix(o.OutDial, "PJSIP/")) {
		return nil, fmt.Errorf("calls out %q: want PJSIP/…, with %%s once for the number", o.OutDial)
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	if o.Longest <= 0 {
		o.Longest = time.Hour
	}
	if o.Request <= 0 {
		o.Request = 3 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("metrics of the line: %w", err)
	}
	idle := make(chan struct{})
	close(idle)
	l := &Line{
		options:  o,
		voice:    v,
		handler:  h,
		log:      o.Logger,
		ari:      newRequester(o, m),
		metrics:  m,
		running:  make(map[*call]ivr.Info),
		channels: make(map[string]*call),
		idle:     idle,

		telephones: make(map[string]*telephone),
		deleting:   make(chan struct{}, 1),
		grace:      grace,
	}
	l.epoch = newEpoch(l.ari)
	l.ari.ours = l.ours
	return l, nil
}

// lastWords is how long calls may take to end when Run was told to end.
const lastWords = 10 * time.Second

// Run keeps the line connected, reconnecting for as long as it takes, and runs
// the calls. When ctx ends it takes no more calls, ends the context of those
// that run, and returns nil once all have ended and all it started has
// stopped. It returns ErrReplaced when another controller took over.
func (l *Line) Run(ctx context.Context) error {
	// Calls outlive neither Run nor, by much, ctx; the connection outlives the
	// calls, so that they can be ended in good order.
	calls, endCalls := context.WithCancelCause(context.WithoutCancel(ctx))
	defer endCalls(nil)
	connection, disconnect := context.WithCancelCause(context.WithoutCancel(ctx))
	var beating sync.WaitGroup
	defer beating.Wait()
	defer disconnect(nil)
	beating.Go(func() { l.epoch.run(connection) })
	if err := l.start(calls, disconnect); err != nil {
		return err
	}
	defer l.ari.close()

	lost := make(chan error, 1)
	go func() { lost <- l.keepConnected(connection) }()

	select {
	case err := <-lost: // only for good: another process leads the calls
		l.Drain()
		for _, c := range l.all() {
			c.lose(err)
		}
		l.dropTelephones(err)
		l.goroutines.Wait()
		if errors.Is(err, errReleased) {
			return nil
		}
		return err
	case <-ctx.Done():
	}
	l.Drain()
	endCalls(context.Cause(ctx))
	patience, cancel := context.WithTimeout(connection, lastWords)
	defer cancel()
	if err := l.Wait(patience); err != nil {
		for _, c := range l.all() {
			l.log.Warn("call did not end, its line is dropped", "channel", c.channel)
			c.abandon()
		}
	}
	disconnect(nil)
	<-lost
	l.dropTelephones(errEnded)
	l.goroutines.Wait()
	return nil
}

// errEnded is what is told to who still rings somebody when the line has ended.
var errEnded = errors.New("the line has ended")

func (l *Line) start(calls context.Context, end context.CancelCauseFunc) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.started {
		return errors.New("the line was run before")
	}
	l.started = true
	l.parent, l.end = calls, end
	return nil
}

// errReleased is why a call is no longer ours when Release was called.
var errReleased = fmt.Errorf("released: %w", ivr.ErrElsewhere)

// Release ends Run and leaves the calls to the controller that comes next:
// their lines stay up, what sounds in them sounds on, and who is being rung is
// rung on.
func (l *Line) Release() { l.giveWay(errReleased) }

// giveWay ends Run because another process leads the calls, or will.
func (l *Line) giveWay(cause error) {
	l.mu.Lock()
	end := l.end
	if end != nil && l.elsewhere == nil {
		l.elsewhere = cause
	}
	l.mu.Unlock()
	if end != nil {
		end(cause)
	}
}

// notOurs returns why the calls are another process's, or nil while they are ours.
func (l *Line) notOurs() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.elsewhere
}

// ours fails with ErrReplaced, and ends Run, if another process leads the calls.
func (l *Line) ours(ctx context.Context) error {
	err := l.epoch.ours(ctx)
	if errors.Is(err, ErrReplaced) {
		l.giveWay(ErrReplaced)
	}
	return err
}

// Drain lets the running calls go on and takes no new ones: they are sent on
// into the dialplan, to what follows Stasis() there.
func (l *Line) Drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draining = true
}

// Connected says whether events of Asterisk are being read.
func (l *Line) Connected() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.connected
}

// Ready says whether a caller who rings now is answered.
func (l *Line) Ready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.connected && !l.draining
}
