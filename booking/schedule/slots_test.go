package schedule

import (
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"ringback/booking"
)

var (
	berlin = booking.Centre{TimeZone: "Europe/Berlin"}.Location()
	zones  = Zones{"Dortmund": berlin, "Köln": berlin}
)

// collect sorts what a file yields into values and faults.
func collect[T any](seq iter.Seq2[T, error]) (values []T, faults []string, failed error) {
	for v, err := range seq {
		var f Fault
		switch {
		case errors.As(err, &f):
			faults = append(faults, f.Error())
		case err != nil:
			failed = err
		default:
			values = append(values, v)
		}
	}
	return values, faults, failed
}

func shown(slots []Slot) []string {
	var s []string
	for _, x := range slots {
		s = append(s, x.Centre+" "+x.Start.Format("2006-01-02T15:04Z07:00")+" "+strings.Repeat("*", x.Seats))
	}
	return s
}

func TestReadSlotsAsEditorsWriteThem(t *testing.T) {
	t.Parallel()
	want := []string{
		"Köln 2027-02-01T08:00+01:00 ***", "Köln 2027-02-01T08:20+01:00 ***", "Köln 2027-02-01T08:40+01:00 ***",
		"Dortmund 2027-07-01T10:20+02:00 *",
	}
	files := map[string]string{
		"plain":            "centre,date,from,to,every,seats\nKöln,2027-02-01,08:00,09:00,20,3\nDortmund,2027-07-01,10:20,,,1\n",
		"Excel, UTF-8":     "\ufeffcentre;date;from;to;every;seats\r\nKöln;2027-02-01;8:00;9:00;20;3\r\n;;;;;\r\nDortmund;2027-07-01;10:20;;;1\r\n",
		"Excel, 1252":      "centre;date;from;to;every;seats\r\nK\xf6ln;2027-02-01;08:00;09:00;20;3\r\nDortmund;2027-07-01;10:20;;;1",
		"tabs":             "centre\tdate\tfrom\tto\tevery\tseats\nKöln\t2027-02-01\t08:00\t09:00\t20\t3\nDortmund\t2027-07-01\t10:20\t\t\t1\n",
		"quotes and order": "Seats, Centre ,date,from,to,every\n\"3\",\"Köln\",2027-02-01,08:00,09:00,20\n\n 1 , Dortmund ,2027-07-01,10:20,,\n",
	}
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// One byte at a time: nothing may hang on how a file arrives.
			slots, faults, err := collect(ReadSlots(iotest.OneByteReader(strings.NewReader(file)), zones))
			if err != nil || faults != nil || !slices.Equal(shown(slots), want) {
				t.Errorf("got %q, faults %q, %v", shown(slots), faults, err)
			}
		})
	}
	slots, _, _ := collect(ReadSlots(strings.NewReader("centre,date,from,seats\nKöln,2027-02-01,08:00,2\n"), zones))
	if len(slots) != 1 || slots[0].Line != 2 {
		t.Errorf("without optional columns: %+v", slots)
	}
}

func TestReadSlotsNamesEveryFault(t *testing.T) {
	t.Parallel()
	file := strings.Join([]string{
		"centre,date,from,to,every,seats",
		"Hagen,01.02.2027,8 Uhr,,,0",
		"Dortmund,2027-02-01,08:00,09:00,20,3", // right
		"Dortmund,2027-02-01,09:00,08:00,20,3",
		"Dortmund,2027-02-01,09:00,,20,3",
		"Dortmund,2027-02-30,25:00,26:00,x,1001",
		"Dortmund,2027-02-01",
		"\"Dortmund,2027-02-01,08:00,,,1",
		"Dortmund,2027-03-28,02:30,,,1",
		"Dortmund,2027-03-28,00:00,06:00,60,1",
		"Dortmund,2026-10-25,02:30,,,1",
		"Dortmund,2026-10-25,02:30+01:00,,,1", // right
		"Dortmund,2026-10-25,02:30+05:00,,,1",
		"Dortmund,2026-10-25,02:30+01:00,04:00,10,1",
	}, "\n")
	want := []string{
		`line 2: no centre is called "Hagen"`,
		`line 2: "01.02.2027" is no date; write it as 2027-02-01`,
		`line 2: "8 Uhr" is no time of day; write it as 08:00`,
		`line 2: seats is "0"; it is a number from 1 to 1000`,
		`line 4: 09:00 is not before 08:00`,
		`line 5: "" is no time of day; write it as 08:00`,
		`line 6: "2027-02-30" is no date; write it as 2027-02-01`,
		`line 6: "25:00" is no time of day`,
		`line 6: "26:00" is no time of day`,
		`line 6: every is "x"; it is a number from 1 to 1440`,
		`line 6: seats is "1001"; it is a number from 1 to 1000`,
		`line 7: 2 fields where the header has 6`,
		`line 8: extraneous or missing " in quoted-field`,
		`line 9: 02:30 does not exist on 2027-03-28: clocks go forward that night in Europe/Berlin`,
		`line 10: 02:00 does not exist on 2027-03-28: clocks go forward that night in Europe/Berlin`,
		`line 11: 02:30 comes twice on 2026-10-25, because clocks go back that night in Europe/Berlin; write 02:30+02:00 or 02:30+01:00`,
		`line 13: 02:30 on 2026-10-25 has another offset from UTC in Europe/Berlin`,
		`line 14: an offset from UTC goes with a single time, without to and every`,
	}
	slots, faults, err := collect(ReadSlots(strings.NewReader(file), zones))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(faults, want) {
		t.Errorf("faults:\n%s\nwant:\n%s", strings.Join(faults, "\n"), strings.Join(want, "\n"))
	}
	if len(slots) != 3+1 || slots[3].Start.Format(time.RFC3339) != "2026-10-25T02:30:00+01:00" {
		t.Errorf("slots: %q", shown(slots))
	}
}

