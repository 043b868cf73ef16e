package queuetest

import (
	"testing"
	"time"

	"ringback/e164"
	"ringback/queue"
)

func testPromise(t *testing.T, s *setting) {
	ctx := t.Context()
	a := s.arrival(number)
	ticket := s.promised(t, a, queue.Window{})
	if ticket.ID != a.CallID || ticket.State != queue.StateDue || ticket.DueAt.After(s.clock) || !ticket.Promised ||
		ticket.Resumed || !ticket.Window.IsZero() {
		t.Errorf("promised as %+v", ticket)
	}
	// In line first, then promised: the place stays.
	b := s.arrival(another)
	waits := s.joined(t, b)
	s.pass(t, time.Minute)
	w := s.windows(t, 1)[0]
	got := s.promised(t, b, w)
	if got.ID != waits.ID || got.State != queue.StatePromised || !got.RangAt.Equal(waits.RangAt) ||
		!got.Window.Equal(w) || !got.DueAt.Equal(w.From) {
		t.Errorf("from the line: %+v", got)
	}
	// And back.
	if got := s.joined(t, b); got.State != queue.StateWaiting || !got.DueAt.IsZero() {
		t.Errorf("in line again: %+v", got)
	}
	if st, err := s.Standing(ctx, waits.ID); err != nil || st.Ahead != 1 {
		t.Errorf("standing %+v, %v", st, err)
	}
	// An attempt to ring the hotline that was taken down earlier, and is told
	// of later, has the place of when it came.
	late := s.arrival(third)
	late.At = ticket.RangAt.Add(-time.Hour)
	s.promised(t, late, queue.Window{})
	if st, err := s.Standing(ctx, ticket.ID); err != nil || st.Ahead != 1 {
		t.Errorf("who rang an hour before is not ahead: %+v, %v", st, err)
	}
}

func testForbidden(t *testing.T, s *setting) {
	for what, n := range map[string]e164.Number{
		"premium":                  "+499001234567",
		"another region":           "+33123456789",
		"an emergency":             "+49231112",
		"no number":                "+49",
		"our own, by its settings": own,
	} {
		_, err := s.Promise(t.Context(), s.arrival(n), queue.Window{})
		wantErr(t, what, err, queue.ErrForbidden)
		if found, err := s.Find(t.Context(), n); err != nil || len(found) != 0 {
			t.Errorf("%s: refused, and in line as %+v, %v", what, found, err)
		}
	}
	// Who holds the line may have any number. Without keys, it is not rung.
	a := s.arrival("+33123456789")
	a.Keyless = true
	ticket := s.joined(t, a)
	_, err := s.Promise(t.Context(), a, queue.Window{})
	wantErr(t, "promise from the line", err, queue.ErrForbidden)
	s.wantState(t, "refused", ticket.ID, queue.StateWaiting)
	wantNil(t, "leave", s.Leave(t.Context(), ticket.ID, a.CallID))
	s.wantState(t, "hung up", ticket.ID, queue.StateLeft)
}

func testNight(t *testing.T, s *setting) {
	s.pass(t, 12*time.Hour) // half past nine in the evening
	opens := s.rules.Ringing.Next(s.clock)
	a := s.arrival(number)
	if got := s.promised(t, a, queue.Window{}); got.State != queue.StatePromised || !got.DueAt.Equal(opens) || !got.Window.IsZero() {
		t.Errorf("promised when nobody may be rung: %+v, want it due at %v", got, opens)
	}
	b := s.arrival(another)
	b.Keyless = true
	left := s.joined(t, b)
	wantNil(t, "leave", s.Leave(t.Context(), left.ID, b.CallID))
	if got := s.wantState(t, "without keys, at night", left.ID, queue.StatePromised); !got.DueAt.Equal(opens) {
		t.Errorf("due at %v, want %v", got.DueAt, opens)
	}
	s.pass(t, opens.Sub(s.clock))
	s.wantState(t, "in the morning", a.CallID, queue.StateDue)

	// The attempts that are left move to the next morning too.
	s.pass(t, s.rules.Ringing.Closes(s.clock).Sub(s.clock)-time.Minute)
	got := s.resolve(t, s.ring(t, s.Ticket(t, a.CallID)).ID, queue.FateNoAnswer)
	if want := s.rules.Ringing.Next(s.clock.Add(time.Hour)); !got.DueAt.Equal(want) {
		t.Errorf("tried again at %v, want %v", got.DueAt, want)
	}
}

