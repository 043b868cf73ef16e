package dispatch_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/dispatch"
	"ringback/ivr"
	"ringback/postgres"
	"ringback/queue"
)

// hurry is how much faster than usual these tests run: a look every 25 ms.
const hurry = 10

// process is a controller that can be killed: from that moment on nothing it
// does has an effect, and nothing it began is undone. What it had asked for is
// done, and it never hears so.
type process struct {
	*postgres.Queue // but for the methods below
	trunk           *trunk
	killed          chan struct{}
	once            sync.Once
	// dies is asked before and after everything it does.
	dies  func(point string) bool
	calls sync.WaitGroup // dialogues and the dispatcher
}

var errKilled = errors.New("killed")

func (p *process) kill() { p.once.Do(func() { close(p.killed) }) }

func (p *process) dead() bool {
	select {
	case <-p.killed:
		return true
	default:
		return false
	}
}

// do does one thing, unless the process is dead, and may die before or after.
func do[T any](p *process, point string, f func() (T, error)) (T, error) {
	var nothing T
	if p.dies("before " + point) {
		p.kill()
	}
	if p.dead() {
		return nothing, errKilled
	}
	got, err := f()
	if p.dies("after " + point) {
		p.kill()
	}
	if p.dead() {
		return nothing, errKilled
	}
	return got, err
}

func (p *process) Sweep(ctx context.Context, now time.Time) (queue.Swept, error) {
	return do(p, "sweep", func() (queue.Swept, error) { return p.Queue.Sweep(ctx, now) })
}

func (p *process) Match(ctx context.Context, now time.Time, most int) ([]queue.Turn, error) {
	return do(p, "match", func() ([]queue.Turn, error) { return p.Queue.Match(ctx, now, most) })
}

func (p *process) Begin(ctx context.Context, node string, now time.Time) (queue.Attempt, error) {
	return do(p, "begin", func() (queue.Attempt, error) { return p.Queue.Begin(context.WithoutCancel(ctx), node, now) })
}

func (p *process) Unresolved(ctx context.Context, node string) ([]queue.Attempt, error) {
	return do(p, "unresolved", func() ([]queue.Attempt, error) { return p.Queue.Unresolved(ctx, node) })
}

func (p *process) Stopped(ctx context.Context, node string) ([]uuid.UUID, error) {
	return do(p, "stopped", func() ([]uuid.UUID, error) { return p.Queue.Stopped(ctx, node) })
}

func (p *process) Resolve(ctx context.Context, id uuid.UUID, f queue.Fate) (queue.Ticket, error) {
	return do(p, "resolve", func() (queue.Ticket, error) { return p.Queue.Resolve(context.WithoutCancel(ctx), id, f) })
}

func (p *process) Ready() bool { return !p.dead() && p.trunk.Ready() }

func (p *process) InUse() (total, out int) { return p.trunk.InUse() }

func (p *process) Dial(ctx context.Context, o ivr.Out) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	c, err := do(p, "dial", func() (*outCall, error) { return p.trunk.originate(o) })
	if err != nil {
		return err
	}
	return p.wait(ctx, c)
}

func (p *process) Await(ctx context.Context, o ivr.Out) error {
	c, err := do(p, "await", func() (*outCall, error) { return p.trunk.known(o.ID), nil })
	if err != nil {
		return err
	}
	return p.wait(ctx, c)
}

// wait is the trunk's, but who is dead hangs nobody up.
func (p *process) wait(ctx context.Context, c *outCall) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-p.killed:
			cancel(ivr.ErrElsewhere)
		case <-done:
		}
	}()
	_, err := do(p, "answer", func() (struct{}, error) { return struct{}{}, p.trunk.wait(ctx, c) })
	return err
}

func (p *process) Dialled(ctx context.Context, id uuid.UUID) (ivr.Dialled, error) {
	return do(p, "dialled", func() (ivr.Dialled, error) { return p.trunk.Dialled(ctx, id) })
}

func (p *process) ForgetDial(ctx context.Context, id uuid.UUID) error {
	_, err := do(p, "forget", func() (struct{}, error) { return struct{}{}, p.trunk.ForgetDial(ctx, id) })
	return err
}

// start runs a controller until it is killed or ctx ends.
func start(t testing.TB, q *postgres.Queue, k *trunk, rules queue.Rules, dies func(string) bool) *process {
	t.Helper()
	p := &process{Queue: q, trunk: k, killed: make(chan struct{}), dies: dies}
	d, err := dispatch.New(dispatch.Options{
		Store: p, Dialler: p, Bell: &queue.Bell{}, Rules: rules, Node: node, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Hurry(hurry)
	ctx, end := context.WithCancel(t.Context())
	p.calls.Go(func() {
		defer end()
		<-p.killed
	})
	p.calls.Go(func() {
		if err := d.Run(ctx); err != nil && !errors.Is(err, errKilled) {
			t.Errorf("run: %v", err)
		}
		p.kill()
	})
	k.leadBy(p)
	return p
}

// leadBy gives the calls that were picked up to a controller: those without one
// now, and those to come.
func (k *trunk) leadBy(p *process) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.led = func(id uuid.UUID) { p.lead(id) }
	for id, c := range k.calls {
		if c.state == ivr.DialledLed && !c.hungUp {
			p.calls.Go(func() { p.lead(id) })
		}
	}
}

// lead is the dialogue of a call that was picked up: 1 is pressed, or is not. It
// ends with the process; the person hangs up some time later.
func (p *process) lead(id uuid.UUID) {
	fate := queue.FateReached
	if id[15]%4 == 0 {
		fate = queue.FateDeclined
	}
	time.Sleep(time.Duration(id[14]%16) * time.Millisecond) // a key is pressed
	_, err := p.Resolve(context.Background(), id, fate)
	if errors.Is(err, errKilled) && id[13]%2 == 0 {
		return // holds the line until the next controller is there
	}
	p.trunk.hangUp(id)
}

// seeded dies once in so many moments of an attempt's life, by the seed, and
// now and then in between.
func seeded(r *rand.Rand, once int) func(string) bool {
	var mu sync.Mutex
	return func(point string) bool {
		mu.Lock()
		defer mu.Unlock()
		switch _, what, _ := strings.Cut(point, " "); what {
		case "begin", "dial", "answer", "resolve", "await":
			return r.IntN(once) == 0
		}
		return r.IntN(20*once) == 0
	}
}
