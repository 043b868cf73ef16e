package dispatch_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"ringback/asterisk/aritest"
	"ringback/e164"
	"ringback/prompts"
)

// manner is what somebody who rings does.
type manner string

const (
	books     manner = "books"      // alone, by the keys
	waits     manner = "waits"      // wants a person, and waits for ever
	goes      manner = "goes"       // wants a person, and hangs up after a while
	wantsBack manner = "wants back" // wants a person, and would rather be rung
	silent    manner = "silent"     // says nothing and presses nothing
)

// person is somebody who rings the hotline, once, and may be rung back.
type person struct {
	index    int
	number   e164.Number
	hides    bool // shows no number
	language prompts.Language
	manner   manner
	topic    byte          // the key of the main menu before 0
	rings    time.Duration // after the doors have opened
	patience time.Duration // until they hang up; 0: for ever

	mu     sync.Mutex
	random *rand.Rand
	life   []string // what befell them, in that order
	heard  int      // prompts, in their own call
	left   bool     // they hung up
	ended  string   // the reason of the hotline's hanging up
	up     bool     // their call was answered
	lost   string   // what must not happen; empty: it did not
	taken  bool     // registered, with no line
	booked bool     // an appointment
	talked bool     // with an agent
	rung   int      // how often they were rung back
}

// chance are the chances of one thing that happens in a rush, the same for the
// same seed.
func chance(seed uint64, what ...any) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, what...)
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// own is a part of a millisecond that belongs to one person or agent. All other
// times are whole milliseconds, so that what two of them do hardly ever happens at
// the same moment, of which nobody knew which came first.
func own(index int) time.Duration { return time.Duration(index+1) * 50 * time.Nanosecond }

// between is a time between two others, in whole milliseconds.
func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64((most-least)/time.Millisecond)))*time.Millisecond
}

// people are who rings in a rush of that length.
func people(seed uint64, n int, lasts time.Duration) []*person {
	all := make([]*person, n)
	for i := range all {
		r := chance(seed, "person", i)
		p := &person{
			index: i, number: e164.Number(fmt.Sprintf("+492315%06d", i)), random: r,
			language: prompts.German, topic: "012"[r.IntN(3)], hides: r.IntN(40) == 0,
			rings: between(r, 0, lasts) + own(i),
		}
		if r.IntN(8) == 0 {
			p.language = prompts.English
		}
		switch d := r.IntN(20); {
		case d < 7:
			p.manner = books
		case d < 11:
			p.manner = waits
		case d < 14:
			p.manner, p.patience = goes, between(r, 15*time.Second, 3*time.Minute)
		case d < 18:
			p.manner = wantsBack
		default:
			p.manner = silent
		}
		all[i] = p
	}
	return all
}

// notes notes what befell somebody.
func (p *person) notes(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.life = append(p.life, fmt.Sprintf(format, args...))
}

// pause lets the person think.
func (p *person) pause(least, most time.Duration) {
	p.mu.Lock()
	d := between(p.random, least, most)
	p.mu.Unlock()
	time.Sleep(d)
}

// holds is the person's end of a call, until it is over. Of two calls at the same
// time there are none: who is rung back does not ring.
func (p *person) holds(ctx context.Context, c *aritest.Caller, answers func(prompts.Key) string) {
	for {
		media, err := c.WaitPlaying(ctx)
		if err != nil {
			return
		}
		keys := answers(lineOf(media))
		for i := range keys {
			if i == 0 {
				p.pause(time.Second, 4*time.Second)
			} else {
				p.pause(200*time.Millisecond, 600*time.Millisecond)
			}
			c.Press(keys[i])
		}
	}
}

// calls is the call of somebody who rings.
func (p *person) calls(ctx context.Context, c *aritest.Caller) {
	if p.patience > 0 {
		t := time.AfterFunc(p.patience, func() {
			if c.TalksWith() == nil {
				p.mu.Lock()
				p.left = true
				p.mu.Unlock()
				c.HangUp()
			}
		})
		defer t.Stop()
	}
	p.holds(ctx, c, p.answers)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard, p.up = len(c.Heard()), c.Answered()
	select {
	case <-c.Done():
		p.ended = c.EndedFor()
	case <-c.SentOn():
		p.lost = "was sent on, to where no controller is"
	default:
		p.lost = "is still on the line"
	}
}

