package e2e

import (
	"bytes"
	bin "encoding/binary"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"ringback/phone/listen"
)

// TestCodecs: another telephone offers one codec only, is answered with it,
// hears the prompts in it, and its keys arrive. A trunk takes no opus, by
// configuration; a telephone of our own does.
func TestCodecs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		offer string
		phone bool // a telephone of our own
		uses  string
		kind  int // RTP payload type, of RFC 3551 or as baresip asks for it
	}{
		{offer: "PCMA/8000/1", uses: "PCMA 8000Hz/1ch", kind: 8},
		{offer: "PCMU/8000/1", uses: "PCMU 8000Hz/1ch", kind: 0},
		{offer: "G722/16000/1", uses: "G722 16000Hz/1ch", kind: 9},
		{offer: "opus/48000/2", phone: true, uses: "opus 48000Hz/2ch", kind: 96},
	} {
		name, _, _ := strings.Cut(c.offer, "/")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			number := newNumber()
			l := login{user: number}
			if c.phone {
				ours := system.info.SIPPhones[0]
				l = login{user: ours.User, password: ours.Password}
			}
			s := newSoftphone(t, l, c.offer)
			if c.phone {
				until(t, "registration", func() bool { return strings.Contains(s.out.String(), "[1 binding]") })
			}
			s.ring()
			reach := func(line string) { reached(t, number, line) }
			if c.phone { // its number is not passed on: it is known by a wrong key
				s.press("8")
				reach = func(line string) { reachedAnonymous(t, line, began) }
			}
			reach("welcome.language")
			s.press("1")
			reach("main.menu")
			using := s.do("audio_debug", "")
			s.hangUp()
			for _, want := range []string{
				"encode: " + c.uses, "decode: " + c.uses, fmt.Sprintf("pt_enc=%d\n", c.kind),
			} {
				if !strings.Contains(using, want) {
					t.Errorf("want %q in\n%s", want, using)
				}
			}
			// What it writes has gaps where the machine was busy, and a line
			// with a gap is known less surely; wrongly decoded none is.
			heard := s.heard()
			if lines := recognise(t, heard); len(lines) < 2 {
				t.Errorf("heard %q in %v", lines, time.Duration(len(heard))*time.Second/8000)
			}
		})
	}
}

// reachedAnonymous waits until a line sounds in the call without a number in
// which the key 8 was pressed, after that key.
func reachedAnonymous(t *testing.T, line string, began time.Time) {
	t.Helper()
	until(t, "line "+line+" in a call without a number", func() bool {
		return system.count(t, `SELECT count(*) FROM calls c
			JOIN call_events k ON k.call_id = c.id AND k.kind = 'key' AND k.keys = '8'
			JOIN call_events s ON s.call_id = c.id AND s.kind = 'say' AND s.line = $1 AND s.seq > k.seq
			WHERE c.number IS NULL AND c.started_at > $2 AND s.at < $3`, line, began, time.Now().Add(-begun)) > 0
	})
}

// heard is what the telephone's loudspeaker got, at 8 kHz: nothing before it
// has written the first of its file.
func (s *softphone) heard() []int16 {
	s.t.Helper()
	file, err := os.ReadFile(s.path("heard.wav"))
	if err != nil {
		s.t.Fatal(err)
	}
	if len(file) == 0 {
		return nil
	}
	if len(file) < 44 || string(file[:4]) != "RIFF" {
		s.t.Fatalf("%d bytes that are no WAV file", len(file))
	}
	channels, rate := int(bin.LittleEndian.Uint16(file[22:])), int(bin.LittleEndian.Uint32(file[24:]))
	if rate%8000 != 0 || channels == 0 {
		s.t.Fatalf("WAV file of %d channels at %d Hz", channels, rate)
	}
	pcm := make([]int16, (len(file)-44)/2)
	if err := bin.Read(bytes.NewReader(file[44:]), bin.LittleEndian, pcm); err != nil {
		s.t.Fatal(err)
	}
	mono := make([]float64, len(pcm)/channels)
	for i := range mono {
		mono[i] = float64(pcm[i*channels])
	}
	return decimate(mono, rate/8000)
}

// decimate keeps one sample of so many, after a low-pass at 3.6 kHz of the
// 8 kHz that remain: what lies above would come back as noise.
func decimate(in []float64, factor int) []int16 {
	half := 24 * factor
	taps := make([]float64, 2*half+1)
	for i := range taps {
		x := float64(i - half)
		cut := 2 * 3.6 / 8 / float64(factor)
		taps[i] = cut * (0.54 + 0.46*math.Cos(math.Pi*x/float64(half)))
		if x != 0 {
			taps[i] *= math.Sin(math.Pi*cut*x) / (math.Pi * cut * x)
		}
	}
	out := make([]int16, len(in)/factor)
	for i := range out {
		var sum float64
		for j, tap := range taps {
			if at := i*factor + j - half; at >= 0 && at < len(in) {
				sum += tap * in[at]
			}
		}
		out[i] = int16(max(-32768, min(32767, sum)))
	}
	return out
}

// recognise names the lines in a recording of a call.
func recognise(t *testing.T, pcm []int16) []string {
	t.Helper()
	l := listen.NewListener(system.prompts(t))
	named := map[int]listen.Report{}
	for _, r := range append(l.Feed(pcm), l.Finish()...) {
		named[r.Number] = r
	}
	var lines []string
	for i := 1; i <= len(named); i++ {
		lines = append(lines, named[i].Keys...)
	}
	return lines
}

// wave is a WAV file of 8 kHz.
func wave(pcm []int16) []byte {
	var b bytes.Buffer
	size := uint32(2 * len(pcm))
	b.WriteString("RIFF")
	le := func(v any) { _ = bin.Write(&b, bin.LittleEndian, v) } // a buffer takes everything
	le(36 + size)
	b.WriteString("WAVEfmt ")
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(8000), uint32(16000), uint16(2), uint16(16)} {
		le(v)
	}
	b.WriteString("data")
	le(size)
	le(pcm)
	return b.Bytes()
}
