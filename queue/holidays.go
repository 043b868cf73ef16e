package queue

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/aa"
	"github.com/rickar/cal/v2/de"
)

// germany are the holidays of the states of Germany by ISO 3166-2; empty: those
// of all states.
var germany = map[string][]*cal.Holiday{
	"": de.Holidays,
	// § 2 FTG: Easter and Whit Sunday too.
	"BB": slices.Concat(de.HolidaysBB, []*cal.Holiday{aa.Easter, aa.Pentecost}),
	"BE": slices.Concat(de.HolidaysBE, berlinOnce),
	"BW": de.HolidaysBW,
	// Art. 1 FTG: Assumption where most people are Catholic, which is so in most
	// communities; elsewhere the day is written as open.
	"BY": slices.Concat(de.HolidaysBY, []*cal.Holiday{de.MariaHimmelfahrt}),
	"HB": de.HolidaysHB,
	"HE": de.HolidaysHE,
	"HH": de.HolidaysHH,
	// Since 2023 (§ 2 FTG M-V).
	"MV": slices.Concat(de.HolidaysMV, []*cal.Holiday{de.Frauentag.Clone(&cal.Holiday{StartYear: 2023})}),
	"NI": de.HolidaysNI,
	"NW": de.HolidaysNW,
	"RP": de.HolidaysRP,
	"SH": de.HolidaysSH,
	"SL": de.HolidaysSL,
	"SN": de.HolidaysSN,
	"ST": de.HolidaysST,
	"TH": de.HolidaysTH,
}

// berlinOnce are the holidays Berlin has in a single year (§ 1 of its law).
var berlinOnce = []*cal.Holiday{
	{Month: time.May, Day: 8, StartYear: 2025, EndYear: 2025, Func: cal.CalcDayOfMonth},
	{Month: time.June, Day: 17, StartYear: 2028, EndYear: 2028, Func: cal.CalcDayOfMonth},
}

// states are the states of Germany as they are written: "DE-BW" …
func states() []string {
	var all []string
	for s := range germany {
		if s != "" {
			all = append(all, "DE-"+s)
		}
	}
	slices.Sort(all)
	return all
}

// holidaysOf returns what says whether a day is a holiday in a state ("DE-NW")
// or in all of Germany ("DE").
func holidaysOf(name string) (free func(day) bool, known bool) {
	country, state, _ := strings.Cut(name, "-")
	holidays, known := germany[state]
	if !known || country != "DE" || name == "DE-" {
		return nil, false
	}
	var years sync.Map // int to map[day]bool: those of a year are worked out once
	return func(d day) bool {
		days, ok := years.Load(d.year)
		if !ok {
			days, _ = years.LoadOrStore(d.year, daysOff(holidays, d.year))
		}
		return days.(map[day]bool)[d]
	}, true
}

func daysOff(holidays []*cal.Holiday, year int) map[day]bool {
	off := map[day]bool{}
	for _, h := range holidays {
		if actual, _ := h.Calc(year); !actual.IsZero() {
			off[dayOf(actual)] = true
		}
	}
	return off
}
