package prompts

import (
	"fmt"
	"strings"
	"time"
)

func init() { speakers[German] = german{} }

// german speaks dates and numbers as they are said in Germany.
type german struct{}

var (
	germanNumbers = [...]string{
		"null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn",
		"elf", "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn",
	}
	germanTens = [...]string{
		2: "zwanzig", 3: "dreißig", 4: "vierzig", 5: "fünfzig", 6: "sechzig", 7: "siebzig", 8: "achtzig", 9: "neunzig",
	}
	// The ordinals that are not the number and a "t".
	germanOrdinals = map[int]string{1: "erst", 3: "dritt", 7: "siebt", 8: "acht"}
	germanMonths   = [...]string{
		time.January: "Januar", time.February: "Februar", time.March: "März", time.April: "April",
		time.May: "Mai", time.June: "Juni", time.July: "Juli", time.August: "August",
		time.September: "September", time.October: "Oktober", time.November: "November", time.December: "Dezember",
	}
	germanWeekdays = [...]string{
		time.Sunday: "Sonntag", time.Monday: "Montag", time.Tuesday: "Dienstag", time.Wednesday: "Mittwoch",
		time.Thursday: "Donnerstag", time.Friday: "Freitag", time.Saturday: "Samstag",
	}
)

func (german) forms(k Kind) []string {
	switch k {
	case KindDate:
		return []string{"dative", "year", "year-dative", "born", "born-dative", "day"}
	case KindTime:
		return []string{"short"} // the usual one is short already
	case KindPhone:
		return []string{"end"}
	case KindCount:
		return []string{"f", "m"} // eine, ein; without a noun: eins
	case KindWindow:
		return []string{"short"}
	case KindWait:
		return []string{"dative"}
	}
	return nil
}

// date in the dative follows "am": am Dienstag, dem zweiten Februar; geboren
// am vierundzwanzigsten Dezember.
func (g german) date(t time.Time, form string) (spoken, written string) {
	day, month, weekday := g.ordinal(t.Day()), germanMonths[t.Month()], germanWeekdays[t.Weekday()]
	monthYear := month + " " + g.year(t.Year())
	shown := fmt.Sprintf("%d. %s", t.Day(), month)
	switch form {
	case "day":
		return weekday, weekday
	case "born":
		return day + "er " + monthYear, fmt.Sprintf("%s %d", shown, t.Year())
	case "born-dative":
		return day + "en " + monthYear, fmt.Sprintf("%s %d", shown, t.Year())
	case "year":
		return weekday + ", der " + day + "e " + monthYear, fmt.Sprintf("%s, %s %d", weekday, shown, t.Year())
	case "year-dative":
		return weekday + ", dem " + day + "en " + monthYear, fmt.Sprintf("%s, %s %d", weekday, shown, t.Year())
	case "dative":
		return weekday + ", dem " + day + "en " + month, weekday + ", " + shown
	}
	return weekday + ", der " + day + "e " + month, weekday + ", " + shown
}

func (g german) clock(t time.Time, _ string) (spoken, written string) {
	spoken = g.before(t.Hour()) + " Uhr"
	if t.Minute() > 0 {
		spoken += " " + g.cardinal(t.Minute())
	}
	return spoken, fmt.Sprintf("%d:%02d Uhr", t.Hour(), t.Minute())
}

func (g german) count(n int, form string) string {
	switch form {
	case "m":
		return g.before(n)
	case "f":
		if one, ok := strings.CutSuffix(g.cardinal(n), "eins"); ok {
			return one + "eine"
		}
	}
	return g.cardinal(n)
}

// digit says "zwo", which on a telephone is not taken for "drei".
func (german) digit(d rune) string {
	if d == '2' {
		return "zwo"
	}
	return germanNumbers[d-'0']
}

// cardinal is a number up to 999,999.
func (g german) cardinal(n int) string {
	switch {
	case n < 20:
		return germanNumbers[n]
	case n < 100 && n%10 == 0:
		return germanTens[n/10]
	case n < 100:
		return g.before(n%10) + "und" + germanTens[n/10]
	case n < 1000:
		return g.before(n/100) + "hundert" + g.rest(n%100)
	}
	return g.before(n/1000) + "tausend" + g.rest(n%1000)
}

