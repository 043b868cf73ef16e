package prompts

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"ringback/e164"
)

// testNames is the pronunciation list the tables in testdata stand on.
var testNames = map[Language]map[Name]string{
	German:  {"Hagen (Westf.)": "Hagen in Westfalen"},
	English: {"Hagen (Westf.)": "Hagen in Westphalia"},
}

// row is a line of a table: value | kind:form | spoken | written.
type row struct {
	at             string // file and line
	value          string
	kind           Kind
	form           string
	spoken, wanted string
}

func table(t *testing.T, l Language) []row {
	t.Helper()
	name := filepath.Join("testdata", "spoken_"+string(l)+".txt")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for i, line := range strings.Split(string(b), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := name + ":" + strconv.Itoa(i+1)
		cells := strings.Split(line, " | ")
		if len(cells) != 4 {
			t.Fatalf("%s: want four cells: %s", at, line)
		}
		kind, form, _ := strings.Cut(cells[1], ":")
		rows = append(rows, row{at, cells[0], Kind(kind), form, cells[2], cells[3]})
	}
	return rows
}

// parsed is the value of a row.
func (r row) parsed(t *testing.T) Value {
	t.Helper()
	switch r.kind {
	case KindDate:
		d, err := time.Parse(time.DateOnly, r.value)
		if err != nil {
			t.Fatalf("%s: %v", r.at, err)
		}
		return Date(d)
	case KindTime:
		d, err := time.Parse("15:04", r.value)
		if err != nil {
			t.Fatalf("%s: %v", r.at, err)
		}
		return Time(d)
	case KindCount:
		n, err := strconv.Atoi(r.value)
		if err != nil {
			t.Fatalf("%s: %v", r.at, err)
		}
		return Count(n)
	case KindName:
		return Name(r.value)
	case KindCode:
		return Code(r.value)
	case KindPhone:
		return Phone(e164.Number(r.value))
	case KindDigits:
		return Digits(r.value)
	case KindPeople:
		n, err := strconv.Atoi(r.value)
		if err != nil {
			t.Fatalf("%s: %v", r.at, err)
		}
		return People(n)
	case KindWait:
		low, high, _ := strings.Cut(r.value, " to ")
		l, err := time.ParseDuration(low)
		h, wrong := time.ParseDuration(high)
		if err != nil || wrong != nil {
			t.Fatalf("%s: %v, %v", r.at, err, wrong)
		}
		return Wait{l, h}
	case KindWindow:
		// 2027-02-02 10:00 to 11:00 on 2027-02-01
		span, today, _ := strings.Cut(r.value, " on ")
		from, to, _ := strings.Cut(span, " to ")
		f, err := time.Parse("2006-01-02 15:04", from)
		u, wrong := time.Parse("2006-01-02 15:04", from[:len("2006-01-02 ")]+to)
		now, odd := time.Parse(time.DateOnly, today)
		if err != nil || wrong != nil || odd != nil {
			t.Fatalf("%s: %v, %v, %v", r.at, err, wrong, odd)
		}
		return Window{f, u, now.Add(13 * time.Hour)}
	}
	t.Fatalf("%s: no kind %q", r.at, r.kind)
	return nil
}

// shown writes what is spoken as the tables do.
func shown(segments []Segment) string {
	marks := map[time.Duration]string{
		250 * time.Millisecond: ", ", 400 * time.Millisecond: "; ", 900 * time.Millisecond: " … ",
	}
	var b strings.Builder
	for _, s := range segments {
		if s.Speech != "" {
			b.WriteString(s.Speech)
		} else if m, ok := marks[s.Rest]; ok {
			b.WriteString(m)
		} else {
			b.WriteString("(" + s.Rest.String() + ")")
		}
	}
	return b.String()
}

func testEdition(l Language) *edition {
	return &edition{language: l, region: "DE", voice: speakers[l], names: testNames[l]}
}

func TestSpokenTables(t *testing.T) {
	t.Parallel()
	for _, l := range []Language{German, English} {
		e := testEdition(l)
		for _, r := range table(t, l) {
			if r.form != "" && !slices.Contains(e.voice.forms(r.kind), r.form) {
				t.Errorf("%s: a %s has no form %q", r.at, r.kind, r.form)
			}
			v, err := e.say(r.parsed(t), r.form)
			if err != nil {
				t.Errorf("%s: %v", r.at, err)
				continue
			}
			if got := shown(v.spoken); got != r.spoken {
				t.Errorf("%s: %s is spoken\n %s, want\n %s", r.at, r.value, got, r.spoken)
			}
			if v.written != r.wanted {
				t.Errorf("%s: %s is written %q, want %q", r.at, r.value, v.written, r.wanted)
			}
			if strings.ContainsFunc(shown(v.spoken), unicode.IsNumber) {
				t.Errorf("%s: a figure is left to the voice: %s", r.at, shown(v.spoken))
			}
		}
	}
}

