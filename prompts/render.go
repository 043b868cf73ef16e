package prompts

import (
	"fmt"
	"strings"
	"time"
)

// masked stands for a personal value.
const masked = "•••"

// restBetween is the rest between two lines of one utterance, and between a
// sentence and what is read digit by digit in it.
const restBetween = 500 * time.Millisecond

// Text returns a line in the language and the words of the manner. It fails
// for a language or key the catalogue does not have, for a placeholder without
// its value or with one of another kind, and for a value that cannot be
// spoken, such as a withheld number. No error names a value.
func (c *Catalogue) Text(m Manner, l Line) (Text, error) {
	e := c.edition(m.Language)
	if e == nil {
		return Text{}, fmt.Errorf("say %s: no language %q in the catalogue", l.Key, m.Language)
	}
	w, ok := e.lines[l.Key]
	if !ok {
		return Text{}, fmt.Errorf("say %s: no such line in %q", l.Key, m.Language)
	}
	parts := w.text
	if m.Simple && w.simple != nil {
		parts = w.simple
	}
	values, err := c.values(l)
	if err != nil {
		return Text{}, fmt.Errorf("say %s: %w", l.Key, err)
	}
	t, err := e.render(parts, c.declared[l.Key], values)
	if err != nil {
		return Text{}, fmt.Errorf("say %s in %q: %w", l.Key, m.Language, err)
	}
	return t, nil
}

// TextAll returns several lines as one, with a short rest between them. It
// fails as Text does.
func (c *Catalogue) TextAll(m Manner, lines ...Line) (Text, error) {
	var all Text
	for i, l := range lines {
		t, err := c.Text(m, l)
		if err != nil {
			return Text{}, err
		}
		if i == 0 {
			all = t
			continue
		}
		all.Spoken = append(appendRest(all.Spoken, restBetween), t.Spoken...)
		all.Written += " " + t.Written
		all.Masked += " " + t.Masked
	}
	return all, nil
}

// values are the arguments of a line by name, each of its declared kind.
func (c *Catalogue) values(l Line) (map[string]Value, error) {
	declared := c.declared[l.Key]
	values := map[string]Value{}
	for _, a := range l.Args {
		p, ok := declared[a.Name]
		switch {
		case !ok:
			return nil, fmt.Errorf("{%s} is not declared for this line", a.Name)
		case a.Value == nil:
			return nil, fmt.Errorf("{%s} has no value", a.Name)
		case a.Value.kind() != p.Kind:
			return nil, fmt.Errorf("{%s} is a %s, not a %s", a.Name, p.Kind, a.Value.kind())
		}
		values[a.Name] = a.Value
	}
	for name := range declared {
		if _, ok := values[name]; !ok {
			return nil, fmt.Errorf("{%s} has no value", name)
		}
	}
	return values, nil
}

// render fills the placeholders.
func (e *edition) render(parts []part, declared map[string]Placeholder, values map[string]Value) (Text, error) {
	var s script
	var written, hidden strings.Builder
	for _, p := range parts {
		switch {
		case p.rest > 0:
			s.rest(p.rest)
			written.WriteByte(' ')
			hidden.WriteByte(' ')
		case p.name == "":
			s.words(p.words)
			written.WriteString(p.words)
			hidden.WriteString(p.words)
		default:
			v, err := e.say(values[p.name], p.form)
			if err != nil {
				return Text{}, fmt.Errorf("{%s}: %w", p.name, err)
			}
			s.value(v.spoken)
			written.WriteString(v.written)
			if declared[p.name].Personal {
				v.written = masked
			}
			hidden.WriteString(v.written)
		}
	}
	return Text{Spoken: s.done(), Written: squeeze(written.String()), Masked: squeeze(hidden.String())}, nil
}

// script collects what a voice says. Words next to each other become one
// segment, so that a sentence keeps its melody.
type script struct {
	segments []Segment
	sentence strings.Builder
	apart    bool // a rest is due before the next words
}

func (s *script) words(w string) { s.sentence.WriteString(w) }

func (s *script) rest(d time.Duration) {
	s.flush()
	s.apart = false
	s.segments = appendRest(s.segments, d)
}

// value adds a value: into the sentence where it is one piece, else standing
// apart from it.
func (s *script) value(spoken []Segment) {
	if len(spoken) == 1 {
		s.words(spoken[0].Speech)
		return
	}
	s.flush()
	if n := len(s.segments); n > 0 && s.segments[n-1].Speech != "" {
		s.segments = appendRest(s.segments, restBetween)
	}
	s.segments = append(s.segments, spoken...)
	s.apart = true
}

// flush ends the sentence. What is left of punctuation after a value that
// stands apart is nothing to say.
func (s *script) flush() {
	w := strings.TrimLeft(squeeze(s.sentence.String()), ".,;:!?…) ")
	s.sentence.Reset()
	if !speakable(w) {
		return
	}
	if s.apart {
		s.segments = appendRest(s.segments, restBetween)
		s.apart = false
	}
	s.segments = append(s.segments, Segment{Speech: w})
}

func (s *script) done() []Segment {
	s.flush()
	return s.segments
}

// appendRest adds a rest; after another one it lengthens it.
func appendRest(segments []Segment, d time.Duration) []Segment {
	if n := len(segments); n > 0 && segments[n-1].Speech == "" {
		segments[n-1].Rest += d
		return segments
	}
	return append(segments, Segment{Rest: d})
}

// squeeze leaves one space where there were several, none at the ends.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }
