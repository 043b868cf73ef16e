package prompts

import (
	"fmt"
	"time"
)

func init() { speakers[English] = english{} }

// english speaks dates and numbers as they are said in Britain.
type english struct{}

var (
	englishNumbers = [...]string{
		"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
		"eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
	}
	englishTens = [...]string{
		2: "twenty", 3: "thirty", 4: "forty", 5: "fifty", 6: "sixty", 7: "seventy", 8: "eighty", 9: "ninety",
	}
	// The ordinals that are not the number and a "th".
	englishOrdinals = map[int]string{
		1: "first", 2: "second", 3: "third", 5: "fifth", 8: "eighth", 9: "ninth", 12: "twelfth",
		20: "twentieth", 30: "thirtieth",
	}
)

// forms holds the cases and genders of other languages too, so that a text can
// be translated line by line: in English they change nothing.
func (english) forms(k Kind) []string {
	switch k {
	case KindDate:
		return []string{"dative", "year", "year-dative", "born", "born-dative", "day"}
	case KindTime:
		return []string{"short"} // without "in the morning"
	case KindPhone:
		return []string{"end"}
	case KindCount:
		return []string{"f", "m"}
	case KindWindow:
		return []string{"short"}
	case KindWait:
		return []string{"dative"}
	}
	return nil
}

func (e english) date(t time.Time, form string) (spoken, written string) {
	weekday := t.Weekday().String()
	day := "the " + e.ordinal(t.Day()) + " of " + t.Month().String()
	shown := fmt.Sprintf("%d %s", t.Day(), t.Month())
	switch form {
	case "day":
		return weekday, weekday
	case "born", "born-dative":
		return day + " " + e.year(t.Year()), fmt.Sprintf("%s %d", shown, t.Year())
	case "year", "year-dative":
		return weekday + ", " + day + " " + e.year(t.Year()), fmt.Sprintf("%s %s %d", weekday, shown, t.Year())
	}
	return weekday + ", " + day, weekday + " " + shown
}

// clock counts twelve hours twice, so it says which of them are meant.
func (e english) clock(t time.Time, form string) (spoken, written string) {
	hour, minute := t.Hour(), t.Minute()
	written = fmt.Sprintf("%02d:%02d", hour, minute)
	spoken = englishNumbers[(hour+11)%12+1]
	switch {
	case form != "short" && minute == 0 && hour == 12:
		return "twelve noon", written
	case form != "short" && minute == 0 && hour == 0:
		return "twelve midnight", written
	case minute == 0:
		spoken += " o'clock"
	case minute < 10:
		spoken += " oh " + englishNumbers[minute]
	default:
		spoken += " " + e.cardinal(minute)
	}
	if form == "short" {
		return spoken, written
	}
	switch {
	case hour == 0:
		spoken += " at night"
	case hour < 12:
		spoken += " in the morning"
	case hour < 18:
		spoken += " in the afternoon"
	default:
		spoken += " in the evening"
	}
	return spoken, written
}

func (e english) count(n int, _ string) string { return e.cardinal(n) }

func (english) digit(d rune) string { return englishNumbers[d-'0'] }

// cardinal is a number up to 999,999.
func (e english) cardinal(n int) string {
	switch {
	case n < 20:
		return englishNumbers[n]
	case n < 100 && n%10 == 0:
		return englishTens[n/10]
	case n < 100:
		return englishTens[n/10] + "-" + englishNumbers[n%10]
	case n < 1000:
		return e.cardinal(n/100) + " hundred" + e.rest(n%100)
	}
	return e.cardinal(n/1000) + " thousand" + e.rest(n%1000)
}

// rest is what follows hundreds and thousands: nothing where they are full.
func (e english) rest(n int) string {
	switch {
	case n == 0:
		return ""
	case n < 100:
		return " and " + e.cardinal(n)
	}
	return " " + e.cardinal(n)
}

