package listen

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zaf/g711"
)

// voice is a text-to-speech program that writes a WAV file.
type voice struct {
	name string
	argv func(out, text string) []string
}

func voices() []voice {
	command := func(env, name string) string {
		if c := os.Getenv(env); c != "" {
			return c
		}
		return name
	}
	pico, espeak := command("RINGBACK_PICO", "pico2wave"), command("RINGBACK_ESPEAK", "espeak-ng")
	return []voice{
		{"pico", func(out, text string) []string { return []string{pico, "-l", "de-DE", "-w", out, text} }},
		{"pico slow", func(out, text string) []string {
			return []string{pico, "-l", "de-DE", "-w", out, `<speed level="75">` + text + `</speed>`}
		}},
		{"espeak", func(out, text string) []string { return []string{espeak, "-v", "de", "-s", "140", "-w", out, text} }},
	}
}

func sentences(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/sentences.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// spoken is the sentences as a voice says them, at 8 kHz.
func spoken(t testing.TB, v voice, texts []string) [][]int16 {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.wav")
	program := v.argv(out, "")[0]
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("voice %s: %v", v.name, err)
		}
		t.Skipf("voice %s: %v", v.name, err)
	}
	var all [][]int16
	for _, text := range texts {
		argv := v.argv(out, text)
		if b, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("voice %s: %v: %s", v.name, err, b)
		}
		wav, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, readWAV(t, wav))
	}
	return all
}

// readWAV brings 16-bit mono WAV to 8 kHz.
func readWAV(t testing.TB, wav []byte) []int16 {
	t.Helper()
	data := bytes.Index(wav, []byte("data"))
	if data < 0 || len(wav) < 44 {
		t.Fatal("not a WAV file")
	}
	rate := int(binary.LittleEndian.Uint32(wav[24:]))
	raw := wav[data+8:]
	pcm := make([]int16, len(raw)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	at16 := make([]int16, len(pcm)*16000/rate)
	for i := range at16 {
		x := float64(i) * float64(rate) / 16000
		k := min(int(x), len(pcm)-2)
		f := x - float64(k)
		at16[i] = int16((1-f)*float64(pcm[k]) + f*float64(pcm[k+1]))
	}
	return halve(at16)
}

// telephone is what a line does to audio.
func telephone(pcm []int16, alaw bool, gain float64, lost func(frame int) bool) []int16 {
	out := make([]int16, len(pcm))
	for i, s := range pcm {
		if lost != nil && lost(i/160) {
			continue
		}
		s = int16(min(max(float64(s)*gain, -32768), 32767))
		if alaw {
			out[i] = g711.DecodeAlawFrame(g711.EncodeAlawFrame(s))
		} else {
			out[i] = g711.DecodeUlawFrame(g711.EncodeUlawFrame(s))
		}
	}
	return out
}

func rest(d time.Duration) []int16 { return make([]int16, int(d*Rate/time.Second)) }

// TestRealVoices speaks 64 sentences that are alike in several voices, each as
// a clip of one library, and plays each over a bad line: whole and cut short,
// quietly, and with bursts of lost packets. None may be mistaken for another.
func TestRealVoices(t *testing.T) {
	t.Parallel()
	texts := sentences(t)
	type clip struct {
		name string
		pcm  []int16
	}
	var all []clip
	lib := NewLibrary()
	for n, v := range voices() {
		if n > 0 && thinned > 1 {
			break
		}
		for i, pcm := range spoken(t, v, texts) {
			name := fmt.Sprintf("%s/%d", v.name, i)
			if !lib.Add(name, nil, texts[i], pcm) {
				t.Fatalf("%s was not taken", name)
			}
			all = append(all, clip{name, pcm})
		}
	}
	lines := []struct {
		name   string
		cut    time.Duration
		gain   float64
		lossy  bool
		missed int // this many in a hundred may go unheard
	}{
		{name: "whole", gain: 1},
		{name: "whole, quiet", gain: 0.1},
		{name: "whole, a sixth lost in bursts", gain: 1, lossy: true, missed: 10},
		{name: "cut after 0.7 s", gain: 1, cut: 700 * time.Millisecond},
		{name: "cut after 2 s", gain: 0.5, cut: 2 * time.Second},
	}
	for n, line := range lines {
		t.Run(line.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(n), 1))
			right, alike, missed := 0, 0, 0
			lowest := 1.0
			for k, c := range all {
				if k%(len(lines)*thinned) != n {
					continue // each sentence on one line
				}
				pcm := c.pcm
				if line.cut > 0 {
					pcm = pcm[:min(len(pcm), lead(pcm)+samplesOf(line.cut))]
				}
				var lost func(int) bool
				if line.lossy {
					lost = bursts(r)
				}
				call := slices.Concat(rest(time.Second), make([]int16, r.IntN(Rate)),
					telephone(pcm, k%2 == 0, line.gain, lost), rest(time.Second))
				got := lib.Recognise(call)
				switch {
				case len(got) == 0:
					missed++
				case got[0].Name == c.name:
					right++
					lowest = min(lowest, got[0].Score)
				case slices.Contains(got[0].Also, c.name) && line.cut > 0:
					alike++ // what was heard of both is the same
				default:
					t.Errorf("%s was heard as %s (score %.3f, %.0f %% of it)", c.name, got[0].Name, got[0].Score, 100*got[0].Share)
				}
			}
			t.Logf("%d right, %d cut where several are alike, %d missed; lowest score %.3f", right, alike, missed, lowest)
			if allowed := (line.missed*(right+alike+missed) + 99) / 100; missed > allowed {
				t.Errorf("%d of %d missed", missed, right+alike+missed)
			}
		})
	}
	t.Run("margin", func(t *testing.T) {
		t.Parallel()
		margin(t, lib)
	})
}

