package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/booking/schedule"
	"ringback/postgres"
)

func (f fixture) importSlots(file string) (postgres.Added, error) {
	f.t.Helper()
	s := postgres.NewSchedule(f.db)
	zones, err := s.Zones(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return s.AddSlots(f.t.Context(), schedule.ReadSlots(strings.NewReader(file), zones))
}

const header = "centre,date,from,to,every,seats\n"

func TestImportIsIdempotentAndResizes(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.dortmund()
	// Far enough ahead to lie in the future when this test is old.
	file := func(seats int) string {
		return header + fmt.Sprintf("Dortmund,2127-02-03,08:00,09:00,10,%d\nDortmund,2127-02-03,12:00,,,1\n", seats)
	}
	for _, step := range []struct {
		seats int
		want  postgres.Added
		total int64
	}{
		{2, postgres.Added{Slots: 7, Seats: 13}, 13},
		{2, postgres.Added{Unchanged: 7}, 13},
		{5, postgres.Added{Seats: 18, Unchanged: 1}, 31},
		{3, postgres.Added{Removed: 12, Unchanged: 1}, 19},
		{4, postgres.Added{Seats: 6, Unchanged: 1}, 25},
	} {
		added, err := f.importSlots(file(step.seats))
		if err != nil || added != step.want {
			t.Fatalf("%d seats: %+v, %v, want %+v", step.seats, added, err, step.want)
		}
		if n := f.number(`select count(*) from seats`); n != step.total {
			t.Errorf("%d seats in the table, want %d", n, step.total)
		}
		if n := f.number(`select count(*) from slots where seats <> (select count(*) from seats where slot_id = slots.id)`); n != 0 {
			t.Errorf("%d slots have another number of seats than they say", n)
		}
	}
	if n := f.number(`select count(*) from slots where starts_at = '2127-02-03 08:00:00+01'`); n != 1 {
		t.Error("times are not local")
	}
}

func TestImportNeverTakesASeatAway(t *testing.T) {
	t.Parallel()
	f := setup(t)
	c := f.dortmund()
	if _, err := f.importSlots(header + "Dortmund,2127-02-03,08:00,,,5\n"); err != nil {
		t.Fatal(err)
	}
	var last booking.Hold
	for i := range 4 { // two booked, one held, one hold that expired
		call := uuid.New()
		h, err := f.Offer(t.Context(), booking.Search{CallID: call, Person: person(i), Centre: c.ID})
		if err != nil {
			t.Fatal(err)
		}
		last = h
		if i < 2 {
			if _, err := f.Book(t.Context(), booking.Booking{HoldID: h.ID, CallID: call, Person: person(i), Operation: uuid.New()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	f.Expire(t, last.ID)
	_, err := f.importSlots(header + "\nDortmund,2127-02-03,08:00,,,2\nDortmund,2127-02-03,09:00,,,2\n")
	want := "line 3: 2127-02-03 08:00 cannot have 2 seats: 3 are taken"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if n := f.number(`select count(*) from seats`); n != 5 {
		t.Errorf("%d seats after an import that was refused", n)
	}
	if added, err := f.importSlots(header + "Dortmund,2127-02-03,08:00,,,3\n"); err != nil || added.Removed != 2 {
		t.Errorf("down to those taken: %+v, %v", added, err)
	}
	if n := f.number(`select count(*) from seats where state <> 'free'`); n != 3 {
		t.Errorf("%d taken seats are left, want 3", n)
	}
}

func TestImportIsAllOrNothingAndListsEveryFault(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.dortmund()
	_, err := f.importSlots(header + strings.Join([]string{
		"Dortmund,2127-02-03,08:00,09:00,10,3",
		"Hagen,2127-02-03,08:00,09:00,10,3",
		"Dortmund,2127-02-03,08:30,09:30,10,3",
		"Dortmund,2127-02-03,07:00,,,0",
	}, "\n"))
	want := `line 3: no centre is called "Hagen"
line 5: seats is "0"; it is a number from 1 to 1000
line 4: 2127-02-03 08:30 is in line 2 already`
	var faults schedule.Faults
	if !errors.As(err, &faults) || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if n := f.number(`select count(*) from slots`); n != 0 {
		t.Errorf("%d slots were kept", n)
	}
	_, err = f.importSlots(header + strings.Repeat("x\n", 50))
	if !errors.As(err, &faults) || len(faults) != schedule.MaxFaults || !strings.Contains(err.Error(), "stopped after 20") {
		t.Errorf("fifty faults: %v", err)
	}
}

func TestSetCentresAndPostcodes(t *testing.T) {
	t.Parallel()
	f := setup(t)
	s := postgres.NewSchedule(f.db)
	ctx := t.Context()
	const centres = "centre,address,time_zone,latitude,longitude\nHagen,Markt 1,Europe/Berlin,51.4,7.5\nEssen,Markt 2,Europe/Berlin,51.5,7.0\n"
	for range 2 {
		if n, err := s.SetCentres(ctx, schedule.ReadCentres(strings.NewReader(centres))); err != nil || n != 2 {
			t.Fatalf("centres: %d, %v", n, err)
		}
	}
	_, err := s.SetCentres(ctx, schedule.ReadCentres(strings.NewReader(centres+"Bonn,x,Europe/Berlin,50,7\nHagen,,Europe/Berlin,51,7\nUlm,x,Nowhere,1,1\n")))
	if err == nil || err.Error() != "line 5: \"Hagen\" is in line 2 already\nline 6: \"Nowhere\" is no time zone; write it as Europe/Berlin" {
		t.Errorf("faults: %v", err)
	}
	if n := f.number(`select count(*) from centres`); n != 2 {
		t.Errorf("%d centres", n)
	}
	for _, file := range []string{"postcode,place,centre\n58089,Hagen,Essen\n", "postcode,place,centre\n58089,Hagen,Hagen\n"} {
		if _, err := s.SetPostcodes(ctx, schedule.ReadPostcodes(strings.NewReader(file))); err != nil {
			t.Fatal(err)
		}
	}
	if p, err := f.Place(ctx, "58089"); err != nil || p.Centre.Name != "Hagen" {
		t.Errorf("%+v, %v", p, err)
	}
	_, err = s.SetPostcodes(ctx, schedule.ReadPostcodes(strings.NewReader("postcode,place,centre\n58091,Hagen,Hagen\n58091,Hagen,Hagen\n58093,Ulm,Ulm\n")))
	if err == nil || err.Error() != "line 3: 58091 is in line 2 already\nline 4: no centre is called \"Ulm\"" {
		t.Errorf("faults: %v", err)
	}
}

func TestDemoData(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().In(berlin)
	if err := postgres.LoadDemo(ctx, f.db, now); err != nil {
		t.Fatal(err)
	}
	p, err := f.Place(ctx, "44137")
	if err != nil || p.Name != "Dortmund" || p.Centre.Name != "Dortmund" {
		t.Fatalf("44137 is %+v, %v", p, err)
	}
	near, err := f.Nearby(ctx, p.Centre.ID, 3)
	if err != nil || len(near) != 3 || near[0].Name != "Hagen" || near[1].Name != "Bochum" {
		t.Errorf("near Dortmund: %+v, %v", near, err)
	}
	rule, err := f.Rule(ctx)
	if err != nil || !rule.Eligible(elder) || rule.Eligible(now.AddDate(-60, 0, 0)) {
		t.Errorf("rule %+v, %v", rule, err)
	}
	seats := f.number(`select count(*) from seats`)
	// 24 days of sixty slots, 12 centres; four Sundays in any four weeks.
	if seats != 24*60*12*3 {
		t.Errorf("%d seats", seats)
	}
	outside := f.number(`select count(*) from slots where extract(isodow from starts_at at time zone 'Europe/Berlin') = 7
		or (starts_at at time zone 'Europe/Berlin')::time not between '08:00' and '17:50'
		or (starts_at at time zone 'Europe/Berlin')::date not between $1::date and $1::date + 27`, now.AddDate(0, 0, 1))
	if outside != 0 {
		t.Errorf("%d slots are outside of the opening times", outside)
	}
	f.exec(`delete from seats where slot_id = (select min(id) from slots)`)
	f.exec(`delete from slots where id = (select min(id) from slots)`)
	if err := postgres.LoadDemo(ctx, f.db, now); err != nil {
		t.Fatal(err)
	}
	if n := f.number(`select count(*) from seats`); n != seats-3 {
		t.Errorf("loaded again the same day: %d seats, want %d", n, seats-3)
	}
	if err := postgres.LoadDemo(ctx, f.db, now.AddDate(0, 0, 7)); err != nil {
		t.Fatal(err)
	}
	if n := f.number(`select count(*) from seats`); n != seats-3+6*60*12*3 {
		t.Errorf("a week later: %d seats", n)
	}

	days, err := postgres.NewSchedule(f.db).Days(ctx, "Dortmund", now, now.AddDate(0, 0, 40))
	if err != nil || len(days) != 30 || days[0].First != "08:00" || days[0].Last != "17:50" || days[1].Seats != 180 || days[1].Free != 180 {
		t.Errorf("%d days: %+v, %v", len(days), days[:1], err)
	}
}
