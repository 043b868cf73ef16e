package dispatch_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/dispatch"
	"ringback/e164"
	"ringback/journal"
	"ringback/queue"
)

// promises is the dialogues' store in virtual time, on a real journal.
type promises struct {
	*fixture
	*dispatch.Promises
	journal *journal.Journal
}

func (f *fixture) promises() *promises {
	f.t.Helper()
	log := slog.New(slog.NewTextHandler(f.log, nil))
	j, err := journal.Open(f.t.TempDir(), journal.Options{Logger: log})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = j.Close() }) // closing is what other tests are about
	return &promises{f, dispatch.NewPromises(f.line, j, f.rules, f.options.Metrics, log, time.Now), j}
}

func arrival(n e164.Number) queue.Arrival {
	return queue.Arrival{
		CallID: uuid.New(), Node: node, At: time.Now(), Number: n, Topic: queue.TopicBooking,
		Language: "de", Wish: queue.WishPerson, Reason: queue.Busy, Scene: "express", Known: []byte(`{"a":1}`),
	}
}

func (p *promises) flusher() *dispatch.Flusher {
	return &dispatch.Flusher{
		Journal: p.journal, Replay: map[string]dispatch.Replay{dispatch.KindPromise: p.Replay},
		Alive:   func(context.Context) error { return p.line.there() },
		Aside:   func(journal.Record) error { return errors.New("nothing is to be set aside") },
		Metrics: p.options.Metrics, Logger: slog.New(slog.NewTextHandler(p.log, nil)),
	}
}

// flush brings the journal over until nothing is left in it.
func (p *promises) flush(f *dispatch.Flusher) {
	p.t.Helper()
	ctx, end := context.WithCancel(p.t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	for range 100 {
		p.pass(time.Second)
		if p.journal.Waiting() == 0 {
			break
		}
	}
	end()
	if err := <-done; err != nil || p.journal.Waiting() != 0 {
		p.t.Errorf("%v, %d records are left\n%s", err, p.journal.Waiting(), p.log)
	}
}

func TestPromisesWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		p := f.promises()
		ctx := f.t.Context()
		f.pass(time.Minute) // no hour begins now
		hours, err := p.Windows(ctx, 2)
		if err != nil || len(hours) != 2 {
			t.Fatalf("%v, %v", hours, err)
		}
		f.line.Fill(hours[0])
		f.line.set(func() { f.line.away = true })
		// The first hour was not known to be full.
		offered, err := p.Windows(ctx, 3)
		if err != nil || len(offered) != 3 || !offered[0].Equal(hours[0]) {
			t.Fatalf("offered %v, %v", offered, err)
		}
		a, b := arrival(first), arrival(second)
		told, err := p.Promise(ctx, a, offered[0])
		if err != nil || told.ID != a.CallID || told.State != queue.StatePromised || !told.Window.Equal(offered[0]) {
			t.Fatalf("promised %+v, %v\n%s", told, err, f.log)
		}
		b.Spoken = &booking.Recording{ID: uuid.New(), Length: time.Second, WAV: []byte("RIFF")}
		if _, err := p.Promise(ctx, b, queue.Window{}); err != nil {
			t.Fatal(err)
		}
		if n := p.journal.Waiting(); n != 2 {
			t.Errorf("%d records in the journal", n)
		}
		// Who rings again hears the same.
		if found, err := p.Find(ctx, first); err != nil || len(found) != 1 || found[0].ID != told.ID {
			t.Errorf("found %+v, %v", found, err)
		}
		again, err := p.Promise(ctx, arrival(first), offered[1])
		if err != nil || again.ID != told.ID || !again.Window.Equal(offered[0]) || !again.Resumed {
			t.Errorf("rang again: %+v, %v", again, err)
		}
		if found, err := p.Find(ctx, third); err != nil || len(found) != 0 {
			t.Errorf("of a stranger %+v, %v", found, err)
		}
		if f.metric("ringback_line_store_away", "") != 1 || f.metric("ringback_line_promises_journaled_total", "") != 3 {
			t.Error("not counted")
		}

		f.line.set(func() { f.line.away = false })
		flusher := p.flusher()
		p.flush(flusher)
		got := f.line.Ticket(a.CallID)
		if got.State != queue.StatePromised || !got.Window.Equal(offered[0]) || got.Number != first || got.Scene != "express" {
			t.Errorf("in the line as %+v\n%s", got, f.log)
		}
		if got := f.line.Ticket(b.CallID); got.State != queue.StateDue {
			t.Errorf("in the line as %+v", got)
		}
		if spoken, ok := f.line.Spoken(b.CallID); !ok || string(spoken.WAV) != "RIFF" {
			t.Error("what was spoken is lost")
		}
		if found, err := f.line.Find(ctx, first); err != nil || len(found) != 1 {
			t.Errorf("one person has the tickets %+v, %v", found, err)
		}
		if _, err := p.Windows(ctx, 1); err != nil || f.metric("ringback_line_store_away", "") != 0 {
			t.Errorf("the store is back: %v", err)
		}
	})
}