// answers are the keys that the person presses after a line.
func (p *person) answers(line prompts.Key) string {
	if p.manner == silent {
		return ""
	}
	switch {
	case line == "welcome.language" && p.language == prompts.English:
		return "2"
	case line == "welcome.language":
		return "1"
	case line == prompts.MainMenu.Key && p.manner == books:
		return "1"
	case line == prompts.MainMenu.Key:
		return string(p.topic)
	case line == prompts.AskBorn.Key && p.manner == books:
		return "24121935"
	case line == prompts.AskPostcode.Key && p.manner == books:
		return "44137"
	case line == prompts.AskBorn.Key:
		return "0"
	case line == prompts.OfferCallback.Key && p.manner == wantsBack:
		return "1"
	case line == prompts.AskNumber.Key:
		return strings.Replace(string(p.number), "+49", "0", 1)
	case line == "born.read", line == "postcode.read", line == "choose.offer", line == "confirm.ask",
		line == prompts.ReadyForCode.Key, strings.HasPrefix(string(line), "person.promise"):
		return "1"
	}
	return ""
}

// isRung is a call to the person. Not always is anybody there.
func (p *person) isRung(ctx context.Context, seed uint64, c *aritest.Caller) {
	p.mu.Lock()
	p.rung++
	r := chance(seed, "rung", p.index, p.rung)
	p.mu.Unlock()
	p.notes("is rung at %s", clock(time.Now()))
	key := ""
	switch d := r.IntN(20); {
	case d < 12:
		key = "1"
	case d < 13:
		key = "2" // another time
	case d < 14: // a voice mailbox
	case d < 17:
		time.Sleep(between(r, time.Second, 3*time.Second) + own(p.index))
		c.Refuse(486)
		return
	default:
		return // nobody is there
	}
	time.Sleep(between(r, 2*time.Second, 15*time.Second) + own(p.index))
	if !c.PickUp() {
		return
	}
	p.holds(ctx, c, func(line prompts.Key) string {
		switch {
		case line == prompts.RungAsk.Key:
			return key
		case key == "2" && strings.HasPrefix(string(line), "person."):
			return p.answers(line)
		case p.manner == books:
			return p.answers(line)
		case line == prompts.MainMenu.Key: // the others want a person still
			return "0"
		}
		return ""
	})
}

// telephone is an agent's.
type telephone struct {
	name string
	own  time.Duration

	mu   sync.Mutex
	rung int
}

// rings is a call to the agent, who nearly always answers, talks for a while and
// hangs up. Talked is told who with, and when.
func (a *telephone) rings(ctx context.Context, seed uint64, c *aritest.Caller, talked func(channel string, from, to time.Time)) {
	a.mu.Lock()
	a.rung++
	r := chance(seed, a.name, a.rung)
	a.mu.Unlock()
	if r.IntN(40) == 0 {
		return // is not there
	}
	time.Sleep(between(r, time.Second, 5*time.Second) + a.own)
	if !c.PickUp() {
		return
	}
	other, err := c.WaitTalk(ctx)
	if err != nil {
		return // the caller was faster
	}
	from := time.Now()
	time.Sleep(between(r, 10*time.Second, 50*time.Second))
	c.HangUp()
	talked(other.Channel(), from, time.Now())
}

// mediaOf is what is played for lines, and lineOf the last of them.
func mediaOf(lines []prompts.Line) string { return "/prompts/" + string(lines[len(lines)-1].Key) }

func lineOf(media string) prompts.Key { return prompts.Key(media[strings.LastIndex(media, "/")+1:]) }

// lengthOf is how long what is played sounds.
func lengthOf(media string) time.Duration {
	return between(chance(0, lineOf(media)), 1500*time.Millisecond, 4*time.Second)
}
