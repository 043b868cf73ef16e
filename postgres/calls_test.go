package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
	"ringback/ivr"
	"ringback/postgres"
	"ringback/postgres/pgtest"
	"ringback/prompts"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// started is a moment Postgres can keep exactly.
var started = time.Date(2027, 2, 1, 8, 0, 0, 123_000, time.UTC)

func info(n int) ivr.Info {
	return ivr.Info{
		ID: uuid.New(), Number: "+49231500123", Node: "ast1", Channel: fmt.Sprintf("PJSIP/trunk-%08d", n),
		Started: started.Add(time.Duration(n) * time.Minute),
	}
}

func say(n int) ivr.Entry {
	return ivr.Entry{At: started.Add(time.Duration(n) * time.Second), Kind: ivr.EntrySay, Line: "menu.main", Text: fmt.Sprintf("Satz %d", n)}
}

func TestCallsKeepWhatHappened(t *testing.T) {
	t.Parallel()
	f := setup(t)
	calls := postgres.NewCalls(f.db)
	ctx := t.Context()
	first, second := info(1), info(2)
	calls.Began(first)
	calls.Noted(first.ID, ivr.Entry{At: started, Kind: ivr.EntryScene, Line: "welcome"})
	calls.Entered(first.ID, "welcome", prompts.German, []byte(`{"scene":1}`))
	calls.Noted(first.ID, say(1))
	if err := calls.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	want := ivr.Record{
		Info: first, Language: prompts.German, Scene: "welcome",
		Transcript: []ivr.Entry{{At: started, Kind: ivr.EntryScene, Line: "welcome"}, say(1)},
	}
	if got, err := calls.Call(ctx, first.ID); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("while it runs:\n%+v, %v, want\n%+v", got, err, want)
	}

	calls.Began(second)
	key := ivr.Entry{At: started, Kind: ivr.EntryKey, Line: "identify.born", Keys: "••••••••"}
	calls.Noted(first.ID, key)
	calls.Entered(first.ID, "identify", prompts.English, nil)
	calls.Ended(first.ID, started.Add(time.Hour), ivr.Outcome{Result: ivr.Booked, Reason: "confirm"})
	calls.Began(ivr.Info{ID: uuid.New(), Node: "ast1", Started: started})
	if err := calls.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	want.EndedAt, want.Outcome = started.Add(time.Hour), ivr.Outcome{Result: ivr.Booked, Reason: "confirm"}
	want.Scene, want.Language, want.Transcript = "identify", prompts.English, append(want.Transcript, key)
	got, err := calls.Calls(ctx, first.Number, 10)
	if err != nil || len(got) != 2 || got[0].ID != second.ID || !reflect.DeepEqual(got[1], want) {
		t.Errorf("newest first:\n%+v, %v, want last\n%+v", got, err, want)
	}
	if got, err := calls.Calls(ctx, first.Number, 1); err != nil || len(got) != 1 {
		t.Errorf("at most one: %+v, %v", got, err)
	}
	if got, err := calls.Calls(ctx, e164.Withheld, 10); err != nil || len(got) != 3 || got[0].ID != second.ID || got[2].Number != e164.Withheld {
		t.Errorf("of all: %+v, %v", got, err)
	}
	if _, err := calls.Call(ctx, uuid.New()); !errors.Is(err, postgres.ErrNoCall) {
		t.Errorf("a call that never was: %v", err)
	}
}

// run starts Run and returns how to end it.
func run(t *testing.T, calls *postgres.Calls) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- calls.Run(ctx) }()
	stopped := false
	stop = func() error {
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() {
		if !stopped {
			_ = stop()
		}
	})
	return stop
}

func TestRunWritesByItselfAndDrains(t *testing.T) {
	t.Parallel()
	f := setup(t)
	calls := postgres.NewCalls(f.db)
	stop := run(t, calls)
	call := info(1)
	calls.Began(call)
	calls.Noted(call.ID, say(1))
	f.until(`select exists (select from call_events where call_id = $1)`, call.ID)
	for n := 2; n <= 5_000; n++ {
		calls.Noted(call.ID, say(n))
	}
	calls.Ended(call.ID, started, ivr.Outcome{Result: ivr.HungUp, Reason: "choose"})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	got, err := calls.Call(t.Context(), call.ID)
	if err != nil || got.Outcome.Result != ivr.HungUp {
		t.Fatalf("%+v, %v", got.Outcome, err)
	}
	inOrder(t, got.Transcript, 1, 5_000)
	if calls.Waiting() != 0 || calls.Dropped() != 0 || calls.Refused() != 0 {
		t.Errorf("%d wait, %d dropped, %d refused", calls.Waiting(), calls.Dropped(), calls.Refused())
	}
}

func inOrder(t *testing.T, entries []ivr.Entry, first, last int) {
	t.Helper()
	if len(entries) != last-first+1 {
		t.Errorf("%d entries, want %d", len(entries), last-first+1)
		return
	}
	for i, e := range entries {
		if e != say(first+i) {
			t.Errorf("entry %d is %+v", i, e)
			return
		}
	}
}

