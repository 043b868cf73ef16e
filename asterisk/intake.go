package asterisk

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
)

// IntakeOptions are settings of an intake.
type IntakeOptions struct {
	Node     string           // name of the Asterisk whose callers these are
	Region   string           // ISO 3166 country of national calling numbers
	Language prompts.Language // of a caller of whom nothing is known here

	Connections int           // served at once, by default 256; others wait in the kernel's queue
	Patience    time.Duration // longest life of a connection, by default 5 s

	Logger     *slog.Logger          // by default slog.Default
	Registerer prometheus.Registerer // of the metrics; by default one that nobody reads
	Now        func() time.Time      // by default time.Now
}

// Intake registers who rings while all lines are taken. It is a FastAGI server:
// Asterisk's dialplan connects to it with what the INVITE said, and ends the
// call once the channel variable REGISTERED is set; until then it tries again,
// so nothing that fails here loses a caller.
type Intake struct {
	at      netip.AddrPort
	take    func(context.Context, queue.Registration) error
	o       IntakeOptions
	metrics *intakeMetrics

	mu        sync.Mutex
	addr      netip.AddrPort
	listening chan struct{} // closed: it listens at addr
	complaint time.Time     // when a failure was last logged
	silent    int           // failures since
}

// NewIntake checks the address, which must be of the loopback: whoever reaches
// it can put any number in line. Take writes one attempt down; when it returns
// nil the attempt is safe. The same attempt may come again, under the same ID.
func NewIntake(listen string, take func(context.Context, queue.Registration) error, o IntakeOptions) (*Intake, error) {
	at, err := netip.ParseAddrPort(listen)
	if err != nil {
		return nil, fmt.Errorf("address of the intake: %w", err)
	}
	if !at.Addr().IsLoopback() {
		return nil, fmt.Errorf("address of the intake: %s is no loopback address, and whoever reaches it can put numbers in line", listen)
	}
	if o.Connections <= 0 {
		o.Connections = 256
	}
	if o.Patience <= 0 {
		o.Patience = 5 * time.Second
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
	m, err := newIntakeMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("metrics of the intake: %w", err)
	}
	return &Intake{at: at, take: take, o: o, metrics: m, listening: make(chan struct{})}, nil
}

// Listening is closed once it listens.
func (i *Intake) Listening() <-chan struct{} { return i.listening }

// Addr is where it listens, once it does.
func (i *Intake) Addr() netip.AddrPort {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.addr
}

// listenAgain is how long it waits for a port that another process has: the
// controller before this one, which is about to end.
const listenAgain = 100 * time.Millisecond

// Run serves until ctx ends, finishes what it has begun, and returns nil. It is
// run once.
func (i *Intake) Run(ctx context.Context) error {
	l, err := i.listen(ctx)
	if err != nil {
		return nil //nolint:nilerr // only ctx ends the tries
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	i.mu.Lock()
	i.addr = l.Addr().(*net.TCPAddr).AddrPort()
	i.mu.Unlock()
	close(i.listening)

	var running sync.WaitGroup
	defer running.Wait()
	free := make(chan struct{}, i.o.Connections)
	for {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		c, err := l.Accept()
		if err != nil {
			<-free
			if ctx.Err() != nil {
				return nil
			}
			i.complain("take a connection of Asterisk", err) // too many open files: it passes
			if !pause(ctx, listenAgain) {
				return nil
			}
			continue
		}
		running.Go(func() {
			defer func() { <-free }()
			defer c.Close()
			i.serve(context.WithoutCancel(ctx), c)
		})
	}
}

func (i *Intake) listen(ctx context.Context) (net.Listener, error) {
	listen := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error { return wakeAt(c, mostOfEnvironment) }}
	for told := false; ; told = true {
		l, err := listen.Listen(ctx, "tcp", i.at.String())
		if err == nil {
			return l, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !told {
			i.o.Logger.Warn("callers beyond the last line wait to be registered, until this port is free", "listen", i.at, "err", err)
		}
		if !pause(ctx, listenAgain) {
			return nil, context.Cause(ctx)
		}
	}
}

// serve takes one attempt. Whatever goes wrong, the connection is closed and
// REGISTERED stays unset, and the dialplan tries again.
func (i *Intake) serve(ctx context.Context, c net.Conn) {
	began := i.o.Now()
	ctx, cancel := context.WithTimeout(ctx, i.o.Patience)
	defer cancel()
	if err := awaitEnvironment(c, time.Now().Add(i.o.Patience)); err != nil {
		return // it is gone already
	}
	in := bufio.NewReaderSize(io.LimitReader(c, longestEnvironment), longestLine)
	a, err := readAttempt(in)
	if err != nil {
		i.metrics.attempts.WithLabelValues(intakeMalformed).Inc()
		i.complain("understand what Asterisk says of a caller", err)
		return
	}
	if a.script == scriptTurnedAway {
		i.metrics.attempts.WithLabelValues(intakeTurnedAway).Inc()
		i.complain("keep a caller with no number, to whom no line came free", errNoRoom)
		return
	}
	result, answer := i.register(ctx, a)
	i.metrics.attempts.WithLabelValues(result).Inc()
	if answer == "" {
		return
	}
	if _, err := io.WriteString(c, "SET VARIABLE REGISTERED "+answer+"\n"); err != nil {
		return // the caller is gone, or is registered once more
	}
	// The reply, so that closing does not overtake what Asterisk reads.
	for {
		line, err := in.ReadSlice('\n')
		if err != nil || len(line) >= 4 && string(line[:4]) == "200 " {
			break
		}
	}
	i.metrics.took.Observe(i.o.Now().Sub(began).Seconds())
}

var errNoRoom = errors.New("as many ring without a number as there are lines")

// register takes the attempt down, and says what the dialplan is told.
func (i *Intake) register(ctx context.Context, a attempt) (result, answer string) {
	number, err := callingNumber([]string{incoming, a.number, a.presentation}, "", i.o.Region)
	if err != nil || number == e164.Withheld {
		return intakeWithheld, "withheld"
	}
	r := queue.Registration{
		ID: a.id(i.o.Node, number), Dialog: a.dialog, Number: number, Node: i.o.Node,
		At: i.o.Now().UTC(), Language: i.o.Language,
	}
	if err := i.take(ctx, r); err != nil {
		i.complain("register a caller", err)
		return intakeFailed, ""
	}
	return intakeRegistered, "1"
}

// complainEvery keeps a full disk at 500 calls a second from filling the log.
const complainEvery = 10 * time.Second

// complain logs a failure, and how many there were since the last one logged.
func (i *Intake) complain(what string, err error) {
	now := i.o.Now()
	i.mu.Lock()
	if now.Sub(i.complaint) < complainEvery {
		i.silent++
		i.mu.Unlock()
		return
	}
	silent := i.silent
	i.complaint, i.silent = now, 0
	i.mu.Unlock()
	i.o.Logger.Error(what, "err", err, "others_since", silent)
}
