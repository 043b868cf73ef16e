package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the numbered SQL files. They only go forward: the code before
// and after a migration runs on the schema after it.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return migrations // cannot be: the folder is embedded
	}
	return sub
}

// Migrate brings the schema up to date. Several nodes may start at once: one
// migrates, the others wait for it.
func (db *DB) Migrate(ctx context.Context) error {
	p, closeDB, err := db.migrator()
	if err != nil {
		return err
	}
	defer closeDB()
	done, err := p.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	for _, r := range done {
		db.log.Info("migrated", "to", r.Source.Version, "took", r.Duration)
	}
	return nil
}

// Version returns the number of the last migration that was applied, and of
// the last there is.
func (db *DB) Version(ctx context.Context) (current, latest int64, err error) {
	p, closeDB, err := db.migrator()
	if err != nil {
		return 0, 0, err
	}
	defer closeDB()
	current, latest, err = p.GetVersions(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("version of the schema: %w", err)
	}
	return current, latest, nil
}

func (db *DB) migrator() (*goose.Provider, func(), error) {
	// Connections of its own: a migration may take longer than a caller waits.
	config := db.pool.Config().ConnConfig.Copy()
	delete(config.RuntimeParams, "statement_timeout")
	delete(config.RuntimeParams, "idle_in_transaction_session_timeout")
	conn := stdlib.OpenDB(*config)
	closeDB := func() { _ = conn.Close() }
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		closeDB()
		return nil, nil, fmt.Errorf("migrate database: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, conn, Migrations(), goose.WithSessionLocker(locker))
	if err != nil {
		closeDB()
		return nil, nil, fmt.Errorf("migrate database: %w", err)
	}
	return p, closeDB, nil
}
