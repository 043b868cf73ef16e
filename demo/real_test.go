package demo

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ringback/postgres"
)

// installed are the programs that are there without fetching anything. A test
// that needs more is skipped, but not where everything must be there.
func installed(t *testing.T, have func(Tools) bool) Tools {
	t.Helper()
	o, err := Options{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	var all Tools
	if own, ok := ownPostgres(t.Context()); ok {
		all = all.with(own)
	} else if postgresSet.there(o.Cache) {
		all = all.with(postgresSet.tools(o.Cache))
	}
	if own, ok := ownAsterisk(t.Context()); ok {
		all = all.with(own)
	} else if asteriskSet.there(o.Cache) {
		all = all.with(asteriskSet.tools(o.Cache))
	}
	if !have(all) {
		if os.Getenv("CI") == "true" {
			t.Fatal("Asterisk or Postgres is not installed; make test brings them")
		}
		t.Skip("Asterisk or Postgres is not installed; make test brings them")
	}
	return all
}

// A folder below a home that is closed to others, as /root is.
func closedFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The database is made, serves, comes back after a kill -9 with what was
// committed, and refuses another version's data.
func TestDatabase(t *testing.T) {
	t.Parallel()
	tools := installed(t, func(t Tools) bool { return t.Postgres != "" })
	dir := closedFolder(t)
	port, err := freePort("tcp")
	if err != nil {
		t.Fatal(err)
	}
	c := cluster{
		tools: tools, dir: filepath.Join(dir, "postgres"), port: port, password: "p:@/ü", marker: marker + dir,
		pidFile: filepath.Join(dir, "postgres.pid"), logFile: filepath.Join(dir, "postgres.log"),
	}
	if err := c.create(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.password")); len(left) > 0 {
		t.Error("the password was left in a file")
	}
	out := newNotes()
	p := c.server()
	p.out = out
	if err := p.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer p.end(context.WithoutCancel(t.Context()))
	db, err := postgres.Open(t.Context(), c.url(), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := pidIn(t, p)
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-out.lines
	if err := until(t.Context(), db.Ping); err != nil {
		t.Fatal(err)
	}
	if now, latest, err := db.Version(t.Context()); err != nil || now != latest || now == 0 {
		t.Errorf("schema %d of %d after the crash, %v", now, latest, err)
	}
	p.end(t.Context())

	if err := c.create(t.Context()); err != nil {
		t.Errorf("a second time: %v", err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.create(t.Context()); err == nil || !strings.Contains(err.Error(), "made by Postgres 9") || !strings.Contains(err.Error(), "remove") {
		t.Errorf("data of another version: %v", err)
	}
}

func TestDatabaseHalfMade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := cluster{tools: Tools{Initdb: "/bin/false"}, dir: filepath.Join(dir, "postgres")}
	if err := c.create(t.Context()); err == nil || !strings.Contains(err.Error(), "initdb") {
		t.Errorf("error %v, want initdb's", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
}

// The configuration of production starts without a complaint.
func TestAsteriskHasNothingToComplain(t *testing.T) {
	t.Parallel()
	tools := installed(t, func(t Tools) bool { return t.Asterisk != "" })
	// Longer than the path of a socket may be.
	dir := filepath.Join(closedFolder(t), strings.Repeat("long/", 25))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	sip, err := freePort("udp", "tcp")
	if err != nil {
		t.Fatal(err)
	}
	ari, err := freePort("tcp")
	if err != nil {
		t.Fatal(err)
	}
	sips, err := freePort("tcp")
	if err != nil {
		t.Fatal(err)
	}
	wss, err := freePort("tcp")
	if err != nil {
		t.Fatal(err)
	}
	e := exchange{
		tools: tools, dir: filepath.Join(dir, "asterisk"),
		ports: ports{base: 8000, sip: sip, sips: sips, ari: ari, wss: wss, rtpFirst: 20000, rtpLast: 22999},
		secrets: secrets{
			ARI: "secret", Phones: []Phone{{"phone1", "p1"}, {"phone2", "p2"}},
			SecurePhone: Phone{"secure1", "p3"}, BrowserPhone: Phone{"browser1", "p4"},
		},
		fallback: filepath.Join(dir, "fallback"), music: filepath.Join(dir, "music"), marker: marker + dir,
		pidFile: filepath.Join(dir, "asterisk.pid"), logFile: filepath.Join(dir, "asterisk.log"),
	}
	if err := playMusic(e.music); err != nil {
		t.Fatal(err)
	}
	if err := e.render(); err != nil {
		t.Fatal(err)
	}
	p := e.server()
	p.out = newNotes()
	if err := p.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer p.end(context.WithoutCancel(t.Context()))
	for command, want := range map[string]string{
		"pjsip show endpoints":      "Objects found: 6",
		"pjsip show transports":     local(sips),
		"pjsip show transport udp":  local(sip),
		"http show status":          "HTTPS Server Enabled and Bound to " + local(wss),
		"dialplan show fallback":    "MusicOnHold",
		"moh show classes":          "default",
		"ari show users":            "ringback",
		"module show like app_stas": "Running",
		"core show settings":        "demo-8000",
	} {
		out, err := e.command(t.Context(), "-rx", command).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, without %q:\n%s", command, err, want, out)
		}
	}
	p.end(t.Context())
	log, err := os.ReadFile(e.logFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "WARNING[") || strings.Contains(line, "ERROR[") {
			t.Errorf("Asterisk complains: %s", line)
		}
	}
}
