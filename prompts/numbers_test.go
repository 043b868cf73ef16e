package prompts

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The numbers are proved by understanding them again: readers below know the
// grammar of number words and nothing of the code that makes them. As each
// number is read back as itself, no two sound alike.

// readGerman understands a German cardinal written in one word.
func readGerman(word string) (int, error) {
	thousands, rest, ok := strings.Cut(word, "tausend")
	if !ok {
		return readGermanHundreds(word)
	}
	t, err := readGermanHundreds(thousands)
	if err != nil || rest == "" {
		return 1000 * t, err
	}
	r, err := readGermanHundreds(rest)
	return 1000*t + r, err
}

func readGermanHundreds(word string) (int, error) {
	hundreds, rest, ok := strings.Cut(word, "hundert")
	if !ok {
		return readGermanTens(word)
	}
	h, err := readGermanTens(hundreds)
	if err != nil || rest == "" {
		return 100 * h, err
	}
	r, err := readGermanTens(rest)
	return 100*h + r, err
}

var (
	germanSmall = map[string]int{
		"null": 0, "ein": 1, "eins": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6,
		"sieben": 7, "acht": 8, "neun": 9, "zehn": 10, "elf": 11, "zwölf": 12, "dreizehn": 13,
		"vierzehn": 14, "fünfzehn": 15, "sechzehn": 16, "siebzehn": 17, "achtzehn": 18, "neunzehn": 19,
	}
	germanTies = map[string]int{
		"zwanzig": 20, "dreißig": 30, "vierzig": 40, "fünfzig": 50, "sechzig": 60, "siebzig": 70,
		"achtzig": 80, "neunzig": 90,
	}
	englishWords = map[string]int{
		"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
		"eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
		"fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
		"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
	}
)

func readGermanTens(word string) (int, error) {
	if n, ok := germanSmall[word]; ok {
		return n, nil
	}
	if n, ok := germanTies[word]; ok {
		return n, nil
	}
	if unit, tens, ok := strings.Cut(word, "und"); ok && unit != "eins" {
		if u, n := germanSmall[unit], germanTies[tens]; 1 <= u && u <= 9 && n > 0 {
			return n + u, nil
		}
	}
	return 0, fmt.Errorf("%q is no German number", word)
}

// readEnglish understands a British cardinal: each word adds to or multiplies
// what came before it; "and" stands before the last two figures of a hundred.
func readEnglish(words string) (int, error) {
	total, current := 0, 0
	linked := true // "and" was said, or nothing came before
	fields := strings.Fields(words)
	for i, w := range fields {
		switch w {
		case "hundred":
			current *= 100
			linked = false
		case "thousand":
			total, current = 1000*current, 0
			linked = false
		case "and":
			linked = true
		default:
			ten, unit, two := strings.Cut(w, "-")
			n, ok := englishWords[ten]
			u, known := englishWords[unit]
			if !ok || two && (!known || n < 20 || u < 1 || u > 9) {
				return 0, fmt.Errorf("%q is no English number", words)
			}
			if two {
				n += u
			}
			if hundreds := i+1 < len(fields) && fields[i+1] == "hundred"; !linked && !hundreds {
				return 0, fmt.Errorf("%q lacks an \"and\"", words)
			}
			current += n
		}
	}
	return total + current, nil
}

func TestCardinals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		language Language
		read     func(string) (int, error)
	}{{German, readGerman}, {English, readEnglish}} {
		t.Run(string(c.language), func(t *testing.T) {
			t.Parallel()
			voice := speakers[c.language]
			for n := range 1_000_000 {
				words := voice.count(n, "")
				if got, err := c.read(words); err != nil || got != n {
					t.Fatalf("%d is spoken %q, which means %d, %v", n, words, got, err)
				}
			}
		})
	}
}

// TestGermanLastOne: a number ends in "eins" alone, "ein" before what it
// counts, and never says "einsund" or "einshundert".
func TestGermanLastOne(t *testing.T) {
	t.Parallel()
	for n := range 1_000_000 {
		if w := (german{}).count(n, ""); strings.Contains(strings.TrimSuffix(w, "eins"), "eins") || strings.HasSuffix(w, "ein") {
			t.Fatalf("%d is spoken %q", n, w)
		}
	}
}

// TestYears reads every year back, in the way years are said.
func TestYears(t *testing.T) {
	t.Parallel()
	for y := 1900; y <= 2199; y++ {
		born := time.Date(y, time.May, 4, 0, 0, 0, 0, time.UTC)
		spoken, _ := german{}.date(born, "born")
		words := strings.TrimPrefix(spoken, "vierter Mai ")
		if got, err := readGerman(words); err != nil || got != y {
			t.Errorf("in German %d is %q, which means %d, %v", y, words, got, err)
		}
		if strings.Contains(words, "tausend") != (y >= 2000) {
			t.Errorf("in German %d is %q", y, words)
		}
		spoken, _ = english{}.date(born, "born")
		words = strings.TrimPrefix(spoken, "the fourth of May ")
		if got, err := readEnglishYear(words); err != nil || got != y {
			t.Errorf("in English %d is %q, which means %d, %v", y, words, got, err)
		}
	}
}

// readEnglishYear understands "nineteen oh five", "nineteen thirty-five",
// "nineteen hundred" and "two thousand and five".
func readEnglishYear(words string) (int, error) {
	if strings.Contains(words, "hundred") || strings.Contains(words, "thousand") {
		return readEnglish(words)
	}
	century, rest, _ := strings.Cut(words, " ")
	c, err := readEnglish(century)
	if err != nil {
		return 0, err
	}
	unit, small := strings.CutPrefix(rest, "oh ")
	r, err := readEnglish(unit)
	if small != (r < 10) {
		return 0, fmt.Errorf("%q: \"oh\" goes with the years one to nine", words)
	}
	return 100*c + r, err
}
