package prompts

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// FuzzText: no text of an editor makes Load panic, and one that Load accepts
// can be said, with nothing left for the voice to guess at.
func FuzzText(f *testing.F) {
	for _, s := range []string{
		"Guten Tag.", "Drücken Sie die Eins. | Sonst die Zwei. || Danke ||| sehr.", "{date}, um {time:short}, in {name}.",
		"{date:born} {date:dative}{date:day}", "{code} || {code}", "{phone:end}: {phone}!", "{digits}|{count:f}", "{", "}", "{}", "{{date}}",
		"{date:}", "{:date}", "||||", " | ", "…", "1", "½", "\x00", "a\nb", "{date", "{date:\n}", "({code})", "{code}{digits}{code}.",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parts, err := parse(text)
		if err != nil {
			return
		}
		// Declare what the text uses, each placeholder named after its kind.
		line := Line{Key: "test.line"}
		d := Declaration{Key: line.Key}
		for _, p := range parts {
			k := Kind(p.name)
			if p.name == "" || slices.ContainsFunc(d.Placeholders, func(d Placeholder) bool { return d.Kind == k }) {
				continue
			}
			d.Placeholders = append(d.Placeholders, Placeholder{Name: p.name, Kind: k})
			if values := samples[k]; values != nil {
				line.Args = append(line.Args, Arg{p.name, values[0]})
			}
		}
		b, err := yaml.Marshal(map[string]any{
			"language": "de", "name": "Deutsch", "region": "DE", "order": 1,
			"lines": map[string]any{"test.line": map[string]string{"text": text, "simple": text}},
		})
		if err != nil {
			t.Skip("YAML cannot hold it")
		}
		c, err := Load(fstest.MapFS{"de.yaml": {Data: b}}, []Declaration{d})
		if err != nil {
			return
		}
		said, err := c.Text(Manner{Language: German, Simple: true}, line)
		if err != nil {
			t.Fatalf("%q loads but cannot be said: %v", text, err)
		}
		checkText(t, said)
	})
}

// FuzzLoad: no file makes Load panic.
func FuzzLoad(f *testing.F) {
	f.Add(testGerman)
	f.Add(testEnglish)
	f.Add("lines: [1]")
	f.Add("&a {lines: *a}")
	f.Fuzz(func(t *testing.T, file string) {
		c, err := Load(fstest.MapFS{"de.yaml": {Data: []byte(file)}}, testLines)
		if (c == nil) == (err == nil) {
			t.Fatalf("Load = %v, %v", c, err)
		}
	})
}

// FuzzName: whatever stands in a store as a name, no figure is left in it.
func FuzzName(f *testing.F) {
	for _, s := range []string{"Hagen (Westf.)", "Straße 12-14, 00123 Köln", "½ ²", "٤", "0", "99999999999999999999", "a1b22c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		v, err := testEdition(German).say(Name(name), "")
		if err == nil && (!speakable(v.spoken[0].Speech) || strings.ContainsFunc(v.spoken[0].Speech, unicode.IsNumber)) {
			t.Fatalf("%q is spoken %q", name, v.spoken[0].Speech)
		}
	})
}
