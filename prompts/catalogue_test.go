package prompts

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// A small catalogue that is right.
var (
	testLines = []Declaration{
		{Key: "test.hello"},
		{Key: "test.offer", Placeholders: []Placeholder{{Name: "date", Kind: KindDate}, {Name: "time", Kind: KindTime}, {Name: "centre", Kind: KindName}}},
		{Key: "test.code", Placeholders: []Placeholder{{Name: "code", Kind: KindCode, Personal: true}}},
		{Key: "test.bye"},
	}
	testGerman = `
language: de
name: Deutsch
region: DE
order: 1
names:
  "Hagen (Westf.)": Hagen in Westfalen
lines:
  test.hello:
    text: "Guten Tag. | Für Auskunft die Eins, || sonst die Zwei. ||| Danke."
    simple: "Tag."
  test.offer:
    text: "{date}, um {time}, in {centre}."
    simple: "Am {date:dative}, {time:short}. Ort: {centre}."
  test.code:
    text: "Ihre Nummer ist: {code}. Danke, {code} also."
  test.bye:
    text: >
      Auf
      Wiederhören.
`
	testEnglish = `
language: en
name: English
region: DE
order: 2
lines:
  test.hello: {text: Good day.}
  test.offer: {text: "{date}, at {time}, in {centre}."}
  test.code: {text: "Your number: {code}"}
  test.bye: {text: Good-bye.}
`
)

func files(german, english string) fstest.MapFS {
	return fstest.MapFS{"de.yaml": {Data: []byte(german)}, "en.yaml": {Data: []byte(english)}}
}

func testCatalogue(t *testing.T) *Catalogue {
	t.Helper()
	c, err := Load(files(testGerman, testEnglish), testLines)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	c := testCatalogue(t)
	if got := c.Languages(); !slices.Equal(got, []Language{German, English}) {
		t.Errorf("Languages() = %q", got)
	}
	if got := []string{c.Name(German), c.Name(English), c.Name("tr")}; !slices.Equal(got, []string{"Deutsch", "English", ""}) {
		t.Errorf("names are %q", got)
	}
	if got := c.Fixed(); !slices.Equal(got, []Key{"test.hello", "test.bye"}) {
		t.Errorf("Fixed() = %q", got)
	}
	swapped := strings.NewReplacer("order: 1", "order: 3")
	c, err := Load(files(swapped.Replace(testGerman), testEnglish), testLines)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Languages(); !slices.Equal(got, []Language{English, German}) {
		t.Errorf("with German third, Languages() = %q", got)
	}
}

