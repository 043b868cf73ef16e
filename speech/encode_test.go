package speech

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gotranspile/g722"
	"github.com/zaf/g711"
)

func pcm16(b []byte) []float64 {
	a := make(Audio, len(b)/2)
	for i := range a {
		a[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return a.floats()
}

// likeness is the signal-to-noise ratio in dB of got to want, delayed by as
// many samples as make it best.
func likeness(got, want []float64, longestDelay int) float64 {
	best := -100.0
	for d := range longestDelay + 1 {
		n := min(len(got)-d, len(want))
		rest := make([]float64, n)
		for i := range n {
			rest[i] = got[i+d] - want[i]
		}
		best = max(best, level(want[:n])-level(rest))
	}
	return best
}

func TestFormatsSoundLikeTheAudio(t *testing.T) {
	t.Parallel()
	a := voiced(2*time.Second, -6)
	path := filepath.Join(t.TempDir(), "x")
	if err := WriteSound(path, a); err != nil {
		t.Fatal(err)
	}
	narrow, err := resample(a.floats(), Rate, 8000)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ext         string
		bytesPerSec int
		decode      func([]byte) []float64
		want        []float64
		delay       int
		likeness    float64
	}{
		{".alaw", 8000, func(b []byte) []float64 { return pcm16(g711.DecodeAlaw(b)) }, narrow, 0, 30},
		{".ulaw", 8000, func(b []byte) []float64 { return pcm16(g711.DecodeUlaw(b)) }, narrow, 0, 30},
		// Its filter bank delays by 22 samples.
		{".g722", 8000, func(b []byte) []float64 {
			return Audio(g722.Decode(b, g722.Rate64000, 0)).floats()
		}, a.floats(), 40, 20},
		{".sln16", 32000, pcm16, a.floats(), 0, 90},
	} {
		b, err := os.ReadFile(path + c.ext)
		if err != nil {
			t.Fatal(err)
		}
		if want := int(a.Duration().Seconds() * float64(c.bytesPerSec)); len(b) != want {
			t.Errorf("%s has %d bytes, want %d", c.ext, len(b), want)
		}
		if got := likeness(c.decode(b), c.want, c.delay); got < c.likeness {
			t.Errorf("%s is %.1f dB like the audio, want %.0f", c.ext, got, c.likeness)
		}
	}
}

func TestCompandingIsThatOfG711(t *testing.T) {
	t.Parallel()
	// The codes of silence as they stand on every line (ITU-T G.711), and of
	// full scale; A-law has its even bits inverted.
	all := encode(make(Audio, 16))
	if !bytes.Equal(all[0], bytes.Repeat([]byte{0xd5}, 8)) {
		t.Errorf("silence in A-law is %x", all[0])
	}
	if !bytes.Equal(all[1], bytes.Repeat([]byte{0xff}, 8)) {
		t.Errorf("silence in µ-law is %x", all[1])
	}
	if a, u := g711.EncodeAlawFrame(32767), g711.EncodeUlawFrame(32767); a != 0xaa || u != 0x80 {
		t.Errorf("full scale is %#x in A-law and %#x in µ-law, want 0xaa and 0x80", a, u)
	}
}

func TestWriteSoundLeavesNothingElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := WriteSound(filepath.Join(dir, "beep"), Beep()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(formats) {
		t.Errorf("found %v, want one file a format", entries)
	}
	if err := WriteSound(filepath.Join(dir, "no", "folder"), Beep()); err == nil {
		t.Error("writing into a folder that is not there succeeded")
	}
}
