package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"ringback/ivr"
	"ringback/queue"
)

// dial is a number that is being rung by this process.
type dial struct {
	queue.Attempt
	stop context.CancelCauseFunc
}

// errStopped is why a number rings no longer: the person rang in, or the ticket
// was closed.
var errStopped = errors.New("this attempt is not needed any more")

// ringWhoIsDue begins attempts while limits and lines allow it, until loops
// ends; the calls themselves end with calls. Nothing is begun before it is known
// which attempts this node has under way.
func (d *Dispatcher) ringWhoIsDue(loops, calls context.Context) {
	r := newReview(d)
	t := time.NewTicker(d.pace.tick)
	defer t.Stop()
	var ill trouble
	held := map[queue.Limit]time.Time{}
	var soonest time.Time // when the next number may be rung, by the rate
	for loops.Err() == nil {
		now := d.Now()
		err := d.step(loops, stepReview, func(ctx context.Context) error { return r.look(ctx, calls, now) })
		err = first(err, d.step(loops, stepStop, d.stopDials))
		if r.done {
			begin := d.step(loops, stepBegin, func(ctx context.Context) error {
				var e error
				soonest, e = d.begin(ctx, calls, soonest)
				return e
			})
			if queue.Refused(begin) {
				d.heldBack(held, begin, now)
			} else {
				err = first(err, begin)
			}
		}
		if loops.Err() != nil {
			return
		}
		ill.note(d.log, now, "ring who is due", err)
		wait := t.C
		if until := soonest.Sub(now); until > 0 && until < d.pace.tick {
			wait = time.After(until)
		}
		select {
		case <-wait:
		case <-d.due:
		case <-loops.Done():
		}
	}
}

// begin begins attempts until nobody is due or no more may be begun, which is
// the error then, and returns when the next one may be.
func (d *Dispatcher) begin(ctx, calls context.Context, soonest time.Time) (time.Time, error) {
	pace := time.Duration(float64(time.Second) / d.Rules.OutPerSecond)
	for fresh := 0; ctx.Err() == nil; {
		now := d.Now()
		switch {
		case d.Off || d.stopping() || !d.Dialler.Ready():
			return soonest, nil
		case !d.free(fresh):
			return soonest, queue.HeldBack{By: queue.LimitLines}
		case now.Before(soonest):
			return soonest, queue.HeldBack{By: queue.LimitRate}
		}
		a, err := d.Store.Begin(ctx, d.Node, now)
		if d.putOff(err) {
			continue
		}
		if err != nil {
			return soonest, err
		}
		soonest = now.Add(pace)
		d.log.Info("number is rung", "call_id", a.ID, "ticket", a.Ticket.ID, "number", a.Ticket.Number.Masked(),
			"tries", a.Ticket.Tries, "reason", a.Ticket.Reason, "agent", a.Turn.Agent)
		d.start(calls, a, d.Dialler.Dial)
		fresh++
	}
	return soonest, context.Cause(ctx)
}

// putOff tells of a ticket that a limit put off, and says whether err is that.
func (d *Dispatcher) putOff(err error) bool {
	var h queue.HeldBack
	if !errors.As(err, &h) || h.Ticket == uuid.Nil {
		return false
	}
	d.Metrics.refused.WithLabelValues(string(h.By)).Inc()
	d.log.Warn("a person is not rung", "ticket", h.Ticket, "limit", h.By)
	return true
}

// free says whether there is a line for one more call out, beside those begun in
// this round, which the line may not have counted yet.
func (d *Dispatcher) free(fresh int) bool {
	total, out := d.Dialler.InUse()
	out = max(out+fresh, d.ringing())
	return (d.Rules.OutLines == 0 || out < d.Rules.OutLines) && (d.Lines == 0 || total+fresh < d.Lines)
}

func (d *Dispatcher) ringing() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.dials)
}

func (d *Dispatcher) stopping() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.draining
}

// heldBack tells of a limit that keeps somebody from being rung, now and then as
// long as it does. Told is when each was told of last.
func (d *Dispatcher) heldBack(told map[queue.Limit]time.Time, err error, now time.Time) {
	var h queue.HeldBack
	if !errors.As(err, &h) || h.By == queue.LimitLines && d.waiting.Load() == 0 {
		return
	}
	// The rate holds something back between any two calls: that is no news.
	if h.By != queue.LimitRate && now.Sub(told[h.By]) >= complain {
		told[h.By] = now
		d.Metrics.refused.WithLabelValues(string(h.By)).Inc()
		d.log.Warn("nobody is rung although somebody is due", "limit", h.By)
	}
}

