package listen

import "time"

// Report is what a Listener has to say about one prompt. It speaks up once the
// prompt is known, again whenever it knows better, and last when it is over.
type Report struct {
	Number int  // of the prompt in the call, from 1
	Heard       // with an empty Name: it was none of the prompts after all
	Sure   bool // no prompt with another text fits as well so far
	Over   bool // it ended, or was cut short; nothing follows
}

// Listener recognises prompts while they sound. One goroutine uses it.
type Listener struct {
	lib       *Library
	engine    *engine
	pending   []int16
	clips     []*Clip
	refreshed time.Duration
	told      []Report
}

const (
	// attention is how often a Listener thinks, in what it hears.
	attention = Rate / 5
	// lookBack is how far a clip that was made only now may have begun before.
	lookBack = 8 * time.Second
	// patience is how long a prompt sounds at most before it is named though
	// another begins alike.
	patience = 1100 * time.Millisecond
)

// NewListener listens for the prompts of the library, also for those that are
// put into its folder later.
func NewListener(lib *Library) *Listener {
	return &Listener{lib: lib, engine: newEngine(), clips: lib.snapshot()}
}

// Feed takes the next piece of a call, of any length.
func (l *Listener) Feed(pcm []int16) []Report {
	l.pending = append(l.pending, pcm...)
	var out []Report
	for len(l.pending) >= attention {
		l.refresh()
		l.engine.feed(l.pending[:attention], l.clips)
		l.pending = l.pending[attention:]
		out = append(out, l.report(false)...)
	}
	return out
}

// Finish says what is still to be said when the call is over.
func (l *Listener) Finish() []Report {
	l.engine.feed(l.pending, l.clips)
	l.pending = nil
	l.engine.finish(l.clips)
	return l.report(true)
}

func (l *Listener) now() time.Duration { return duration(len(l.engine.sound.fine)) }

// refresh looks for new clips twice a second, and for what they explain of
// what was heard already.
func (l *Listener) refresh() {
	if l.now()-l.refreshed < 500*time.Millisecond {
		return
	}
	l.refreshed = l.now()
	// A folder that cannot be read any more, as when the demo has stopped,
	// adds nothing; what is known is still recognised.
	_ = l.lib.Refresh()
	all := l.lib.snapshot()
	fresh := all[len(l.clips):]
	l.clips = all
	if len(fresh) > 0 {
		from := max(0, l.engine.looked-int(lookBack*Rate/time.Second)/hop)
		l.engine.search(from, fresh)
		l.engine.advance()
	}
}

// report compares what is believed now with what was told.
func (l *Listener) report(last bool) []Report {
	var out []Report
	tell := func(r Report) {
		if r.Number > len(l.told) {
			l.told = append(l.told, r)
		}
		l.told[r.Number-1] = r
		out = append(out, r)
	}
	present := map[int]bool{}
	for _, p := range l.engine.choose() {
		r := Report{Number: len(l.told) + 1, Heard: p.heard(), Sure: p.sure}
		settled := r.Share > 0.95 || len(l.engine.sound.fine) >= p.ends()+verdict
		r.Over = last || p.over && settled
		for _, t := range l.told {
			takenBack := t.Name == "" // and nothing follows
			if d := t.At - r.At; !takenBack && d < duration(near) && d > -duration(near) {
				r.Number = t.Number
			}
		}
		present[r.Number] = true
		if r.Number > len(l.told) {
			if r.Sure && r.Matched >= duration(leastAgreed*window) || r.Over || r.Matched >= patience {
				tell(r)
			}
			continue
		}
		t := l.told[r.Number-1]
		if t.Name != r.Name || !t.Sure && r.Sure || !t.Over && r.Over {
			tell(r)
		}
	}
	for _, t := range l.told {
		if !present[t.Number] && t.Name != "" && !t.Over {
			tell(Report{Number: t.Number, Heard: Heard{At: t.At}, Over: true})
		}
	}
	return out
}
