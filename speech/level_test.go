package speech

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// voiced is sound shaped like speech: syllables of a hum with overtones, 150 ms
// each, at a peak level, with silence around.
func voiced(d time.Duration, db float64) Audio {
	f := make([]float64, samples(d))
	syllable := samples(150 * time.Millisecond)
	for i := range f {
		t := float64(i) / Rate
		swell := math.Sin(math.Pi * float64(i%syllable) / float64(syllable))
		f[i] = swell * (math.Sin(2*math.Pi*200*t) + 0.5*math.Sin(2*math.Pi*600*t) + 0.3*math.Sin(2*math.Pi*1800*t))
	}
	scale(f, ratio(db)/peak(f))
	a := append(silence(300*time.Millisecond), quantise(f)...)
	return append(a, silence(700*time.Millisecond)...)
}

// letters is a text that takes about d to say.
func letters(d time.Duration) string { return strings.Repeat("wort ", max(1, int(d.Seconds()*3))) }

func TestLevelBringsAllToOneLoudness(t *testing.T) {
	t.Parallel()
	for _, length := range []time.Duration{3500 * time.Millisecond, 10 * time.Second} {
		for _, db := range []float64{-1, -12, -40} {
			a, err := Level(voiced(length, db), letters(length))
			if err != nil {
				t.Fatal(err)
			}
			if m := Measure(a); math.Abs(m.LUFS-Loudness) > 0.2 || m.PeakdB > ceiling+0.05 {
				t.Errorf("%v at %.0f dB: %.2f LUFS, peak %.2f dB", length, db, m.LUFS, m.PeakdB)
			}
		}
	}
	for _, length := range []time.Duration{200 * time.Millisecond, time.Second, 2 * time.Second} {
		a, err := Level(voiced(length, -20), letters(length))
		if err != nil {
			t.Fatal(err)
		}
		_, _, power := sounding(weighted(a.floats(), Rate))
		if got := lufs(power); math.Abs(got-pieceRMS) > 0.3 {
			t.Errorf("a piece of %v is at %.2f dB, want %.2f", length, got, pieceRMS)
		}
	}
}

func TestLevelLimitsPeaks(t *testing.T) {
	t.Parallel()
	// Quiet speech with a knock in it: levelling alone would clip.
	a := voiced(5*time.Second, -30)
	for i := range 20 {
		a[2*Rate+i] = int16(30000 * math.Sin(2*math.Pi*float64(i)/20))
	}
	got, err := Level(a, letters(5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	m := Measure(got)
	if m.PeakdB > ceiling+0.01 {
		t.Errorf("peak %.2f dB, want at most %.0f", m.PeakdB, ceiling)
	}
	if math.Abs(m.LUFS-Loudness) > 0.3 {
		t.Errorf("%.2f LUFS, want %.0f", m.LUFS, Loudness)
	}
}

func TestLimitNeverLetsAPeakThrough(t *testing.T) {
	t.Parallel()
	f := sines(333, Rate, part{0, 0.2}, part{-20, 0.2}, part{6, 0.01}, part{-20, 0.1}, part{3, 0.1})
	top := ratio(-6)
	limit(f, top)
	if p := peak(f); p > top*1.0000001 {
		t.Errorf("peak %.4f, want at most %.4f", p, top)
	}
	if got := level(f[samples(250*time.Millisecond):samples(350*time.Millisecond)]); math.Abs(got-(-23.01)) > 0.1 {
		t.Errorf("what was quiet came out at %.2f dB, want it untouched at -23.01", got)
	}
}

func TestLevelTrims(t *testing.T) {
	t.Parallel()
	a, err := Level(voiced(2*time.Second, -10), letters(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	m := Measure(a)
	if m.Lead > 25*time.Millisecond || m.Tail > 75*time.Millisecond {
		t.Errorf("silence of %v before and %v after", m.Lead, m.Tail)
	}
	if a[0] != 0 || a[len(a)-1] != 0 {
		t.Errorf("begins with %d and ends with %d: a click", a[0], a[len(a)-1])
	}
}

func TestLevelRefuses(t *testing.T) {
	t.Parallel()
	clippedSpeech := voiced(2*time.Second, 12) // beyond full scale
	faint := voiced(2*time.Second, -70)
	for _, c := range []struct {
		name string
		a    Audio
		text string
		why  string
	}{
		{"nothing", nil, "eins", "empty"},
		{"silence", silence(2 * time.Second), "eins zwei drei", "silent"},
		{"noise of a line", faint, "eins zwei drei", "silent"},
		{"clipped", clippedSpeech, letters(2 * time.Second), "clipped"},
		{"cut off", voiced(300*time.Millisecond, -10), letters(10 * time.Second), "too short"},
		{"hung", voiced(20*time.Second, -10), "eins", "too long"},
	} {
		_, err := Level(c.a, c.text)
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: got %v, want it refused as %q", c.name, err, c.why)
		}
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	m := Measure(voiced(6*time.Second, -6))
	if m.Duration != 7*time.Second || math.Abs(m.PeakdB-(-6)) > 0.01 || m.ClippedSamples != 0 {
		t.Errorf("measured %+v", m)
	}
	if off := (m.Lead - 300*time.Millisecond).Abs(); off > 20*time.Millisecond {
		t.Errorf("lead %v, want 300ms", m.Lead)
	}
	if off := (m.Tail - 700*time.Millisecond).Abs(); off > 20*time.Millisecond {
		t.Errorf("tail %v, want 700ms", m.Tail)
	}
	if wpm := m.WordsPerMinute(strings.Repeat("wort ", 15)); math.Abs(wpm-150) > 2 {
		t.Errorf("15 words in 6 s are %.1f a minute, want 150", wpm)
	}
	if got := clipped(Audio{0, 32767, 0, 32767, 32767, 32767, -32768, 5}); got != 4 {
		t.Errorf("%d samples clipped, want 4: a lone peak is none", got)
	}
	if m := Measure(nil); !math.IsInf(m.LUFS, -1) || m.WordsPerMinute("eins") != 0 {
		t.Errorf("nothing measured as %+v", m)
	}
}
