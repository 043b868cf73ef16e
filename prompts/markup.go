package prompts

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// rests are what one, two and three bars stand for. The first is the rest
// between the options of a menu: older callers follow best with 500 to 750 ms.
var rests = []time.Duration{600 * time.Millisecond, 1200 * time.Millisecond, 3 * time.Second}

// part is a piece of a parsed text: words, a rest, or a placeholder. Exactly
// one of words, rest and name is set.
type part struct {
	words string
	rest  time.Duration
	name  string
	form  string // of the placeholder; empty for the usual one
}

var placeholderSyntax = regexp.MustCompile(`^([a-z][a-z0-9_]*)(?::([a-z][a-z-]*))?$`)

// parse reads the markup of a text: {name}, {name:form}, and bars for rests.
func parse(text string) ([]part, error) {
	var parts []part
	for text != "" {
		i := strings.IndexAny(text, "{}|")
		if i < 0 {
			i = len(text)
		}
		if i > 0 {
			if err := checkWords(text[:i]); err != nil {
				return nil, err
			}
			parts = append(parts, part{words: text[:i]})
			text = text[i:]
			continue
		}
		p, rest, err := parseMark(text)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
		text = rest
	}
	return parts, nil
}

// parseMark reads the placeholder or rest with which the text begins and
// returns what follows it.
func parseMark(text string) (part, string, error) {
	switch text[0] {
	case '}':
		return part{}, "", fmt.Errorf("a } without its { before %q: add the brace or take it away", excerpt(text[1:]))
	case '|':
		after := strings.TrimLeft(text, "|")
		bars := len(text) - len(after)
		if bars > len(rests) {
			return part{}, "", fmt.Errorf("%d bars before %q: a rest is one to %d bars", bars, excerpt(after), len(rests))
		}
		return part{rest: rests[bars-1]}, after, nil
	}
	inner, after, closed := strings.Cut(text[1:], "}")
	if !closed || strings.Contains(inner, "{") {
		return part{}, "", fmt.Errorf("a { without its } before %q: add the brace or take it away", excerpt(text[1:]))
	}
	m := placeholderSyntax.FindStringSubmatch(inner)
	if m == nil {
		return part{}, "", fmt.Errorf("{%s} is no placeholder: write {name} or {name:form} in small letters", excerpt(inner))
	}
	return part{name: m[1], form: m[2]}, after, nil
}

// checkWords refuses what a voice would have to guess at.
func checkWords(words string) error {
	for _, r := range words {
		switch {
		case unicode.IsNumber(r):
			return fmt.Errorf("a figure in %q: write numbers as the words to be spoken", excerpt(words))
		case unicode.IsControl(r) && !unicode.IsSpace(r), r == unicode.ReplacementChar:
			return fmt.Errorf("a character that cannot be spoken in %q: take it away", excerpt(words))
		}
	}
	return nil
}

var errEmpty = errors.New("the text is empty: write what is to be said")

// checkSpoken refuses a text that says nothing.
func checkSpoken(parts []part) error {
	for _, p := range parts {
		if p.name != "" || speakable(p.words) {
			return nil
		}
	}
	return errEmpty
}

// speakable says whether there is anything in the words for a voice to say.
func speakable(words string) bool { return strings.ContainsFunc(words, unicode.IsLetter) }

// excerpt shortens a stretch of text for an error.
func excerpt(s string) string {
	const longest = 24
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}
