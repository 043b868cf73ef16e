package bookingtest

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
)

func testPlaces(t *testing.T, f Fixture) {
	ctx := t.Context()
	s := furnish(t, f)
	bonn := f.AddCentre(booking.Centre{Name: "Bonn", TimeZone: "Europe/Berlin"}, 50.73, 7.10)
	bochum := f.AddCentre(booking.Centre{Name: "Bochum", TimeZone: "Europe/Berlin"}, 51.48, 7.22)
	f.AddPlace("44137", "Dortmund", s.dortmund.ID)

	p, err := f.Place(ctx, "44137")
	if err != nil || p != (booking.Place{Postcode: "44137", Name: "Dortmund", Centre: s.dortmund}) {
		t.Errorf("place: %+v, %v", p, err)
	}
	_, err = f.Place(ctx, "99999")
	wantErr(t, "a postcode nobody serves", err, booking.ErrUnknownPostcode)

	near, err := f.Nearby(ctx, s.dortmund.ID, 5)
	if err != nil || len(near) != 2 || near[0] != bochum || near[1] != bonn {
		t.Errorf("nearby: %+v, %v", near, err)
	}
	if near, err = f.Nearby(ctx, s.dortmund.ID, 1); err != nil || len(near) != 1 {
		t.Errorf("nearby, at most one: %+v, %v", near, err)
	}

	want := booking.Rule{MinAge: 80, On: time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)}
	if r, err := f.Rule(ctx); err != nil || !r.Eligible(time.Now().UTC()) {
		t.Errorf("at first everyone may book: %+v, %v", r, err)
	}
	f.SetRule(want)
	if r, err := f.Rule(ctx); err != nil || r.MinAge != want.MinAge || !r.On.Equal(want.On) {
		t.Errorf("rule: %+v, %v", r, err)
	}
}

func testOffers(t *testing.T, f Fixture) {
	ctx := t.Context()
	s := furnish(t, f, 1, 2)
	f.AddSlot(s.dortmund.ID, time.Now().Add(-time.Hour), 1) // in the past: never found
	p := booking.Person{Number: number, Born: elder}
	call, first := s.offer(t, p)
	if !first.Slot.Start.Equal(s.morning) || first.Slot.Centre != s.dortmund {
		t.Fatalf("the first offer is %+v, want %v", first.Slot, s.morning)
	}
	if zone := first.Slot.Start.Location().String(); zone != "Europe/Berlin" {
		t.Errorf("it starts in the zone %s", zone)
	}
	if left := time.Until(first.Until); left < booking.HoldFor-time.Minute || left > booking.HoldFor+time.Minute {
		t.Errorf("it is held for %v", left)
	}
	// Asked again, as after a crash, a call is not in its own way.
	again, err := f.Offer(ctx, s.search(call, p))
	if err != nil || again.Slot.ID != first.Slot.ID {
		t.Errorf("offered again: %+v, %v", again, err)
	}
	_, second := s.offer(t, booking.Person{})
	if second.Slot.ID == first.Slot.ID {
		t.Error("one seat was offered to two calls")
	}
	// Nothing fits: the old hold stays.
	q := s.search(call, p)
	q.Not = []int64{second.Slot.ID}
	q.After = first.Slot.Start
	_, err = f.Offer(ctx, q)
	wantErr(t, "everything refused", err, booking.ErrNothingFree)
	if _, err = f.OpenHold(ctx, call, p); err != nil {
		t.Errorf("the old hold is gone: %v", err)
	}
	// Something fits: the old hold goes.
	q.Not = nil
	if h, err := f.Offer(ctx, q); err != nil || h.Slot.ID != second.Slot.ID || h.ID == again.ID {
		t.Errorf("the next offer is %+v, %v", h, err)
	}
	if _, third := s.offer(t, booking.Person{}); third.Slot.ID != first.Slot.ID {
		t.Errorf("the refused seat is not free again: %+v", third)
	}
	_, err = f.Offer(ctx, s.search(uuid.New(), p))
	wantErr(t, "all is held", err, booking.ErrNothingFree)
	if err := f.Release(ctx, call); err != nil {
		t.Fatal(err)
	}
	if err := f.Release(ctx, call); err != nil {
		t.Errorf("released twice: %v", err)
	}
	if _, h := s.offer(t, p); h.Slot.ID != second.Slot.ID {
		t.Errorf("the released seat is not free: %+v", h)
	}
	q = s.search(uuid.New(), p)
	q.Centre = s.dortmund.ID + 100
	_, err = f.Offer(ctx, q)
	wantErr(t, "a centre without slots", err, booking.ErrNothingFree)
}

