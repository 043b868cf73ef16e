package speech

import (
	"math"
	"strings"
	"time"
)

// Measurement is what can be said of audio without listening to it. Levels are
// relative to full scale and -Inf for silence.
type Measurement struct {
	Duration time.Duration
	// LUFS is the integrated loudness by EBU R 128; -Inf below 0.4 s.
	LUFS float64
	// RMSdB is the level of a sine's mean square at 0 dB full scale being
	// -3.01, taken over the parts that sound: pauses between words left out.
	RMSdB float64
	// PeakdB is the largest sample.
	PeakdB float64
	// ClippedSamples counts samples at full scale in runs of at least three.
	ClippedSamples int
	// Lead and Tail are the silence before the first and after the last sound.
	Lead, Tail time.Duration
}

// A frame sounds when it is not far below the loudest one, and above the noise
// of any telephone line.
const (
	frame      = Rate / 100 // samples: 10 ms
	soundBelow = -40.0      // dB relative to the loudest frame
	soundFloor = -60.0      // dB full scale
	clippedRun = 3          // samples; a lone peak may touch full scale
	fullScale  = 32766
)

// Measure measures audio.
func Measure(a Audio) Measurement {
	f := a.floats()
	first, last, power := sounding(f)
	return Measurement{
		Duration:       a.Duration(),
		LUFS:           integratedLoudness(f, Rate),
		RMSdB:          10 * math.Log10(power),
		PeakdB:         decibels(peak(f)),
		ClippedSamples: clipped(a),
		Lead:           a[:first].Duration(),
		Tail:           a[last:].Duration(),
	}
}

// WordsPerMinute is how fast the words were spoken, pauses between them counted
// and silence around them not.
func (m Measurement) WordsPerMinute(text string) float64 {
	spoken := m.Duration - m.Lead - m.Tail
	if spoken <= 0 {
		return 0
	}
	return float64(len(strings.Fields(text))) / spoken.Minutes()
}

// sounding finds what is not silence: the first sample, the one after the last,
// and the mean square over all frames that sound. In silence all are 0.
func sounding(f []float64) (first, last int, power float64) {
	var frames []float64
	loudest := 0.0
	for at := 0; at < len(f); at += frame {
		p := meanSquare(f[at:min(at+frame, len(f))])
		frames = append(frames, p)
		loudest = max(loudest, p)
	}
	gate := max(loudest*math.Pow(10, soundBelow/10), math.Pow(10, soundFloor/10))
	n := 0
	for i, p := range frames {
		if p < gate {
			continue
		}
		if n == 0 {
			first = i * frame
		}
		last = min((i+1)*frame, len(f))
		power += p
		n++
	}
	if n > 0 {
		power /= float64(n)
	}
	return first, last, power
}

func peak(f []float64) float64 {
	top := 0.0
	for _, x := range f {
		top = max(top, math.Abs(x))
	}
	return top
}

func clipped(a Audio) int {
	total, run := 0, 0
	for _, s := range append(a[:len(a):len(a)], 0) {
		if s >= fullScale || s <= -fullScale {
			run++
			continue
		}
		if run >= clippedRun {
			total += run
		}
		run = 0
	}
	return total
}
