package prompts

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Catalogue is every line in every language, checked: whatever is declared can
// be said. It does not change, so any number of calls may read it at once.
type Catalogue struct {
	keys     []Key // in the order of declaration
	declared map[Key]map[string]Placeholder
	editions []*edition // in the order in which callers are offered them
}

// edition is the catalogue in one language.
type edition struct {
	file     string
	language Language
	name     string
	region   string // ISO 3166; its telephone numbers are spoken without country code
	order    int
	voice    speaker
	names    map[Name]string // pronunciation
	lines    map[Key]wording
}

// wording is one line in one language. Simple is nil where it has none.
type wording struct {
	text   []part
	simple []part
}

// Load reads every *.yaml at the root of fsys, one file a language, and checks
// it against what the dialogues declare. The error holds all faults at once,
// each with the file, the key, what is wrong and how to mend it.
func Load(fsys fs.FS, declared []Declaration) (*Catalogue, error) {
	c := &Catalogue{declared: map[Key]map[string]Placeholder{}}
	faults := c.declare(declared)
	files, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list the languages: %w", err)
	}
	if len(files) == 0 {
		faults = append(faults, errors.New("no language at all: add a file such as de.yaml"))
	}
	for _, name := range files {
		e, wrong := c.readEdition(fsys, name)
		for _, w := range wrong {
			faults = append(faults, fmt.Errorf("%s: %w", name, w))
		}
		if e == nil {
			continue
		}
		if other := c.edition(e.language); other != nil {
			faults = append(faults, fmt.Errorf("%s: language: %q is the language of %s too: keep one of the files", name, e.language, other.file))
			continue
		}
		c.editions = append(c.editions, e)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	slices.SortFunc(c.editions, func(a, b *edition) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.language, b.language))
	})
	return c, nil
}

// declare takes the declarations in and checks that they make sense.
func (c *Catalogue) declare(declared []Declaration) (faults []error) {
	for _, d := range declared {
		if _, twice := c.declared[d.Key]; twice {
			faults = append(faults, fmt.Errorf("declarations: %s is declared twice: keep one", d.Key))
			continue
		}
		placeholders := map[string]Placeholder{}
		for _, p := range d.Placeholders {
			if _, twice := placeholders[p.Name]; twice {
				faults = append(faults, fmt.Errorf("declarations: %s: {%s} is declared twice: keep one", d.Key, p.Name))
			}
			if !slices.Contains(kinds, p.Kind) {
				faults = append(faults, fmt.Errorf("declarations: %s: {%s}: there is no kind %q: take one of %q", d.Key, p.Name, p.Kind, kinds))
			}
			placeholders[p.Name] = p
		}
		c.declared[d.Key] = placeholders
		c.keys = append(c.keys, d.Key)
	}
	return faults
}

// edition returns the catalogue in that language, or nil.
func (c *Catalogue) edition(l Language) *edition {
	for _, e := range c.editions {
		if e.language == l {
			return e
		}
	}
	return nil
}

// Languages returns the languages in the order in which callers are offered
// them.
func (c *Catalogue) Languages() []Language {
	var ls []Language
	for _, e := range c.editions {
		ls = append(ls, e.language)
	}
	return ls
}

// Name returns what a language calls itself, for example "Deutsch"; nothing
// for a language the catalogue does not have.
func (c *Catalogue) Name(l Language) string {
	if e := c.edition(l); e != nil {
		return e.name
	}
	return ""
}

// Fixed returns the lines without placeholders, in the order of declaration:
// what can be rendered before the first call.
func (c *Catalogue) Fixed() []Key {
	var fixed []Key
	for _, k := range c.keys {
		if len(c.declared[k]) == 0 {
			fixed = append(fixed, k)
		}
	}
	return fixed
}
