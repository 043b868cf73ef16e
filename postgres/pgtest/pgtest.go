// Package pgtest gives each test a fresh, migrated database.
// It must not know what is tested.
package pgtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/peterldowns/pgtestdb"

	"ringback/postgres"
)

// Env names the variable with the address of a Postgres server to test on: a
// postgres:// address of a superuser. Without it such tests are skipped, and
// fail where CI=true.
const Env = "RINGBACK_TEST_DATABASE_URL"

// New opens a fresh database with the present schema. It is closed and dropped
// with the test, or kept when the test failed.
func New(t testing.TB, o postgres.Options) *postgres.DB {
	t.Helper()
	address := URL(t)
	db, err := postgres.Open(t.Context(), address, o)
	// A server that makes databases for many tests at once is slow to let in.
	for range 12 {
		if !errors.Is(err, context.DeadlineExceeded) || t.Context().Err() != nil {
			break
		}
		db, err = postgres.Open(t.Context(), address, o)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// URL is the address of such a database.
func URL(t testing.TB) string {
	t.Helper()
	server := os.Getenv(Env)
	if server == "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not set, and this is CI", Env)
		}
		t.Skipf("%s is not set", Env)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s: %v", Env, err)
	}
	password, _ := u.User.Password()
	options := u.Query()
	if !options.Has("sslmode") {
		options.Set("sslmode", "disable")
	}
	port := u.Port()
	if port == "" {
		port = "5432"
	}
	return pgtestdb.Custom(t, pgtestdb.Config{
		DriverName: "pgx", Host: u.Hostname(), Port: port, User: u.User.Username(), Password: url.QueryEscape(password),
		Database: strings.TrimPrefix(u.Path, "/"), Options: options.Encode(),
		ForceTerminateConnections: true,
	}, migrator{}).URL()
}

// migrator makes the template that each database is a copy of.
type migrator struct{}

// Hash names the template by the content of the migrations.
func (migrator) Hash() (string, error) {
	h := sha256.New()
	files := postgres.Migrations()
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		h.Write([]byte(path))
		h.Write(content)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// Migrate fills the template.
func (migrator) Migrate(ctx context.Context, _ *sql.DB, c pgtestdb.Config) error {
	db, err := postgres.Open(ctx, c.URL(), postgres.Options{Name: "ringback-test"})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Migrate(ctx)
}
