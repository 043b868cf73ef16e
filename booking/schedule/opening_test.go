package schedule

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name     string
		from, to string
		openings []string
		every    int
		want     []string
	}{
		{
			"a week", "2027-02-05", "2027-02-09", []string{"Mon-Fri 08:00-09:00", "Sat 9:00-9:30"}, 30,
			[]string{
				"2027-02-05T08:00+01:00", "2027-02-05T08:30+01:00", "2027-02-06T09:00+01:00",
				"2027-02-08T08:00+01:00", "2027-02-08T08:30+01:00", "2027-02-09T08:00+01:00", "2027-02-09T08:30+01:00",
			},
		},
		{
			"openings that overlap", "2027-02-05", "2027-02-05", []string{"Fri 08:00-09:00", "Thu,Fri-Mon 08:30-09:30"}, 30,
			[]string{"2027-02-05T08:00+01:00", "2027-02-05T08:30+01:00", "2027-02-05T09:00+01:00"},
		},
		{
			"the same hour by the clock in summer", "2027-03-27", "2027-03-29", []string{"Sat-Mon 10:00-11:00"}, 60,
			[]string{"2027-03-27T10:00+01:00", "2027-03-28T10:00+02:00", "2027-03-29T10:00+02:00"},
		},
		{
			"to the end of the day", "2027-02-05", "2027-02-05", []string{"Fri 23:30-24:00"}, 15,
			[]string{"2027-02-05T23:30+01:00", "2027-02-05T23:45+01:00"},
		},
		{"never open", "2027-02-05", "2027-02-05", []string{"Sat 08:00-09:00"}, 30, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := plan(t, c.from, c.to, c.openings...)
			p.Every = c.every
			slots, faults, err := collect(p.Slots())
			if err != nil || faults != nil {
				t.Fatalf("%q, %v", faults, err)
			}
			var got []string
			for _, s := range slots {
				got = append(got, s.Start.Format("2006-01-02T15:04Z07:00"))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestPlanNamesHoursThatDoNotExist(t *testing.T) {
	t.Parallel()
	_, faults, _ := collect(plan(t, "2027-03-28", "2027-03-28", "Sun 01:00-04:00").Slots())
	if len(faults) != 1 || !strings.Contains(faults[0], "Dortmund: 02:00 does not exist on 2027-03-28") {
		t.Errorf("faults: %q", faults)
	}
	p := plan(t, "2027-03-28", "2027-03-28", "Sun 01:00-04:00")
	p.Every = 0
	if _, faults, _ = collect(p.Slots()); len(faults) != 1 {
		t.Errorf("every 0 minutes: %q", faults)
	}
}

func TestParseOpeningRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "Mon", "Mon-Fri", "Mo-Fr 08:00-18:00", "Mon 18:00-08:00", "Mon 08:00", "Mon 08:00-08:00", "Mon 08:00+01:00-09:00", "Mon- 08:00-09:00"} {
		if o, err := ParseOpening(s); err == nil {
			t.Errorf("%q is taken as %+v", s, o)
		}
	}
}

func TestReadCentresAndPostcodes(t *testing.T) {
	t.Parallel()
	centres, faults, err := collect(ReadCentres(strings.NewReader(
		"centre;address;time_zone;latitude;longitude\nKöln;\"Messeplatz 1; 50679 Köln\";Europe/Berlin;50,94;6,98\n;;Local;91;x\n")))
	if err != nil || len(centres) != 1 || centres[0].Address != "Messeplatz 1; 50679 Köln" || centres[0].Latitude != 50.94 {
		t.Errorf("centres: %+v, %v", centres, err)
	}
	want := []string{
		"line 3: the centre has no name", `line 3: "Local" is no time zone; write it as Europe/Berlin`,
		`line 3: latitude "91" and longitude "x" are no degrees`,
	}
	if !slices.Equal(faults, want) {
		t.Errorf("faults: %q", faults)
	}
	places, faults, err := collect(ReadPostcodes(strings.NewReader("postcode,place,centre\n44137,Dortmund,Dortmund\n1067,Dresden,Dresden\n4413x,,\n")))
	if err != nil || len(places) != 2 || places[1].Postcode != "01067" {
		t.Errorf("postcodes: %+v, %v", places, err)
	}
	if want := []string{`line 4: "4413x" is no postcode of five digits`, "line 4: the place has no name"}; !slices.Equal(faults, want) {
		t.Errorf("faults: %q", faults)
	}
}

func plan(t *testing.T, from, to string, openings ...string) Plan {
	t.Helper()
	p := Plan{Centre: "Dortmund", Zone: zones["Dortmund"], Every: 60, Seats: 1}
	var err error
	if p.From, err = time.Parse(time.DateOnly, from); err != nil {
		t.Fatal(err)
	}
	if p.To, err = time.Parse(time.DateOnly, to); err != nil {
		t.Fatal(err)
	}
	for _, s := range openings {
		o, err := ParseOpening(s)
		if err != nil {
			t.Fatal(err)
		}
		p.Openings = append(p.Openings, o)
	}
	return p
}
