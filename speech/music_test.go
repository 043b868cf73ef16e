package speech

import (
	"math"
	"testing"
	"time"
)

func TestHoldMusic(t *testing.T) {
	t.Parallel()
	a := HoldMusic()
	m := Measure(a)
	if m.Duration != 40*time.Second || math.Abs(m.LUFS-musicLoudness) > 0.1 || m.ClippedSamples > 0 || m.PeakdB > -6 {
		t.Errorf("measured %+v", m)
	}

	// Played in a loop it has no seam: at the joint neither a step nor a hole.
	joint := float64(a[0]) - float64(a[len(a)-1])
	largest := 0.0
	for i := 1; i < len(a); i++ {
		largest = max(largest, math.Abs(float64(a[i])-float64(a[i-1])))
	}
	if math.Abs(joint) > largest {
		t.Errorf("a step of %.0f at the joint, elsewhere at most %.0f", joint, largest)
	}
	f := a.floats()
	around := append(append([]float64(nil), f[len(f)-Rate/2:]...), f[:Rate/2]...)
	if hole := level(f) - level(around); hole > 6 {
		t.Errorf("around the joint it is %.1f dB quieter than elsewhere", hole)
	}

	// It is heard on a telephone: little is lost on the way through 8 kHz.
	narrow, err := resample(f, Rate, 8000)
	if err != nil {
		t.Fatal(err)
	}
	if lost := level(f) - level(narrow); lost > 0.1 {
		t.Errorf("%.2f dB lie above the telephone band", lost)
	}
}

func TestBeep(t *testing.T) {
	t.Parallel()
	a := Beep()
	m := Measure(a)
	if m.Duration != 250*time.Millisecond || math.Abs(m.RMSdB-Loudness) > 1.5 {
		t.Errorf("measured %+v", m)
	}
	if a[0] != 0 || a[len(a)-1] != 0 {
		t.Error("the tone begins or ends with a click")
	}
	// 800 Hz: it crosses zero upwards 200 times.
	up := 0
	for i := 1; i < len(a); i++ {
		if a[i-1] < 0 && a[i] >= 0 {
			up++
		}
	}
	if up < 197 || up > 201 {
		t.Errorf("%d periods in 250 ms, want 200", up)
	}
}
