package listen

// Clip is a prompt's audio and what it says.
type Clip struct {
	Name string   // unique in a Library
	Keys []string // of the lines it says
	Text string   // as it is written

	fine  []float32
	low   []float32 // below 850 Hz, every stride-th sample
	start int       // fine samples: where its speech begins, at a whole hop …
	end   int       // … and ends
	quiet float64   // the energy of a window below which nobody speaks

	heads []head
}

// head is half a second of a clip that is looked for.
type head struct {
	clip   *Clip
	at     int       // where it begins, in fine samples of the clip
	bands  []float32 // its bands, each free of its mean
	energy float64   // of bands
	low    []float32 // its waveform below 850 Hz, every stride-th sample
	power  float64   // of low
}

const (
	// window is the piece in which clips are compared.
	window = Rate / 10
	// headTime is the length of a head. A prompt cut short by a key may have
	// sounded for little longer.
	headTime = Rate / 2
	// headCount is how many heads a clip has, one after another from where its
	// speech begins: a burst of lost packets can hide the first.
	headCount = 3
)

// newClip returns nil where nobody speaks.
func newClip(name string, keys []string, text string, pcm []int16) *Clip {
	s := newSound()
	s.push(pcm)
	s.push(make([]int16, span)) // for the last spectrum, and the filter
	c := &Clip{Name: name, Keys: keys, Text: text, fine: s.fine, low: s.low[0].samples}
	c.trim()
	if c.end-c.start < 2*window {
		return nil
	}
	for at := c.start; at < c.end-headTime/2 || at == c.start; at += headTime {
		if len(c.heads) < headCount {
			c.addHead(s, at)
		}
	}
	return c
}

func (c *Clip) addHead(s *sound, at int) {
	h := head{clip: c, at: at}
	last := min(at+headTime, c.end)
	frames := s.bands[at/hop : last/hop]
	h.low = s.low[0].samples[at/stride : last/stride]
	var mean bands
	for _, f := range frames {
		for b, v := range f {
			mean[b] += v / float32(len(frames))
		}
	}
	for _, f := range frames {
		for b, v := range f {
			h.bands = append(h.bands, v-mean[b])
		}
	}
	h.energy, h.power = energy(h.bands), energy(h.low)
	if h.energy > 0 && h.power > 0 {
		c.heads = append(c.heads, h)
	}
}

// trim finds where the speech begins and ends, and how loud a rest may be.
func (c *Clip) trim() {
	var loud []float64
	mean := 0.0
	for i := 0; i+hop <= len(c.fine); i += hop {
		e := energy(c.fine[i : i+hop])
		loud = append(loud, e)
		mean += e
	}
	if mean == 0 {
		return
	}
	mean /= float64(len(loud))
	for i, e := range loud {
		if e < mean/50 {
			continue
		}
		if c.end == 0 {
			c.start = i * hop
		}
		c.end = (i + 1) * hop
	}
	c.quiet = mean / 50 * window / hop
}
