package asterisk

import (
	"context"

	"ringback/ivr"
)

// Calls returns the calls that run.
func (l *Line) Calls() []ivr.Info {
	l.mu.Lock()
	defer l.mu.Unlock()
	infos := make([]ivr.Info, 0, len(l.running))
	for _, i := range l.running {
		infos = append(infos, i)
	}
	return infos
}

// Wait returns nil as soon as no call runs, or the cause of ctx's end.
func (l *Line) Wait(ctx context.Context) error {
	l.mu.Lock()
	idle := l.idle
	l.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *Line) all() []*call {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]*call, 0, len(l.running))
	for c := range l.running {
		all = append(all, c)
	}
	return all
}

func (l *Line) nodeName() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.node
}

// on returns the call on a channel, or nil.
func (l *Line) on(channel string) *call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.channels[channel]
}

// InUse is how many lines are in use: channels of callers and calls out, those
// that are being rung included, and how many of those are calls out. Telephones
// of agents are not counted.
func (l *Line) InUse() (total, out int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.channels) + l.dialling, l.outgoing + l.dialling
}

// entry is what became of a call that was to be entered in the books.
type entry int

const (
	entryMade    entry = iota
	entryRefused       // no more calls are taken
	entryKnown         // the channel's call is in the books already
)

// add enters a call in the books. Unless it is known, what that counts for
// goroutines must be given back.
//
// A channel may be found by asking for channels before its StasisStart is read,
// or just after, or when its call is over: the first of the two counts.
func (l *Line) add(c *call) entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if there := l.channels[c.channel]; there != nil && (c.adopted.Load() || there.adopted.CompareAndSwap(true, false)) {
		return entryKnown
	}
	if c.adopted.Load() && l.told[c.channel] || !c.adopted.Load() && l.over[c.channel] && !c.again {
		return entryKnown
	}
	if l.told != nil {
		l.told[c.channel] = true
	}
	l.goroutines.Add(1)
	// Whom we rang ourselves is not turned away.
	if l.draining && !c.out {
		return entryRefused
	}
	if len(l.running) == 0 {
		l.idle = make(chan struct{})
	}
	l.running[c] = c.info
	l.unseat(c.channel)
	l.channels[c.channel] = c
	if c.out {
		l.outgoing++
		// What was a telephone that rings is a call from now on.
		delete(l.telephones, c.channel)
		l.countTelephones()
	}
	l.metrics.running.Set(float64(len(l.running)))
	return entryMade
}

// ask notes, until asked, which channels' calls are entered in the books.
func (l *Line) ask() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = make(map[string]bool)
	l.over = make(map[string]bool)
}

func (l *Line) asked() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = nil
}

// identify says which call it is. Only the call's own goroutine reads c.info.
func (l *Line) identify(c *call, i ivr.Info) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.info = i
	if _, runs := l.running[c]; runs {
		l.running[c] = i
	}
}

// unseat takes whatever call is on a channel off it, and returns it, or nil. It
// is called with l.mu held.
func (l *Line) unseat(channel string) *call {
	c := l.channels[channel]
	if c != nil && c.out {
		l.outgoing--
	}
	delete(l.channels, channel)
	return c
}

// forget takes a call off its channel, which is about to come again.
func (l *Line) forget(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.channels[c.channel] == c {
		l.unseat(c.channel)
	}
}

func (l *Line) remove(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.running, c)
	if l.channels[c.channel] == c {
		l.unseat(c.channel)
	}
	if c.adopted.Load() && l.over != nil {
		l.over[c.channel] = true
	}
	if len(l.running) == 0 {
		close(l.idle)
	}
	l.metrics.running.Set(float64(len(l.running)))
}
