package dispatch

import (
	"context"
	"time"

	"github.com/google/uuid"

	"ringback/queue"
)

// moveLine keeps the line moving until ctx ends: tickets whose time has come,
// tickets and agents that belong together, and dialogues that are to know.
func (d *Dispatcher) moveLine(ctx context.Context) {
	var swept time.Time
	var ill trouble
	rung := map[uuid.UUID]time.Time{}
	t := time.NewTicker(d.pace.tick)
	defer t.Stop()
	for ctx.Err() == nil {
		now := d.Now()
		err := d.step(ctx, stepTurns, func(ctx context.Context) error { return d.ringBells(ctx, now, rung) })
		if now.Sub(swept) >= d.pace.sweep {
			swept = now
			err = first(d.step(ctx, stepSweep, func(ctx context.Context) error { return d.sweep(ctx, now) }), err)
		}
		err = first(d.step(ctx, stepMatch, func(ctx context.Context) error { return d.match(ctx, now) }), err)
		if ctx.Err() != nil {
			return
		}
		ill.note(d.log, now, "move the line", err)
		select {
		case <-t.C:
		case <-d.changed:
		case <-ctx.Done():
		}
	}
}

// first is the first of two errors.
func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// step does one thing within its time, measures it and counts what fails.
func (d *Dispatcher) step(ctx context.Context, s step, f func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, askLongest)
	defer cancel()
	began := time.Now()
	err := f(bounded)
	d.Metrics.steps.WithLabelValues(string(s)).Observe(time.Since(began).Seconds())
	if err != nil && ctx.Err() == nil && !queue.Refused(err) {
		d.Metrics.errors.WithLabelValues(string(s)).Inc()
	}
	return err
}

// sweep puts right what time has changed.
func (d *Dispatcher) sweep(ctx context.Context, now time.Time) error {
	s, err := d.Store.Sweep(ctx, now)
	if err != nil {
		return err
	}
	if s.Unknown > 0 {
		d.log.Warn("attempts whose controller did not say how they ended count as made", "attempts", s.Unknown)
	}
	if s != (queue.Swept{}) {
		d.log.Debug("line swept", "due", s.Due, "expired", s.Expired, "freed", s.Freed, "unknown", s.Unknown)
	}
	if s.Due > 0 || s.Freed > 0 {
		d.Wake()
	}
	return nil
}

// match binds tickets and agents until none fit any more. The dialogues of this
// node are told at once; other nodes look themselves.
func (d *Dispatcher) match(ctx context.Context, now time.Time) error {
	for {
		turns, err := d.Store.Match(ctx, now, mostMatches)
		if err != nil {
			return err
		}
		d.Metrics.matched.Add(float64(len(turns)))
		for _, t := range turns {
			d.log.Debug("ticket and agent are bound", "ticket", t.Ticket, "agent", t.Agent)
			d.Bell.Ring(t.Ticket)
		}
		if len(turns) < mostMatches {
			return nil
		}
	}
}

// ringBells tells the dialogues of this node whose turn it is. Rung is when each
// binding was told of: who did not hear it is told again.
func (d *Dispatcher) ringBells(ctx context.Context, now time.Time, rung map[uuid.UUID]time.Time) error {
	turns, err := d.Store.Turns(ctx, d.Node)
	if err != nil {
		return err
	}
	bound := make(map[uuid.UUID]bool, len(turns))
	for _, t := range turns {
		bound[t.Leg] = true
		if now.Sub(rung[t.Leg]) >= d.pace.rering {
			rung[t.Leg] = now
			d.Bell.Ring(t.Ticket)
		}
	}
	for leg := range rung {
		if !bound[leg] {
			delete(rung, leg)
		}
	}
	return nil
}
