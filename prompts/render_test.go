package prompts

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// offer is a line of the small catalogue: Tuesday, 2 February 2027, 10:20.
func offer(centre string) Line {
	at := time.Date(2027, time.February, 2, 10, 20, 0, 0, time.UTC)
	return Line{"test.offer", []Arg{{"date", Date(at)}, {"time", Time(at)}, {"centre", Name(centre)}}}
}

func testCode(code string) Line { return Line{"test.code", []Arg{{"code", Code(code)}}} }

func TestText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about                   string
		manner                  Manner
		line                    Line
		spoken, written, masked string
	}{
		{
			"an offer", Manner{Language: German}, offer("Hagen (Westf.)"),
			"Dienstag, der zweite Februar, um zehn Uhr zwanzig, in Hagen in Westfalen.",
			"Dienstag, 2. Februar, um 10:20 Uhr, in Hagen (Westf.).", "",
		}, {
			"in simpler words", Manner{Language: German, Pace: Slow, Simple: true}, offer("Köln"),
			"Am Dienstag, dem zweiten Februar, zehn Uhr zwanzig. Ort: Köln.",
			"Am Dienstag, 2. Februar, 10:20 Uhr. Ort: Köln.", "",
		}, {
			"no simpler words kept", Manner{Language: English, Simple: true}, offer("Hagen (Westf.)"),
			"Tuesday, the second of February, at ten twenty in the morning, in Hagen (Westf.).",
			"Tuesday 2 February, at 10:20, in Hagen (Westf.).", "",
		}, {
			"rests", Manner{Language: German}, Line{Key: "test.hello"},
			"Guten Tag.(600ms)Für Auskunft die Eins,(1.2s)sonst die Zwei.(3s)Danke.",
			"Guten Tag. Für Auskunft die Eins, sonst die Zwei. Danke.", "",
		}, {
			"lines broken in the file", Manner{Language: German}, Line{Key: "test.bye"}, "Auf Wiederhören.", "Auf Wiederhören.", "",
		}, {
			"a code stands apart and is masked", Manner{Language: German}, testCode("123402"),
			"Ihre Nummer ist:(500ms)eins, zwo, drei … vier, null, zwo(500ms)Danke,(500ms)eins, zwo, drei … vier, null, zwo(500ms)also.",
			"Ihre Nummer ist: 123 402. Danke, 123 402 also.", "Ihre Nummer ist: •••. Danke, ••• also.",
		}, {
			"a code of one digit is part of the sentence", Manner{Language: English}, testCode("2"),
			"Your number: two", "Your number: 2", "Your number: •••",
		},
	} {
		t.Run(c.about, func(t *testing.T) {
			t.Parallel()
			got, err := testCatalogue(t).Text(c.manner, c.line)
			if err != nil {
				t.Fatal(err)
			}
			if c.masked == "" {
				c.masked = c.written
			}
			if s := shown(got.Spoken); s != c.spoken {
				t.Errorf("spoken\n %s, want\n %s", s, c.spoken)
			}
			if got.Written != c.written || got.Masked != c.masked {
				t.Errorf("written\n %s\n %s, want\n %s\n %s", got.Written, got.Masked, c.written, c.masked)
			}
		})
	}
}

func TestTextAll(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	got, err := c.TextAll(Manner{Language: German}, Line{Key: "test.bye"}, testCode("12"), Line{Key: "test.bye"})
	if err != nil {
		t.Fatal(err)
	}
	const spoken = "Auf Wiederhören.(500ms)Ihre Nummer ist:(500ms)eins, zwo(500ms)Danke,(500ms)eins, zwo(500ms)also.(500ms)Auf Wiederhören."
	if s := shown(got.Spoken); s != spoken {
		t.Errorf("spoken\n %s, want\n %s", s, spoken)
	}
	const masked = "Auf Wiederhören. Ihre Nummer ist: •••. Danke, ••• also. Auf Wiederhören."
	if got.Masked != masked {
		t.Errorf("masked %q, want %q", got.Masked, masked)
	}
	if none, err := c.TextAll(Manner{Language: German}); err != nil || !reflect.DeepEqual(none, Text{}) {
		t.Errorf("nothing is said as %v, %v", none, err)
	}
	if _, err := c.TextAll(Manner{Language: German}, Line{Key: "test.bye"}, Line{Key: "test.nothing"}); err == nil {
		t.Error("an unknown line among others is said")
	}
}

func TestTextRefuses(t *testing.T) {
	t.Parallel()
	pointer := Code("12")
	at := time.Date(2027, time.February, 2, 10, 20, 0, 0, time.UTC)
	for _, c := range []struct {
		about    string
		language Language
		line     Line
		want     string
	}{
		{"an unknown language", "tr", offer("Köln"), `say test.offer: no language "tr" in the catalogue`},
		{"an unknown key", German, Line{Key: "test.nothing"}, `say test.nothing: no such line in "de"`},
		{"a missing value", German, Line{Key: "test.code"}, "say test.code: {code} has no value"},
		{"a nil value", German, Line{"test.code", []Arg{{"code", nil}}}, "{code} has no value"},
		{"a pointer", German, Line{"test.code", []Arg{{"code", &pointer}}}, "{code}: a *prompts.Code cannot be spoken"},
		{"the wrong kind", German, Line{"test.code", []Arg{{"code", Digits("12")}}}, "{code} is a code, not a digits"},
		{"a value too many", German, Line{"test.bye", []Arg{{"date", Date(at)}}}, "{date} is not declared for this line"},
		{"a value that cannot be spoken", German, testCode("12a456"), `say test.code in "de": {code}: not digits`},
	} {
		t.Run(c.about, func(t *testing.T) {
			t.Parallel()
			got, err := testCatalogue(t).Text(Manner{Language: c.language}, c.line)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Text = %v, %v; want %q", got, err, c.want)
			}
		})
	}
}
