package listen

import "math"

// track is the supposition that a clip began at a place, and how well what was
// heard bears it out, window by window.
type track struct {
	clip *Clip
	head int // the sample of the clip where the head stands that was found
	at   int // where sample 0 of the clip would stand, in samples heard

	from    int // sample of the clip where it is followed from: its beginning, or its head
	next    int // the next window, a sample of the clip
	over    bool
	agreed  int    // windows of speech that match
	differs int    // windows of speech that do not, before the last that does
	reached int    // sample of the clip where the last window ended that matches
	wrong   int    // windows since then that differ
	lost    int    // windows since then in which nothing was heard
	again   int    // windows since the last that differs, which match
	slipped int    // by how many samples at is later than it was supposed at first
	slips   int    // how often it was corrected
	before  *track // as it was before the last slip

	cross, heard, own    float64 // sums up to reached
	crossN, heardN, ownN float64 // sums since
}

const (
	// alike is the least correlation of a window that matches.
	alike = 0.6
	// nothing is the energy of a window in which no packet came, or silence.
	nothing = window * 8 * 8
	// A clip has ended when this many windows in a row differ, or are empty.
	// A burst of lost packets is shorter.
	wrongAtEnd = 3
	lostAtEnd  = 6
)

// newTrack supposes that a head of a clip stands at a place. It returns nil
// where the clip would have begun before anything was heard.
func newTrack(h *head, at int) *track {
	t := &track{clip: h.clip, head: h.at, at: at - h.at}
	t.from, t.next, t.reached = h.clip.start, h.clip.start, h.clip.start
	if t.begins() < 0 {
		return nil
	}
	return t
}

// advance compares what has come in since.
func (t *track) advance(s *sound) {
	c := t.clip
	for !t.over {
		if t.broken() {
			if !t.resume(s) {
				return
			}
			continue
		}
		if t.next >= c.end {
			t.over = true
			return
		}
		n := min(window, c.end-t.next)
		if t.at+t.next+n > len(s.fine) {
			return
		}
		own := c.fine[t.next : t.next+n]
		heard := s.fine[t.at+t.next : t.at+t.next+n]
		t.compare(own, heard)
		t.next += n
	}
}

// broken says whether the clip no longer fits.
func (t *track) broken() bool { return t.wrong >= wrongAtEnd || t.lost >= lostAtEnd }

const (
	// A busy exchange stops in the middle of a prompt and goes on later, by
	// slipOn at most, or leaves out slipBack at most.
	slipOn   = Rate * 6 / 10
	slipBack = Rate * 3 / 10
	// mostSlips are followed in one prompt.
	mostSlips = 5
	// slipCost is what each takes from how well a clip fits in comparison: of
	// two that are alike, the one is meant that fits without.
	slipCost = 0.1
)

// resume looks for where a clip that was followed and no longer fits goes on,
// earlier or later, and settles that it is over where it does not. It returns
// false while too little was heard to say.
func (t *track) resume(s *sound) bool {
	c := t.clip
	if t.before != nil && t.agreed < t.before.agreed+leastAgreed {
		*t = *t.before // what was heard there was something else
		t.over = true
		return true
	}
	if t.agreed < 2 && t.reached < t.head && t.slips == 0 {
		// It stumbled before the head that was found.
		t.from, t.next, t.reached, t.slips = t.head, t.head, t.head, 1
		t.wrong, t.lost, t.again = 0, 0, 0
		return true
	}
	// What comes soon after the break, or the last of it.
	from := max(t.reached, min(t.reached+2*window, c.end-headTime))
	from -= from % stride
	to := min(from+headTime, c.end)
	if t.agreed < 2 || t.slips == mostSlips || to-from < 2*window {
		t.over = true
		return true
	}
	if t.at+to+slipOn+stride > len(s.fine) {
		return false
	}
	h := head{clip: c, at: from, low: c.low[from/stride : to/stride]}
	h.power = energy(h.low)
	at, found := s.align(&h, t.at+from, slipBack, slipOn)
	own := c.fine[from:to]
	if !found || at < t.ends()-slipBack || dot(own, s.fine[at:]) < alike*math.Sqrt(energy(own)*energy(s.fine[at:at+len(own)])) {
		t.over = true
		return true
	}
	before := *t
	t.before = &before
	slip := at - from - t.at
	t.at += slip
	t.slipped += slip
	t.slips++
	t.next = from
	t.wrong, t.lost, t.again = 0, 0, 0
	t.crossN, t.heardN, t.ownN = 0, 0, 0
	return true
}

func (t *track) compare(own, heard []float32) {
	// Where no packet came, nothing is compared.
	var x, eo, eh float64
	came := 0
	for i, h := range heard {
		if h != 0 {
			o := float64(own[i])
			x += o * float64(h)
			eo += o * o
			eh += float64(h) * float64(h)
			came++
		}
	}
	part := float64(came) / window
	switch {
	case energy(own) < t.clip.quiet*float64(len(own))/window:
		// A rest says little: it fits unless somebody speaks in it.
		if t.own > 0 && eh > 10*t.clip.quiet*part*t.heard/t.own {
			t.wrong++
			t.again = 0
		}
	case came < len(own)/4 || eh < nothing*part:
		t.lost++
	default:
		t.crossN, t.heardN, t.ownN = t.crossN+x, t.heardN+eh, t.ownN+eo
		if x < alike*math.Sqrt(eo*eh) {
			t.wrong++
			t.again = 0
			break
		}
		// One window may match by chance: who says the same vowel goes on.
		if t.again++; t.wrong > 0 && t.again < 2 {
			break
		}
		t.agreed += t.again
		t.differs += t.wrong
		t.reached = t.next + len(own)
		t.wrong, t.lost, t.again = 0, 0, 0
		t.cross, t.heard, t.own = t.cross+t.crossN, t.heard+t.heardN, t.own+t.ownN
		t.crossN, t.heardN, t.ownN = 0, 0, 0
	}
}

// score is the normalised correlation of all that matched, 0 to 1.
func (t *track) score() float64 {
	if t.heard == 0 || t.own == 0 {
		return 0
	}
	return max(0, t.cross/math.Sqrt(t.heard*t.own))
}

// fit is the score in comparison with other clips.
func (t *track) fit() float64 { return t.score() - slipCost*float64(t.slips) }

// begins and ends are where the clip's speech was heard.
func (t *track) begins() int { return t.at - t.slipped + t.from }
func (t *track) ends() int   { return t.at + t.reached }

// share is how much of the clip's speech was heard, 0 to 1.
func (t *track) share() float64 {
	return float64(t.reached-t.from) / float64(t.clip.end-t.clip.start)
}