// ordinal is an ordinal up to 31.
func (e english) ordinal(n int) string {
	switch o := englishOrdinals[n]; {
	case o != "":
		return o
	case n > 20:
		return englishTens[n/10] + "-" + e.ordinal(n%10)
	}
	return englishNumbers[n] + "th"
}

// year is read in two pairs; the first years of a thousand are not.
func (e english) year(y int) string {
	century, rest := y/100, y%100
	switch {
	case y%1000 < 10:
		return e.cardinal(y)
	case rest == 0:
		return e.cardinal(century) + " hundred"
	case rest < 10:
		return e.cardinal(century) + " oh " + englishNumbers[rest]
	}
	return e.cardinal(century) + " " + e.cardinal(rest)
}

// window names the day as briefly as it is sure to be understood; the short
// form never says both weekday and date.
func (e english) window(from, to time.Time, days int, form string) (spoken, written string) {
	weekday, short := from.Weekday().String(), form == "short"
	day, shown := "on "+weekday, weekday
	date := "the " + e.ordinal(from.Day()) + " of " + from.Month().String()
	switch {
	case days == 0:
		day, shown = "today", "today"
	case days == 1 && short:
		day, shown = "tomorrow", "tomorrow"
	case days == 1:
		day, shown = "tomorrow, "+day+",", "tomorrow, "+weekday
	case days >= 7 && short:
		day, shown = "on "+date, fmt.Sprintf("%d %s", from.Day(), from.Month())
	case days >= 7:
		day, shown = day+", "+date+",", fmt.Sprintf("%s %d %s", weekday, from.Day(), from.Month())
	}
	part := " in the morning"
	switch {
	case from.Hour() >= 18:
		part = " in the evening"
	case from.Hour() >= 12:
		part = " in the afternoon"
	}
	return day + " between " + e.oclock(from) + " and " + e.oclock(to) + part,
		fmt.Sprintf("%s, %02d:%02d to %02d:%02d", shown, from.Hour(), from.Minute(), to.Hour(), to.Minute())
}

// oclock is a time of day without what half of the day it is in.
func (e english) oclock(t time.Time) string {
	hour := englishNumbers[(t.Hour()+11)%12+1]
	switch {
	case t.Minute() == 0:
		return hour
	case t.Minute() < 10:
		return hour + " oh " + englishNumbers[t.Minute()]
	}
	return hour + " " + e.cardinal(t.Minute())
}

func (e english) wait(w Wait, _ string) (spoken, written string) {
	high, unit := e.length(w.High)
	low, lowUnit := e.length(w.Low)
	switch {
	case w.Low == 0:
		return "at most " + high + " " + unit, "at most " + shownLength(w.High) + " " + unit
	case w.Low == w.High:
		return "about " + high + " " + unit, "about " + shownLength(w.High) + " " + unit
	case lowUnit[:1] != unit[:1]: // minutes to hours
		return "about " + low + " " + lowUnit + " to " + high + " " + unit,
			"about " + shownLength(w.Low) + " " + lowUnit + " to " + shownLength(w.High) + " " + unit
	}
	return "about " + low + " to " + high + " " + unit, "about " + shownLength(w.Low) + " to " + shownLength(w.High) + " " + unit
}

// length is a number of minutes or half hours, and what it counts.
func (e english) length(d time.Duration) (number, unit string) {
	if d < time.Hour {
		if d == time.Minute {
			return "one", "minute"
		}
		return e.cardinal(int(d.Minutes())), "minutes"
	}
	hours, half := int(d.Hours()), d%time.Hour != 0
	switch {
	case half:
		return e.cardinal(hours) + " and a half", "hours"
	case hours == 1:
		return "one", "hour"
	}
	return e.cardinal(hours), "hours"
}

func (e english) people(n int, about bool) (spoken, written string) {
	switch {
	case n == 0:
		return "nobody", "nobody"
	case n == 1:
		return "one person", "1 person"
	case !about:
		return e.cardinal(n) + " people", fmt.Sprintf("%d people", n)
	}
	return "about " + e.cardinal(n) + " people", fmt.Sprintf("about %d people", n)
}