func testHour(t *testing.T, s *setting) {
	w := s.windows(t, 3)[2]
	if !w.From.After(s.clock) || w.To.Sub(w.From) != s.rules.Window {
		t.Fatalf("a window from %v to %v", w.From, w.To)
	}
	ticket := s.promised(t, s.arrival(number), w)
	s.anna(t)
	s.pass(t, w.From.Sub(s.clock)-time.Second)
	s.wantState(t, "a moment before the hour", ticket.ID, queue.StatePromised)
	s.noMatch(t, "before the hour")
	_, err := s.Attempt(t, ticket.ID)
	wantErr(t, "ring before the hour", err, queue.ErrNoneDue)
	later := s.due(t, another, queue.WishPerson)
	s.pass(t, w.From.Sub(s.clock))
	s.wantState(t, "the hour has come", ticket.ID, queue.StateDue)
	s.match(t, ticket, "anna") // who rang later is behind
	s.wantState(t, "who rang later", later.ID, queue.StateDue)
}

func testRoom(t *testing.T, s *setting) {
	ctx := t.Context()
	ws := s.windows(t, 3)
	for i := 1; i < len(ws); i++ {
		if ws[i].From.Before(ws[i-1].To) {
			t.Errorf("the window %v begins before %v ends", ws[i], ws[i-1])
		}
	}
	w := ws[0]
	first := s.promised(t, s.arrival(number), w)
	s.promised(t, s.arrival(another), w)
	a := s.arrival(third)
	_, err := s.Promise(ctx, a, w)
	wantErr(t, "a third in an hour for two", err, queue.ErrWindowFull)
	if found, err := s.Find(ctx, third); err != nil || len(found) != 0 {
		t.Errorf("refused, and in line as %+v, %v", found, err)
	}
	told := s.arrival("+49231500197")
	told.Kept = true // while the store was away
	kept := s.promised(t, told, w)
	wantNil(t, "close", s.Close(ctx, kept.ID, queue.EndRemoved))
	told = s.arrival("+49231500196")
	told.Kept = true // and it came back when the hour was over
	over := queue.Window{From: w.From.Add(-2 * time.Hour), To: w.To.Add(-2 * time.Hour)}
	if got := s.promised(t, told, over); got.State != queue.StateDue || !got.Window.Equal(over) {
		t.Errorf("an hour that was told and is over: %+v", got)
	}
	if left := s.windows(t, 2); !left[0].Equal(ws[1]) || !left[1].Equal(ws[2]) {
		t.Errorf("offered %v, want the hours after the full one", left)
	}
	wantNil(t, "close", s.Close(ctx, first.ID, queue.EndRemoved))
	if left := s.windows(t, 1); !left[0].Equal(w) {
		t.Errorf("the room that was given back is not offered: %v", left)
	}
	s.promised(t, a, w)

	for what, never := range map[string]queue.Window{
		"an hour that is over":        {From: w.From.Add(-48 * time.Hour), To: w.To.Add(-48 * time.Hour)},
		"beyond the horizon":          {From: w.From.Add(s.rules.Horizon), To: w.To.Add(s.rules.Horizon)},
		"across two hours":            {From: w.From.Add(30 * time.Minute), To: w.To.Add(30 * time.Minute)},
		"longer than an hour":         {From: w.From, To: w.To.Add(time.Hour)},
		"an hour at which none rings": {From: w.From.Add(12 * time.Hour), To: w.To.Add(12 * time.Hour)},
	} {
		_, err := s.Promise(ctx, s.arrival("+49231500199"), never)
		wantErr(t, what, err, queue.ErrWindowFull)
	}
	// It began while the caller listened to it.
	late := s.windows(t, 1)[0]
	s.pass(t, late.From.Sub(s.clock)+time.Minute)
	if got := s.promised(t, s.arrival("+49231500198"), late); got.State != queue.StateDue {
		t.Errorf("an hour that began: %+v", got)
	}
}

