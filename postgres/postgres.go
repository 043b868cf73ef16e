// Package postgres is the Stores of Ringback on PostgreSQL.
// It must not know what a dialogue is or how a call is made: it keeps promises
// about rows, and turns their violation into the errors of the domain.
package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Options are the limits of a pool. The zero value is usable.
type Options struct {
	// Name is shown in pg_stat_activity; "ringback" if empty.
	Name string
	// MaxConns bounds the pool; 16 if zero. Two connections a core of the
	// database server keep it busy; more only queue there instead of here.
	MaxConns int32
	// StatementTimeout ends a statement in the server; 5 s if zero. A caller
	// waits for the answer, in silence.
	StatementTimeout time.Duration
	// Log is told of retries and of what had to be dropped; slog.Default if nil.
	Log *slog.Logger
}

// DB is a pool of connections. The Stores are made from it.
type DB struct {
	pool *pgxpool.Pool
	log  *slog.Logger
}

// Open makes a pool for a database, given as a postgres:// address or a
// key=value string, and connects once to see that it is there.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database address: %w", err)
	}
	if o.Name == "" {
		o.Name = "ringback"
	}
	if o.MaxConns == 0 {
		o.MaxConns = 16
	}
	if o.StatementTimeout == 0 {
		o.StatementTimeout = 5 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	config.MaxConns = o.MaxConns
	config.MaxConnLifetime = time.Hour
	config.MaxConnLifetimeJitter = 10 * time.Minute
	config.HealthCheckPeriod = 15 * time.Second
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	server := config.ConnConfig.RuntimeParams
	server["application_name"] = o.Name
	server["timezone"] = "UTC"
	server["statement_timeout"] = milliseconds(o.StatementTimeout)
	// A controller that froze in a transaction must not keep others waiting.
	server["idle_in_transaction_session_timeout"] = milliseconds(2 * o.StatementTimeout)
	// Statements are planned once a connection. Planning the ones of the line
	// anew, because a plan for just these arguments looks cheaper, takes longer
	// than running them.
	server["plan_cache_mode"] = "force_generic_plan"
	config.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		c.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID,
			Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := &DB{pool: pool, log: o.Log}
	if err := db.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return db, nil
}

// Ping says whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.pool.Ping(ctx); err != nil {
		return fmt.Errorf("reach database: %w", err)
	}
	return nil
}

// Close ends the connections after their statements are done.
func (db *DB) Close() { db.pool.Close() }

func milliseconds(d time.Duration) string {
	return strconv.FormatInt(d.Milliseconds(), 10)
}