// margin measures how well the best wrong clip fits, over all of what is said:
// the room between it and what is believed.
func margin(t *testing.T, lib *Library) {
	highest, which := 0.0, ""
	for i, c := range lib.clips {
		if i%(4*thinned) != 0 {
			continue
		}
		e := newEngine()
		var others []*Clip
		for _, o := range lib.clips {
			if o != c {
				others = append(others, o)
			}
		}
		for _, s := range [][]float32{make([]float32, Rate/2), c.fine, make([]float32, Rate/2)} {
			e.sound.push(unflatten(s))
		}
		e.search(0, others)
		for _, tr := range e.tracks {
			tr.advance(e.sound)
			// The score over the whole of the shorter one, not only where it matches.
			whole := tr.score() * float64(tr.reached-tr.clip.start) / float64(min(tr.clip.end-tr.clip.start, c.end-c.start))
			if whole > highest && tr.clip.Text != c.Text && !strings.HasPrefix(c.Text, tr.clip.Text) && !strings.HasPrefix(tr.clip.Text, c.Text) && !strings.HasSuffix(c.Text, tr.clip.Text) {
				highest, which = whole, c.Text+" / "+tr.clip.Text
			}
		}
	}
	t.Logf("right clips fit to 0.98 and more; the best wrong one explains %.2f (%s)", highest, which)
	if highest > 0.97 {
		t.Errorf("a wrong clip fits to %.3f", highest)
	}
}

// unflatten undoes the emphasis of a clip.
func unflatten(x []float32) []int16 {
	out := make([]int16, len(x))
	last := 0.0
	for i, v := range x {
		last = float64(v) + emphasis*last
		out[i] = int16(last)
	}
	return out
}

// lead is where the speech begins.
func lead(pcm []int16) int {
	return max(0, slices.IndexFunc(pcm, func(s int16) bool { return s > 50 || s < -50 }))
}

// bursts loses 40 to 200 ms now and then, a sixth of all packets.
func bursts(r *rand.Rand) func(int) bool {
	lost := map[int]bool{}
	for f := r.IntN(15); f < 1000; f += 20 + r.IntN(40) {
		for k := range 2 + r.IntN(9) {
			lost[f+k] = true
		}
	}
	return func(f int) bool { return lost[f] }
}

// TestHeardWhereverItBegins: whether a prompt is recognised does not hang on
// where in the grids of the search it begins. A voice repeats itself with its
// pitch, so that a place a period away looks right at first.
func TestHeardWhereverItBegins(t *testing.T) {
	t.Parallel()
	texts := []string{
		"Danke. Wir rufen Sie zurück. Was Sie eingegeben haben, ist gespeichert, Sie brauchen es nicht zu wiederholen.",
		"Danke für Ihren Anruf. Auf Wiederhören.",
	}
	lib := NewLibrary()
	clips := spoken(t, voices()[0], texts)
	for i, pcm := range clips {
		lib.Add(fmt.Sprint(i), nil, texts[i], pcm)
	}
	for late := 0; late < Rate/5; late += 33 { // 4 ms further each time
		call := telephone(slices.Concat(rest(time.Second), make([]int16, late), clips[0], rest(30*time.Millisecond), clips[1], rest(2*time.Second)), false, 1, nil)
		l, last := NewListener(lib), map[int]string{}
		for _, r := range append(l.Feed(call), l.Finish()...) {
			last[r.Number] = r.Name
		}
		if last[1] != "0" || last[2] != "1" {
			t.Errorf("begun %d samples later: heard %v", late, last)
		}
	}
}

// TestAKeyCutsOnePromptAndTheNextBegins: wherever a prompt is cut, it and the one
// that follows at once are both heard. What follows may match by chance, for a
// vowel, what the first would have gone on with.
func TestAKeyCutsOnePromptAndTheNextBegins(t *testing.T) {
	t.Parallel()
	texts := sentences(t)[:24]
	clips := spoken(t, voices()[0], texts)
	lib := NewLibrary()
	for i, pcm := range clips {
		lib.Add(fmt.Sprint(i), nil, texts[i], pcm)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 240 / thinned {
		i, k := r.IntN(len(clips)), r.IntN(len(clips))
		cut := min(len(clips[i])-Rate/2, samplesOf(1200*time.Millisecond)+r.IntN(3*Rate))
		if cut < Rate || strings.HasPrefix(texts[k], texts[i][:8]) {
			continue // too short; or alike, so that it may be a stumble
		}
		got := lib.Recognise(telephone(slices.Concat(rest(time.Second), clips[i][:cut], rest(30*time.Millisecond), clips[k], rest(2*time.Second)), false, 1, nil))
		if len(got) != 2 || got[0].Name != fmt.Sprint(i) && !slices.Contains(got[0].Also, fmt.Sprint(i)) || got[1].Name != fmt.Sprint(k) {
			t.Errorf("%d cut after %v, then %d: heard %s", i, duration(cut), k, names(got))
		}
	}
}
