//go:build !race

package speech

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"ringback/prompts"
)

// changing is a line as it is made during a call, another one each time.
func changing(i int) prompts.Line {
	days := []string{"Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag"}
	hours := []string{"acht", "neun", "zehn", "elf", "zwölf", "dreizehn", "vierzehn"}
	minutes := []string{"fünf", "zehn", "zwanzig", "dreißig", "vierzig", "fünfzig"}
	return prompts.Line{Key: "offer", Args: []prompts.Arg{{Name: "x", Value: prompts.Digits(fmt.Sprintf(
		"%s, der zweite Februar, um %s Uhr %s", days[i%5], hours[i/5%7], minutes[i/35%6]))}}}
}

// offers returns a renderer that says changing lines.
func offers(t testing.TB, dir string) *Renderer {
	texts := newTexts()
	texts.langs = []prompts.Language{"de"}
	texts.lines["offer"] = "{x}, in Dortmund.|Um diesen Termin zu nehmen, drücken Sie die Eins.|" +
		"Für eine andere Uhrzeit die Zwei.|Für einen anderen Tag die Drei."
	r, err := New(Options{Texts: texts, Dir: dir, Engines: []Engine{pico(t)}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestChangingLinesAreThereInTime judges by the quickest of many: what the test
// machine does besides is not the renderer's time.
func TestChangingLinesAreThereInTime(t *testing.T) {
	r := offers(t, t.TempDir())
	var took []time.Duration
	for i := range 21 {
		began := time.Now()
		clip(t, r, german, changing(i))
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	t.Logf("quickest %v, median %v, slowest %v", took[0], took[len(took)/2], took[len(took)-1])
	if took[0] > 300*time.Millisecond {
		t.Errorf("at best it takes %v, want at most 300ms", took[0])
	}
}

// BenchmarkClip makes lines that change; the first of them also speaks what
// they have in common.
func BenchmarkClip(b *testing.B) {
	r := offers(b, b.TempDir())
	i := 0
	for b.Loop() {
		if _, err := r.Clip(context.Background(), german, changing(i)); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
