package bench

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/zaf/g711"

	"ringback/phone"
)

// The prompts are tones of two pitches in turn. They sound from their first
// sample on, and a packet of 20 ms holds whole periods of both, so that the
// first packet of the next prompt is known for certain.
var pitches = map[string]float64{"a": 400, "b": 1000} // Hz

func writeTones(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for set, length := range promptLengths {
		for name, hz := range pitches {
			pcm := make([]byte, int(length*phone.Rate/time.Second))
			for i := range pcm {
				pcm[i] = g711.EncodeAlawFrame(int16(8000 * math.Cos(2*math.Pi*hz*float64(i)/phone.Rate)))
			}
			if err := os.WriteFile(filepath.Join(dir, set+"-"+name+".alaw"), pcm, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// pitch is which of the two tones a packet carries; empty: neither.
func pitch(pcm []int16) string {
	var total float64
	for _, s := range pcm {
		total += float64(s) * float64(s)
	}
	if len(pcm) == 0 || total/float64(len(pcm)) < 1000*1000 {
		return ""
	}
	for name, hz := range pitches {
		var re, im float64
		for i, s := range pcm {
			angle := 2 * math.Pi * hz * float64(i) / phone.Rate
			re += float64(s) * math.Cos(angle)
			im += float64(s) * math.Sin(angle)
		}
		// A pure tone has all its power at its own pitch.
		if 2*(re*re+im*im)/float64(len(pcm)) > 0.9*total {
			return name
		}
	}
	return ""
}
