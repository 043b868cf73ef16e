package listen

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// babble is a voice made of chance: syllables of changing pitch and colour,
// with rests between words. Each seed speaks its own sentence.
func babble(seed uint64, length time.Duration) []int16 {
	r := rand.New(rand.NewPCG(seed, 77))
	pcm := make([]int16, 0, samplesOf(length))
	phase := 0.0
	for len(pcm) < samplesOf(length) {
		n := Rate * (80 + r.IntN(160)) / 1000
		pitch := 90 + 80*r.Float64()
		slide := (r.Float64() - 0.5) * 60
		f1, f2 := 250+600*r.Float64(), 900+1400*r.Float64()
		hiss := r.Float64() < 0.25
		for i := range n {
			x := float64(i) / float64(n)
			phase += 2 * math.Pi * (pitch + slide*x) / Rate
			y := 0.0
			if hiss {
				y = r.Float64() - 0.5
			} else {
				for k := 1.0; k*pitch < 3000; k++ {
					f := k * pitch
					y += math.Sin(k*phase) * (1/(1+math.Pow((f-f1)/120, 2)) + 0.5/(1+math.Pow((f-f2)/200, 2)))
				}
			}
			pcm = append(pcm, int16(2500*y*math.Sin(math.Pi*x)))
		}
		if r.Float64() < 0.3 {
			pcm = append(pcm, rest(60*time.Millisecond)...)
		}
	}
	return pcm[:samplesOf(length)]
}

func samplesOf(d time.Duration) int { return int(d * Rate / time.Second) }

func babblers(n int, length time.Duration) (*Library, [][]int16) {
	lib := NewLibrary()
	var all [][]int16
	for i := range n {
		pcm := babble(uint64(i), length+time.Duration(i%7)*300*time.Millisecond)
		all = append(all, pcm)
		lib.Add(fmt.Sprint(i), []string{fmt.Sprintf("line.%d", i)}, fmt.Sprintf("Sentence %d", i), pcm)
	}
	return lib, all
}

func names(hs []Heard) string {
	var out []string
	for _, h := range hs {
		out = append(out, h.Name)
	}
	return strings.Join(out, " ")
}

func TestACallIsRecognised(t *testing.T) {
	t.Parallel()
	lib, clips := babblers(20, 2*time.Second)
	call := slices.Concat(
		rest(1234*time.Millisecond), clips[3],
		rest(700*time.Millisecond), clips[5][:samplesOf(800*time.Millisecond)], // cut short
		rest(500*time.Millisecond), clips[7], clips[8], // joined
		rest(time.Second), clips[3], // said again
	)
	got := lib.Recognise(telephone(call, true, 0.5, nil))
	if names(got) != "3 5 7 8 3" {
		t.Fatalf("heard %q, want 3 5 7 8 3", names(got))
	}
	if d := got[0].At - 1234*time.Millisecond; d < -50*time.Millisecond || d > 50*time.Millisecond {
		t.Errorf("the first began at %v, want 1.234s", got[0].At)
	}
	if got[0].Share < 0.99 || got[1].Share > 0.5 {
		t.Errorf("shares %.2f and %.2f, want the first whole and the second cut", got[0].Share, got[1].Share)
	}
	if got[0].Keys[0] != "line.3" || got[0].Text != "Sentence 3" {
		t.Errorf("the first says %v %q", got[0].Keys, got[0].Text)
	}
}

func TestClipsThatBeginAlike(t *testing.T) {
	t.Parallel()
	lib := NewLibrary()
	opening, a, b := babble(1, 2*time.Second), babble(2, time.Second), babble(3, time.Second)
	lib.Add("opening", nil, "o", opening)
	lib.Add("with a", nil, "o a", slices.Concat(opening, a))
	lib.Add("with b", nil, "o b", slices.Concat(opening, b))
	for want, pcm := range map[string][]int16{
		"opening": opening,
		"with a":  slices.Concat(opening, a),
		"with b":  slices.Concat(opening, b),
	} {
		got := lib.Recognise(slices.Concat(rest(time.Second), telephone(pcm, false, 1, nil), rest(time.Second)))
		if names(got) != want {
			t.Errorf("%s: heard %q", want, names(got))
		}
	}
	// Cut short in what they share, all three are possible, and that is said.
	got := lib.Recognise(slices.Concat(rest(time.Second), opening[:samplesOf(time.Second)], rest(time.Second)))
	if len(got) != 1 || len(got[0].Also) != 2 {
		t.Errorf("heard %+v, want one with two alternatives", got)
	}
	// Another sentence that begins alike is none of them.
	other := slices.Concat(opening[:samplesOf(1500*time.Millisecond)], babble(4, 2*time.Second))
	if got := lib.Recognise(slices.Concat(rest(time.Second), other, rest(time.Second))); len(got) != 0 {
		t.Errorf("a strange sentence was heard as %q", names(got))
	}
}

func TestSilenceNoiseAndMusicAreNothing(t *testing.T) {
	t.Parallel()
	lib, _ := babblers(50, 2*time.Second)
	r := rand.New(rand.NewPCG(5, 5))
	noise, music := rest(30*time.Second), rest(30*time.Second)
	for i := range noise {
		noise[i] = int16(r.NormFloat64() * 800)
		note := 220 * math.Pow(2, float64((i/2000*7)%12)/12)
		for k := 1.0; k < 5; k++ {
			music[i] += int16(3000 / k * math.Sin(2*math.Pi*note*k*float64(i)/Rate))
		}
	}
	for what, pcm := range map[string][]int16{"silence": rest(30 * time.Second), "noise": noise, "music": music, "nothing": nil} {
		if got := lib.Recognise(pcm); len(got) != 0 {
			t.Errorf("%s was heard as %q", what, names(got))
		}
	}
}