// TestHoursFillWhileTheStoreIsAway: nobody is told an hour that many others were
// told already.
func TestHoursFillWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		f.rules.PerHour = 3
		p := f.promises()
		f.line.set(func() { f.line.away = true })
		ctx := f.t.Context()
		told := map[time.Time]int{}
		for i := range 7 {
			w, err := p.Windows(ctx, 1)
			if err != nil {
				t.Fatal(err)
			}
			told[w[0].From]++
			if _, err := p.Promise(ctx, arrival(e164.Number("+4923150010"+string(rune('0'+i)))), w[0]); err != nil {
				t.Fatal(err)
			}
		}
		if len(told) != 3 {
			t.Errorf("seven people were told %d hours, want 3", len(told))
		}
		for at, n := range told {
			if n > 3 {
				t.Errorf("%d were told %v", n, at)
			}
		}
	})
}

// TestPromiseKeptAfterItsHour: the store was away for longer than the hour that
// was told.
func TestPromiseKeptAfterItsHour(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		p := f.promises()
		f.line.set(func() { f.line.away = true })
		ctx := f.t.Context()
		w, err := p.Windows(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		a := arrival(first)
		if _, err := p.Promise(ctx, a, w[0]); err != nil {
			t.Fatal(err)
		}
		f.pass(3 * time.Hour)
		f.line.set(func() { f.line.away = false })
		p.flush(p.flusher())
		f.wantState("its hour is over", a.CallID, queue.StateDue)
	})
}

func TestPromiseRefused(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		p := f.promises()
		ctx := f.t.Context()
		const premium, unwanted = "+499001234567", third
		f.line.Forbid(unwanted)
		for _, tt := range []struct {
			number e164.Number
			away   bool
			limit  string
		}{{premium, false, "region"}, {premium, true, "region"}, {unwanted, false, "unwanted"}} {
			f.line.set(func() { f.line.away = tt.away })
			before := f.metric("ringback_callbacks_refused_total", tt.limit)
			if _, err := p.Promise(ctx, arrival(tt.number), queue.Window{}); !errors.Is(err, queue.ErrForbidden) {
				t.Errorf("%+v: %v", tt, err)
			}
			if got := f.metric("ringback_callbacks_refused_total", tt.limit) - before; got != 1 {
				t.Errorf("%+v: counted %v times", tt, got)
			}
		}
		if strings.Contains(f.log.String(), premium) || !strings.Contains(f.log.String(), "limit=region") {
			t.Errorf("the log says\n%s", f.log)
		}
		// One that nobody could refuse while the store was away is refused now.
		f.line.set(func() { f.line.away = true })
		if _, err := p.Promise(ctx, arrival(unwanted), queue.Window{}); err != nil {
			t.Fatal(err)
		}
		f.line.set(func() { f.line.away = false })
		p.flush(p.flusher())
		if found, err := f.line.Find(ctx, unwanted); err != nil || len(found) != 0 {
			t.Errorf("in the line as %+v, %v", found, err)
		}
	})
}

// TestFlushGoesOnByItself: through a store that is away, and past a record that
// it never takes.
func TestFlushGoesOnByItself(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		p := f.promises()
		ctx := f.t.Context()
		f.line.set(func() { f.line.away = true })
		a, b := arrival(first), arrival(second)
		if _, err := p.Promise(ctx, a, queue.Window{}); err != nil {
			t.Fatal(err)
		}
		if err := p.journal.Append(ctx, "riddle", []byte("?")); err != nil {
			t.Fatal(err)
		}
		if err := p.journal.Append(ctx, dispatch.KindPromise, []byte("{")); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Promise(ctx, b, queue.Window{}); err != nil {
			t.Fatal(err)
		}
		flusher := p.flusher()
		var aside []string
		flusher.Aside = func(r journal.Record) error {
			aside = append(aside, r.Kind)
			return nil
		}
		time.AfterFunc(40*time.Second, func() { f.line.set(func() { f.line.away = false }) })
		p.flush(flusher)
		if strings.Join(aside, " ") != "riddle promise" {
			t.Errorf("set aside: %q\n%s", aside, f.log)
		}
		for _, id := range []uuid.UUID{a.CallID, b.CallID} {
			f.wantState("brought over", id, queue.StateDue)
		}
		if got := f.metric("ringback_journal_set_aside_total", ""); got != 2 {
			t.Errorf("%v set aside are counted", got)
		}
	})
}

// TestFlushStops: with its context, and with the journal.
func TestFlushStops(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		p := f.promises()
		done := make(chan error, 1)
		go func() { done <- p.flusher().Run(f.t.Context()) }()
		synctest.Wait()
		if err := p.journal.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Errorf("closed: %v", err)
		}
		ctx, end := context.WithCancel(f.t.Context())
		end()
		if err := p.flusher().Run(ctx); err != nil {
			t.Errorf("ended: %v", err)
		}
	})
}

// TestStoreIsNotSaidToBeAwayByWhoHangsUp: the caller's end is not the store's.
func TestStoreIsNotSaidToBeAwayByWhoHangsUp(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		p := f.promises()
		f.line.set(func() { f.line.away = true })
		ctx, end := context.WithCancel(f.t.Context())
		end()
		if _, err := p.Promise(ctx, arrival(first), queue.Window{}); err == nil {
			t.Error("promised to nobody")
		}
		if f.metric("ringback_line_store_away", "") != 0 || p.journal.Waiting() != 0 {
			t.Error("the store is said to be away")
		}
	})
}
