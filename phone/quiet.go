package phone

import (
	"context"
	"math"
	"time"
)

// WaitQuiet waits until the hotline has said something since the last key was
// released, and has then been quiet for that long: it waits for a key. What
// sounds in the first 300 ms after a release is the end of the old prompt.
// It fails with ErrEnded or the cause of ctx.
func (c *Call) WaitQuiet(ctx context.Context, quiet time.Duration) error {
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	key := c.media.lastKey()
	level := NewLevel()
	heard := max(0, key-noiseWindow) // before the key only to learn the noise
	var spoken, silent int           // samples
	for {
		pcm := c.HeardSince(heard)
		for len(pcm) >= frame {
			if level.Speech(pcm[:frame]) && heard >= key+tail(key) {
				spoken += frame
				silent = 0
			} else {
				silent += frame
			}
			pcm, heard = pcm[frame:], heard+frame
		}
		if spoken >= enough && silent >= samples(quiet) {
			return nil
		}
		select {
		case <-tick.C:
		case <-c.done:
			return ErrEnded
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if last := c.media.lastKey(); last != key { // pressed meanwhile
			key, spoken, silent = last, 0, 0
		}
	}
}

// enough speech is no click, in samples.
const enough = Rate * 100 / 1000

func tail(key int) int {
	if key == 0 {
		return 0
	}
	return Rate * 300 / 1000
}

// Level tells speech from silence, one frame of 20 ms after another, by its
// energy against the quietest tenth of a second of the last seconds: so
// comfort noise is silence, and clean silence is not needed.
type Level struct {
	energies []float64 // of the last frames, a ring
	at       int
	recent   [5]float64
	n        int
}

// noiseWindow is how long a noise is remembered.
const noiseWindow = 4 * Rate

// The threshold stands 10 dB above the noise, but within these bounds: −45 and
// −30 dB of full scale. Prompts are levelled far above, line noise lies below.
var (
	lowest  = energyAt(-45)
	highest = energyAt(-30)
)

func energyAt(dB float64) float64 { return 32768 * 32768 * math.Pow(10, dB/10) }

// NewLevel returns a Level that has heard nothing.
func NewLevel() *Level { return &Level{energies: make([]float64, 0, noiseWindow/frame)} }

// Speech takes the next 20 ms at 8 kHz and says whether somebody speaks.
func (l *Level) Speech(pcm []int16) bool {
	var sum float64
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	energy := sum / float64(max(1, len(pcm)))

	l.recent[l.n%len(l.recent)] = energy
	l.n++
	var mean float64
	for _, e := range l.recent {
		mean += e / float64(len(l.recent))
	}
	// Digital silence says nothing of the line's noise: it is where no packet came.
	if energy > energyAt(-70) && l.n >= len(l.recent) {
		if len(l.energies) < cap(l.energies) {
			l.energies = append(l.energies, mean)
		} else {
			l.energies[l.at] = mean
			l.at = (l.at + 1) % len(l.energies)
		}
	}
	threshold := lowest
	if len(l.energies) > 0 {
		noise := l.energies[0]
		for _, e := range l.energies {
			noise = min(noise, e)
		}
		threshold = min(max(10*noise, lowest), highest)
	}
	return energy > threshold
}