func testCorrect(t *testing.T, s *setting) {
	ctx := t.Context()
	ws := s.windows(t, 2)
	a := s.arrival(number)
	ticket := s.promised(t, a, ws[0])
	s.promised(t, s.arrival(another), ws[0])
	a.Number = third // keyed in instead
	got := s.promised(t, a, ws[1])
	if got.ID != ticket.ID || got.Number != third || !got.Window.Equal(ws[1]) || !got.DueAt.Equal(ws[1].From) {
		t.Errorf("corrected to %+v", got)
	}
	if left := s.windows(t, 1); !left[0].Equal(ws[0]) {
		t.Errorf("the room of the hour before is not given back: %v", left)
	}
	s.promised(t, s.arrival("+49231500126"), ws[0])
	_, err := s.Promise(ctx, a, ws[0])
	wantErr(t, "back, and it is full now", err, queue.ErrWindowFull)
	if got := s.Ticket(t, ticket.ID); !got.Window.Equal(ws[1]) || got.State != queue.StatePromised {
		t.Errorf("what was refused changed the ticket to %+v", got)
	}
	if got := s.promised(t, a, queue.Window{}); got.State != queue.StateDue || !got.Window.IsZero() {
		t.Errorf("as soon as possible: %+v", got)
	}
	b := s.arrival(third) // another call, which names the ticket
	b.Ticket = ticket.ID
	if got := s.promised(t, b, ws[1]); got.ID != ticket.ID || got.State != queue.StatePromised || !got.Resumed {
		t.Errorf("and again at an hour: %+v", got)
	}
}

func testWaitsAlready(t *testing.T, s *setting) {
	w := s.windows(t, 2)
	ticket := s.promised(t, s.arrival(number), w[0])
	// It rings again, as most do: nothing is gained, nothing lost.
	for range 3 {
		s.pass(t, time.Second)
		got := s.promised(t, s.arrival(number), w[1])
		if got.ID != ticket.ID || !got.RangAt.Equal(ticket.RangAt) || !got.Window.Equal(w[0]) || !got.Resumed ||
			got.CallID != ticket.CallID {
			t.Errorf("promised again: %+v", got)
		}
	}
	s.promised(t, s.arrival(another), w[1])
	s.promised(t, s.arrival(third), w[1])

	// A place that is kept becomes the promise.
	left := s.join(t, "+49231500126")
	wantNil(t, "leave", s.Leave(t.Context(), left.ID, left.CallID))
	a := s.arrival("+49231500126")
	got := s.promised(t, a, queue.Window{})
	if got.ID != left.ID || got.State != queue.StateDue || !got.RangAt.Equal(left.RangAt) || got.CallID != a.CallID {
		t.Errorf("promised to who left the line: %+v", got)
	}
	// Somebody of the number is in line: this is somebody else.
	waits := s.join(t, "+49231500127")
	if got := s.promised(t, s.arrival("+49231500127"), queue.Window{}); got.ID == waits.ID {
		t.Errorf("the promise took who waits in line: %+v", got)
	}
	s.wantState(t, "who waits in line", waits.ID, queue.StateWaiting)
}

func testPromiseRung(t *testing.T, s *setting) {
	a := s.arrival(number)
	ticket := s.promised(t, a, queue.Window{})
	attempt := s.ring(t, ticket)
	// The answer of Promise got lost, and meanwhile the telephone rings.
	if got := s.promised(t, a, queue.Window{}); got.State != queue.StateRinging {
		t.Errorf("asked twice, the ringing became %s", got.State)
	}
	// Another call of the number does not stop it either.
	if got := s.promised(t, s.arrival(number), queue.Window{}); got.ID != ticket.ID || got.State != queue.StateRinging {
		t.Errorf("of a number that is being rung: %+v", got)
	}
	w := s.windows(t, 1)[0]
	b := s.arrival(number)
	b.Ticket = ticket.ID
	if got := s.promised(t, b, w); got.State != queue.StatePromised || !got.DueAt.Equal(w.From) {
		t.Errorf("moved to an hour while being rung: %+v", got)
	}
	if got := s.resolve(t, attempt.ID, queue.FateNoAnswer); got.State != queue.StatePromised || !got.DueAt.Equal(w.From) {
		t.Errorf("the attempt that was stopped changed it to %+v", got)
	}

	// A call corrects the number while the one before is being rung.
	c := s.arrival(another)
	wrong := s.promised(t, c, queue.Window{})
	ringing := s.ring(t, wrong)
	c.Number = third
	if got := s.promised(t, c, queue.Window{}); got.State != queue.StateDue || got.Number != third {
		t.Errorf("with the number corrected: %+v", got)
	}
	if got := s.resolve(t, ringing.ID, queue.FateReached); got.State != queue.StateDue {
		t.Errorf("who was rung at the wrong number is %s", got.State)
	}
}