// rest is what follows hundreds and thousands: nothing where they are full.
func (g german) rest(n int) string {
	if n == 0 {
		return ""
	}
	return g.cardinal(n)
}

// before is a number before what it counts: ein Uhr, einhundert.
func (g german) before(n int) string {
	if one, ok := strings.CutSuffix(g.cardinal(n), "eins"); ok {
		return one + "ein"
	}
	return g.cardinal(n)
}

// ordinal is the stem of an ordinal up to 31, without its ending.
func (g german) ordinal(n int) string {
	switch o := germanOrdinals[n]; {
	case o != "":
		return o
	case n < 20:
		return g.cardinal(n) + "t"
	}
	return g.cardinal(n) + "st"
}

// year counts hundreds up to 1999 and thousands after.
func (g german) year(y int) string {
	if y > 1099 && y < 2000 {
		return g.cardinal(y/100) + "hundert" + g.rest(y%100)
	}
	return g.cardinal(y)
}

// window names the day as briefly as it is sure to be understood; the short
// form never says both weekday and date.
func (g german) window(from, to time.Time, days int, form string) (spoken, written string) {
	day, short := "am "+germanWeekdays[from.Weekday()], form == "short"
	shown := day
	switch date := g.ordinal(from.Day()) + "en " + germanMonths[from.Month()]; {
	case days == 0:
		day, shown = "heute", "heute"
	case days == 1 && short:
		day, shown = "morgen", "morgen"
	case days == 1:
		day, shown = "morgen, "+day+",", "morgen, "+shown+","
	case days >= 7 && short:
		day, shown = "am "+date, fmt.Sprintf("am %d. %s", from.Day(), germanMonths[from.Month()])
	case days >= 7:
		shown = fmt.Sprintf("%s, %d. %s,", shown, from.Day(), germanMonths[from.Month()])
		day += ", dem " + date + ","
	}
	begin, _ := g.clock(from, "")
	end, ends := g.clock(to, "")
	_, begins := g.clock(from, "")
	if from.Minute() == 0 { // zwischen zehn und elf Uhr
		begin, begins = g.before(from.Hour()), fmt.Sprint(from.Hour())
	}
	if to.Minute() == 0 {
		ends = fmt.Sprintf("%d Uhr", to.Hour())
	}
	return day + " zwischen " + begin + " und " + end, shown + " zwischen " + begins + " und " + ends
}

// wait is in the accusative, "es dauert etwa eine Stunde", or in the dative,
// "in etwa einer Stunde".
func (g german) wait(w Wait, form string) (spoken, written string) {
	one := "eine"
	if form == "dative" {
		one = "einer"
	}
	high, unit := g.length(w.High, one)
	low, lowUnit := g.length(w.Low, one)
	switch {
	case w.Low == 0:
		return "höchstens " + high + " " + unit, "höchstens " + shownLength(w.High) + " " + unit
	case w.Low == w.High:
		return "etwa " + high + " " + unit, "etwa " + shownLength(w.High) + " " + unit
	case lowUnit[:1] != unit[:1]: // Minuten bis Stunden
		return "etwa " + low + " " + lowUnit + " bis " + high + " " + unit,
			"etwa " + shownLength(w.Low) + " " + lowUnit + " bis " + shownLength(w.High) + " " + unit
	}
	return "etwa " + low + " bis " + high + " " + unit, "etwa " + shownLength(w.Low) + " bis " + shownLength(w.High) + " " + unit
}

// length is a number of minutes or half hours, and what it counts.
func (g german) length(d time.Duration, one string) (number, unit string) {
	if d < time.Hour {
		if d == time.Minute {
			return one, "Minute"
		}
		return g.before(int(d.Minutes())), "Minuten"
	}
	hours, half := int(d.Hours()), d%time.Hour != 0
	switch {
	case half:
		return g.before(hours) + "einhalb", "Stunden"
	case hours == 1:
		return one, "Stunde"
	}
	return g.before(hours), "Stunden"
}

func (g german) people(n int, about bool) (spoken, written string) {
	switch {
	case n == 0:
		return "niemand", "niemand"
	case n == 1:
		return "ein Mensch", "1 Mensch"
	case !about:
		return g.before(n) + " Menschen", fmt.Sprintf("%d Menschen", n)
	}
	return "etwa " + g.before(n) + " Menschen", fmt.Sprintf("etwa %d Menschen", n)
}