// TestFaults breaks the small catalogue in one place after another. Each fault
// names the file, the key and the mend.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ about, old, new, want string }{
		{"a missing line", "  test.bye:\n    text: >\n      Auf\n      Wiederhören.\n", "",
			`de.yaml: test.bye: missing: add its text`},
		{"an undeclared line", "  test.bye:", "  test.new: {text: Neu.}\n  test.bye:",
			`de.yaml: test.new: no dialogue says this: remove it, or declare it in lines.go`},
		{"an undeclared placeholder", "um {time}", "um {time} {hour}",
			`de.yaml: test.offer: text: {hour} is not declared for this line: use {centre}, {date}, {time}, or declare it`},
		{"a placeholder in a line without", "Guten Tag", "Guten {date}",
			`de.yaml: test.hello: text: {date} is not declared for this line: this line has no placeholders`},
		{"an unused placeholder", ", in {centre}.\"", ".\"",
			`de.yaml: test.offer: text: {centre} is not used`},
		{"an unused placeholder in the simple words", " Ort: {centre}.", "",
			`de.yaml: test.offer: simple: {centre} is not used`},
		{"an unknown form", "{date:dative}", "{date:genitive}",
			`de.yaml: test.offer: simple: {date:genitive}: a date has no such form: take one of ["dative"`},
		{"a form of another kind", "{time:short}", "{time:dative}",
			`de.yaml: test.offer: simple: {time:dative}: a time has no such form: take one of ["short"]`},
		{"an empty text", `"Guten Tag. | Für Auskunft die Eins, || sonst die Zwei. ||| Danke."`, `" "`,
			`de.yaml: test.hello: text: the text is empty: write what is to be said`},
		{"nothing but rests", `"Guten Tag. | Für Auskunft die Eins, || sonst die Zwei. ||| Danke."`, `"… | ."`,
			`de.yaml: test.hello: text: the text is empty`},
		{"blank simple words", `"Tag."`, `" "`, `de.yaml: test.hello: simple: the text is empty`},
		{"an open brace", "um {time}", "um {time",
			`de.yaml: test.offer: text: a { without its } before "time, in {centre}."`},
		{"a closing brace", "um {time}", "um time}",
			`de.yaml: test.offer: text: a } without its { before ", in {centre}."`},
		{"an empty placeholder", "um {time}", "um {time} {}", `de.yaml: test.offer: text: {} is no placeholder`},
		{"an empty form", "um {time}", "um {time:}", `de.yaml: test.offer: text: {time:} is no placeholder`},
		{"four bars", "|||", "||||", `de.yaml: test.hello: text: 4 bars before " Danke."`},
		{"a figure", "die Eins", "die 1",
			`de.yaml: test.hello: text: a figure in " Für Auskunft die 1, ": write numbers as the words to be spoken`},
		{"a character not to be spoken", "Guten Tag", `Guten\x07 Tag`,
			`de.yaml: test.hello: text: a character that cannot be spoken`},
		{"an unknown field", `simple: "Tag."`, `simpel: "Tag."`, `de.yaml: line 11: field simpel not found: correct or remove it`},
		{"an unknown field at the top", "order: 1", "order: 1\nvoice: anna", `de.yaml: line 6: field voice not found`},
		{"a line twice", "  test.bye:", "  test.hello: {text: Noch einmal.}\n  test.bye:", `already defined at line`},
		{"a number for a text", `text: "Ihre Nummer ist: {code}. Danke, {code} also."`, `text: [1, 2]`, `de.yaml: line 16: cannot unmarshal`},
		{"a duplicate language", "language: de", "language: en", `en.yaml: language: "en" is the language of de.yaml too: keep one`},
		{"no language", "language: de\n", "", `de.yaml: language: missing: write its tag`},
		{"no spoken forms", "language: de", "language: tr", `de.yaml: language: no spoken forms are registered for "tr": add a spoken_tr.go`},
		{"no name", "name: Deutsch\n", "", `de.yaml: name: missing`},
		{"no region", "region: DE\n", "", `de.yaml: region: "" is no country`},
		{"no order", "order: 1\n", "", `de.yaml: order: 0: number the languages from 1`},
		{"a figure in a pronunciation", "Hagen in Westfalen", "Hagen 2", `de.yaml: names: "Hagen (Westf.)": a figure`},
		{"an empty pronunciation", "Hagen in Westfalen", `""`, `de.yaml: names: "Hagen (Westf.)": no pronunciation`},
		{"a second document", "lines:", "---\nlines:", `de.yaml: more than one YAML document`},
		{"no YAML", "language: de", "language: [de", `de.yaml: yaml: `},
		{"an empty file", testGerman, "", `de.yaml: the file is empty`},
	} {
		t.Run(c.about, func(t *testing.T) {
			t.Parallel()
			broken := strings.Replace(testGerman, c.old, c.new, 1)
			if broken == testGerman {
				t.Fatalf("%q is not in the catalogue", c.old)
			}
			got, err := Load(files(broken, testEnglish), testLines)
			if err == nil || got != nil {
				t.Fatalf("loads, want %q", c.want)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is\n%v\nwant\n%s", err, c.want)
			}
		})
	}
}

// TestAllFaultsAtOnce: who mends a catalogue sees everything in one go.
func TestAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	german := strings.NewReplacer(
		"Guten Tag", "Guten {tag}", "um {time}", "um {hour}", "order: 1", "ordre: 1", "test.bye", "test.by",
	).Replace(testGerman)
	english := strings.NewReplacer("Good day.", "'Press 1.'", "{code}", "{code").Replace(testEnglish)
	_, err := Load(files(german, english), append(testLines, Declaration{Key: "test.bye", Placeholders: []Placeholder{{Name: "x", Kind: "colour"}}},
		Declaration{Key: "test.odd", Placeholders: []Placeholder{{Name: "x", Kind: "colour"}, {Name: "x", Kind: KindDate}}}))
	if err == nil {
		t.Fatal("loads")
	}
	for _, want := range []string{
		"declarations: test.bye is declared twice",
		`declarations: test.odd: {x}: there is no kind "colour"`,
		"declarations: test.odd: {x} is declared twice",
		"de.yaml: line 5: field ordre not found",
		"de.yaml: order: 0",
		"de.yaml: test.hello: text: {tag} is not declared",
		"de.yaml: test.offer: text: {hour} is not declared",
		"de.yaml: test.offer: text: {time} is not used",
		"de.yaml: test.bye: missing",
		"de.yaml: test.odd: missing",
		"de.yaml: test.by: no dialogue says this",
		"en.yaml: test.hello: text: a figure",
		"en.yaml: test.code: text: a { without its }",
		"en.yaml: test.odd: missing",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in\n%v", want, err)
		}
	}
}

func TestNoLanguages(t *testing.T) {
	t.Parallel()
	if _, err := Load(fstest.MapFS{"sub/de.yaml": {Data: []byte(testGerman)}}, testLines); err == nil {
		t.Error("a catalogue without a language loads")
	}
}
