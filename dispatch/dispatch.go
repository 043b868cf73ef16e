// Package dispatch moves the line: for one controller it brings promised
// tickets into the line, matches tickets with agents, rings who is due, says
// that its node lives, rings back whose node died, and brings what was
// journaled into the store.
// It must not know what is said in a call, how a line is rung, or SQL.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"ringback/ivr"
	"ringback/queue"
)

// Store is what the dispatcher asks of the line's store. Every method is one
// transaction, safe for many controllers at once.
type Store interface {
	// Sweep puts right what time has changed.
	Sweep(ctx context.Context, now time.Time) (queue.Swept, error)
	// Match binds tickets of any node with agents, at most so many, in the order
	// of the line.
	Match(ctx context.Context, now time.Time, most int) ([]queue.Turn, error)
	// Turns are the waiting tickets of a node that an agent is bound to.
	Turns(ctx context.Context, node string) ([]queue.Turn, error)

	// Begin commits the attempt whose turn it is, before it is dialled:
	// queue.ErrNoneDue, a queue.HeldBack where a limit is the reason.
	Begin(ctx context.Context, node string, now time.Time) (queue.Attempt, error)
	// Unresolved are the node's attempts that have no fate yet.
	Unresolved(ctx context.Context, node string) ([]queue.Attempt, error)
	// Stopped are those of them that are to ring no longer.
	Stopped(ctx context.Context, node string) ([]uuid.UUID, error)
	// Resolve says how an attempt ended, once: the first answer counts.
	Resolve(ctx context.Context, attempt uuid.UUID, f queue.Fate) (queue.Ticket, error)

	// Beat says that the node lives.
	Beat(ctx context.Context, node string, now time.Time) error
	// DeadNodes are the nodes that have calls and were silent for that long.
	DeadNodes(ctx context.Context, now time.Time, after time.Duration) ([]string, error)
	// Break promises to ring back all whose calls were on a dead node, and says
	// how many.
	Break(ctx context.Context, node string, now time.Time) (int, error)

	// Depth is how many open tickets of each topic are in each state.
	Depth(ctx context.Context) ([]queue.Depth, error)
	// Agents are all agents.
	Agents(ctx context.Context) ([]queue.Agent, error)
	// Listen calls woke whenever the line may have changed, until ctx ends or
	// the connection is lost.
	Listen(ctx context.Context, woke func()) error
}

// Dialler rings numbers. Its calls go on without the process that began them.
type Dialler interface {
	// Ready says whether a number can be rung now.
	Ready() bool
	// Dial rings a number and returns nil when it was answered: the call is led
	// from then on, and not the dispatcher's any more. It fails with ivr.ErrBusy,
	// ivr.ErrNoAnswer or ivr.ErrUnreachable, with ivr.ErrElsewhere when another
	// process has the line now, and with the cause of ctx's end, the ringing
	// stopped. After any other error nobody knows.
	Dial(ctx context.Context, o ivr.Out) error
	// Await is Dial for a number that another process began to ring.
	Await(ctx context.Context, o ivr.Out) error
	// Dialled says what became of a call out.
	Dialled(ctx context.Context, id uuid.UUID) (ivr.Dialled, error)
	// ForgetDial forgets that a number was dialled.
	ForgetDial(ctx context.Context, id uuid.UUID) error
	// InUse is how many lines are in use, and how many of them by calls out.
	InUse() (total, out int)
}

// Options are what a dispatcher works with.
type Options struct {
	Store   Store
	Dialler Dialler
	Bell    *queue.Bell // of the dialogues in this process
	Rules   queue.Rules
	Node    string
	// Lines are permitted at once, calls in and out together; 0: any number.
	Lines int
	// Off keeps this node from ringing anybody.
	Off bool

	Metrics *Metrics         // by default ones that nobody reads
	Now     func() time.Time // by default time.Now
	Logger  *slog.Logger     // by default slog.Default
}

// pace is how often a dispatcher does what it does. Polling is the truth; being
// told only shortens the wait.
type pace struct {
	tick    time.Duration // between two looks at the line
	sweep   time.Duration // between two sweeps
	rering  time.Duration // until a bell that woke nobody is rung again
	beat    time.Duration // between two signs of life
	dead    time.Duration // without one, after which a node is dead
	review  time.Duration // between two reviews of attempts nobody here waits for
	suspect time.Duration // where one of them seems to be over
	// sure is how long an attempt must look like over, or never dialled, to count
	// as that: longer than a request to Asterisk, or to the store, is on its way.
	sure time.Duration
	// answer is how long the store may be away before the end of an attempt gets
	// lost; the review, or the end of the lease, finds it then. When the
	// controller ends it has a quarter of that.
	answer  time.Duration
	measure time.Duration // between two looks at how full the line is
}

var usual = pace{
	tick: 250 * time.Millisecond, sweep: time.Second, rering: 2 * time.Second, beat: 2 * time.Second, dead: 20 * time.Second,
	review: 5 * time.Second, suspect: time.Second, sure: 6 * time.Second, answer: 20 * time.Second, measure: 5 * time.Second,
}

