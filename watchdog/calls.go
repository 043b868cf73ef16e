package watchdog

import (
	"context"
	"time"
)

// watchCalls sends the calls to the fallback while no controller leads them,
// until ctx ends. Whether one does is asked of Asterisk and not of the
// controller's pages, because a healthy controller must never lose a call to
// this: one that leads calls says so there, wherever its pages are.
func (w *Watchdog) watchCalls(ctx context.Context) {
	tick := time.NewTicker(w.options.Interval)
	defer tick.Stop()
	quiet := newSilence(w.options.Interval)
	last, gone, away := "", false, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		presence, err := w.options.Exchange.Presence(ctx)
		if err != nil {
			// Who cannot be asked cannot be told to send calls on either, and
			// no controller could have given a sign.
			quiet.sign()
			if ctx.Err() == nil && !away {
				w.log.Warn("Asterisk does not answer", "err", err)
			}
			away = true
			continue
		}
		away = false
		if presence != last {
			if gone && presence != "" { // an Asterisk that was started anew knows of none
				w.log.Info("a controller is there again")
			}
			last, gone = presence, false
			quiet.sign()
		}
		if quiet.lasts() < w.options.Fallback {
			continue
		}
		if !gone {
			gone = true
			w.log.Error("no controller leads the calls; they are sent to the fallback", "for", w.options.Fallback)
		}
		sent, err := w.options.Exchange.SendOn(ctx, presence)
		if err != nil && ctx.Err() == nil {
			w.log.Warn("send calls to the fallback", "err", err)
		}
		if sent > 0 {
			w.log.Info("calls were sent to the fallback", "calls", sent)
		}
	}
}