func TestReadSlotsRefusesWhatIsNoTable(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"":                                     "the file is empty; it begins with a line centre,date,from,to,every,seats",
		"centre,date,form,seats\n":             `line 1: unknown column "form"; the columns are centre,date,from,to,every,seats`,
		"centre,date,seats\n":                  `line 1: no column "from"; the first line names the columns centre,date,from,to,every,seats`,
		"centre,date,from,seats,Date\n":        `line 1: column "Date" comes twice`,
		"\xff\xfec\x00e\x00n\x00":              "line 1: the file is UTF-16; save it as CSV UTF-8",
		strings.Repeat("x", 70_000):            "line 1: longer than 65536 bytes: this is no CSV",
		"Köln,2027-02-01,08:00,09:00,20,3\n\n": `line 1: unknown column "Köln"; the columns are centre,date,from,to,every,seats`,
	}
	for file, want := range cases {
		slots, faults, err := collect(ReadSlots(strings.NewReader(file), zones))
		if err != nil || len(slots) != 0 || len(faults) != 1 || faults[0] != want {
			t.Errorf("%.20q: %q, %v, want %q", file, faults, err, want)
		}
	}
	broken := errors.New("disk gone")
	file := io.MultiReader(strings.NewReader("centre,date,from,seats\nKöln,2027-02-01,08:00,2\n"), iotest.ErrReader(broken))
	if slots, _, err := collect(ReadSlots(file, zones)); !errors.Is(err, broken) || len(slots) != 1 {
		t.Errorf("a reader that fails: %v after %d slots", err, len(slots))
	}
}

func TestReadSlotsStreams(t *testing.T) {
	t.Parallel()
	// A file without end: who stops asking ends it.
	r, w := io.Pipe()
	defer r.Close()
	go func() {
		_, err := io.WriteString(w, "centre,date,from,seats\n")
		for err == nil {
			_, err = io.WriteString(w, "Köln,2027-02-01,08:00,2\n")
		}
	}()
	n := 0
	for _, err := range ReadSlots(r, zones) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 10_000 {
			break
		}
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("centre,date,from,to,every,seats\nKöln,2027-02-01,08:00,09:00,20,3\n")
	f.Add("\ufeffcentre;date;from;seats\r\nK\xf6ln;2026-10-25;02:30+01:00;1\r\n;;;\r\n")
	f.Add("centre\tdate\tfrom\tseats\n\"Köln\t2027-03-28\t02:30\t1\n")
	f.Add("postcode,place,centre\n1067,Dresden,Köln\n")
	f.Add("centre,address,time_zone,latitude,longitude\nKöln,Markt 1,Europe/Berlin,\"50,9\",6.9\n")
	f.Fuzz(func(t *testing.T, file string) {
		lines := strings.Count(file, "\n") + 1
		for s, err := range ReadSlots(strings.NewReader(file), zones) {
			checkFault(t, err, lines)
			if err == nil && (zones[s.Centre] == nil || s.Seats < 1 || s.Seats > MaxSeats || s.Start.IsZero() || s.Line < 2 || s.Line > lines) {
				t.Fatalf("slot %+v", s)
			}
		}
		for c, err := range ReadCentres(strings.NewReader(file)) {
			checkFault(t, err, lines)
			if err == nil && (c.Name == "" || c.Latitude < -90 || c.Longitude > 180 || c.Location().String() != c.TimeZone) {
				t.Fatalf("centre %+v", c)
			}
		}
		for p, err := range ReadPostcodes(strings.NewReader(file)) {
			checkFault(t, err, lines)
			if err == nil && len(p.Postcode) != 5 {
				t.Fatalf("postcode %+v", p)
			}
		}
	})
}

func checkFault(t *testing.T, err error, lines int) {
	t.Helper()
	if err == nil {
		return
	}
	var f Fault
	if !errors.As(err, &f) {
		t.Fatalf("%v is no fault", err)
	}
	if f.Line > lines || f.Problem == "" || strings.ContainsAny(f.Problem, "\n\r") {
		t.Fatalf("of %d lines: %q", lines, f.Error())
	}
}
