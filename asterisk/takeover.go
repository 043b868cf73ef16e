package asterisk

import (
	"context"
	"strings"
	"time"

	"ringback/ivr"
)

// Ledger is what was written of the calls of a node, by whichever process.
type Ledger interface {
	// Written returns the calls of the node that were not seen to end, and of
	// those that were the ones that were on these channels.
	Written(ctx context.Context, node string, channels []string) ([]ivr.Written, error)
}

// recollect is how long a call whose past is not known yet waits for the
// ledger before it begins anew.
const recollect = 10 * time.Second

// reconcile puts right what happened while nobody listened. Calls whose
// channel is gone have hung up, or broke off with the Asterisk that carried
// them; channels of our application that no call here leads were left by another
// controller, and are taken over. It tries until it has an answer. Known are the
// calls, and rung the telephones, there were before the question: only they are
// judged by its answer.
func (l *Line) reconcile(ctx context.Context, known []*call, rung []*telephone, restarted bool) {
	backoff := waits()
	for {
		found, err := l.find(ctx)
		if err == nil {
			l.loseMissing(known, found, restarted)
			l.missTelephones(rung, found)
			l.adopt(ctx, found)
			return
		}
		wait, _ := backoff.Next()
		l.log.Warn("asking Asterisk for its calls", "err", err, "next_try_in", wait)
		if !pause(ctx, wait) {
			return
		}
	}
}

// found is what there is in Asterisk.
type found struct {
	up      map[string]*channelData
	ours    map[string]bool // in our application, or rung for it
	bridges map[string][]string
}

func (l *Line) find(ctx context.Context) (found, error) {
	var f found
	var err error
	if f.up, err = l.ari.channels(ctx); err != nil {
		return found{}, err
	}
	if f.ours, err = l.ari.inApplication(ctx, l.options.App); err != nil {
		return found{}, err
	}
	f.bridges, err = l.ari.bridges(ctx)
	return f, err
}

// loseMissing ends the calls whose channel is gone, and lets go of those that
// were sent into the dialplan meanwhile: they come again. Of those that go on it
// notes which were answered.
func (l *Line) loseMissing(known []*call, f found, restarted bool) {
	for _, c := range known {
		switch {
		case f.up[c.channel] == nil && restarted:
			c.lose(ivr.ErrLineBroke)
		case f.up[c.channel] == nil:
			c.lose(c.mail.why())
		case !f.ours[c.channel]:
			l.forget(c)
			c.lose(ivr.ErrElsewhere)
		case f.up[c.channel].State == stateUp:
			c.mail.up() // that may have been told while nobody listened
		}
	}
}

// missTelephones notes what became of telephones that were being rung.
func (l *Line) missTelephones(rung []*telephone, f found) {
	for _, t := range rung {
		switch ch := f.up[t.channel]; {
		case ch == nil && t.out:
			l.strike(t)
			t.leave(hangup{}, errUnknownFate)
		case ch == nil:
			l.gone(t, hangup{})
		case ch.inStasis() && !t.out:
			t.enter()
		}
	}
}

// adopt takes over the channels nobody leads, ends those whose call is over,
// and reports the calls that ended while nobody looked.
func (l *Line) adopt(ctx context.Context, f found) {
	var left []string
	for id := range f.ours {
		if f.up[id] != nil && l.on(id) == nil && f.up[id].isCall() {
			left = append(left, id)
		}
	}
	written, ok := l.written(ctx, left)
	if ctx.Err() != nil {
		return
	}
	byChannel := make(map[string]ivr.Written, len(written))
	missing := false
	for _, w := range written {
		byChannel[w.Channel] = w
		missing = missing || ok && !w.Ended && f.up[w.Channel] == nil
	}
	talks := f.talks()
	var orphans []string
	taken := 0
	for _, id := range left {
		switch w, known := byChannel[id]; {
		case known && w.Ended:
			orphans = append(orphans, id)
		default:
			if l.takeOver(f.up[id], w.Info, known, talks[id]) {
				taken++
			}
		}
	}
	if taken > 0 {
		l.log.Info("calls taken over", "calls", taken, "node", l.nodeName())
	}
	l.endOrphans(ctx, orphans)
	l.adoptTelephones(ctx, f)
	if missing && l.options.Lost != nil {
		l.reportLost(ctx)
	}
}

// lastWritten is how long a controller that gave way may take to write how its
// last calls ended.
const lastWritten = 2 * time.Second

// reportLost reports the calls that stand in the books as running and whose
// channel is gone.
func (l *Line) reportLost(ctx context.Context) {
	if !pause(ctx, lastWritten) {
		return
	}
	written, ok := l.written(ctx, nil)
	up, err := l.ari.channels(ctx)
	if !ok || err != nil {
		return // the next connection asks again
	}
	boot := l.since()
	for _, w := range written {
		if w.Ended || up[w.Channel] != nil || l.on(w.Channel) != nil {
			continue
		}
		// Who was in a call with an Asterisk that is no more did not hang up.
		why := ivr.ErrHungUp
		if w.Started.Before(boot) {
			why = ivr.ErrLineBroke
		}
		l.options.Lost(w.Info, why)
	}
}

