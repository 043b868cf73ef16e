package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Inspection is what a database tells about itself, for who looks for faults.
type Inspection struct {
	Version int // 150018 is 15.18
	// Schema is the last migration that was applied, zero where none was;
	// Latest the last that this program knows.
	Schema, Latest int64
	// Most is how many connections the server takes from ordinary users, Free
	// how many of them are left.
	Most, Free int
	// ReadOnly says that nothing can be written: a standby, or a setting.
	ReadOnly bool
	// Off are the settings that are switched off and without which a commit
	// may be lost.
	Off []string
	// Ahead is how far the server's clock is before ours, below zero behind.
	// What the round trip leaves open counts as no difference.
	Ahead time.Duration
	// Zones are the time zones of centres.
	Zones []string
	// Local says that the server may be on this machine; Data is the folder of
	// its data, empty where this user is not told.
	Local bool
	Data  string
}

// Why a database could not be inspected; any other error says that it was not
// reached.
var (
	ErrLogin      = errors.New("Postgres does not take this user and password")
	ErrNoDatabase = errors.New("there is no such database")
	ErrFull       = errors.New("Postgres has no connection left")
	ErrAddress    = errors.New("not the address of a database")
)

// Inspect asks a database, given as Open takes it, about itself, over one
// connection and without writing. It fails with ErrLogin, ErrNoDatabase,
// ErrFull, ErrAddress, or what kept it from answering.
func Inspect(ctx context.Context, url string) (Inspection, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return Inspection{}, fmt.Errorf("inspect database: %w", ErrAddress) // the rest may hold a password
	}
	config.RuntimeParams["application_name"] = "ringback doctor"
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return Inspection{}, fmt.Errorf("inspect database: %w", whyRefused(err))
	}
	defer c.Close(context.WithoutCancel(ctx))
	var i Inspection
	if i.Latest, err = latestMigration(); err != nil {
		return Inspection{}, fmt.Errorf("inspect database: %w", err)
	}
	switch a := c.PgConn().Conn().RemoteAddr().(type) {
	case *net.UnixAddr:
		i.Local = true
	case *net.TCPAddr:
		i.Local = a.IP.IsLoopback()
	}
	err = pgx.BeginTxFunc(ctx, c, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error { return i.ask(ctx, tx) })
	if err != nil {
		return Inspection{}, fmt.Errorf("inspect database: %w", err)
	}
	return i, nil
}

// whyRefused puts a sentinel beside what Postgres said.
func whyRefused(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	switch pg.Code {
	case "28P01", "28000":
		return errors.Join(ErrLogin, pg)
	case "3D000":
		return errors.Join(ErrNoDatabase, pg)
	case "53300":
		return errors.Join(ErrFull, pg)
	}
	return pg
}

// The backends of pg_stat_database are shown to everybody; pg_stat_activity
// shows the kind of others' only to who may monitor. A setting that one may not
// see is not listed in pg_settings.
const inspectSQL = `
select current_setting('server_version_num')::integer,
       most, most - (select coalesce(sum(numbackends), 0) from pg_stat_database)::integer,
       pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean,
       array(select name from pg_settings
             where name in ('fsync', 'synchronous_commit', 'full_page_writes') and setting = 'off' order by name),
       coalesce((select setting from pg_settings where name = 'data_directory'), ''),
       to_regclass('goose_db_version') is not null, to_regclass('centres') is not null
from (select current_setting('max_connections')::integer
             - current_setting('superuser_reserved_connections')::integer
             - coalesce(current_setting('reserved_connections', true), '0')::integer) as limits (most)`

const (
	inspectSchemaSQL = `select coalesce(max(version_id), 0) from goose_db_version where is_applied`
	inspectZonesSQL  = `select distinct time_zone from centres order by time_zone`
)

func (i *Inspection) ask(ctx context.Context, tx pgx.Tx) error {
	var told time.Time
	sent := time.Now()
	if err := tx.QueryRow(ctx, `select clock_timestamp()`).Scan(&told); err != nil {
		return err
	}
	received := time.Now()
	// It was told somewhen between sent and received.
	i.Ahead = max(told.Sub(received), min(told.Sub(sent), 0))

	var migrated, centres bool
	err := tx.QueryRow(ctx, inspectSQL).Scan(&i.Version, &i.Most, &i.Free, &i.ReadOnly, &i.Off, &i.Data, &migrated, &centres)
	if err != nil {
		return err
	}
	if migrated {
		if err := tx.QueryRow(ctx, inspectSchemaSQL).Scan(&i.Schema); err != nil {
			return err
		}
	}
	if !centres {
		return nil
	}
	rows, err := tx.Query(ctx, inspectZonesSQL)
	if err != nil {
		return err
	}
	i.Zones, err = pgx.CollectRows(rows, pgx.RowTo[string])
	return err
}

// latestMigration is the highest number among the migrations.
func latestMigration() (int64, error) {
	files, err := fs.Glob(Migrations(), "*.sql")
	if err != nil {
		return 0, err
	}
	var latest int64
	for _, f := range files {
		number, _, _ := strings.Cut(f, "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s: %w", f, err)
		}
		latest = max(latest, n)
	}
	return latest, nil
}
