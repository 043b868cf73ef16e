package speech

import (
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"ringback/prompts"
)

// sentences are what the hotline says, in length and in kind.
var sentences = map[prompts.Language][]string{
	prompts.German: {
		"Willkommen bei der Hotline für Impftermine.",
		"Für einen Menschen drücken Sie die Null, für einen neuen Termin die Eins, für meinen Termin die Zwei, für Informationen die Drei.",
		"Wenn Ihr Telefon keine Tasten hat, bleiben Sie bitte am Apparat.",
		"Bitte geben Sie Ihr Geburtsdatum ein, zuerst den Tag mit zwei Ziffern, dann den Monat mit zwei Ziffern, dann das Jahr mit vier Ziffern.",
		"Sie sind am vierundzwanzigsten Dezember neunzehnhundertfünfunddreißig geboren. Wenn das richtig ist, drücken Sie die Eins, sonst die Zwei.",
		"Ich habe einen Termin für Sie: am Dienstag, dem zweiten Februar, um zehn Uhr zwanzig, in Dortmund.",
		"Um diesen Termin zu nehmen, drücken Sie die Eins.",
		"Für eine andere Uhrzeit drücken Sie die Zwei.",
		"Bitte sagen Sie nach dem Ton Ihren Namen.",
		"Bitte nehmen Sie Stift und Papier. Wenn Sie bereit sind, drücken Sie die Eins.",
		"vier sieben eins",
		"neun null zwo",
		"Danke. Auf Wiederhören.",
		"Das habe ich leider nicht verstanden.",
		"Wir rufen Sie innerhalb von sechzig Sekunden zurück.",
		"Bitte bringen Sie Ihren Personalausweis, Ihren Impfausweis und Ihre Einladung mit.",
		"Einen Moment bitte.",
		"In einem Notfall wählen Sie bitte eins eins zwei.",
		"Ihr Termin ist gebucht: Montag, der erste Februar, um zehn Uhr zwanzig, im Impfzentrum Dortmund.",
		"Dort ist im Augenblick leider kein Termin frei. Wir versuchen es morgen wieder für Sie und rufen Sie dann an.",
	},
	prompts.English: {
		"Welcome to the vaccination appointment hotline.",
		"To speak to a person, press zero. For a new appointment, press one. For my appointment, press two. For information, press three.",
		"If your telephone has no keys, please stay on the line.",
		"Please enter your date of birth: first the day with two digits, then the month with two digits, then the year with four digits.",
		"You were born on the twenty-fourth of December, nineteen thirty-five. If that is right, press one. If not, press two.",
		"I have an appointment for you: on Tuesday, the second of February, at twenty past ten, in Dortmund.",
		"To take this appointment, press one.",
		"For another time, press two.",
		"Please say your name after the tone.",
		"Please take pen and paper. When you are ready, press one.",
		"four seven one",
		"nine zero two",
		"Thank you. Good-bye.",
		"I am sorry, I did not understand.",
		"We will ring you back within sixty seconds.",
		"Please bring your identity card, your vaccination record and your invitation.",
		"One moment please.",
		"In an emergency, please dial one one two.",
		"Your appointment is booked: Monday, the first of February, at twenty past ten, at the vaccination centre in Dortmund.",
		"I am sorry, nothing is free there at the moment. We will try again for you tomorrow and ring you then.",
	},
}

// program finds an engine's program: named by an environment variable, or on
// PATH. Without it the test is skipped, but not where everything must be there.
func program(t testing.TB, variable, name string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		path, _ = exec.LookPath(name)
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed, and %s does not name it", name, variable)
		}
		t.Skipf("%s is not installed; %s can name it", name, variable)
	}
	return path
}

