package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// attempts bounds how often a transaction is tried. With the pauses between
// them all attempts together stay below half a second, which a caller does not
// notice.
const attempts = 6

// tx runs f in a transaction, and again, whole, when Postgres asked for that or
// the connection was lost. Everything the Stores do may be done twice: it
// either says the same again or carries an idempotency key. So a commit whose
// answer was lost is resolved by asking once more.
func (db *DB) tx(ctx context.Context, f func(pgx.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := db.once(ctx, f)
		if err == nil || attempt == attempts || ctx.Err() != nil || !retryable(err) {
			return domainError(err)
		}
		db.log.DebugContext(ctx, "transaction is tried again", "attempt", attempt, "err", err)
		if !pause(ctx, jitter(5*time.Millisecond<<attempt)) {
			return context.Cause(ctx)
		}
	}
}

// once runs f in a transaction that is committed unless f fails.
func (db *DB) once(ctx context.Context, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, db.pool, f)
}

// query runs f with any connection, and again as tx does.
func (db *DB) query(ctx context.Context, f func(querier) error) error {
	for attempt := 1; ; attempt++ {
		err := f(db.pool)
		if err == nil || attempt == attempts || ctx.Err() != nil || !retryable(err) {
			return domainError(err)
		}
		if !pause(ctx, jitter(5*time.Millisecond<<attempt)) {
			return context.Cause(ctx)
		}
	}
}

// querier is a pool or a transaction.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	// SendBatch of a pool is one round trip, and one transaction.
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// retryable says whether the same transaction may well succeed when it is run
// again: Postgres chose it as the victim of a conflict, or went away.
func retryable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "40001", "40P01": // serialization failure, deadlock
			return true
		case "57P01", "57P02", "57P03": // shut down, crashed, starting
			return true
		}
		return strings.HasPrefix(pg.Code, "08") // connection exceptions
	}
	// Anything else that did not come from the server, other than an answer
	// about rows, is about the connection.
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || pgconn.SafeToRetry(err) || connectionLost(err)
}

// jitter returns between half of d and d.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2)
}

// pause waits and says whether it may go on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
