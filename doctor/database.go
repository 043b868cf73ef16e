package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ringback/postgres"
)

func databaseReached(_ context.Context, s *site) []Finding {
	i, err := s.postgres()
	switch {
	case err == nil:
		return fine("Postgres %s answers", version(i.Version))
	case errors.Is(err, postgres.ErrAddress):
		return failed("database.url is no address of a Postgres", "Set it as in postgres://user:password@host:5432/ringback.")
	case errors.Is(err, postgres.ErrLogin):
		return failed("Postgres does not take the user or the password of database.url",
			"Correct database.url, or give the user that password, or let it in by pg_hba.conf.")
	case errors.Is(err, postgres.ErrNoDatabase):
		return failed("Postgres answers, but it has no database of the name in database.url",
			"Run `createdb` for it and `ringback migrate`, or correct database.url.")
	case errors.Is(err, postgres.ErrFull):
		return failed("Postgres has no connection left", "Raise max_connections in postgresql.conf, or end who holds them (pg_stat_activity).")
	}
	return failed("Postgres is not reached: "+strings.TrimPrefix(reason(err), "inspect database: "), "Start Postgres, or correct database.url; a firewall between looks like this too.")
}

// version writes 150018 as 15.18.
func version(n int) string { return fmt.Sprintf("%d.%d", n/10_000, n%10_000) }

// oldestPostgres has all that the statements use.
const oldestPostgres = 15

func databaseVersion(_ context.Context, s *site) []Finding {
	i, err := s.postgres()
	if err != nil {
		return nil
	}
	if i.Version/10_000 < oldestPostgres {
		return failed(fmt.Sprintf("Postgres is %s, and %d is the oldest that works", version(i.Version), oldestPostgres),
			fmt.Sprintf("Upgrade the server with pg_upgrade to Postgres %d or newer.", oldestPostgres))
	}
	return fine("%s, at least %d", version(i.Version), oldestPostgres)
}

func schema(_ context.Context, s *site) []Finding {
	i, err := s.postgres()
	switch {
	case err != nil:
		return nil
	case i.Schema == 0:
		return failed("the database is empty, or not Ringback's", "Run `ringback migrate` with the same configuration.")
	case i.Schema < i.Latest:
		return failed(fmt.Sprintf("the schema is at version %d, and this program needs %d", i.Schema, i.Latest),
			"Run `ringback migrate` with the same configuration.")
	case i.Schema > i.Latest:
		return warned(fmt.Sprintf("the schema is at version %d, and this program knows %d: a newer Ringback was here", i.Schema, i.Latest),
			"Upgrade this program too; until then the release before works on the new schema.")
	}
	return fine("at version %d, this program's", i.Schema)
}

func databaseWritable(_ context.Context, s *site) []Finding {
	i, err := s.postgres()
	if err != nil {
		return nil
	}
	if i.ReadOnly {
		return failed("this Postgres takes no writes: a standby, or default_transaction_read_only",
			"Let database.url name the primary, for example with target_session_attrs=read-write and all hosts.")
	}
	return fine("takes writes")
}

// pool is how many connections a controller takes at most.
const pool = 16

func connections(_ context.Context, s *site) []Finding {
	i, err := s.postgres()
	if err != nil {
		return nil
	}
	if i.Free < pool {
		return warned(fmt.Sprintf("%d of %d connections are free, and a controller takes up to %d", i.Free, i.Most, pool),
			"Raise max_connections in postgresql.conf, or put PgBouncer before it.")
	}
	return fine("%d of %d connections are free", i.Free, i.Most)
}

func durability(_ context.Context, s *site) []Finding {
	i, err := s.postgres()
	if err != nil {
		return nil
	}
	if len(i.Off) > 0 {
		return warned(strings.Join(i.Off, ", ")+" off: an appointment that was confirmed to a caller can be lost when the server's power fails",
			"Switch them on in postgresql.conf, and for the role (ALTER ROLE … RESET synchronous_commit).")
	}
	return fine("a commit is on disk before it is confirmed")
}

// Clocks: what a caller is told is minutes, a hold is kept for minutes, and the
// waiting line is in order of the moment of ringing.
const (
	clockWarning = time.Second
	clockFailure = 30 * time.Second
)

// clockFinding judges how far a clock is before ours.
func clockFinding(whose string, ahead time.Duration) []Finding {
	off, way := ahead, "before"
	if ahead < 0 {
		off, way = -ahead, "behind"
	}
	if off <= clockWarning {
		return fine("its clock and this machine's agree within %v", clockWarning)
	}
	seen := fmt.Sprintf("its clock is %v %s this machine's", off.Round(100*time.Millisecond), way)
	const do = "Let chrony or systemd-timesyncd keep the clock on both machines."
	if off > clockFailure {
		return failed(whose+seen[len("its"):], do)
	}
	return warned(whose+seen[len("its"):], do)
}

func databaseClock(_ context.Context, s *site) []Finding {
	i, err := s.postgres()
	if err != nil {
		return nil
	}
	return clockFinding("Postgres'", i.Ahead)
}
