package dispatch

import (
	"context"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"ringback/ivr"
	"ringback/queue"
)

// review looks after the node's attempts that have no fate and that nobody in
// this process waits for: those of a process before, those that were answered,
// whose dialogue says how they ended, and those whose ringing ended in a way
// nobody knows.
type review struct {
	d    *Dispatcher
	done bool // once
	last time.Time
	// suspect is since when an attempt looked like one that is over or was never
	// dialled. Both may change once: what its process asked for last may still
	// be on its way, and the dialogue may be about to say how it ended.
	suspect map[uuid.UUID]suspicion
}

type suspicion struct {
	of    ivr.Dialled
	since time.Time
}

// atOnce is how many attempts are asked about at a time.
const atOnce = 8

func newReview(d *Dispatcher) *review {
	return &review{d: d, suspect: map[uuid.UUID]suspicion{}}
}

// look reviews the attempts, now and then.
func (r *review) look(ctx, calls context.Context, now time.Time) error {
	every := r.d.pace.review
	if len(r.suspect) > 0 {
		every = r.d.pace.suspect
	}
	if r.done && now.Sub(r.last) < every || !r.d.Dialler.Ready() && !r.d.stopping() {
		return nil
	}
	all, err := r.d.Store.Unresolved(ctx, r.d.Node)
	if err != nil {
		return err
	}
	open := make(map[uuid.UUID]bool, len(all))
	var unwatched []queue.Attempt
	r.d.mu.Lock()
	for _, a := range all {
		open[a.ID] = true
		if r.d.dials[a.ID] == nil {
			unwatched = append(unwatched, a)
		}
	}
	r.d.mu.Unlock()
	if !r.done && len(unwatched) > 0 {
		r.d.log.Info("attempts of the process before are looked after", "attempts", len(unwatched))
	}

	became := make([]ivr.Dialled, len(unwatched))
	g, asking := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, a := range unwatched {
		g.Go(func() (err error) {
			became[i], err = r.d.Dialler.Dialled(asking, a.ID)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, a := range unwatched {
		r.judge(ctx, calls, a, became[i], now)
	}
	r.forget(ctx, open)
	r.done, r.last = true, now
	return nil
}

// judge does what is to be done about one attempt.
func (r *review) judge(ctx, calls context.Context, a queue.Attempt, became ivr.Dialled, now time.Time) {
	switch became {
	case ivr.DialledRings:
		delete(r.suspect, a.ID)
		r.d.start(calls, a, r.d.Dialler.Await)
		return
	case ivr.DialledLed:
		delete(r.suspect, a.ID)
		r.d.pickedUp(a.ID)
		return
	}
	s, seen := r.suspect[a.ID]
	if !seen || s.of != became {
		r.suspect[a.ID] = suspicion{became, now}
		return
	}
	if now.Sub(s.since) < r.d.pace.sure {
		return
	}
	fate := queue.FateUnknown // over; unless its dialogue said more, which counts then
	if became == ivr.DialledNever {
		fate = queue.FateUnmade
	}
	delete(r.suspect, a.ID)
	r.d.running.Go(func() { r.d.resolve(ctx, a, fate) })
}

// forget drops what was kept of attempts that have a fate now.
func (r *review) forget(ctx context.Context, open map[uuid.UUID]bool) {
	for id := range r.suspect {
		if !open[id] {
			delete(r.suspect, id)
		}
	}
	for _, id := range r.d.resolved(open) {
		if err := r.d.Dialler.ForgetDial(ctx, id); err != nil {
			r.d.log.Debug("forget what was dialled", "call_id", id, "err", err)
		}
	}
}

// pickedUp notes an attempt that was answered: its dialogue says how it ends.
func (d *Dispatcher) pickedUp(id uuid.UUID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.led[id] = true
}

// resolved returns, and drops, the answered attempts that are not open any more.
func (d *Dispatcher) resolved(open map[uuid.UUID]bool) []uuid.UUID {
	d.mu.Lock()
	defer d.mu.Unlock()
	var ids []uuid.UUID
	for id := range d.led {
		if !open[id] {
			ids = append(ids, id)
			delete(d.led, id)
		}
	}
	return ids
}
