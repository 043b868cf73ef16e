package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"ringback/e164"
	"ringback/postgres"
	"ringback/postgres/pgtest"
	"ringback/queue"
)

// TestQueueOnPostgres: what is changed by command is so in the line, and in the
// audit.
func TestQueueOnPostgres(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	file := filepath.Join(t.TempDir(), "ringback.yaml")
	// At any hour, so that the test passes at night too.
	if err := os.WriteFile(file, []byte("queue: {time_zone: UTC, ringing: always}\ndatabase: {url: '"+address+"'}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (string, error) {
		t.Helper()
		var out bytes.Buffer
		root := &cobra.Command{SilenceUsage: true, SilenceErrors: true}
		root.AddCommand(queueCommand(openDesk))
		root.SetArgs(append([]string{"queue", "--config", file}, args...))
		root.SetOut(&out)
		err := root.ExecuteContext(t.Context())
		return out.String(), err
	}
	ok := func(want string, args ...string) {
		t.Helper()
		if out, err := run(args...); err != nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v, want %q in\n%s", args, err, want, out)
		}
	}

	ok("Nobody.", "list")
	ok("No agents", "agents")
	ok("Calls out are on.", "outgoing")

	db, err := postgres.Open(t.Context(), address, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rules := queue.NewRules()
	if rules.Ringing, err = queue.ParseHours("always", "UTC", ""); err != nil {
		t.Fatal(err)
	}
	q := postgres.NewQueue(db, rules)
	arrive := func(n e164.Number, rang time.Duration) queue.Arrival {
		return queue.Arrival{
			CallID: uuid.New(), Node: "n1", At: time.Now().Add(-rang), Number: n, Topic: queue.TopicBooking, Language: "de",
			Wish: queue.WishPerson, Reason: queue.Asked, Scene: "wait", Known: []byte(`{"born":"1935-12-24"}`),
		}
	}
	first, err := q.Join(t.Context(), arrive("+4923150012345", 4*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	second, err := q.Promise(t.Context(), arrive("+4923150012346", time.Minute), queue.Window{})
	if err != nil {
		t.Fatal(err)
	}

	out, err := run("list")
	if err != nil || strings.Index(out, first.ID.String()) > strings.Index(out, second.ID.String()) || !strings.Contains(out, "to be rung") {
		t.Errorf("%v\n%s", err, out)
	}
	id := second.ID.String()
	ok("has priority 5", "move", id, "--priority", "5", "--why", "a doctor")
	hour := time.Now().UTC().Add(24 * time.Hour).Truncate(time.Hour)
	ok("rung "+hour.In(time.Local).Format("Mon 2006-01-02 15:04")+" to ", "move", id[len(id)-12:], "--at", hour.Add(10*time.Minute).Format(time.RFC3339), "--why", "is out")
	ok("promised", "show", id)
	ok("a doctor", "show", id)
	if out, _ = run("list"); strings.Index(out, first.ID.String()) < strings.Index(out, second.ID.String()) {
		t.Errorf("the greater priority is not first:\n%s", out)
	}
	ok("Calls out are OFF", "outgoing", "off", "--why", "trunk")
	ok("why OFF", "outgoing", "on", "--why", "why OFF")
	ok("is removed", "remove", id, "--why", "asked", "--by", "Anna")
	ok("closed: removed", "show", id)
	ok("Anna (ringback queue of ", "show", id)
	ok("closed: removed", "list", "--state", "closed", "--numbers", "--number", "0231 50012346")
	if _, err := run("remove", id, "--why", "again"); err == nil || !strings.Contains(err.Error(), "is closed and cannot be changed") {
		t.Errorf("removed again: %v", err)
	}

	third, err := q.Promise(t.Context(), arrive("+4923150012347", 0), queue.Window{})
	if err != nil {
		t.Fatal(err)
	}
	ok("not rung any more", "do-not-ring", "0231 50012347", "--why", "asked for it")
	ok("closed: forbidden", "show", third.ID.String())
	ok("+4923150012347  ", "do-not-ring", "list", "--numbers")
	ok("asked for it", "do-not-ring", "list", "--number", "0231 50012347")
	ok("may be rung again", "ring-again", "0231 50012347", "--why", "asked for it")
	ok("None.", "do-not-ring", "list")
	ok("\ncallbacks_promised   2 ", "stats")
	if out, err = run("list", "--state", "closed"); err != nil || strings.Count(out, "closed: ") != 2 {
		t.Errorf("%v\n%s", err, out)
	}
	ok("Removed 0 tickets, 0 calls, 0 registrations and 0 changes.", "prune")
	ok("closed: removed", "show", id)
	for _, args := range [][]string{{"list"}, {"show", first.ID.String()}} {
		if out, _ := run(args...); strings.Contains(out, "1935") || strings.Contains(out, "12345 ") {
			t.Errorf("%s tells what is personal:\n%s", args, out)
		}
	}
}

func TestQueueWithoutADatabase(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--database", "postgres://nobody@127.0.0.1:1/none"}, "127.0.0.1"},
		{[]string{"--dir", t.TempDir()}, "no demo was started in"},
		{[]string{"--config", filepath.Join(t.TempDir(), "none.yaml")}, "none.yaml"},
	} {
		root := &cobra.Command{SilenceUsage: true, SilenceErrors: true}
		root.AddCommand(queueCommand(openDesk))
		root.SetOut(&bytes.Buffer{})
		root.SetArgs(append([]string{"queue", "list"}, tt.args...))
		if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.args, err)
		}
	}
}
