package postgres_test

import (
	"errors"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"ringback/postgres"
	"ringback/postgres/pgtest"
)

// changed is the address with another part.
func changed(t *testing.T, address string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	change(u)
	return u.String()
}

func TestInspect(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	db, err := postgres.Open(t.Context(), address, postgres.Options{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	f := fixture{t: t, db: db}
	f.dortmund(1)
	i, err := postgres.Inspect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	current, latest, err := db.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if i.Schema != current || i.Latest != latest {
		t.Errorf("schema %d of %d, goose says %d of %d", i.Schema, i.Latest, current, latest)
	}
	if i.Version < 150000 || i.Most < 10 || i.Free < 1 || i.Free >= i.Most || i.ReadOnly || i.Data != "" {
		t.Errorf("got %+v", i)
	}
	if super, err := postgres.Inspect(t.Context(), os.Getenv(pgtest.Env)); err != nil || super.Data == "" {
		t.Errorf("a superuser is told the folder %q, %v", super.Data, err)
	}
	if !slices.Equal(i.Zones, []string{"Europe/Berlin"}) {
		t.Errorf("time zones %v", i.Zones)
	}
	local := f.number(`select case when inet_server_addr() is null or inet_server_addr() << '127.0.0.0/8' then 1 else 0 end`) == 1
	if i.Local != local {
		t.Errorf("local %v, want %v", i.Local, local)
	}
	if local && i.Ahead != 0 {
		t.Errorf("the clock of this machine is %v ahead of itself", i.Ahead)
	}
}

func TestInspectFindsFaults(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	db, err := postgres.Open(t.Context(), address, postgres.Options{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	f := fixture{t: t, db: db}
	off := changed(t, address, func(u *url.URL) {
		q := u.Query()
		q.Set("synchronous_commit", "off")
		q.Set("default_transaction_read_only", "on")
		u.RawQuery = q.Encode()
	})
	i, err := postgres.Inspect(t.Context(), off)
	if err != nil {
		t.Fatal(err)
	}
	if !i.ReadOnly || !slices.Contains(i.Off, "synchronous_commit") {
		t.Errorf("got %+v", i)
	}
	f.exec(`insert into goose_db_version (version_id, is_applied) values (99, true)`)
	if i, err = postgres.Inspect(t.Context(), address); err != nil || i.Schema != 99 {
		t.Errorf("schema %d, %v", i.Schema, err)
	}
	f.exec(`drop table goose_db_version`)
	f.exec(`alter table centres rename to others`)
	if i, err = postgres.Inspect(t.Context(), address); err != nil || i.Schema != 0 || i.Latest == 0 || len(i.Zones) > 0 {
		t.Errorf("not migrated: %+v, %v", i, err)
	}
	if n := f.number(`select count(*) from pg_class where relname = 'goose_db_version'`); n != 0 {
		t.Error("it wrote")
	}
}

func TestInspectTellsRefusalsApart(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for name, c := range map[string]struct {
		change func(*url.URL)
		want   error
	}{
		"password": {func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "hunter2") }, postgres.ErrLogin},
		"database": {func(u *url.URL) { u.Path = "/nowhere" }, postgres.ErrNoDatabase},
		"address":  {func(u *url.URL) { u.RawQuery = "sslmode=hunter2" }, postgres.ErrAddress},
		"down":     {func(u *url.URL) { u.Host = gone.Addr().String() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := postgres.Inspect(t.Context(), changed(t, address, c.change))
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Fatalf("got %v", err)
			}
			if c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if c.want == nil && (errors.Is(err, postgres.ErrLogin) || errors.Is(err, postgres.ErrAddress)) {
				t.Errorf("got %v", err)
			}
		})
	}
}
