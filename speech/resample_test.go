package speech

import (
	"math"
	"testing"
)

// level is the RMS in dB of the middle of a signal, away from its ends.
func level(f []float64) float64 {
	q := len(f) / 4
	return 10 * math.Log10(meanSquare(f[q:3*q]))
}

func TestResampleKeepsTheBandAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to int
		hz       float64
		kept     bool
	}{
		{16000, 8000, 300, true},
		{16000, 8000, 1000, true},
		{16000, 8000, 3400, true},
		{16000, 8000, 4050, false},
		{16000, 8000, 4600, false},
		{16000, 8000, 6000, false},
		{16000, 8000, 7500, false},
		{44100, 16000, 6500, true},
		{44100, 16000, 8200, false},
		{44100, 16000, 15000, false},
		{22050, 16000, 6500, true},
		{22050, 16000, 9000, false},
		{48000, 16000, 440, true},
		{48000, 16000, 12000, false},
		{8000, 16000, 3300, true},
	} {
		in := sines(c.hz, c.from, part{-6, 1})
		out, err := resample(in, c.from, c.to)
		if err != nil {
			t.Fatal(err)
		}
		change := level(out) - level(in)
		if c.kept && math.Abs(change) > 0.2 {
			t.Errorf("%.0f Hz from %d to %d Hz changed by %.2f dB, want it kept", c.hz, c.from, c.to, change)
		}
		if !c.kept && change > -60 {
			t.Errorf("%.0f Hz from %d to %d Hz is %.1f dB down, want 60", c.hz, c.from, c.to, -change)
		}
	}
}

func TestResampleLeavesNoImages(t *testing.T) {
	t.Parallel()
	// 1 kHz at 8 kHz must not come out at 7 kHz as well. What is left when the
	// same tone, made at 16 kHz, is taken away is all that was added.
	out, err := resample(sines(1000, 8000, part{-6, 1}), 8000, 16000)
	if err != nil {
		t.Fatal(err)
	}
	want := sines(1000, 16000, part{-6, 1})
	rest := make([]float64, len(out))
	for i := range out {
		rest[i] = out[i] - want[i]
	}
	if d := level(want) - level(rest); d < 60 {
		t.Errorf("what differs is %.1f dB down, want 60: images or a shift in time", d)
	}
}

func TestResampleLength(t *testing.T) {
	t.Parallel()
	for rate := range acceptedRates {
		out, err := resample(make([]float64, 3*rate), rate, Rate)
		if err != nil {
			t.Fatal(err)
		}
		if len(out) != 3*Rate {
			t.Errorf("3 s at %d Hz became %d samples, want %d", rate, len(out), 3*Rate)
		}
	}
	if _, err := resample(nil, 12345, Rate); err == nil {
		t.Error("an odd rate was accepted")
	}
}
