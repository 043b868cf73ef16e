package listen

import "math"

// A clip is looked for in two steps. The first compares how loud each band of
// frequencies is over half a second, which is quick and knows no phase; what
// passes is compared by its waveform. Both are normalised correlations.
const (
	similar    = 0.68 // the least of the first step
	worthALook = 0.4  // the least of the second
	// faint is the mean square of the low frequencies below which nobody speaks.
	faint = 8 * 8
)

// search looks for clips at each place from frame on where a whole head fits.
// It reports the sample at which the head begins, and returns the frame where
// to look next.
func (s *sound) search(from int, clips []*Clip, found func(h *head, at int)) int {
	const frames = headTime / hop
	places := len(s.bands) - frames + 1 - from
	if places <= 0 {
		return from
	}
	flat := make([]float32, 0, (places+frames)*len(bands{}))
	for _, f := range s.bands[from:] {
		flat = append(flat, f[:]...)
	}
	spreads := map[int][]float64{} // by length of the head
	for _, c := range clips {
		for i := range c.heads {
			h := &c.heads[i]
			n := len(h.bands) / len(bands{})
			if spreads[n] == nil {
				spreads[n] = spread(s.bands[from:], n)
			}
			h.find(flat, spreads[n][:places], func(place int) {
				if at, ok := s.align(h, (from+place)*hop, hop, hop); ok {
					found(h, at)
				}
			})
		}
	}
	return from + places
}

// find reports the places at which the head's bands stand out.
func (h *head) find(flat []float32, spread []float64, found func(place int)) {
	best, bestAt := 0.0, -1
	for i, e := range spread {
		if e == 0 {
			continue
		}
		r := dot(h.bands, flat[i*len(bands{}):])
		if r <= 0 || r*r < similar*similar*e*h.energy {
			continue
		}
		if bestAt >= 0 && i-bestAt > 2 {
			found(bestAt)
			best, bestAt = 0, -1
		}
		if r /= math.Sqrt(e); r > best {
			best, bestAt = r, i
		}
	}
	if bestAt >= 0 {
		found(bestAt)
	}
}

// spread is, for each place, the energy of n frames about the mean of each band.
func spread(frames []bands, n int) []float64 {
	var sum, square [len(bands{})]float64
	out := make([]float64, 0, len(frames))
	for i, f := range frames {
		for b, v := range f {
			sum[b] += float64(v)
			square[b] += float64(v) * float64(v)
			if i >= n {
				old := float64(frames[i-n][b])
				sum[b] -= old
				square[b] -= old * old
			}
		}
		if i < n-1 {
			continue
		}
		e := 0.0
		for b := range sum {
			e += max(0, square[b]-sum[b]*sum[b]/float64(n))
		}
		out = append(out, e)
	}
	return out
}

// align finds where in the neighbourhood of a sample the head's waveform fits
// best. A voice repeats itself with its pitch, so that places a period apart
// look alike at low frequencies: each is tried exactly.
func (s *sound) align(h *head, at, before, after int) (best int, ok bool) {
	const step = stride / 2
	first := max(0, (at-before)/step)
	var fits []float64
	highest := worthALook
	for n := first; n <= (at+after)/step; n++ {
		low, at := &s.low[n%2], n/2
		end := at + len(h.low)
		if end >= len(low.samples) {
			break
		}
		x, e := dot(h.low, low.samples[at:]), low.sums[end]-low.sums[at]
		r := 0.0
		if x > 0 && e > faint*float64(len(h.low)) {
			r = x / math.Sqrt(e*h.power)
		}
		fits = append(fits, r)
		highest = max(highest, r)
	}
	most := 0.0
	for i := 1; i < len(fits)-1; i++ {
		if fits[i] < 0.8*highest || fits[i] < fits[i-1] || fits[i] < fits[i+1] {
			continue
		}
		if r, at := s.fit(h, (first+i)*step); r > most {
			most, best, ok = r, at, true
		}
	}
	return best, ok
}

// fit finds the sample near at where the head fits best.
func (s *sound) fit(h *head, at int) (best float64, bestAt int) {
	const reach = 4
	own := h.clip.fine[h.at:min(h.at+headTime, h.clip.end)]
	for i := max(0, at-reach); i <= at+reach && i+len(own) <= len(s.fine); i++ {
		if r := dot(own, s.fine[i:]); r > best {
			best, bestAt = r, i
		}
	}
	return best, bestAt
}
