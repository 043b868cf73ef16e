package speech

import (
	"fmt"
	"math"
	"sync"
)

// Rates that WAV files are accepted at, in Hz.
var acceptedRates = map[int]bool{
	8000: true, 11025: true, 16000: true, 22050: true, 24000: true,
	32000: true, 44100: true, 48000: true, 96000: true,
}

// stopband is how far down aliases and images are, in dB.
const stopband = 70

// resampler converts between two rates by a polyphase filter: a Kaiser-windowed
// sinc, stepped through at the ratio up:down (Oppenheim and Schafer,
// Discrete-Time Signal Processing, sections 4.6 and 7.5).
type resampler struct {
	up, down int
	half     float64     // half the filter's length, in input samples
	phases   [][]float64 // coefficients for each of the up output phases
}

type ratePair struct{ from, to int }

var resamplers sync.Map // ratePair to *resampler; they are costly to build

// resample converts samples from one rate to another. The band up to 85 % of
// the lower rate's half is kept (3400 Hz for 8 kHz, the telephone band of ITU-T
// G.712), what the lower rate cannot carry is 70 dB down.
func resample(in []float64, from, to int) ([]float64, error) {
	if !acceptedRates[from] || !acceptedRates[to] {
		return nil, fmt.Errorf("resample from %d to %d Hz: rate not supported", from, to)
	}
	if from == to {
		return in, nil
	}
	return resamplerFor(from, to).convert(in), nil
}

func resamplerFor(from, to int) *resampler {
	pair := ratePair{from, to}
	r, ok := resamplers.Load(pair)
	if !ok {
		r, _ = resamplers.LoadOrStore(pair, newResampler(from, to))
	}
	return r.(*resampler)
}

func newResampler(from, to int) *resampler {
	g := gcd(from, to)
	r := &resampler{up: to / g, down: from / g}

	// Kaiser's design formulas; edges as a fraction of the input rate.
	nyquist := float64(min(from, to)) / 2
	pass, stop := 0.85*nyquist/float64(from), nyquist/float64(from)
	cutoff := (pass + stop) / 2
	beta := 0.1102 * (stopband - 8.7)
	r.half = math.Ceil((stopband - 8) / (2.285 * 2 * math.Pi * (stop - pass)) / 2)

	taps := 2 * int(r.half)
	r.phases = make([][]float64, r.up)
	for p := range r.phases {
		offset := float64(p) / float64(r.up)
		h := make([]float64, taps)
		sum := 0.0
		for k := range h {
			// Distance of input sample k of the window from the output's instant.
			x := float64(k) - (r.half - 1) - offset
			h[k] = 2 * cutoff * sinc(2*cutoff*x) * kaiser(x/r.half, beta)
			sum += h[k]
		}
		scale(h, 1/sum) // each phase passes 0 Hz unchanged
		r.phases[p] = h
	}
	return r
}

func (r *resampler) convert(in []float64) []float64 {
	out := make([]float64, (len(in)*r.up+r.down-1)/r.down)
	for n := range out {
		at := n * r.down
		h := r.phases[at%r.up]
		first := at/r.up - (int(r.half) - 1)
		from, to := max(0, -first), min(len(h), len(in)-first)
		h = h[from:to]
		window := in[first+from:]
		window = window[:len(h)]
		var y float64
		for k, c := range h {
			y += c * window[k]
		}
		out[n] = y
	}
	return out
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the Kaiser window at x from -1 to 1, and 0 beyond.
func kaiser(x, beta float64) float64 {
	if x < -1 || x > 1 {
		return 0
	}
	return bessel0(beta*math.Sqrt(1-x*x)) / bessel0(beta)
}

// bessel0 is the modified Bessel function of the first kind and order zero, by
// its power series.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
