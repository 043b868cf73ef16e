package prompts

import (
	"strings"
	"testing"
	"time"
	"unicode"
)

// samples are values of each kind, among them what comes up rarely.
var samples = map[Kind][]Value{
	KindDate: {
		Date(time.Date(2027, time.February, 2, 10, 20, 0, 0, time.UTC)),
		Date(time.Date(1935, time.December, 24, 0, 0, 0, 0, time.UTC)),
		Date(time.Date(2106, time.January, 31, 0, 0, 0, 0, time.UTC)),
	},
	KindTime:   {Time(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)), Time(time.Date(2027, 1, 1, 21, 5, 0, 0, time.UTC))},
	KindName:   {Name("Dortmund"), Name("Hagen"), Name("Phoenixseestraße 4a, 44263 Dortmund")},
	KindCode:   {Code("123456782")},
	KindPhone:  {Phone("+4923150012345"), Phone("+33123456789")},
	KindDigits: {Digits("1"), Digits("44137")},
	KindCount:  {Count(0), Count(1), Count(80), Count(999_999)},
	KindWindow: {windowIn(0), windowIn(1), windowIn(3), windowIn(9)},
	KindWait:   {Wait{0, time.Minute}, Wait{8 * time.Minute, 14 * time.Minute}, Wait{50 * time.Minute, 80 * time.Minute}, Wait{time.Hour, 9 * time.Hour}},
	KindPeople: {People(0), People(1), People(7), People(43)},
}

// windowIn is an hour so many days from a Monday.
func windowIn(days int) Window {
	from := time.Date(2027, time.February, 1+days, 10, 0, 0, 0, time.UTC)
	return Window{From: from, To: from.Add(time.Hour), Now: time.Date(2027, time.February, 1, 8, 0, 0, 0, time.UTC)}
}

// TestDefault says every embedded line in every language, in both wordings,
// with every sample.
func TestDefault(t *testing.T) {
	t.Parallel()
	c := Default()
	for _, l := range []Language{German, English} {
		if c.Name(l) == "" {
			t.Errorf("%q is missing", l)
		}
	}
	for _, d := range Declarations {
		if d.About == "" {
			t.Errorf("%s: nobody knows when it is heard", d.Key)
		}
		for i := range 4 {
			line := Line{Key: d.Key}
			personal := false
			for _, p := range d.Placeholders {
				values := samples[p.Kind]
				line.Args = append(line.Args, Arg{p.Name, values[i%len(values)]})
				personal = personal || p.Personal
			}
			for _, l := range c.Languages() {
				for _, simple := range []bool{false, true} {
					m := Manner{Language: l, Simple: simple}
					text, err := c.Text(m, line)
					if err != nil {
						t.Errorf("%v", err)
						continue
					}
					checkText(t, text)
					if personal == (text.Written == text.Masked) {
						t.Errorf("%s in %s: personal is %v, but it is masked as %q", d.Key, l, personal, text.Masked)
					}
				}
			}
		}
	}
}

// checkText is what holds for everything the hotline says.
func checkText(t *testing.T, text Text) {
	t.Helper()
	if len(text.Spoken) == 0 || text.Written == "" || text.Masked == "" {
		t.Errorf("nothing is said: %+v", text)
	}
	rested := false
	for _, s := range text.Spoken {
		if (s.Speech == "") == (s.Rest == 0) || s.Rest < 0 {
			t.Errorf("a segment is neither speech nor rest: %+v", s)
		}
		if s.Rest > 0 && rested {
			t.Errorf("two rests in a row: %+v", text.Spoken)
		}
		rested = s.Rest > 0
		if s.Speech != "" && !speakable(s.Speech) {
			t.Errorf("%q is nothing to say", s.Speech)
		}
		if strings.ContainsFunc(s.Speech, unicode.IsNumber) || strings.ContainsAny(s.Speech, "{}|\n") {
			t.Errorf("%q leaves the voice to guess", s.Speech)
		}
	}
	if strings.ContainsAny(text.Written+text.Masked, "{}|\n") {
		t.Errorf("markup is left in %q", text.Written)
	}
}
