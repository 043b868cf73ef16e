package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"ringback/api"
	"ringback/asterisk"
	"ringback/booking"
	"ringback/config"
	"ringback/ivr"
	"ringback/postgres"
)

// errNoCall is what the store says of a call it does not know.
var errNoCall = postgres.ErrNoCall

// stores are where everything is kept.
type stores struct {
	Bookings booking.Store
	Habits   ivr.Habits
	Calls    calls
	Queue    lineStore
	Line     api.Line
	// Forget removes some of what is kept no longer.
	Forget func(context.Context) (postgres.Forgotten, error)
	Ping   func(context.Context) error
	Close  func()
}

// calls keeps transcripts, written by Run, and finds them again.
type calls interface {
	ivr.Log
	ivr.Ledger
	asterisk.Ledger
	api.Store
	Run(context.Context) error
	backlog
}

// errSchema says that the database must be migrated first. Waiting does not
// mend it.
var errSchema = errors.New("the database is not migrated")

// openStores connects to Postgres and checks the schema.
func openStores(ctx context.Context, c config.Config, log *slog.Logger) (*stores, error) {
	db, err := postgres.Open(ctx, c.Database.URL.Reveal(), postgres.Options{Name: "ringback " + c.Node, Log: log})
	if err != nil {
		return nil, err
	}
	current, latest, err := db.Version(ctx)
	if err == nil && current < latest {
		err = fmt.Errorf("%w: its schema is at version %d and this program needs %d: run \"ringback migrate\" with the same configuration", errSchema, current, latest)
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	rules, err := rulesOf(c)
	if err != nil {
		db.Close()
		return nil, err
	}
	line := postgres.NewQueue(db, rules)
	return &stores{
		Queue:    line,
		Line:     line,
		Bookings: postgres.NewBookings(db),
		Habits:   postgres.NewHabits(db),
		Calls:    postgres.NewCalls(db),
		Forget: func(ctx context.Context) (postgres.Forgotten, error) {
			return line.Forget(ctx, postgres.Retention(c.Retention), time.Now())
		},
		Ping:  db.Ping,
		Close: db.Close,
	}, nil
}

// While Postgres is away at the start, it is tried every second, and why it is
// away is logged every five.
const (
	tryStores  = time.Second
	tellStores = 5 * time.Second
)

// waitForStores connects to Postgres, however long that takes.
func (p *program) waitForStores(ctx context.Context) (*stores, error) {
	var told time.Time
	for {
		s, err := p.open(ctx, p.config, p.log)
		if err == nil {
			if !told.IsZero() {
				p.log.Info("Postgres is there")
			}
			return s, nil
		}
		if ctx.Err() != nil || errors.Is(err, errSchema) {
			return nil, err
		}
		if now := time.Now(); told.IsZero() || now.Sub(told) >= tellStores {
			told = now
			p.log.Warn("waiting for Postgres", "err", err)
		}
		t := time.NewTimer(tryStores)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, context.Cause(ctx)
		}
	}
}
