package speech

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// ErrRefused says that audio is not fit to be played to a caller.
var ErrRefused = errors.New("audio refused")

// Loudness is what every line stands at, in LUFS.
//
// ITU-T takes active speech of -26 dBov as nominal on a telephone network
// (P.830), which is -20 dBm0 where a full-scale sine is +3.14 dBm0 (G.711).
// The hotline speaks 6 dB above that: most of its callers are over eighty and
// many hear badly, and 20 dB still leave room for the peaks of speech, so that
// the limiter seldom works.
const Loudness = -20.0

const (
	// sentence is the shortest audio whose gated loudness is steady enough to
	// level by. What is shorter is levelled by the K-weighted RMS of the parts
	// that sound.
	sentence = 3 * time.Second
	// pieceRMS is that RMS in sentences at Loudness: their pauses take 0.5 to
	// 0.8 dB off, with either voice and at any pace (measured).
	pieceRMS = Loudness + 0.65
	// ceiling is the highest peak, in dB full scale. It leaves room for what
	// the filter to 8 kHz and the codecs overshoot.
	ceiling = -3.0
	// levelVersion changes with all that makes the same voice sound different.
	levelVersion = 1
)

const (
	leadSilence = 10 * time.Millisecond // a key is answered at once
	tailSilence = 50 * time.Millisecond
	edge        = 5 * time.Millisecond // fade at both ends, against clicks
	quietest    = -55.0                // dB RMS; below it nothing was said
	mostClipped = 0.001                // of all samples
	fastest     = 60.0                 // characters a second, three times normal
	slowest     = 3.0                  // characters a second, of digits read singly
	slack       = 3 * time.Second      // for what no letter stands for
)

// Level prepares one stretch of speech for the telephone: silence around it
// trimmed, at Loudness, peaks limited, faded at both ends. Text is what should
// have been said; audio that cannot be it is refused with ErrRefused, and so is
// what is silent or clipped.
func Level(a Audio, text string) (Audio, error) {
	m := Measure(a)
	switch {
	case len(a) == 0:
		return nil, fmt.Errorf("%w: empty", ErrRefused)
	case m.RMSdB < quietest:
		return nil, fmt.Errorf("%w: silent, %.0f dB", ErrRefused, m.RMSdB)
	case float64(m.ClippedSamples) > mostClipped*float64(len(a)):
		return nil, fmt.Errorf("%w: %d samples clipped", ErrRefused, m.ClippedSamples)
	}
	a = trim(a, m)
	if err := fits(a.Duration(), text); err != nil {
		return nil, err
	}
	return louden(a).faded(edge), nil
}

// fits compares how long speech lasts with how much there was to say. The
// bounds are wide: they find what was cut off, hung, or is another line.
func fits(d time.Duration, text string) error {
	letters := float64(utf8.RuneCountInString(text))
	switch {
	case d.Seconds() < letters/fastest:
		return fmt.Errorf("%w: %v is too short for %.0f letters", ErrRefused, d.Round(time.Millisecond), letters)
	case d.Seconds() > letters/slowest+slack.Seconds():
		return fmt.Errorf("%w: %v is too long for %.0f letters", ErrRefused, d.Round(time.Millisecond), letters)
	}
	return nil
}

// trim leaves short silences around what sounds. Where there is less than
// wanted, there it stays.
func trim(a Audio, m Measurement) Audio {
	from := max(0, samples(m.Lead-leadSilence))
	to := len(a) - max(0, samples(m.Tail-tailSilence))
	return a[from:to]
}

// louden brings audio to Loudness. The limiter takes a little away from what
// it was given, so the gain is corrected by what came out.
func louden(a Audio) Audio {
	in := a.floats()
	gain := 0.0
	var out []float64
	for range 4 {
		out = append(out[:0], in...)
		scale(out, ratio(gain))
		limit(out, ratio(ceiling))
		short := shortfall(out)
		if math.Abs(short) < 0.05 {
			break
		}
		gain += short
	}
	return quantise(out)
}

// shortfall is how far below Loudness a signal stands, in dB.
func shortfall(f []float64) float64 {
	if float64(len(f)) >= sentence.Seconds()*Rate {
		return Loudness - integratedLoudness(f, Rate)
	}
	_, _, power := sounding(weighted(f, Rate))
	return pieceRMS - lufs(power)
}

// limit lowers the surroundings of every peak above top so that it just
// reaches it. The gain is the least that any sample within reach needs, smoothed
// over the same reach: it never lets a peak through and never jumps.
func limit(f []float64, top float64) {
	if peak(f) <= top {
		return
	}
	const reach = Rate / 200 // 5 ms
	need := make([]float64, len(f)+2*reach)
	for i := range need {
		need[i] = 1
	}
	for i, x := range f {
		if x = math.Abs(x); x > top {
			for j := i; j <= i+2*reach; j++ {
				need[j] = min(need[j], top/x)
			}
		}
	}
	// need[i] covers the samples up to 2·reach before i; the mean over the
	// 2·reach+1 entries from i on therefore is at most what sample i needs.
	var sum float64
	for i := range 2 * reach {
		sum += need[i]
	}
	for i := range f {
		sum += need[i+2*reach]
		f[i] *= sum / (2*reach + 1)
		sum -= need[i]
	}
}
