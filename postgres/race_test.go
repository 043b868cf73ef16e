package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
)

// together calls f n times at once and returns what each call returned.
func together(n int, f func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

func count(errs []error, want error) int {
	n := 0
	for _, err := range errs {
		if errors.Is(err, want) {
			n++
		}
	}
	return n
}

func person(i int) booking.Person {
	return booking.Person{Number: e164.Number(fmt.Sprintf("+49231%06d", i)), Born: elder, Postcode: "44137"}
}

func TestTwoHundredCallersForFiftySeats(t *testing.T) {
	t.Parallel()
	for name, slots := range map[string][]int{
		"one hot slot": {50},
		"five slots":   {10, 10, 10, 10, 10},
		"single seats": {
			1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
			1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			centre := f.dortmund(slots...)
			ctx := t.Context()
			errs := together(200, func(i int) error {
				call := uuid.New()
				h, err := f.Offer(ctx, booking.Search{CallID: call, Person: person(i), Centre: centre.ID})
				if err != nil {
					return err
				}
				_, err = f.Book(ctx, booking.Booking{HoldID: h.ID, CallID: call, Person: person(i), Operation: uuid.New()})
				return err
			})
			if booked, none := count(errs, nil), count(errs, booking.ErrNothingFree); booked != 50 || none != 150 {
				t.Errorf("%d booked and %d were told nothing is free; others: %v", booked, none, errs)
			}
			for what, sql := range map[string]string{
				"appointments":            `select count(*) from appointments where state = 'booked'`,
				"seats in appointments":   `select count(distinct seat_id) from appointments where state = 'booked'`,
				"booked seats":            `select count(*) from seats where state = 'booked'`,
				"persons":                 `select count(*) from persons`,
				"appointments that agree": `select count(*) from appointments a join seats s on s.id = a.seat_id and s.appointment_id = a.id and s.slot_id = a.slot_id`,
			} {
				if n := f.number(sql); n != 50 {
					t.Errorf("%d %s, want 50", n, what)
				}
			}
		})
	}
}

// Callers who change their minds all the time: no seat is held twice, none is
// lost, and nobody is told that nothing is free while there is.
func TestCallersWhoKeepAskingForAnotherTime(t *testing.T) {
	t.Parallel()
	f := setup(t)
	centre := f.dortmund(5, 5, 5, 5)
	ctx := t.Context()
	errs := together(16, func(i int) error {
		call := uuid.New()
		var trail booking.Trail
		trail.First(centre.ID, time.Time{})
		for range 8 {
			h, err := f.Offer(ctx, booking.Search{CallID: call, Person: person(i), Centre: centre.ID})
			if err != nil {
				return err
			}
			if h.Until.IsZero() || h.Slot.ID == 0 {
				return fmt.Errorf("offered %+v", h)
			}
		}
		return nil
	})
	if n := count(errs, nil); n != 16 {
		t.Errorf("%d of 16 always got an offer: %v", n, errs)
	}
	if n := f.number(`select count(*) from seats where state = 'held'`); n != 16 {
		t.Errorf("%d seats are held by 16 calls", n)
	}
	if n := f.number(`select count(distinct held_by) from seats where state = 'held'`); n != 16 {
		t.Errorf("%d calls hold seats, want 16", n)
	}
}

func TestBookIsIdempotentAlsoAtOnce(t *testing.T) {
	t.Parallel()
	for _, number := range []e164.Number{"+49231500123", e164.Withheld} {
		t.Run("number "+number.Masked(), func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			centre := f.dortmund(3)
			p := booking.Person{Number: number, Born: elder}
			call := uuid.New()
			h, err := f.Offer(t.Context(), booking.Search{CallID: call, Person: p, Centre: centre.ID})
			if err != nil {
				t.Fatal(err)
			}
			b := booking.Booking{HoldID: h.ID, CallID: call, Person: p, Operation: uuid.New()}
			var mu sync.Mutex
			got := map[booking.Appointment]int{}
			errs := together(20, func(int) error {
				a, err := f.Book(t.Context(), b)
				a.Slot.Start = time.Time{} // its zone is a pointer
				mu.Lock()
				defer mu.Unlock()
				got[a]++
				return err
			})
			if count(errs, nil) != 20 || len(got) != 1 {
				t.Errorf("20 times the same operation: %v, %v", got, errs)
			}
			if n := f.number(`select count(*) from appointments`); n != 1 {
				t.Errorf("%d appointments", n)
			}
		})
	}
}

func TestOnePersonFromTwoCallsAtOnce(t *testing.T) {
	t.Parallel()
	f := setup(t)
	centre := f.dortmund(2)
	p := person(1)
	errs := together(2, func(int) error {
		call := uuid.New()
		h, err := f.Offer(t.Context(), booking.Search{CallID: call, Person: p, Centre: centre.ID})
		if err != nil {
			return err
		}
		_, err = f.Book(t.Context(), booking.Booking{HoldID: h.ID, CallID: call, Person: p, Operation: uuid.New()})
		return err
	})
	if count(errs, nil) != 1 || count(errs, booking.ErrAlreadyBooked) != 1 {
		t.Errorf("two calls of one person: %v", errs)
	}
}

