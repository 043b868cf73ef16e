package main

import (
	"context"
	"log/slog"
	"time"

	"ringback/postgres"
)

const (
	// forgetEvery is how often it is looked for what is kept no longer.
	forgetEvery = time.Minute
	// forgetPause is between two parts of it, so that callers come first.
	forgetPause = 100 * time.Millisecond
)

// forget removes what is kept no longer, until ctx ends.
func forget(ctx context.Context, some func(context.Context) (postgres.Forgotten, error), log *slog.Logger) {
	for {
		gone, err := forgetAll(ctx, some)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Warn("remove what is kept no longer", "err", err)
		case gone != postgres.Forgotten{}:
			log.Info("removed what is kept no longer", "tickets", gone.Tickets, "calls", gone.Calls,
				"registrations", gone.Registrations, "history", gone.History)
		}
		if !after(ctx, forgetEvery) {
			return
		}
	}
}

// forgetAll removes, part by part, all that is kept no longer.
func forgetAll(ctx context.Context, some func(context.Context) (postgres.Forgotten, error)) (postgres.Forgotten, error) {
	var all postgres.Forgotten
	for {
		f, err := some(ctx)
		all.Tickets, all.Calls = all.Tickets+f.Tickets, all.Calls+f.Calls
		all.Registrations, all.History = all.Registrations+f.Registrations, all.History+f.History
		if err != nil || !f.More {
			return all, err
		}
		if !after(ctx, forgetPause) {
			return all, context.Cause(ctx)
		}
	}
}

// after waits, and says whether ctx goes on.
func after(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
