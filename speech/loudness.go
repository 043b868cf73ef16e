package speech

import (
	"math"
	"time"
)

// biquad is a second-order section with a0 = 1.
type biquad struct{ b0, b1, b2, a1, a2 float64 }

func (q biquad) filter(in []float64) []float64 {
	out := make([]float64, len(in))
	var s1, s2 float64 // transposed direct form II
	for i, x := range in {
		y := q.b0*x + s1
		s1 = q.b1*x - q.a1*y + s2
		s2 = q.b2*x - q.a2*y
		out[i] = y
	}
	return out
}

// The two stages of K-weighting. ITU-R BS.1770-4, annex 1, tables 1 and 2, give
// coefficients for 48 kHz and ask that other rates have the same frequency
// response. The values here are the analogue prototypes behind those tables
// (centre frequency, Q and gain, found by undoing the bilinear transform), so
// that at 48 kHz the tables come out again.
const (
	shelfHz, shelfQ, shelfDB = 1681.974450955533, 0.7071752369554196, 3.999843853973347
	shelfBand                = 0.4996667741545416 // exponent of the gain at the centre
	highPassHz, highPassQ    = 38.13547087602444, 0.5003270373238773
	tabulated                = 48000 // Hz
)

const (
	block        = 400 * time.Millisecond
	blockStep    = 100 * time.Millisecond
	absoluteGate = -70.0 // LUFS
	relativeGate = -10.0 // LU below what passed the first gate
)

// headShelf is stage 1: the effect of the head, a high shelf of +4 dB.
func headShelf(rate float64) biquad {
	k := math.Tan(math.Pi * shelfHz / rate)
	vh := ratio(shelfDB)
	vb := math.Pow(vh, shelfBand)
	a0 := 1 + k/shelfQ + k*k
	return biquad{
		b0: (vh + vb*k/shelfQ + k*k) / a0,
		b1: 2 * (k*k - vh) / a0,
		b2: (vh - vb*k/shelfQ + k*k) / a0,
		a1: 2 * (k*k - 1) / a0,
		a2: (1 - k/shelfQ + k*k) / a0,
	}
}

// rlbHighPass is stage 2: the revised low-frequency B-curve. The tables leave
// its numerator at 1, -2, 1, which is a gain of 0.04 dB; it is kept at all rates.
func rlbHighPass(rate float64) biquad {
	a0 := func(rate float64) float64 {
		k := math.Tan(math.Pi * highPassHz / rate)
		return 1 + k/highPassQ + k*k
	}
	k := math.Tan(math.Pi * highPassHz / rate)
	b := a0(tabulated) / a0(rate)
	return biquad{
		b0: b, b1: -2 * b, b2: b,
		a1: 2 * (k*k - 1) / a0(rate),
		a2: (1 - k/highPassQ + k*k) / a0(rate),
	}
}

// weighted is the signal after both stages.
func weighted(in []float64, rate float64) []float64 {
	return rlbHighPass(rate).filter(headShelf(rate).filter(in))
}

// integratedLoudness is the gated loudness of a mono signal in LUFS (ITU-R
// BS.1770-4, annex 1; EBU R 128): blocks of 400 ms overlapping by 75 %, those
// under -70 LUFS left out, then those 10 LU under the mean of the rest. It is
// -Inf for silence, and for what is shorter than one block.
func integratedLoudness(in []float64, rate int) float64 {
	k := weighted(in, float64(rate))
	size, step := int(block.Seconds()*float64(rate)), int(blockStep.Seconds()*float64(rate))
	var powers []float64
	for at := 0; at+size <= len(k); at += step {
		powers = append(powers, meanSquare(k[at:at+size]))
	}
	gate := absoluteGate
	loud := lufs(meanAbove(powers, gate))
	gate = max(gate, loud+relativeGate)
	return lufs(meanAbove(powers, gate))
}

// meanAbove is the mean of the powers louder than a gate in LUFS.
func meanAbove(powers []float64, gate float64) float64 {
	var sum float64
	n := 0
	for _, p := range powers {
		if lufs(p) > gate {
			sum += p
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// lufs is the loudness of one channel's K-weighted mean square.
func lufs(power float64) float64 { return -0.691 + 10*math.Log10(power) }

func meanSquare(f []float64) float64 {
	var sum float64
	for _, x := range f {
		sum += x * x
	}
	return sum / float64(len(f))
}
