package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"ringback/journal"
	"ringback/queue"
)

// Journal is the part of a journal that is brought into the store.
type Journal interface {
	// Append returns when the record is on the disk.
	Append(ctx context.Context, kind string, payload []byte) error
	// Next returns the oldest records that are not done, and waits for one.
	Next(ctx context.Context, most int) ([]journal.Record, error)
	// Done says that all records up to that number are safe elsewhere.
	Done(upTo uint64) error
}

// Replay brings records of one kind into the store. It may be asked again for
// the same ones: done twice is done once. What the store answers with a refusal
// is done too.
type Replay func(ctx context.Context, records []journal.Record) error

// Flusher brings a journal into the store, in order and in batches, however long
// the store is away.
type Flusher struct {
	Journal Journal
	Replay  map[string]Replay // by the kind of the record
	// Alive says whether the store answers, to tell a record it does not take
	// from a store that is away.
	Alive func(ctx context.Context) error
	// Aside keeps a record that the store will never take, for a person to look
	// at; what it fails with is logged, and tried again.
	Aside   func(journal.Record) error
	Metrics *Metrics
	Logger  *slog.Logger
}

// How the journal is brought into the store.
const (
	batchSize    = 500
	batchLongest = 30 * time.Second
	firstRetry   = 100 * time.Millisecond
	longestRetry = 5 * time.Second
	// tries is how often a single record is tried with a store that answers
	// before it is set aside.
	tries = 5
)

// Run brings over what is in the journal and what comes into it, until ctx ends
// or the journal is closed.
func (f *Flusher) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		records, err := f.Journal.Next(ctx, batchSize)
		var damage *journal.Damage
		switch {
		case errors.As(err, &damage):
			f.Logger.Error("the journal", "err", err)
			continue
		case errors.Is(err, journal.ErrClosed):
			return nil
		case err != nil && ctx.Err() == nil:
			f.Logger.Error("read the journal", "err", err)
			pause(ctx, longestRetry)
			continue
		case err != nil:
			return nil
		}
		if !f.bring(ctx, records) {
			return nil
		}
		if err := f.Journal.Done(records[len(records)-1].Number); err != nil {
			f.Logger.Warn("the journal is brought over again", "err", err)
			pause(ctx, firstRetry)
		}
	}
	return nil
}

// bring brings records over, those of one kind that follow each other at once,
// and says whether it got through.
func (f *Flusher) bring(ctx context.Context, records []journal.Record) bool {
	for len(records) > 0 {
		n := 1
		for n < len(records) && records[n].Kind == records[0].Kind {
			n++
		}
		if !f.bringOneKind(ctx, records[:n]) {
			return false
		}
		records = records[n:]
	}
	return true
}

// bringOneKind tries until all are over, one by one where together they fail.
func (f *Flusher) bringOneKind(ctx context.Context, records []journal.Record) bool {
	var ill trouble
	wait := firstRetry
	for failed := 0; ; {
		err := f.attempt(ctx, records)
		if ctx.Err() != nil && err != nil {
			return false
		}
		ill.note(f.Logger, time.Now(), "bring the journal into the store", err)
		if err == nil {
			return true
		}
		f.Metrics.errors.WithLabelValues(string(stepReplay)).Inc()
		if alive := f.Alive(ctx) == nil; alive && len(records) > 1 {
			for _, r := range records {
				if !f.bringOneKind(ctx, []journal.Record{r}) {
					return false
				}
			}
			return true
		} else if alive {
			failed++
		}
		if failed >= tries && f.setAside(records[0], err) {
			return true
		}
		if !pause(ctx, wait) {
			return false
		}
		wait = min(2*wait, longestRetry)
	}
}

func (f *Flusher) attempt(ctx context.Context, records []journal.Record) error {
	kind := records[0].Kind
	replay := f.Replay[kind]
	if replay == nil {
		return fmt.Errorf("a record of the kind %q, which this version does not know", kind)
	}
	bounded, cancel := context.WithTimeout(ctx, batchLongest)
	defer cancel()
	if err := replay(bounded, records); err != nil {
		return err
	}
	f.Metrics.replayed.WithLabelValues(kind).Add(float64(len(records)))
	return nil
}

// setAside keeps a record out of the way of the others.
func (f *Flusher) setAside(r journal.Record, why error) bool {
	if err := f.Aside(r); err != nil {
		f.Logger.Error("set a record of the journal aside", "record", r.Number, "err", err)
		return false
	}
	f.Metrics.aside.Inc()
	f.Logger.Error("the store does not take a record of the journal, it is set aside", "record", r.Number, "kind", r.Kind, "at", r.At, "err", why)
	return true
}

// Registrar is the part of the store that takes registrations.
type Registrar interface {
	// Register brings attempts to ring the hotline into the line, once each, and
	// says how many tickets were opened.
	Register(ctx context.Context, r []queue.Registration) (int, error)
}

// ReplayRegistrations brings over what was taken down without a dialogue. A
// record that is no registration fails for good.
func ReplayRegistrations(s Registrar, log *slog.Logger) Replay {
	return func(ctx context.Context, records []journal.Record) error {
		all := make([]queue.Registration, 0, len(records))
		for _, r := range records {
			one, err := r.Registration()
			if err != nil {
				return err
			}
			all = append(all, one)
		}
		opened, err := s.Register(ctx, all)
		if err == nil {
			log.Debug("registrations are in the line", "registrations", len(all), "new_tickets", opened)
		}
		return err
	}
}
