package dispatch_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/ivr"
)

// trunk is an Asterisk and the telephones behind it. Its calls go on when the
// process that began them is gone.
type trunk struct {
	t testing.TB
	// comes says what becomes of the nth ring of a telephone, from 1.
	comes func(n e164.Number, nth int) fate
	// led plays the dialogue of a call that was answered, to its hang-up; nil: it
	// says nothing, and hangs up at once.
	led func(id uuid.UUID)

	mu        sync.Mutex
	down      bool
	calls     map[uuid.UUID]*outCall
	rings     map[e164.Number]int
	order     []e164.Number // as they were rung
	at        []time.Time
	most      int // the most that were up at once
	others    int // lines in use by calls in
	forgotten map[uuid.UUID]bool
	telephone sync.WaitGroup
}

// fate is what a telephone does after a while.
type fate struct {
	after time.Duration
	err   error // nil: it is picked up
}

type outCall struct {
	number   e164.Number
	state    ivr.Dialled
	settled  chan struct{} // closed when it no longer rings
	err      error         // then
	hungUp   bool
	answered bool
}

func newTrunk(t testing.TB, comes func(e164.Number, int) fate) *trunk {
	k := &trunk{t: t, comes: comes, calls: map[uuid.UUID]*outCall{}, rings: map[e164.Number]int{}, forgotten: map[uuid.UUID]bool{}}
	t.Cleanup(k.telephone.Wait)
	return k
}

func (k *trunk) Ready() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !k.down
}

var errDown = errors.New("Asterisk does not answer")

func (k *trunk) Dial(ctx context.Context, o ivr.Out) error {
	c, err := k.originate(o)
	if err != nil {
		return err
	}
	return k.wait(ctx, c)
}

// originate lets the telephone ring.
func (k *trunk) originate(o ivr.Out) (*outCall, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.down {
		return nil, errDown
	}
	if k.calls[o.ID] != nil {
		k.t.Errorf("the attempt %s was dialled twice", o.ID)
	}
	for id, c := range k.calls {
		if c.number == o.Number && c.state == ivr.DialledRings {
			k.t.Errorf("%s is rung twice at once: by %s and %s", o.Number, id, o.ID)
		}
	}
	k.rings[o.Number]++
	k.order, k.at = append(k.order, o.Number), append(k.at, time.Now())
	c := &outCall{number: o.Number, state: ivr.DialledRings, settled: make(chan struct{})}
	k.calls[o.ID] = c
	total, _ := k.count()
	k.most = max(k.most, total)
	f := k.comes(o.Number, k.rings[o.Number])
	if f.after > o.Ring {
		f = fate{o.Ring, ivr.ErrNoAnswer}
	}
	k.telephone.Add(1)
	time.AfterFunc(f.after, func() {
		defer k.telephone.Done()
		k.settle(o.ID, f.err)
	})
	return c, nil
}

// settle ends the ringing.
func (k *trunk) settle(id uuid.UUID, err error) {
	k.mu.Lock()
	c := k.calls[id]
	if c.state != ivr.DialledRings {
		k.mu.Unlock()
		return
	}
	c.state, c.err, c.answered = ivr.DialledLed, err, err == nil
	if err != nil {
		c.state = ivr.DialledOver
	}
	close(c.settled)
	led := k.led
	k.mu.Unlock()
	switch {
	case err != nil:
	case led == nil:
		k.hangUp(id)
	default:
		led(id)
	}
}

// hangUp ends a call that was picked up.
func (k *trunk) hangUp(id uuid.UUID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls[id].state = ivr.DialledOver
}

func (k *trunk) known(id uuid.UUID) *outCall {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.calls[id]
}

func (k *trunk) wait(ctx context.Context, c *outCall) error {
	select {
	case <-c.settled:
		return c.err
	case <-ctx.Done():
	}
	cause := context.Cause(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.state == ivr.DialledRings && !errors.Is(cause, ivr.ErrElsewhere) {
		c.state, c.err, c.hungUp = ivr.DialledOver, cause, true
		close(c.settled)
	}
	return cause
}

func (k *trunk) Await(ctx context.Context, o ivr.Out) error {
	k.mu.Lock()
	c := k.calls[o.ID]
	k.mu.Unlock()
	return k.wait(ctx, c)
}

func (k *trunk) Dialled(_ context.Context, id uuid.UUID) (ivr.Dialled, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.down {
		return "", errDown
	}
	if c := k.calls[id]; c != nil && !k.forgotten[id] {
		return c.state, nil
	}
	return ivr.DialledNever, nil
}

func (k *trunk) ForgetDial(_ context.Context, id uuid.UUID) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forgotten[id] = true
	return nil
}

func (k *trunk) InUse() (total, out int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.count()
}

func (k *trunk) count() (total, out int) {
	for _, c := range k.calls {
		if c.state != ivr.DialledOver {
			out++
		}
	}
	return out + k.others, out
}

// remembers says whether it is known of an attempt that it was dialled.
func (k *trunk) remembers(id uuid.UUID) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.calls[id] != nil && !k.forgotten[id]
}

// rang is how often a telephone rang.
func (k *trunk) rang(n e164.Number) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.rings[n]
}

// rungInOrder is who was rung, in order.
func (k *trunk) rungInOrder() []e164.Number {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]e164.Number(nil), k.order...)
}

// call is the call of a number that was rung once.
func (k *trunk) call(n e164.Number) (uuid.UUID, *outCall) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, c := range k.calls {
		if c.number == n {
			copied := *c
			return id, &copied
		}
	}
	k.t.Fatalf("%s was not rung", n)
	return uuid.Nil, nil
}
