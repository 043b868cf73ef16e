package listen

import (
	"cmp"
	"slices"
	"time"
)

// Heard is a prompt that was recognised.
type Heard struct {
	Name    string
	Keys    []string
	Text    string
	At      time.Duration // when its speech began, in what was heard
	Matched time.Duration // how long it was followed
	Share   float64       // of its speech, 0 to 1: less if it was cut short
	Score   float64       // normalised correlation of what matched, 0 to 1
	// Also names clips that fit as well: what was heard of them is the same.
	Also []string
}

// Recognise says which prompts of the library sound in 8 kHz audio, in the
// order in which they began.
func (l *Library) Recognise(pcm []int16) []Heard {
	e := newEngine()
	e.feed(pcm, l.snapshot())
	e.finish(l.snapshot())
	var out []Heard
	for _, p := range e.choose() {
		out = append(out, p.heard())
	}
	return out
}

// engine follows every supposition while audio comes in.
type engine struct {
	sound  *sound
	looked int // frames searched
	tracks []*track
	ended  bool
}

func newEngine() *engine { return &engine{sound: newSound()} }

func (e *engine) feed(pcm []int16, clips []*Clip) {
	e.sound.push(pcm)
	e.looked = e.search(e.looked, clips)
	e.advance()
}

// same is how far two places of a clip may lie apart that are one. A voice
// repeats itself with its pitch, some 5 ms, so a head may be found a period
// away from where it is; that must not keep another head from the right place.
const same = Rate / 1000

// search looks for clips from a frame on.
func (e *engine) search(from int, clips []*Clip) int {
	return e.sound.search(from, clips, func(h *head, at int) {
		t := newTrack(h, at)
		if t == nil {
			return
		}
		known := slices.ContainsFunc(e.tracks, func(o *track) bool {
			return o.clip == h.clip && o.at-t.at <= same && t.at-o.at <= same
		})
		if !known {
			e.tracks = append(e.tracks, t)
		}
	})
}

func (e *engine) advance() {
	e.tracks = slices.DeleteFunc(e.tracks, func(t *track) bool {
		t.advance(e.sound)
		return t.over && !t.holds()
	})
}

// finish compares to the end, as if silence followed.
func (e *engine) finish(clips []*Clip) {
	e.sound.push(make([]int16, Rate))
	e.search(e.looked, clips)
	e.advance()
	e.ended = true
	for _, t := range e.tracks {
		t.over = true
	}
}

const (
	// believed is the least score of a prompt that is recognised.
	believed = 0.75
	// leastAgreed is how many windows of speech must match, and fewer only of
	// a clip that has no more.
	leastAgreed = 4
	// verdict is how long after a clip no longer fits it is settled why.
	verdict = Rate * 16 / 10
	// near is how far two beginnings or ends of the same sound may lie apart.
	near = window + window/2
)

// holds says whether what was heard bears the supposition out.
func (t *track) holds() bool {
	enough := t.agreed >= leastAgreed || t.share() > 0.8 && t.agreed >= 2
	return enough && t.differs*3 <= t.agreed && t.fit() >= believed
}

// pick is the track believed for a stretch, and its rivals.
type pick struct {
	*track
	also []*track
	sure bool // no other text fits as well
}

// choose picks for each stretch the clip that explains most of it.
func (e *engine) choose() []pick {
	var held []*track
	for _, t := range e.tracks {
		if t.holds() {
			held = append(held, t)
		}
	}
	// What explains most comes first; of clips that explain the same, the one
	// that was heard whole, then the one that fits better.
	slices.SortFunc(held, func(a, b *track) int {
		if d := a.reached - a.from - (b.reached - b.from); d > near || d < -near {
			return -d
		}
		if d := a.share() - b.share(); d > 0.05 || d < -0.05 {
			return cmp.Compare(b.share(), a.share())
		}
		if d := cmp.Compare(b.fit(), a.fit()); d != 0 {
			return d
		}
		return cmp.Compare(a.clip.Name, b.clip.Name)
	})
	var picks []pick
	for _, t := range held {
		i := slices.IndexFunc(picks, func(p pick) bool { return overlap(p.track, t) > near })
		if i < 0 {
			picks = append(picks, pick{track: t, sure: true})
			continue
		}
		p := &picks[i]
		if d := t.begins() - p.begins(); d > near || d < -near || p.ends()-t.ends() > near || t.fit() < p.fit()-0.05 {
			continue
		}
		p.also = append(p.also, t)
		if t.clip.Text != p.clip.Text && (!t.over || p.share() < 0.95) {
			p.sure = false
		}
	}
	slices.SortFunc(picks, func(a, b pick) int { return cmp.Compare(a.begins(), b.begins()) })
	return slices.DeleteFunc(picks, func(p pick) bool { return e.goesOn(p, picks) })
}

// overlap is for how long two tracks explain the same sound.
func overlap(a, b *track) int { return min(a.ends(), b.ends()) - max(a.begins(), b.begins()) }

// goesOn says whether speech goes on, unexplained and without a rest, where
// the clip no longer fits: then another sentence was said which begins alike.
// A prompt cut short by a key is followed by silence or by another prompt.
func (e *engine) goesOn(p pick, picks []pick) bool {
	if !p.over || p.clip.end-p.reached < near {
		return false
	}
	if !e.ended && len(e.sound.fine) < p.ends()+verdict {
		return false // what follows may be recognised yet
	}
	if slices.ContainsFunc(picks, func(o pick) bool {
		d := o.begins() - p.ends()
		return o.track != p.track && d > -near && d < Rate*4/5
	}) {
		return false
	}
	// The window in which it was cut is half and half, so it is left out.
	speaks := 0
	for k := 1; k <= 6; k++ {
		from := p.ends() + k*window
		if from+window > len(e.sound.fine) {
			break
		}
		if energy(e.sound.fine[from:from+window]) > p.clip.quiet*p.track.heard/p.own {
			speaks++
		}
	}
	return speaks >= 2
}

func (p pick) heard() Heard {
	h := Heard{
		Name: p.clip.Name, Keys: p.clip.Keys, Text: p.clip.Text,
		At: duration(p.begins()), Matched: duration(p.ends() - p.begins()),
		Share: p.share(), Score: p.score(),
	}
	for _, t := range p.also {
		h.Also = append(h.Also, t.clip.Name)
	}
	return h
}

func duration(samples int) time.Duration { return time.Duration(samples) * time.Second / Rate }
