package e2e

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ringback/ivr/ivrtest"
	"ringback/phone"
	"ringback/phone/listen"
	"ringback/prompts"
)

// caller is somebody with a telephone who listens: every prompt is recognised
// by its audio.
type caller struct {
	t        *testing.T
	call     *phone.Call
	known    *listen.Library
	listener *listen.Listener
	fed      int             // samples
	reports  []listen.Report // the latest of each prompt, by number
	told     int             // prompts told
	queue    []ivrtest.Heard
	last     string                        // the prompt told last
	lastAt   time.Duration                 // when the last prompt told began
	began    map[prompts.Key]time.Duration // when each line told began the last time
	story    []string                      // all prompts told, with their times
}

// secondThoughts is how long a prompt sounds before its name is told: many
// begin with the same word, and the listener corrects itself.
const secondThoughts = 1500 * time.Millisecond

var lastNumber atomic.Int64

// newNumber is a telephone number no other test rings from.
func newNumber() string {
	return fmt.Sprintf("+492315%06d", time.Now().UnixNano()/1000%900_000+lastNumber.Add(1))
}

// Hear returns the next prompt that was recognised.
func (c *caller) Hear(ctx context.Context) ([]ivrtest.Heard, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if len(c.queue) > 0 {
			h := c.queue
			c.queue = nil
			return h, nil
		}
		select {
		case <-tick.C:
			c.listen()
			c.tell(false)
		case <-c.call.Done():
			c.listen()
			c.note(c.listener.Finish())
			c.tell(true)
			if len(c.queue) == 0 {
				return nil, io.EOF
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// listen takes what was received since.
func (c *caller) listen() {
	pcm := c.call.HeardSince(c.fed)
	c.fed += len(pcm)
	c.note(c.listener.Feed(pcm))
}

// note keeps the latest report of each prompt.
func (c *caller) note(reports []listen.Report) {
	for _, r := range reports {
		for len(c.reports) < r.Number {
			c.reports = append(c.reports, listen.Report{})
		}
		c.reports[r.Number-1] = r
	}
}

// tell hands out the prompts whose names will not be taken back, in the order
// in which they began; all of them when the call is over.
func (c *caller) tell(all bool) {
	now := time.Duration(c.fed) * time.Second / listen.Rate
	for ; c.told < len(c.reports); c.told++ {
		r := c.reports[c.told]
		if !all && !r.Over && (!r.Sure || now-r.At < secondThoughts) {
			return
		}
		if r.Name == "" || r.Name == c.last {
			continue // nothing after all; or the same one, after a gap in the sound: one said again is slower
		}
		c.last = r.Name
		c.lastAt = r.At
		c.story = append(c.story, fmt.Sprintf("%.1fs %v", r.At.Seconds(), r.Keys))
		for _, k := range r.Keys {
			c.queue = append(c.queue, ivrtest.Heard{Key: prompts.Key(k), Text: r.Text})
			c.began[prompts.Key(k)] = r.At
		}
	}
}

func (c *caller) Press(ctx context.Context, keys string) error { return c.call.Press(ctx, keys) }

// Speak hums for two seconds: a name as far as a recorder can tell.
func (c *caller) Speak(ctx context.Context) error {
	pcm := make([]int16, 2*8000)
	for i := range pcm {
		pcm[i] = int16(8000 * math.Sin(2*math.Pi*220*float64(i)/8000) * math.Abs(math.Sin(2*math.Pi*3*float64(i)/8000)))
	}
	return c.call.Speak(ctx, pcm)
}

func (c *caller) HangUp(ctx context.Context) error { return c.call.HangUp(ctx) }

// follow acts a script out and fails the test where the call went another way.
func (c *caller) follow(s ivrtest.Script) {
	c.t.Helper()
	if err := c.perform(s); err != nil {
		c.t.Errorf("%v\n%s", err, c.recording())
	}
}

// recording tells what is heard in the whole call afterwards: a prompt that
// stands here and was missed was not heard in time, others were not said so.
func (c *caller) recording() string {
	var all []string
	for _, h := range c.known.Recognise(c.call.Heard()) {
		all = append(all, fmt.Sprintf("%.1fs %v of which %.0f%%", h.At.Seconds(), h.Keys, 100*h.Share))
	}
	return fmt.Sprintf("heard in the call: %s\nheard in its recording: %s", strings.Join(c.story, ", "), strings.Join(all, ", "))
}

func (c *caller) perform(s ivrtest.Script) error {
	// Words depend on the day: real calls compare the lines only.
	for i := range s.Steps {
		s.Steps[i].Words = ""
	}
	ctx, cancel := context.WithTimeout(c.t.Context(), 6*time.Minute)
	defer cancel()
	return ivrtest.Perform(ctx, s, c)
}

// expect listens until a line is heard.
func (c *caller) expect(ctx context.Context, line prompts.Key) {
	c.t.Helper()
	c.expectOne(ctx, line)
}

// expectOne listens until one of some lines is heard.
func (c *caller) expectOne(ctx context.Context, lines ...prompts.Key) {
	c.t.Helper()
	for {
		heard, err := c.Hear(ctx)
		if err != nil {
			c.t.Fatalf("waiting for %v: %v after %.1f s\n%s", lines, err, c.call.Elapsed().Seconds(), c.recording())
		}
		for i, h := range heard {
			if slices.Contains(lines, h.Key) {
				c.queue = append(heard[i+1:], c.queue...)
				return
			}
		}
	}
}

// turn is a line that is heard, and what is pressed then.
type turn struct {
	line prompts.Key
	keys string
}

// toConfirm are the turns of a caller who takes the first time that is offered,
// up to the question whether it is to be booked.
var toConfirm = []turn{
	{"welcome.language", "1"}, {"main.menu", "1"}, {"born.ask", ivrtest.Born}, {"born.read", "1"},
	{"postcode.ask", ivrtest.Postcode}, {"postcode.read", "1"}, {"choose.offer", "1"}, {"confirm.ask", ""},
}

// converse takes its turns.
func (c *caller) converse(ctx context.Context, turns ...turn) {
	c.t.Helper()
	for _, turn := range turns {
		c.expect(ctx, turn.line)
		if turn.keys == "" {
			continue
		}
		if err := c.Press(ctx, turn.keys); err != nil {
			c.t.Fatalf("press at %s: %v", turn.line, err)
		}
	}
}

// heard is the time at which a line began the last time, and whether it did.
func (c *caller) heard(line prompts.Key) (at time.Time, ok bool) {
	began, ok := c.began[line]
	return c.call.Dialled().Add(began), ok
}

// scripts are the transcripts of the dialogues' own tests.
func scripts(t *testing.T) []ivrtest.Script {
	t.Helper()
	all, err := ivrtest.Scripts(os.DirFS("../ivr/testdata"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// script is one of them.
func script(t *testing.T, name string) ivrtest.Script {
	t.Helper()
	for _, s := range scripts(t) {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no transcript %s", name)
	panic("unreachable")
}
