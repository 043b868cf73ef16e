package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ringback/journal"
	"ringback/queue"
)

// lateJournal is the journal of this machine, from the moment the controller
// before, or a full disk, lets go of it. Until then who writes to it waits.
type lateJournal struct {
	dir    string
	opened chan struct{} // closed: there is one
	j      *journal.Journal
}

func newLateJournal(dir string) *lateJournal {
	return &lateJournal{dir: dir, opened: make(chan struct{})}
}

// openPatience is how long one try to open the journal waits for another process.
const openPatience = time.Second

// run opens the journal, however long that takes, and closes it when ctx ends.
func (l *lateJournal) run(ctx context.Context, o journal.Options) error {
	o.Patience = openPatience
	var told time.Time
	for ctx.Err() == nil {
		j, err := journal.Open(l.dir, o)
		if err == nil {
			l.j = j
			close(l.opened)
			<-ctx.Done()
			return j.Close()
		}
		if now := time.Now(); now.Sub(told) >= tellJournal && !errors.Is(err, journal.ErrInUse) {
			told = now
			o.Logger.Error("the journal cannot be opened: callers beyond the last line are not registered until it can", "err", err)
		}
		t := time.NewTimer(tryStores)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
	}
	return nil
}

// tellJournal is how often it is said that the journal cannot be opened.
const tellJournal = 30 * time.Second

// wait returns the journal as soon as there is one.
func (l *lateJournal) wait(ctx context.Context) (*journal.Journal, error) {
	select {
	case <-l.opened:
		return l.j, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the journal in %s: %w", l.dir, context.Cause(ctx))
	}
}

// Append writes a record down.
func (l *lateJournal) Append(ctx context.Context, kind string, payload []byte) error {
	j, err := l.wait(ctx)
	if err != nil {
		return err
	}
	return j.Append(ctx, kind, payload)
}

// Register writes an attempt to ring down.
func (l *lateJournal) Register(ctx context.Context, r queue.Registration) error {
	j, err := l.wait(ctx)
	if err != nil {
		return err
	}
	return j.Register(ctx, r)
}

// Next returns the records that are to be brought over.
func (l *lateJournal) Next(ctx context.Context, most int) ([]journal.Record, error) {
	j, err := l.wait(ctx)
	if err != nil {
		return nil, err
	}
	return j.Next(ctx, most)
}

// Done says up to where they were. Only what Next gave out can be.
func (l *lateJournal) Done(upTo uint64) error { return l.j.Done(upTo) }

// aside keeps a record that Postgres will never take beside the journal.
func (l *lateJournal) aside(r journal.Record) error {
	name := fmt.Sprintf("refused-%d-%s", r.Number, r.Kind)
	return os.WriteFile(filepath.Join(l.dir, filepath.Base(name)), r.Payload, 0o600)
}