// start rings a number, or waits for one that rings already, in a goroutine of
// its own.
func (d *Dispatcher) start(calls context.Context, a queue.Attempt, how func(context.Context, ivr.Out) error) {
	ctx, stop := context.WithCancelCause(calls)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dials[a.ID] != nil {
		stop(nil)
		return
	}
	if len(d.dials) == 0 {
		d.idle = make(chan struct{})
	}
	d.dials[a.ID] = &dial{a, stop}
	d.Metrics.ringing.Set(float64(len(d.dials)))
	d.running.Go(func() {
		defer d.over(a.ID)
		defer stop(nil)
		d.ring(ctx, a, how)
	})
}

// over takes an attempt off those that ring.
func (d *Dispatcher) over(id uuid.UUID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.dials, id)
	d.Metrics.ringing.Set(float64(len(d.dials)))
	if len(d.dials) == 0 {
		close(d.idle)
	}
}

// ring rings a number and says how that ended, where it is known. Once it is
// answered, the dialogue says so; of the rest, the review finds out.
func (d *Dispatcher) ring(ctx context.Context, a queue.Attempt, how func(context.Context, ivr.Out) error) {
	err := how(ctx, ivr.Out{ID: a.ID, Number: a.Ticket.Number, Ring: d.Rules.Ring})
	log := d.log.With("call_id", a.ID, "ticket", a.Ticket.ID)
	if err == nil {
		log.Info("number was picked up")
		d.Metrics.answered.Inc()
		d.pickedUp(a.ID)
		return
	}
	fate, known := fateOf(context.Cause(ctx), err)
	if known && (errors.Is(err, errStopped) || errors.Is(err, errEnding)) {
		fate, err = d.ifDialled(ctx, a, fate)
		known = err == nil
	}
	if !known {
		log.Warn("nobody knows yet how this attempt ended", "err", err)
		return
	}
	d.resolve(ctx, a, fate)
}

// ifDialled is the fate of an attempt that was stopped: where that was before the
// number was dialled, it was never made.
func (d *Dispatcher) ifDialled(ctx context.Context, a queue.Attempt, f queue.Fate) (queue.Fate, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askLongest)
	defer cancel()
	became, err := d.Dialler.Dialled(ctx, a.ID)
	if became == ivr.DialledNever {
		f = queue.FateUnmade
	}
	return f, err
}

// fateOf is what an attempt came to that ended with err, its context with cause.
func fateOf(cause, err error) (queue.Fate, bool) {
	switch {
	case errors.Is(err, ivr.ErrElsewhere), errors.Is(cause, ivr.ErrElsewhere):
		return "", false // the other process will know
	case errors.Is(err, ivr.ErrBusy):
		return queue.FateBusy, true
	case errors.Is(err, ivr.ErrNoAnswer):
		return queue.FateNoAnswer, true
	case errors.Is(err, ivr.ErrUnreachable):
		return queue.FateFailed, true
	case errors.Is(cause, errStopped) && errors.Is(err, errStopped):
		return queue.FateStopped, true
	case errors.Is(cause, errEnding) && errors.Is(err, errEnding):
		return queue.FateNoAnswer, true // it rang, if shortly
	}
	return "", false
}

// resolve says how an attempt ended, however the process is about to end.
func (d *Dispatcher) resolve(ctx context.Context, a queue.Attempt, f queue.Fate) {
	longest := d.pace.answer
	if errors.Is(context.Cause(ctx), errEnding) {
		longest /= 4
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longest)
	defer cancel()
	log := d.log.With("call_id", a.ID, "ticket", a.Ticket.ID)
	for wait := d.pace.tick; ; wait *= 2 {
		t, err := d.Store.Resolve(ctx, a.ID, f)
		switch {
		case err == nil:
			d.Metrics.Resolved(f)
			log.Info("attempt ended", "fate", f, "ticket_state", t.State, "next", t.DueAt)
			if err := d.Dialler.ForgetDial(ctx, a.ID); err != nil {
				log.Debug("forget what was dialled", "err", err)
			}
			d.Wake()
			return
		case queue.Refused(err), !pause(ctx, wait):
			d.Metrics.errors.WithLabelValues(string(stepResolve)).Inc()
			log.Error("say how an attempt ended", "fate", f, "err", err)
			return
		}
	}
}

// stopDials ends the ringing of who is not to be rung any more.
func (d *Dispatcher) stopDials(ctx context.Context) error {
	if d.ringing() == 0 {
		return nil
	}
	ids, err := d.Store.Stopped(ctx, d.Node)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		if there := d.dials[id]; there != nil {
			there.stop(errStopped)
		}
	}
	return nil
}