func pico(t testing.TB) *Pico {
	t.Helper()
	p, err := NewPico(t.Context(), program(t, "RINGBACK_PICO", "pico2wave"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func espeak(t testing.TB) *Espeak {
	t.Helper()
	e, err := NewEspeak(t.Context(), program(t, "RINGBACK_ESPEAK", "espeak-ng"))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// eachVoice runs a test for each engine and language.
func eachVoice(t *testing.T, test func(t *testing.T, e Engine, lang prompts.Language)) {
	for name, find := range map[string]func(testing.TB) Engine{
		"pico":   func(t testing.TB) Engine { return pico(t) },
		"espeak": func(t testing.TB) Engine { return espeak(t) },
	} {
		for lang := range sentences {
			t.Run(name+" "+string(lang), func(t *testing.T) {
				t.Parallel()
				test(t, find(t), lang)
			})
		}
	}
}

// TestPace holds the calibration: over all sentences, words in the time spoken
// are what was asked for.
func TestPace(t *testing.T) {
	t.Parallel()
	eachVoice(t, func(t *testing.T, e Engine, lang prompts.Language) {
		for pace := prompts.Normal; pace <= prompts.Slowest; pace++ {
			var words, minutes float64
			for _, s := range sentences[lang] {
				a, err := e.Speak(t.Context(), lang, WordsPerMinute(pace), s)
				if err != nil {
					t.Fatal(err)
				}
				m := Measure(a)
				words += float64(len(strings.Fields(s)))
				minutes += (m.Duration - m.Lead - m.Tail).Minutes()
			}
			got, want := words/minutes, float64(WordsPerMinute(pace))
			t.Logf("%s, %s: %.1f words a minute", e.Name(), paceName(pace), got)
			if math.Abs(got-want) > 0.03*want {
				t.Errorf("%s, %s: %.1f words a minute, want %.0f", e.Name(), paceName(pace), got, want)
			}
			if pace == prompts.Normal && (got < 150 || got > 180) {
				t.Errorf("%s: normal is %.1f words a minute, want 150 to 180", e.Name(), got)
			}
		}
	})
}

// TestVoices measures what engines say, as callers hear it.
func TestVoices(t *testing.T) {
	t.Parallel()
	eachVoice(t, func(t *testing.T, e Engine, lang prompts.Language) {
		least, most := 0.0, -100.0
		for _, s := range sentences[lang] {
			raw, err := e.Speak(t.Context(), lang, WordsPerMinute(prompts.Normal), s)
			if err != nil {
				t.Fatal(err)
			}
			a, err := Level(raw, s)
			if err != nil {
				t.Errorf("%q: %v", s, err)
				continue
			}
			m := Measure(a)
			least, most = min(least, m.LUFS), max(most, m.LUFS)
			if m.PeakdB > ceiling+0.05 || m.ClippedSamples > 0 {
				t.Errorf("%q: peak %.2f dB, %d samples clipped", s, m.PeakdB, m.ClippedSamples)
			}
			if m.Lead > 20*time.Millisecond || m.Tail > 70*time.Millisecond {
				t.Errorf("%q: silence of %v before and %v after", s, m.Lead, m.Tail)
			}
			if m.Duration >= sentence && math.Abs(m.LUFS-Loudness) > 0.3 {
				t.Errorf("%q: %.2f LUFS, want %.0f", s, m.LUFS, Loudness)
			}
		}
		t.Logf("%s: %.1f to %.1f LUFS", e.Name(), least, most)
		if least < Loudness-1.5 || most > Loudness+1.5 {
			t.Errorf("from %.1f to %.1f LUFS, want all within 1.5 of %.0f", least, most, Loudness)
		}
	})
}

func TestVoicesReadTextsAsText(t *testing.T) {
	t.Parallel()
	for _, e := range []Engine{pico(t), espeak(t)} {
		plain, err := e.Speak(t.Context(), "de", 160, "Das ist die eins")
		if err != nil {
			t.Fatal(err)
		}
		// Markup in a text changes neither rate nor voice, and is no option.
		for _, s := range []string{`<speed level="20">Das ist die eins`, "--help Das ist die eins"} {
			a, err := e.Speak(t.Context(), "de", 160, s)
			if err != nil {
				t.Errorf("%s, %q: %v", e.Name(), s, err)
				continue
			}
			if d := a.Duration() - plain.Duration(); d < 0 || d > 4*time.Second {
				t.Errorf("%s, %q lasts %v, plain %v", e.Name(), s, a.Duration(), plain.Duration())
			}
		}
	}
}

func TestEspeakKnowsItsVoices(t *testing.T) {
	t.Parallel()
	e := espeak(t)
	for _, lang := range []prompts.Language{"de", "en", "tr", "pl", "ru", "ar"} {
		if !e.Speaks(lang) {
			t.Errorf("no voice for %q", lang)
		}
	}
	if e.Speaks("xx") || e.Speaks("Language") {
		t.Error("speaks what is no language")
	}
	if name := e.Name(); !strings.HasPrefix(name, "espeak-ng 1.") {
		t.Errorf("name is %q, want it to tell the version", name)
	}
	if a, err := e.Speak(t.Context(), "tr", 160, "Bir lütfen"); err != nil || len(a) < Rate/4 {
		t.Errorf("Turkish: %v, %v", a.Duration(), err)
	}
}

func TestEngineThatIsNotThere(t *testing.T) {
	t.Parallel()
	if _, err := NewPico(t.Context(), "/nowhere/pico2wave"); err == nil {
		t.Error("pico started without its program")
	}
	if _, err := NewEspeak(t.Context(), "/nowhere/espeak-ng"); err == nil {
		t.Error("espeak-ng started without its program")
	}
	if _, err := NewEspeak(t.Context(), "true"); err == nil {
		t.Error("espeak-ng started without voices")
	}
}
