package prompts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// file is a language as it is written down.
type file struct {
	Language Language `yaml:"language"`
	Name     string   `yaml:"name"`
	// Region is the ISO 3166 country whose telephone numbers are spoken
	// without their country code.
	Region string `yaml:"region"`
	// Order is the place among the languages offered to a caller, from 1.
	Order int `yaml:"order"`
	// Names is how names of places and centres are spoken where that is not
	// as they are written.
	Names map[Name]string `yaml:"names"`
	Lines map[Key]struct {
		Text   string `yaml:"text"`
		Simple string `yaml:"simple"`
	} `yaml:"lines"`
}

var regionSyntax = regexp.MustCompile(`^[A-Z]{2}$`)

// readEdition reads one file and returns everything that is wrong with it. The
// edition is nil where the file does not even tell its language.
func (c *Catalogue) readEdition(fsys fs.FS, name string) (*edition, []error) {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, []error{err}
	}
	f, faults := decode(b)
	if f.Language == "" {
		if len(faults) == 0 {
			faults = append(faults, errors.New(`language: missing: write its tag, for example "de"`))
		}
		return nil, faults
	}
	e := &edition{
		file: name, language: f.Language, name: f.Name, region: f.Region, order: f.Order,
		names: map[Name]string{}, lines: map[Key]wording{},
	}
	if strings.TrimSpace(f.Name) == "" {
		faults = append(faults, errors.New(`name: missing: write what the language calls itself, for example "Deutsch"`))
	}
	if !regionSyntax.MatchString(f.Region) {
		faults = append(faults, fmt.Errorf("region: %q is no country: write two capital letters, for example DE", f.Region))
	}
	if f.Order < 1 {
		faults = append(faults, fmt.Errorf("order: %d: number the languages from 1 as they are offered", f.Order))
	}
	if e.voice = speakers[f.Language]; e.voice == nil {
		faults = append(faults, fmt.Errorf("language: no spoken forms are registered for %q: add a spoken_%s.go", f.Language, f.Language))
	}
	for _, n := range slices.Sorted(maps.Keys(f.Names)) {
		if err := checkWords(f.Names[n]); err != nil {
			faults = append(faults, fmt.Errorf("names: %q: %w", n, err))
		} else if !speakable(f.Names[n]) {
			faults = append(faults, fmt.Errorf("names: %q: no pronunciation: write one or take the name away", n))
		}
		e.names[n] = f.Names[n]
	}
	return e, append(faults, c.readLines(e, f)...)
}

// decode reads YAML strictly: a misspelt field is a fault, not a silence.
func decode(b []byte) (f file, faults []error) {
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	err := d.Decode(&f)
	var many *yaml.TypeError
	switch {
	case errors.Is(err, io.EOF):
		return f, []error{errors.New("the file is empty")}
	case errors.As(err, &many):
		for _, e := range many.Errors {
			what, _, _ := strings.Cut(e, " in type ")
			faults = append(faults, errors.New(what+": correct or remove it"))
		}
	case err != nil:
		return f, []error{err}
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		faults = append(faults, errors.New("more than one YAML document: keep one language a file"))
	}
	return f, faults
}

// readLines takes the lines of a file in and compares them with what is
// declared.
func (c *Catalogue) readLines(e *edition, f file) (faults []error) {
	for _, k := range c.keys {
		if _, ok := f.Lines[k]; !ok {
			faults = append(faults, fmt.Errorf("%s: missing: add its text", k))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(f.Lines)) {
		placeholders, ok := c.declared[k]
		if !ok {
			faults = append(faults, fmt.Errorf("%s: no dialogue says this: remove it, or declare it in lines.go", k))
			continue
		}
		var w wording
		var wrong []error
		w.text, wrong = compile(f.Lines[k].Text, placeholders, e.voice)
		for _, err := range wrong {
			faults = append(faults, fmt.Errorf("%s: text: %w", k, err))
		}
		if f.Lines[k].Simple != "" {
			w.simple, wrong = compile(f.Lines[k].Simple, placeholders, e.voice)
			for _, err := range wrong {
				faults = append(faults, fmt.Errorf("%s: simple: %w", k, err))
			}
		}
		e.lines[k] = w
	}
	return faults
}

// compile parses a text and checks its placeholders against the declared ones.
// Forms are not checked where voice is nil.
func compile(text string, declared map[string]Placeholder, voice speaker) ([]part, []error) {
	parts, err := parse(text)
	if err == nil {
		err = checkSpoken(parts)
	}
	if err != nil {
		return nil, []error{err}
	}
	var faults []error
	used := map[string]bool{}
	for _, p := range parts {
		if p.name == "" {
			continue
		}
		used[p.name] = true
		d, ok := declared[p.name]
		switch {
		case !ok:
			faults = append(faults, fmt.Errorf("{%s} is not declared for this line: %s", p.name, mend(declared)))
		case voice != nil && p.form != "" && !slices.Contains(voice.forms(d.Kind), p.form):
			faults = append(faults, fmt.Errorf("{%s:%s}: a %s has no such form: take one of %q or none", p.name, p.form, d.Kind, voice.forms(d.Kind)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if !used[name] {
			faults = append(faults, fmt.Errorf("{%s} is not used: the caller must hear it, put it into the text", name))
		}
	}
	return parts, faults
}

// mend says which placeholders a text may use.
func mend(declared map[string]Placeholder) string {
	if len(declared) == 0 {
		return "this line has no placeholders, take it away"
	}
	var names []string
	for _, n := range slices.Sorted(maps.Keys(declared)) {
		names = append(names, "{"+n+"}")
	}
	return "use " + strings.Join(names, ", ") + ", or declare it in lines.go"
}