const (
	mostMatches = 100              // of one round trip
	askLongest  = 5 * time.Second  // a single question to the store or the line
	complain    = 30 * time.Second // between two log lines about the same trouble
)

// Dispatcher moves the line of one controller. Make it with New and Run it
// once.
type Dispatcher struct {
	Options
	pace pace
	log  *slog.Logger
	// The line may have changed: one for each loop that looks at it.
	changed, due chan struct{}

	mu       sync.Mutex
	draining bool
	left     bool // released
	dials    map[uuid.UUID]*dial
	led      map[uuid.UUID]bool // were picked up, and have no fate yet
	idle     chan struct{}      // closed while dials is empty
	end      context.CancelCauseFunc
	running  sync.WaitGroup // of dials

	waiting atomic.Int64 // tickets that are due, as last measured
}

// New checks the options. Nothing happens before Run.
func New(o Options) (*Dispatcher, error) {
	if o.Store == nil || o.Dialler == nil || o.Bell == nil || o.Node == "" {
		return nil, errors.New("dispatcher: a store, a dialler, a bell and the node's name are needed")
	}
	if o.Rules.OutPerSecond <= 0 || o.Rules.Ring <= 0 {
		return nil, fmt.Errorf("dispatcher: cannot ring %v numbers a second for %v each", o.Rules.OutPerSecond, o.Rules.Ring)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Metrics == nil {
		var err error
		if o.Metrics, err = NewMetrics(prometheus.NewRegistry()); err != nil {
			return nil, err
		}
	}
	idle := make(chan struct{})
	close(idle)
	return &Dispatcher{
		Options: o, pace: usual, log: o.Logger, changed: make(chan struct{}, 1), due: make(chan struct{}, 1),
		dials: map[uuid.UUID]*dial{}, led: map[uuid.UUID]bool{}, idle: idle,
	}, nil
}

// errEnding is why a number stops ringing when the controller ends.
var errEnding = errors.New("the controller ends")

// Run moves the line until ctx ends; numbers that ring then stop ringing, unless
// they were released. It returns nil once all it started has stopped.
func (d *Dispatcher) Run(ctx context.Context) error {
	calls, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	d.mu.Lock()
	if d.end != nil {
		d.mu.Unlock()
		return errors.New("the dispatcher was run before")
	}
	d.end = end
	if d.left {
		end(ivr.ErrElsewhere)
	}
	d.mu.Unlock()

	loops, stop := context.WithCancel(ctx)
	defer stop()
	context.AfterFunc(calls, stop) // released
	g, loops := errgroup.WithContext(loops)
	g.Go(func() error { d.moveLine(loops); return nil })
	g.Go(func() error { d.ringWhoIsDue(loops, calls); return nil })
	g.Go(func() error { d.keepAlive(loops); return nil })
	g.Go(func() error { d.measure(loops); return nil })
	g.Go(func() error { d.listen(loops); return nil })
	err := g.Wait()
	end(errEnding)
	d.running.Wait()
	return err
}

// Drain lets the numbers that ring go on ringing and rings no new ones. What
// else a dispatcher does, it goes on doing.
func (d *Dispatcher) Drain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.draining = true
}

// Release ends Run and leaves the numbers that ring to the controller that
// comes next: they ring on.
func (d *Dispatcher) Release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.draining, d.left = true, true
	if d.end != nil {
		d.end(ivr.ErrElsewhere)
	}
}

// Wait returns nil as soon as no number rings, or the cause of ctx's end.
func (d *Dispatcher) Wait(ctx context.Context) error {
	d.mu.Lock()
	idle := d.idle
	d.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// listen lets the store shorten the wait, for as long as it can.
func (d *Dispatcher) listen(ctx context.Context) {
	for ctx.Err() == nil {
		if err := d.Store.Listen(ctx, d.Wake); err != nil && ctx.Err() == nil {
			d.log.Debug("listen for news of the line", "err", err)
		}
		pause(ctx, time.Second)
	}
}

// Wake says that the line may have changed. It only shortens the wait.
func (d *Dispatcher) Wake() {
	for _, c := range []chan struct{}{d.changed, d.due} {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// pause waits and says whether ctx still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// trouble logs what fails, and again only after a while: a store that is away
// is asked four times a second.
type trouble struct {
	mu    sync.Mutex
	since time.Time // zero: none
	told  time.Time
}

// note says that something failed, or with nil that it works.
func (t *trouble) note(log *slog.Logger, now time.Time, what string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil && !t.since.IsZero():
		log.Info(what+" works again", "after", now.Sub(t.since).Round(time.Second))
		t.since, t.told = time.Time{}, time.Time{}
	case err != nil && now.Sub(t.told) >= complain:
		if t.since.IsZero() {
			t.since = now
		}
		t.told = now
		log.Warn(what, "err", err)
	}
}