func testExpiry(t *testing.T, f Fixture) {
	ctx := t.Context()
	s := furnish(t, f, 1)
	p := booking.Person{Number: number, Born: elder}
	call, h := s.offer(t, p)
	f.Expire(t, h.ID)
	if err := f.KeepHold(ctx, call); err != nil {
		t.Fatal(err)
	}
	_, err := f.Offer(ctx, s.search(uuid.New(), p))
	wantErr(t, "a hold kept at the last moment", err, booking.ErrNothingFree)

	f.Expire(t, h.ID)
	_, err = f.OpenHold(ctx, uuid.New(), p)
	wantErr(t, "an expired hold", err, booking.ErrNoHold)
	taker, taken := s.offer(t, booking.Person{Number: another, Born: younger})
	b := booking.Booking{HoldID: h.ID, CallID: call, Person: p, Operation: uuid.New()}
	_, err = f.Book(ctx, b)
	wantErr(t, "expired and taken", err, booking.ErrHoldGone)
	if err := f.Release(ctx, call); err != nil {
		t.Fatal(err)
	}
	f.Expire(t, taken.ID)
	b = booking.Booking{HoldID: taken.ID, CallID: taker, Person: booking.Person{Number: another, Born: younger}, Operation: uuid.New()}
	if _, err = f.Book(ctx, b); err != nil {
		t.Errorf("expired and not taken: %v", err)
	}
	if err := f.KeepHold(ctx, taker); err != nil {
		t.Errorf("keep what is no longer held: %v", err)
	}
}

func testOpenHold(t *testing.T, f Fixture) {
	ctx := t.Context()
	s := furnish(t, f, 4)
	p := booking.Person{Number: number, Born: elder, Postcode: "44137"}
	dropped, h := s.offer(t, p)
	call := uuid.New()
	for name, other := range map[string]booking.Person{
		"another number":   {Number: another, Born: elder},
		"another birthday": {Number: number, Born: younger},
		"a number withheld": {
			Number: e164.Withheld, Born: elder,
		},
	} {
		_, err := f.OpenHold(ctx, call, other)
		wantErr(t, name, err, booking.ErrNoHold)
	}
	s.offer(t, booking.Person{Number: e164.Withheld, Born: elder})
	_, err := f.OpenHold(ctx, call, booking.Person{Number: e164.Withheld, Born: elder})
	wantErr(t, "withheld rings again", err, booking.ErrNoHold)

	got, err := f.OpenHold(ctx, call, p)
	if err != nil || got.ID != h.ID || got.Slot.ID != h.Slot.ID || !got.Slot.Start.Equal(h.Slot.Start) {
		t.Fatalf("open hold: %+v, %v", got, err)
	}
	if again, err := f.OpenHold(ctx, call, p); err != nil || again.ID != h.ID {
		t.Errorf("asked twice: %+v, %v", again, err)
	}
	_, err = f.Book(ctx, booking.Booking{HoldID: h.ID, CallID: dropped, Person: p, Operation: uuid.New()})
	wantErr(t, "the dropped call books", err, booking.ErrHoldGone)
	if _, err = f.Book(ctx, booking.Booking{HoldID: h.ID, CallID: call, Person: p, Operation: uuid.New()}); err != nil {
		t.Errorf("the new call books: %v", err)
	}
	_, err = f.OpenHold(ctx, uuid.New(), p)
	wantErr(t, "booked is no longer held", err, booking.ErrNoHold)
}