func TestMaxPerNumberAtOnce(t *testing.T) {
	t.Parallel()
	f := setup(t)
	centre := f.dortmund(30)
	errs := together(30, func(i int) error {
		p := person(1)
		// Some are of one birthday, some not.
		p.Born, p.Another = elder.AddDate(0, 0, i%3), true
		call := uuid.New()
		h, err := f.Offer(t.Context(), booking.Search{CallID: call, Person: p, Centre: centre.ID})
		if err != nil {
			return err
		}
		_, err = f.Book(t.Context(), booking.Booking{HoldID: h.ID, CallID: call, Person: p, Operation: uuid.New()})
		return err
	})
	if count(errs, nil) != booking.MaxPerNumber || count(errs, booking.ErrTooMany) != 30-booking.MaxPerNumber {
		t.Errorf("thirty calls of one number: %v", errs)
	}
	if n := f.number(`select count(*) from appointments where number = $1`, person(1).Number); n != booking.MaxPerNumber {
		t.Errorf("%d appointments under one number", n)
	}
}

// Several calls fight for one expired hold while its owner books.
func TestOwnerAndTakersOfAnExpiredHold(t *testing.T) {
	t.Parallel()
	f := setup(t)
	centre := f.dortmund(1)
	call := uuid.New()
	h, err := f.Offer(t.Context(), booking.Search{CallID: call, Person: person(0), Centre: centre.ID})
	if err != nil {
		t.Fatal(err)
	}
	f.Expire(t, h.ID)
	errs := together(20, func(i int) error {
		if i == 0 {
			_, err := f.Book(t.Context(), booking.Booking{HoldID: h.ID, CallID: call, Person: person(0), Operation: uuid.New()})
			return err
		}
		_, err := f.Offer(t.Context(), booking.Search{CallID: uuid.New(), Person: person(i), Centre: centre.ID})
		return err
	})
	if n := count(errs, nil); n != 1 {
		t.Errorf("%d got the one seat: %v", n, errs)
	}
	if n := count(errs, booking.ErrNothingFree) + count(errs, booking.ErrHoldGone); n != 19 {
		t.Errorf("%d were told politely: %v", n, errs)
	}
}

func TestBookDrawsAnotherCodeOnCollision(t *testing.T) {
	t.Parallel()
	f := setup(t)
	centre := f.dortmund(3)
	codes := []string{"123456780", "123456780", "123456780", "234567890"}
	f.SetNewCode(func() (string, error) {
		if len(codes) == 0 {
			return "", errors.New("drawn too often")
		}
		code := codes[0]
		codes = codes[1:]
		return code, nil
	})
	for i, want := range []string{"123456780", "234567890"} {
		call := uuid.New()
		h, err := f.Offer(t.Context(), booking.Search{CallID: call, Person: person(i), Centre: centre.ID})
		if err != nil {
			t.Fatal(err)
		}
		a, err := f.Book(t.Context(), booking.Booking{HoldID: h.ID, CallID: call, Person: person(i), Operation: uuid.New()})
		if err != nil || a.Code != want {
			t.Errorf("appointment %d has the code %s (%v), want %s", i, a.Code, err, want)
		}
	}
}

func TestPastAppointmentDoesNotCount(t *testing.T) {
	t.Parallel()
	f := setup(t)
	centre := f.dortmund(1, 1, 1)
	book := func() error {
		call := uuid.New()
		h, err := f.Offer(t.Context(), booking.Search{CallID: call, Person: person(1), Centre: centre.ID})
		if err != nil {
			return err
		}
		_, err = f.Book(t.Context(), booking.Booking{HoldID: h.ID, CallID: call, Person: person(1), Operation: uuid.New()})
		return err
	}
	if err := book(); err != nil {
		t.Fatal(err)
	}
	if err := book(); !errors.Is(err, booking.ErrAlreadyBooked) {
		t.Fatalf("booked twice: %v", err)
	}
	// Its time passes.
	f.exec(`alter table seats drop constraint seats_slot`)
	f.exec(`update slots set starts_at = now() - interval '1 day' where id in (select slot_id from appointments)`)
	if err := book(); err != nil {
		t.Errorf("after the first appointment: %v", err)
	}
	if n := f.number(`select count(*) from appointments where state = 'booked'`); n != 2 {
		t.Errorf("%d appointments are kept as booked", n)
	}
}

// Postgres ends a transaction to resolve a conflict, or goes away in the middle:
// the whole transaction is run again, but not for ever.
func TestConflictsAreTriedAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sqlstate string
		times    int64 // it happens before it goes well
		tries    int64
	}{
		{"40001", 2, 3},   // serialization failure
		{"40P01", 4, 5},   // deadlock
		{"57P01", 1, 2},   // shut down
		{"40001", 100, 6}, // always
		{"23514", 100, 1}, // a constraint: no use to try again
	} {
		t.Run(fmt.Sprintf("%s %d times", c.sqlstate, c.times), func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			centre := f.dortmund(1)
			// A sequence counts on whatever is rolled back.
			f.exec(`create sequence tries`)
			f.exec(fmt.Sprintf(`create function conflict() returns trigger language plpgsql as $$
				begin
					if nextval('tries') <= %d then raise exception 'conflict' using errcode = '%s'; end if;
					return new;
				end $$`, c.times, c.sqlstate))
			f.exec(`create trigger conflict before insert on appointments for each row execute function conflict()`)
			call := uuid.New()
			h, err := f.Offer(t.Context(), booking.Search{CallID: call, Person: person(1), Centre: centre.ID})
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.Book(t.Context(), booking.Booking{HoldID: h.ID, CallID: call, Person: person(1), Operation: uuid.New()})
			if well := c.tries > c.times; (err == nil) != well {
				t.Errorf("book: %v", err)
			}
			if tries := f.number(`select last_value from tries`); tries != c.tries {
				t.Errorf("tried %d times, want %d", tries, c.tries)
			}
		})
	}
}