// TestTablesAreWhole keeps the tables from losing what they must cover.
func TestTablesAreWhole(t *testing.T) {
	t.Parallel()
	for l, voice := range speakers {
		seen := map[string]bool{}
		for _, r := range table(t, l) {
			seen[string(r.kind)+":"+r.form] = true
			switch v := r.parsed(t).(type) {
			case Date:
				d := time.Time(v)
				seen["day "+strconv.Itoa(d.Day())] = true
				seen["month "+d.Month().String()] = true
				if r.form == "" {
					seen["weekday "+d.Weekday().String()] = true
				}
			case Time:
				seen["hour "+strconv.Itoa(time.Time(v).Hour())] = true
				seen["minute "+strconv.Itoa(time.Time(v).Minute())] = true
			}
		}
		var want []string
		for i := range 31 {
			want = append(want, "day "+strconv.Itoa(i+1))
		}
		for i := range 60 {
			want = append(want, "minute "+strconv.Itoa(i))
		}
		for i := range 24 {
			want = append(want, "hour "+strconv.Itoa(i))
		}
		for m := time.January; m <= time.December; m++ {
			want = append(want, "month "+m.String())
		}
		for d := time.Sunday; d <= time.Saturday; d++ {
			want = append(want, "weekday "+d.String())
		}
		for _, k := range kinds {
			want = append(want, string(k)+":")
			for _, f := range voice.forms(k) {
				if l == English && k == KindDate && f == "born-dative" || l == German && k == KindTime {
					continue // the same as the usual form
				}
				if l == English && k == KindWait {
					continue // English has no cases
				}
				want = append(want, string(k)+":"+f)
			}
		}
		for _, w := range want {
			if !seen[w] {
				t.Errorf("spoken_%s.txt has nothing for %s", l, w)
			}
		}
	}
}

// TestZone: dates and times are those of the zone they carry, also on the days
// when clocks change.
func TestZone(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ utc, date, clock string }{
		{"2026-03-28T22:59:00Z", "Samstag, der achtundzwanzigste März", "dreiundzwanzig Uhr neunundfünfzig"},
		{"2026-03-28T23:00:00Z", "Sonntag, der neunundzwanzigste März", "null Uhr"},
		{"2026-03-29T00:59:59Z", "Sonntag, der neunundzwanzigste März", "ein Uhr neunundfünfzig"},
		{"2026-03-29T01:00:00Z", "Sonntag, der neunundzwanzigste März", "drei Uhr"}, // two o'clock does not exist
		{"2026-10-25T00:30:00Z", "Sonntag, der fünfundzwanzigste Oktober", "zwei Uhr dreißig"},
		{"2026-10-25T01:30:00Z", "Sonntag, der fünfundzwanzigste Oktober", "zwei Uhr dreißig"}, // for the second time
		{"2026-10-25T22:30:00Z", "Sonntag, der fünfundzwanzigste Oktober", "dreiundzwanzig Uhr dreißig"},
		{"2026-10-25T23:30:00Z", "Montag, der sechsundzwanzigste Oktober", "null Uhr dreißig"},
	} {
		at, err := time.Parse(time.RFC3339, c.utc)
		if err != nil {
			t.Fatal(err)
		}
		e := testEdition(German)
		date, err := e.say(Date(at.In(berlin)), "")
		if err != nil || shown(date.spoken) != c.date {
			t.Errorf("the date of %s in Berlin is %q, %v; want %q", c.utc, shown(date.spoken), err, c.date)
		}
		clock, err := e.say(Time(at.In(berlin)), "")
		if err != nil || shown(clock.spoken) != c.clock {
			t.Errorf("the time of %s in Berlin is %q, %v; want %q", c.utc, shown(clock.spoken), err, c.clock)
		}
	}
}

// TestUnspeakable: what cannot be spoken is an error, not silence in a call,
// and the error does not tell the value.
func TestUnspeakable(t *testing.T) {
	t.Parallel()
	for _, v := range []Value{
		Date{}, Date(time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)), Count(-1), Count(1_000_000),
		Code(""), Code("12x456789"), Code("１２３"), Digits(""), Digits("0231 5"), Digits("1*"),
		Phone(e164.Withheld), Name(""), Name(" … "), People(-1), People(1_000_000),
		Wait{}, Wait{High: -time.Minute}, Wait{Low: 2 * time.Minute, High: time.Minute}, Window{},
		Window{From: time.Unix(0, 0), To: time.Unix(3600, 0), Now: time.Unix(100_000, 0)},
	} {
		if got, err := testEdition(German).say(v, ""); err == nil {
			t.Errorf("%T %v is spoken %q", v, v, shown(got.spoken))
		} else if strings.Contains(err.Error(), "12x456789") {
			t.Errorf("the error tells the value: %v", err)
		}
	}
	if _, err := testEdition(German).say(Phone(e164.Withheld), "end"); err == nil {
		t.Error("a withheld number has an end")
	}
}