func TestSwappedAudioIsNoticed(t *testing.T) {
	t.Parallel()
	lib, clips := babblers(10, 2*time.Second)
	clips[2], clips[6] = clips[6], clips[2] // what is played; the library knows better
	got := lib.Recognise(slices.Concat(rest(time.Second), clips[2], rest(time.Second), clips[6]))
	if names(got) != "6 2" {
		t.Errorf("heard %q, want 6 2", names(got))
	}
}

func TestListenerIsQuick(t *testing.T) {
	t.Parallel()
	lib, clips := babblers(20, 2*time.Second)
	call := slices.Concat(rest(1500*time.Millisecond), clips[4], rest(700*time.Millisecond),
		clips[9], rest(600*time.Millisecond), clips[11][:samplesOf(900*time.Millisecond)], rest(3*time.Second))
	l := NewListener(lib)
	type named struct {
		name string
		late time.Duration
	}
	var began []named
	over := ""
	for at := 0; at < len(call); at += 160 {
		for _, r := range l.Feed(call[at:min(at+160, len(call))]) {
			if r.Over {
				over += r.Name + " "
			} else {
				began = append(began, named{r.Name, duration(at) - r.At})
			}
		}
	}
	if len(l.Finish()) != 0 || over != "4 9 11 " {
		t.Errorf("over: %q, want 4 9 11", over)
	}
	if len(began) != 3 {
		t.Fatalf("began: %+v, want three", began)
	}
	for _, n := range began {
		if n.late > 1500*time.Millisecond {
			t.Errorf("%s was named %v after it began", n.name, n.late)
		}
	}
}

func TestListenerCorrectsItself(t *testing.T) {
	t.Parallel()
	lib := NewLibrary()
	opening := babble(1, 2*time.Second)
	lib.Add("ten", nil, "at ten", slices.Concat(opening, babble(2, time.Second)))
	lib.Add("two", nil, "at two", slices.Concat(opening, babble(3, time.Second)))
	l := NewListener(lib)
	reports := l.Feed(slices.Concat(rest(time.Second), opening, babble(3, time.Second), rest(2*time.Second)))
	reports = append(reports, l.Finish()...)
	if len(reports) < 2 || reports[0].Sure || reports[0].Over {
		t.Fatalf("reports %+v: the first should be unsure", reports)
	}
	last := reports[len(reports)-1]
	if last.Name != "two" || !last.Sure || !last.Over || last.Number != 1 {
		t.Errorf("at last %+v, want two, sure and over", last)
	}
}

// shelve writes a clip as package speech does.
func shelve(t *testing.T, path string, keys []string, text string, at16 []int16) {
	t.Helper()
	raw := make([]byte, 0, 2*len(at16))
	for _, s := range at16 {
		raw = append(raw, byte(s), byte(uint16(s)>>8))
	}
	note, err := json.Marshal(map[string]any{"keys": keys, "language": "de", "pace": "normal", "written": text})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{path + ".sln16": raw, path + ".json": note} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// double brings 8 kHz to 16 kHz.
func double(pcm []int16) []int16 {
	out := make([]int16, 2*len(pcm))
	for i := range pcm {
		next := pcm[min(i+1, len(pcm)-1)]
		out[2*i], out[2*i+1] = pcm[i], int16((int(pcm[i])+int(next))/2)
	}
	return out
}

func TestFolderThatGrows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	known, late := double(babble(1, 3*time.Second)), double(babble(2, 3*time.Second))
	shelve(t, filepath.Join(dir, "fixed", "a"), []string{"welcome"}, "Welcome.", known)
	if err := os.WriteFile(filepath.Join(dir, "fixed", "broken.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	lib, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := NewListener(lib)
	l.Feed(slices.Concat(rest(time.Second), halve(known), rest(time.Second), halve(late)[:samplesOf(time.Second)]))
	shelve(t, filepath.Join(dir, "said", "b"), []string{"offer.time"}, "Monday at ten.", late)
	var heard []string
	for _, r := range l.Feed(slices.Concat(halve(late)[samplesOf(time.Second):], rest(2*time.Second))) {
		heard = append(heard, r.Name+" "+strings.Join(r.Keys, ",")+" "+r.Text)
	}
	if !slices.Contains(heard, filepath.Join("said", "b")+" offer.time Monday at ten.") {
		t.Errorf("heard %q: the new clip is missing", heard)
	}
	if _, err := Open(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there was opened")
	}
}

func TestClipsWithNothingInThem(t *testing.T) {
	t.Parallel()
	lib := NewLibrary()
	for _, pcm := range [][]int16{nil, rest(time.Second), babble(1, 50*time.Millisecond)} {
		if lib.Add("x", nil, "", pcm) {
			t.Errorf("a clip of %d samples without speech was taken", len(pcm))
		}
	}
	if !lib.Add("x", nil, "", babble(1, time.Second)) || lib.Add("x", nil, "", babble(2, time.Second)) {
		t.Error("a name is taken once")
	}
}

func BenchmarkRecognise300ClipsInAMinute(b *testing.B) {
	lib, clips := babblers(300, 3*time.Second)
	var call []int16
	for i := 0; len(call) < 60*Rate; i += 17 {
		call = append(append(call, clips[i%300]...), rest(700*time.Millisecond)...)
	}
	call = telephone(call[:60*Rate], true, 1, nil)
	for b.Loop() {
		lib.Recognise(call)
	}
}
