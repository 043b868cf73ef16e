package terminal

import (
	"fmt"
	"sync/atomic"
	"time"

	"ringback/phone"
	"ringback/phone/listen"
)

// captions show what the hotline says while it says it.
type captions struct {
	screen   *screen
	somebody string           // who it is whose words are not known
	listener *listen.Listener // nil: there is nothing to compare with

	offset int
	rest   []int16 // less than a frame
	level  *phone.Level

	stretches []stretch             // of speech, not accounted for yet
	reports   map[int]listen.Report // the latest of each prompt, by number
	last      int                   // the highest number
	shown     map[int]string        // by number

	said atomic.Pointer[saying] // nil: nothing yet
}

// saying is the prompt that sounds, or sounded last.
type saying struct {
	from, to time.Duration
	over     bool
}

// stretch is a time in which somebody speaks.
type stretch struct{ from, to time.Duration }

const (
	// rests shorter than this are within a stretch.
	shortRest = 800 * time.Millisecond
	// afterwards is how long after a stretch it is settled what it was: before
	// a key is pressed that answers it.
	afterwards = 1300 * time.Millisecond
	// secondThoughts is how long a prompt sounds before it is shown: many begin
	// with the same words, and one spoken just now is known a moment later.
	secondThoughts = 1500 * time.Millisecond
	// shortest is the least length of a stretch worth a line.
	shortest = 300 * time.Millisecond
)

func newCaptions(lib *listen.Library, s *screen, somebody string) *captions {
	c := &captions{screen: s, somebody: somebody, level: phone.NewLevel(), reports: map[int]listen.Report{}, shown: map[int]string{}}
	if lib != nil {
		c.listener = listen.NewListener(lib)
	}
	return c
}

// follow shows captions until the call is over.
func (c *captions) follow(call *phone.Call) {
	if c.listener == nil {
		c.screen.note("There are no prompts to compare with: captions show only how long somebody speaks.")
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.hear(call.HeardSince(c.offset))
		case <-call.Done():
			c.hear(call.HeardSince(c.offset))
			c.finish()
			return
		}
	}
}

func (c *captions) hear(pcm []int16) {
	c.offset += len(pcm)
	if c.listener != nil {
		c.note(c.listener.Feed(pcm))
		c.caption(false)
	}
	c.measure(pcm)
	c.settle(c.now(), false)
}

func (c *captions) finish() {
	if c.listener != nil {
		c.note(c.listener.Finish())
		c.caption(true)
	}
	c.settle(c.now(), true)
}

func (c *captions) now() time.Duration {
	return time.Duration(c.offset) * time.Second / phone.Rate
}

func (c *captions) note(reports []listen.Report) {
	for _, r := range reports {
		c.reports[r.Number] = r
		c.last = max(c.last, r.Number)
	}
	for n := c.last; n > 0; n-- {
		if r := c.reports[n]; r.Name != "" {
			c.said.Store(&saying{r.At, r.At + r.Matched, r.Over})
			return
		}
	}
}

// musicAfter is how long after a prompt other sound is taken for music, to
// which a caller waits and may press a key: longer than a rest within a prompt,
// and than it takes to tell one that follows.
const musicAfter = 3 * time.Second

// musicSince says whether music sounds at a time in a call: the last prompt,
// which began after the moment, has ended a while ago.
func (c *captions) musicSince(moment, now time.Duration) bool {
	s := c.said.Load()
	return s != nil && s.over && s.from >= moment && now > s.to+musicAfter
}

// caption shows each prompt once it is sure which, and again if that was wrong.
func (c *captions) caption(all bool) {
	for n := 1; n <= c.last; n++ {
		r := c.reports[n]
		certain := r.Over || r.Sure && c.now()-r.At >= secondThoughts
		if r.Name == "" || !certain && !all || c.shown[n] == r.Text {
			continue
		}
		c.shown[n] = r.Text
		c.screen.say(r.At, "hotline", r.Text)
	}
}

// measure follows when somebody speaks.
func (c *captions) measure(pcm []int16) {
	const frame = phone.Rate / 50
	at := c.now() - time.Duration(len(pcm)+len(c.rest))*time.Second/phone.Rate
	pcm = append(c.rest, pcm...)
	for len(pcm) >= frame {
		end := at + 20*time.Millisecond
		if c.level.Speech(pcm[:frame]) {
			if n := len(c.stretches); n > 0 && at-c.stretches[n-1].to < shortRest {
				c.stretches[n-1].to = end
			} else {
				c.stretches = append(c.stretches, stretch{at, end})
			}
		}
		pcm, at = pcm[frame:], end
	}
	c.rest = append([]int16(nil), pcm...)
}

// settle shows the stretches in which no prompt was recognised.
func (c *captions) settle(now time.Duration, all bool) {
	for len(c.stretches) > 0 {
		s := c.stretches[0]
		if !all && now < s.to+afterwards {
			return
		}
		c.stretches = c.stretches[1:]
		if !c.explained(s) && s.to-s.from >= shortest {
			c.screen.say(s.from, c.somebody, fmt.Sprintf("(speech %.1f s)", (s.to-s.from).Seconds()))
		}
	}
}

// explained says whether a prompt sounded in a stretch. One that is not over
// sounds on after its rests.
func (c *captions) explained(s stretch) bool {
	for _, r := range c.reports {
		if r.Name != "" && r.At < s.to && (!r.Over || r.At+r.Matched > s.from) {
			return true
		}
	}
	return false
}
