package speech

import (
	"math"
	"time"
)

// Rate is the sampling rate of Audio in Hz, that of wideband telephony.
const Rate = 16000

// Audio is mono sound: 16-bit linear PCM at Rate.
type Audio []int16

// Duration is how long the audio sounds.
func (a Audio) Duration() time.Duration {
	return time.Duration(len(a)) * time.Second / Rate
}

// silence returns digital silence.
func silence(d time.Duration) Audio { return make(Audio, samples(d)) }

// samples is how many samples of Audio last d.
func samples(d time.Duration) int {
	return int(int64(d) * Rate / int64(time.Second))
}

// floats scales to full scale = 1, the form all measuring and filtering uses.
func (a Audio) floats() []float64 {
	f := make([]float64, len(a))
	for i, s := range a {
		f[i] = float64(s) / 32768
	}
	return f
}

// quantise is the inverse of floats. What is beyond full scale saturates.
func quantise(f []float64) Audio {
	a := make(Audio, len(f))
	for i, s := range f {
		a[i] = int16(max(-32768, min(32767, math.Round(s*32768))))
	}
	return a
}

func scale(f []float64, by float64) {
	for i := range f {
		f[i] *= by
	}
}

// faded returns the audio with a raised-cosine slope of d at both ends, so that
// neither begins nor ends with a click.
func (a Audio) faded(d time.Duration) Audio {
	out := append(Audio(nil), a...)
	n := min(samples(d), len(out)/2)
	for i := range n {
		g := 0.5 - 0.5*math.Cos(math.Pi*(float64(i)+0.5)/float64(n))
		j := len(out) - 1 - i
		out[i] = int16(math.Round(g * float64(out[i])))
		out[j] = int16(math.Round(g * float64(out[j])))
	}
	return out
}

// decibels is 20·log10 of an amplitude relative to full scale.
func decibels(amplitude float64) float64 { return 20 * math.Log10(amplitude) }

// ratio is the inverse of decibels.
func ratio(db float64) float64 { return math.Pow(10, db/20) }
