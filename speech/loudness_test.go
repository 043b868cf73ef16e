package speech

import (
	"math"
	"math/cmplx"
	"testing"
)

// response is the gain of both K-weighting stages at a frequency, in dB.
func response(hz, rate float64) float64 {
	z := cmplx.Exp(complex(0, -2*math.Pi*hz/rate))
	gain := complex(1, 0)
	for _, q := range []biquad{headShelf(rate), rlbHighPass(rate)} {
		c := func(f float64) complex128 { return complex(f, 0) }
		gain *= (c(q.b0) + c(q.b1)*z + c(q.b2)*z*z) / (1 + c(q.a1)*z + c(q.a2)*z*z)
	}
	return decibels(cmplx.Abs(gain))
}

func TestKWeightingIsThatOfTheStandard(t *testing.T) {
	t.Parallel()
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s is %.14f, want %.14f", what, got, want)
		}
	}
	// ITU-R BS.1770-4, annex 1, table 1.
	shelf := headShelf(48000)
	near("shelf b0", shelf.b0, 1.53512485958697)
	near("shelf b1", shelf.b1, -2.69169618940638)
	near("shelf b2", shelf.b2, 1.19839281085285)
	near("shelf a1", shelf.a1, -1.69065929318241)
	near("shelf a2", shelf.a2, 0.73248077421585)
	// Table 2.
	high := rlbHighPass(48000)
	near("high-pass b0", high.b0, 1)
	near("high-pass b1", high.b1, -2)
	near("high-pass b2", high.b2, 1)
	near("high-pass a1", high.a1, -1.99004745483398)
	near("high-pass a2", high.a2, 0.99007225036621)
}

func TestKWeightingHoldsAtTheRateOfTelephones(t *testing.T) {
	t.Parallel()
	for _, hz := range []float64{50, 100, 300, 997, 1500, 2000, 3400, 5000, 7000} {
		at48, at16 := response(hz, 48000), response(hz, Rate)
		if math.Abs(at48-at16) > 0.25 {
			t.Errorf("at %.0f Hz K-weighting is %.2f dB at 48 kHz and %.2f dB at 16 kHz", hz, at48, at16)
		}
	}
}

// part is a stretch of a test signal: a 1 kHz sine at a peak level.
type part struct{ db, seconds float64 }

func sines(hz float64, rate int, parts ...part) []float64 {
	var f []float64
	for _, p := range parts {
		for range int(p.seconds * float64(rate)) {
			f = append(f, ratio(p.db)*math.Sin(2*math.Pi*hz*float64(len(f))/float64(rate)))
		}
	}
	return f
}

func TestIntegratedLoudness(t *testing.T) {
	t.Parallel()
	// EBU Tech 3341 gives its cases in stereo; one channel alone has half the
	// power, 3.01 LU less. The standard's own reference is one channel.
	const mono = -3.01
	for _, c := range []struct {
		name      string
		hz        float64
		parts     []part
		want, off float64
	}{
		{"BS.1770-4: 997 Hz at full scale", 997, []part{{0, 10}}, mono, 0.05},
		{"Tech 3341 case 1", 1000, []part{{-23, 20}}, -23 + mono, 0.1},
		{"Tech 3341 case 2", 1000, []part{{-33, 20}}, -33 + mono, 0.1},
		{"Tech 3341 case 3: relative gate", 1000, []part{{-36, 10}, {-23, 60}, {-36, 10}}, -23 + mono, 0.1},
		{
			"Tech 3341 case 4: both gates", 1000,
			[]part{{-72, 10}, {-36, 10}, {-23, 60}, {-36, 10}, {-72, 10}}, -23 + mono, 0.1,
		},
		{"Tech 3341 case 5", 1000, []part{{-26, 20}, {-20, 20.1}, {-26, 20}}, -23 + mono, 0.1},
	} {
		for _, rate := range []int{Rate, 48000} {
			got := integratedLoudness(sines(c.hz, rate, c.parts...), rate)
			if math.Abs(got-c.want) > c.off {
				t.Errorf("%s at %d Hz: %.3f LUFS, want %.2f ± %.2f", c.name, rate, got, c.want, c.off)
			}
		}
	}
}

func TestSilenceHasNoLoudness(t *testing.T) {
	t.Parallel()
	for _, f := range [][]float64{nil, make([]float64, 100), make([]float64, 5*Rate)} {
		if got := integratedLoudness(f, Rate); !math.IsInf(got, -1) {
			t.Errorf("%d samples of silence are %.1f LUFS, want -Inf", len(f), got)
		}
	}
}