// written asks the ledger until it answers or the callers have waited enough.
func (l *Line) written(ctx context.Context, channels []string) ([]ivr.Written, bool) {
	if l.options.Ledger == nil {
		return nil, false
	}
	late, cancel := context.WithTimeout(ctx, recollect)
	defer cancel()
	for backoff := waits(); ; {
		bounded, cancel := context.WithTimeout(late, l.options.Request)
		w, err := l.options.Ledger.Written(bounded, l.nodeName(), channels)
		cancel()
		if err == nil {
			return w, true
		}
		wait, _ := backoff.Next()
		l.log.Warn("asking what was written of calls", "err", err, "next_try_in", wait)
		if !pause(late, wait) {
			return nil, false
		}
	}
}

// takeOver leads a call on that another controller left, or begins a new one on
// its channel where nothing was written of it. Leg is the agent's that the
// caller is in a bridge with, or was; nil: none.
func (l *Line) takeOver(ch *channelData, info ivr.Info, known bool, leg *talkData) bool {
	args := ch.stasisArgs()
	c := l.newCall(ch.ID, ch.State)
	c.adopted.Store(true)
	c.out = direction(args) == outgoing
	if leg != nil {
		l.resume(c, leg)
	}
	begin := l.begin
	if c.out {
		begin = l.answered
	}
	return begin(c, func() {
		switch {
		case known:
			info.TakenOver = true
			if c.out {
				info.Attempt, _ = parseID(args)
			}
			l.identify(c, info)
			c.silence()
		case c.out: // its id is known, and so is what sounds in it
			l.identify(c, l.rungInfo(ch.ID, args))
			c.silence()
			c.talkOn()
		default:
			l.anew(c, args, ch.Caller.Number)
			c.talkOn()
		}
	})
}

// endOrphans ends channels whose call is over: its controller died between the
// last word and the hang-up. One after another: many at once have crashed
// Asterisk (issue 1201 of asterisk/asterisk).
func (l *Line) endOrphans(ctx context.Context, channels []string) {
	for _, id := range channels {
		err := l.ari.hangUp(ctx, id)
		switch {
		case err == nil:
			l.metrics.orphans.Inc()
		case ctx.Err() != nil:
			return
		case !refusedWith(err, 404):
			l.log.Warn("end a channel whose call is over", "channel", id, "err", err)
		}
	}
}

// silence stops what the controller before was playing or recording: what is
// said next would queue behind it.
func (c *call) silence() {
	ctx, cancel := c.cleanUp(c.ctx)
	defer cancel()
	for n := range playbackIDs {
		if err := c.line.ari.stopPlayback(ctx, PlaybackID(c.info.ID, n)); err != nil && !refusedWith(err, 404) {
			c.line.log.Warn("stop what the controller before was saying", "call_id", c.info.ID, "err", err)
		}
	}
	if err := c.line.ari.stopMusic(ctx, c.channel); err != nil && !refusedWith(err, 404, 409) {
		c.line.log.Warn("stop the music the controller before played", "call_id", c.info.ID, "err", err)
	}
	name := recordingName(c.info.ID)
	if err := c.line.ari.stopRecording(ctx, name); err == nil {
		c.discard(ctx, name) // what was said into it is asked for again
	}
}

// again goes on with a call that comes back from the fallback, or begins it if
// it has never been here.
func (l *Line) again(c *call, args []string, shown string) {
	written, _ := l.written(c.ctx, []string{c.channel})
	for _, w := range written {
		if w.Channel == c.channel && !w.Ended {
			w.TakenOver = true
			l.identify(c, w.Info)
			c.silence()
			return
		}
	}
	l.anew(c, args, shown)
}

// stasisArgs are the arguments the dialplan gave Stasis(), without the
// application's name.
func (ch *channelData) stasisArgs() []string {
	if !ch.inStasis() {
		return nil
	}
	args := strings.Split(ch.Dialplan.AppData, ",")
	return args[1:]
}

// inStasis says that a channel is in an application, not only rung for one.
func (ch *channelData) inStasis() bool { return ch.Dialplan.AppName == "Stasis" }

// isCall says whether a channel is a call to be led: somebody rang us, or was
// rung by us and answered.
func (ch *channelData) isCall() bool {
	if !ch.inStasis() {
		return ch.Dialplan.AppName != dialling
	}
	args := ch.stasisArgs()
	switch direction(args) {
	case incoming, comingBack:
		return true
	case outgoing:
		_, ok := parseID(args)
		return ok
	}
	return false
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