func TestCallsSurviveDroppedConnections(t *testing.T) {
	t.Parallel()
	p, address := newProxy(t, pgtest.URL(t))
	db, err := postgres.Open(t.Context(), address, postgres.Options{Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	calls := postgres.NewCalls(db)
	stop := run(t, calls)
	call := info(1)
	calls.Began(call)
	n := 0
	for range 5 {
		for range 300 {
			n++
			calls.Noted(call.ID, say(n))
		}
		p.cut()
		calls.Noted(call.ID, say(n+1))
		n++
		<-p.tried // it tried to write and could not
		p.heal()
	}
	calls.Ended(call.ID, started, ivr.Outcome{Result: ivr.Booked, Reason: "bye"})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	got, err := calls.Call(t.Context(), call.ID)
	if err != nil || got.Outcome.Result != ivr.Booked {
		t.Fatalf("%+v, %v", got.Outcome, err)
	}
	inOrder(t, got.Transcript, 1, n)
}

func TestFullMemoryDropsOldestEntriesOnly(t *testing.T) {
	t.Parallel()
	f := setup(t)
	calls := postgres.NewCalls(f.db)
	early, long := info(1), info(2)
	calls.Began(early)
	calls.Ended(early.ID, started, ivr.Outcome{Result: ivr.Informed, Reason: "info"})
	calls.Began(long)
	const extra = 10
	for n := range postgres.MaxEntries + extra {
		calls.Noted(long.ID, say(n))
	}
	if calls.Dropped() != extra {
		t.Errorf("%d dropped, want %d", calls.Dropped(), extra)
	}
	if err := calls.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := f.number(`select count(*) from calls`); n != 2 {
		t.Errorf("%d calls began", n)
	}
	if n := f.number(`select count(*) from calls where result = 'informed'`); n != 1 {
		t.Errorf("%d calls ended", n)
	}
	got, err := calls.Call(t.Context(), long.ID)
	if err != nil {
		t.Fatal(err)
	}
	inOrder(t, got.Transcript, extra, postgres.MaxEntries+extra-1)
}

func TestOneBadEntryDoesNotStopTheLog(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, postgres.Options{Log: quiet})
	calls := postgres.NewCalls(db)
	call := info(1)
	calls.Began(call)
	calls.Noted(call.ID, say(1))
	calls.Noted(call.ID, ivr.Entry{At: started, Kind: "song"})
	odd := say(2)
	odd.Text = "Satz\x00 \xff2"
	calls.Noted(call.ID, odd)
	calls.Entered(call.ID, "welcome", prompts.German, []byte(`{no json`))
	calls.Ended(call.ID, started, ivr.Outcome{Result: ivr.HungUp, Reason: "welcome"})
	if err := calls.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := calls.Call(t.Context(), call.ID)
	if err != nil || got.Outcome.Result != ivr.HungUp || len(got.Transcript) != 2 || got.Transcript[1].Text != "Satz \uFFFD2" {
		t.Errorf("%+v, %v", got, err)
	}
	if calls.Refused() != 2 {
		t.Errorf("%d refused, want 2", calls.Refused())
	}
}

func TestStoreSurvivesDroppedConnection(t *testing.T) {
	t.Parallel()
	p, address := newProxy(t, pgtest.URL(t))
	db, err := postgres.Open(t.Context(), address, postgres.Options{Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	f := fixture{postgres.NewBookings(db), t, db}
	centre := f.dortmund(1)
	p.cut()
	p.heal()
	call := uuid.New()
	h, err := f.Offer(t.Context(), booking.Search{CallID: call, Person: person(1), Centre: centre.ID})
	if err != nil {
		t.Fatal(err)
	}
	p.cut()
	p.heal()
	if _, err := f.Book(t.Context(), booking.Booking{HoldID: h.ID, CallID: call, Person: person(1), Operation: uuid.New()}); err != nil {
		t.Error(err)
	}
}

func TestHabits(t *testing.T) {
	t.Parallel()
	f := setup(t)
	habits := postgres.NewHabits(f.db)
	ctx := t.Context()
	const n = e164.Number("+49231500123")
	if h, err := habits.Habit(ctx, n); err != nil || h != (ivr.Habit{}) {
		t.Errorf("never heard of: %+v, %v", h, err)
	}
	for _, want := range []ivr.Habit{{Language: prompts.English}, {Language: prompts.German, Pace: prompts.Slowest}} {
		if err := habits.SetHabit(ctx, n, want); err != nil {
			t.Fatal(err)
		}
		if h, err := habits.Habit(ctx, n); err != nil || h != want {
			t.Errorf("remembered %+v, %v, want %+v", h, err, want)
		}
	}
	if err := habits.SetHabit(ctx, e164.Withheld, ivr.Habit{Language: prompts.English}); err != nil {
		t.Fatal(err)
	}
	if h, err := habits.Habit(ctx, e164.Withheld); err != nil || h != (ivr.Habit{}) || f.number(`select count(*) from habits`) != 1 {
		t.Errorf("a withheld number is remembered: %+v, %v", h, err)
	}
}
