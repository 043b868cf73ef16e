package bookingtest

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
)

func testBooking(t *testing.T, f Fixture) {
	ctx := t.Context()
	s := furnish(t, f, 1)
	p := booking.Person{Number: number, Born: elder, Postcode: "44137"}
	call, h := s.offer(t, p)
	b := booking.Booking{HoldID: h.ID, CallID: call, Person: p, Operation: uuid.New()}

	stranger := b
	stranger.CallID = uuid.New()
	_, err := f.Book(ctx, stranger)
	wantErr(t, "a call books what another holds", err, booking.ErrHoldGone)

	a, err := f.Book(ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	if !booking.ValidCode(a.Code) || a.State != booking.AppointmentBooked || a.Slot != h.Slot && !a.Slot.Start.Equal(h.Slot.Start) {
		t.Errorf("booked %+v", a)
	}
	again, err := f.Book(ctx, b)
	if err != nil || again.ID != a.ID || again.Code != a.Code {
		t.Errorf("asked twice: %+v, %v", again, err)
	}
	if found, err := f.AppointmentByOperation(ctx, b.Operation); err != nil || found.ID != a.ID {
		t.Errorf("by its operation: %+v, %v", found, err)
	}
	b.Operation = uuid.New()
	_, err = f.AppointmentByOperation(ctx, b.Operation)
	wantErr(t, "an operation that booked nothing", err, booking.ErrNoAppointment)
	_, err = f.Book(ctx, b)
	wantErr(t, "a second operation on the same hold", err, booking.ErrHoldGone)
	if err := f.Release(ctx, call); err != nil {
		t.Fatal(err)
	}
	_, err = f.Offer(ctx, s.search(uuid.New(), p))
	wantErr(t, "the booked seat", err, booking.ErrNothingFree)
}

func testPersons(t *testing.T, f Fixture) {
	s := furnish(t, f, 20)
	p := booking.Person{Number: number, Born: elder}
	twin := booking.Person{Number: number, Born: elder, Another: true}
	first := s.mustBook(t, p)
	_, err := s.book(t, p)
	wantErr(t, "the same person again", err, booking.ErrAlreadyBooked)
	s.mustBook(t, twin)
	_, err = s.book(t, p)
	wantErr(t, "the same person after the twin", err, booking.ErrAlreadyBooked)
	s.mustBook(t, booking.Person{Number: number, Born: younger})
	s.mustBook(t, booking.Person{Number: number, Born: younger.AddDate(1, 0, 0), Another: true})
	_, err = s.book(t, booking.Person{Number: number, Born: younger.AddDate(2, 0, 0)})
	wantErr(t, "a fifth of one number", err, booking.ErrTooMany)

	if err := s.Cancel(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	s.mustBook(t, twin) // the place that became free under the number
	s.mustBook(t, booking.Person{Number: another, Born: elder})
	// A withheld number tells nothing: nobody is mistaken for somebody else.
	for range booking.MaxPerNumber + 1 {
		s.mustBook(t, booking.Person{Number: e164.Withheld, Born: elder})
	}
}

func testAppointments(t *testing.T, f Fixture) {
	ctx := t.Context()
	s := furnish(t, f, 1, 1, 1)
	p := booking.Person{Number: number, Born: elder}
	a := s.mustBook(t, p)
	b := s.mustBook(t, booking.Person{Number: number, Born: elder, Another: true})
	s.mustBook(t, booking.Person{Number: number, Born: younger})

	all, err := f.Appointments(ctx, number, elder)
	if err != nil || len(all) != 2 || all[0].ID != a.ID || all[1].ID != b.ID {
		t.Fatalf("appointments: %+v, %v", all, err)
	}
	if !all[0].Slot.Start.Equal(s.morning) || all[0].Slot.Centre != s.dortmund || all[0].Code != a.Code {
		t.Errorf("the first is %+v", all[0])
	}
	if none, err := f.Appointments(ctx, e164.Withheld, elder); err != nil || len(none) != 0 {
		t.Errorf("of a withheld number: %+v, %v", none, err)
	}
	if got, err := f.AppointmentByCode(ctx, a.Code, elder); err != nil || got.ID != a.ID {
		t.Errorf("by code: %+v, %v", got, err)
	}
	_, err = f.AppointmentByCode(ctx, a.Code, younger)
	wantErr(t, "a wrong birthday", err, booking.ErrNoAppointment)
	_, err = f.AppointmentByCode(ctx, "123456789", elder)
	wantErr(t, "a wrong code", err, booking.ErrNoAppointment)

	r := booking.Recording{ID: uuid.New(), Length: 2 * time.Second, WAV: []byte("RIFF")}
	if err := f.KeepName(ctx, a.ID, r); err != nil {
		t.Errorf("keep name: %v", err)
	}
	if err := f.KeepName(ctx, a.ID, r); err != nil {
		t.Errorf("keep name twice: %v", err)
	}
	r.ID = uuid.New()
	wantErr(t, "a name for nothing", f.KeepName(ctx, uuid.New(), r), booking.ErrNoAppointment)

	for range 2 { // cancelling twice is no error
		if err := f.Cancel(ctx, a.ID); err != nil {
			t.Fatalf("cancel: %v", err)
		}
	}
	wantErr(t, "cancel nothing", f.Cancel(ctx, uuid.New()), booking.ErrNoAppointment)
	_, err = f.AppointmentByCode(ctx, a.Code, elder)
	wantErr(t, "cancelled, by code", err, booking.ErrNoAppointment)
	if all, err = f.Appointments(ctx, number, elder); err != nil || len(all) != 1 || all[0].ID != b.ID {
		t.Errorf("after cancelling: %+v, %v", all, err)
	}
	// One of the two persons still holds an appointment, so it takes saying so.
	if again := s.mustBook(t, booking.Person{Number: number, Born: elder, Another: true}); again.Slot.ID != a.Slot.ID || again.ID == a.ID || again.Code == a.Code {
		t.Errorf("the freed seat was booked as %+v", again)
	}
	// The seat belongs to somebody else now.
	if err := f.Cancel(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	if all, err = f.Appointments(ctx, number, elder); err != nil || len(all) != 2 {
		t.Errorf("cancelling twice took another's seat: %+v, %v", all, err)
	}
}
