package prompts

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ringback/e164"
)

// Rests inside what is read digit by digit: long enough to write it down.
const (
	restDigit = 250 * time.Millisecond
	restPair  = 400 * time.Millisecond
	restGroup = 900 * time.Millisecond
)

var kinds = []Kind{KindDate, KindTime, KindName, KindCode, KindPhone, KindDigits, KindCount, KindWindow, KindWait, KindPeople}

// speaker is how a language speaks and writes values. A language is added by a
// file that puts one into speakers, and a file of texts.
type speaker interface {
	// forms are what a placeholder of that kind may ask for besides its usual
	// form, which is "".
	forms(Kind) []string
	// date is given years from 1000 to 9999.
	date(t time.Time, form string) (spoken, written string)
	clock(t time.Time, form string) (spoken, written string)
	// count is given 0 to 999,999.
	count(n int, form string) string
	// digit is one of '0' to '9', as in a telephone number.
	digit(d rune) string
	// window is given two times of one day, which is that many days from now.
	window(from, to time.Time, days int, form string) (spoken, written string)
	// wait is given a range as Wait.Rounded makes it.
	wait(w Wait, form string) (spoken, written string)
	// people is given a number as People.Rounded makes it, and whether it may
	// be another.
	people(n int, about bool) (spoken, written string)
}

// speakers are the languages with spoken forms.
var speakers = map[Language]speaker{}

// said is a value as it is spoken and as it is written. One segment fits into
// a sentence; several stand apart from it.
type said struct {
	spoken  []Segment
	written string
}

func sentence(spoken, written string) said {
	return said{[]Segment{{Speech: spoken}}, written}
}

var (
	errYear   = errors.New("a year before 1000 or after 9999")
	errDigits = errors.New("not digits")
	errCount  = errors.New("not between 0 and 999,999")
	errName   = errors.New("a name without letters or digits")
	errNoCall = errors.New("a withheld number")
	errWindow = errors.New("a window that does not end after its beginning, or is in the past")
	errWait   = errors.New("a wait without an end")
)

// say returns a value in the language. Its errors tell nothing of the value.
func (e *edition) say(v Value, form string) (said, error) {
	switch v := v.(type) {
	case Date:
		t := time.Time(v)
		if y := t.Year(); y < 1000 || y > 9999 {
			return said{}, errYear
		}
		return sentence(e.voice.date(t, form)), nil
	case Time:
		return sentence(e.voice.clock(time.Time(v), form)), nil
	case Name:
		return e.sayName(v)
	case Count:
		if v < 0 || v > 999_999 {
			return said{}, errCount
		}
		return sentence(e.voice.count(int(v), form), strconv.Itoa(int(v))), nil
	case Code:
		return e.sayCode(string(v))
	case Digits:
		if !allDigits(string(v)) {
			return said{}, errDigits
		}
		return said{e.oneByOne(string(v)), string(v)}, nil
	case Phone:
		return e.sayPhone(e164.Number(v), form)
	case Window:
		days := daysBetween(v.Now, v.From)
		if !v.To.After(v.From) || days < 0 {
			return said{}, errWindow
		}
		return sentence(e.voice.window(v.From, v.To, days, form)), nil
	case Wait:
		if v.High <= 0 || v.Low < 0 || v.Low > v.High {
			return said{}, errWait
		}
		return sentence(e.voice.wait(v.Rounded(), form)), nil
	case People:
		if v < 0 || v > 999_999 {
			return said{}, errCount
		}
		return sentence(e.voice.people(int(v.Rounded()), v > 10)), nil
	}
	return said{}, fmt.Errorf("a %T cannot be spoken", v)
}

// sayCode reads groups of three, each digit for itself.
func (e *edition) sayCode(code string) (said, error) {
	if !allDigits(code) {
		return said{}, errDigits
	}
	groups := group(code, 3)
	var spoken []Segment
	for i, g := range groups {
		if i > 0 {
			spoken = append(spoken, Segment{Rest: restGroup})
		}
		spoken = append(spoken, e.oneByOne(g)...)
	}
	return said{spoken, strings.Join(groups, " ")}, nil
}

// sayPhone reads a number as it is dialled in the region, in pairs; with the
// form "end" its last two digits, as part of a sentence.
func (e *edition) sayPhone(n e164.Number, form string) (said, error) {
	if n == e164.Withheld {
		return said{}, errNoCall
	}
	dialled := n.DialledFrom(e.region)
	if !allDigits(dialled) {
		return said{}, errDigits
	}
	if form == "end" {
		end := dialled[max(0, len(dialled)-2):]
		return sentence(e.inWords(end), end), nil
	}
	var spoken []Segment
	for i, pair := range group(dialled, 2) {
		if i > 0 {
			spoken = append(spoken, Segment{Rest: restPair})
		}
		spoken = append(spoken, Segment{Speech: e.inWords(pair)})
	}
	return said{spoken, dialled}, nil
}

var figures = regexp.MustCompile(`[0-9]+|\p{N}`)

// sayName looks the name up in the pronunciation list. Figures in a name as
// written are spelled out: short ones, such as the number of a house, as a
// number, long ones, such as a postcode, digit by digit.
func (e *edition) sayName(n Name) (said, error) {
	written := squeeze(string(n))
	if spoken, ok := e.names[n]; ok {
		return sentence(spoken, written), nil
	}
	spoken := squeeze(figures.ReplaceAllStringFunc(written, func(f string) string {
		switch {
		case !allDigits(f): // a fraction, a raised figure: nothing in an address
			return " "
		case len(f) > 3 || f[0] == '0':
			return " " + e.inWords(f) + " "
		}
		i, _ := strconv.Atoi(f) // at most three digits
		return " " + e.voice.count(i, "") + " "
	}))
	if !speakable(spoken) {
		return said{}, errName
	}
	return sentence(strings.ReplaceAll(spoken, " ,", ","), written), nil
}

// oneByOne speaks digits with a short rest after each.
func (e *edition) oneByOne(digits string) []Segment {
	var spoken []Segment
	for i, d := range digits {
		if i > 0 {
			spoken = append(spoken, Segment{Rest: restDigit})
		}
		spoken = append(spoken, Segment{Speech: e.voice.digit(d)})
	}
	return spoken
}

// inWords speaks digits in one breath.
func (e *edition) inWords(digits string) string {
	var words []string
	for _, d := range digits {
		words = append(words, e.voice.digit(d))
	}
	return strings.Join(words, " ")
}

// group cuts digits into groups of that size. A lone digit at the end joins
// the group before it, for it sounds like the beginning of another group.
func group(digits string, size int) []string {
	var groups []string
	for len(digits) > size+1 {
		groups = append(groups, digits[:size])
		digits = digits[size:]
	}
	return append(groups, digits)
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
