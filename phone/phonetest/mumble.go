package phonetest

import (
	"math"
	"math/rand/v2"
	"time"
)

// Mumble is a sentence that nobody understands, at 8 kHz: loud as a prompt, in
// syllables, the same for a seed and unlike that of any other.
func Mumble(seed uint64, length time.Duration) []int16 {
	r := rand.New(rand.NewPCG(seed, 3))
	pcm := make([]int16, int(length*8000/time.Second))
	y, loud := 0.0, 1.0
	for i := range pcm {
		if i%1200 == 0 {
			loud = 0.3 + r.Float64()
		}
		y = 0.75*y + r.NormFloat64()
		pcm[i] = int16(1500 * y * loud * math.Abs(math.Sin(float64(i)*math.Pi/1200)))
	}
	return pcm
}
