package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/asterisk"
	asteriskconf "ringback/asterisk-conf"
	"ringback/config"
	"ringback/postgres"
	"ringback/prompts"
)

// ofThisMachine are the checks whose findings depend on where the test runs.
var ofThisMachine = []string{"host.name", "host.clock", "speech.disk", "postgres.disk"}

func TestHealthy(t *testing.T) {
	t.Parallel()
	r := setup(t).examined()
	for _, c := range checks {
		i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Check == c.name })
		if i < 0 {
			t.Errorf("%s says nothing", c.name)
		}
	}
	for _, f := range r.Findings {
		if f.State != OK && !slices.Contains(ofThisMachine, f.Check) {
			t.Errorf("%+v", f)
		}
	}
}

// TestBroken breaks one thing after another, and reads what is found.
func TestBroken(t *testing.T) {
	t.Parallel()
	gone := fmt.Errorf("inspect: %w", &url.Error{Op: "Get", URL: "http://x/?key=hunter2", Err: errors.New("connection refused")})
	for name, c := range map[string]struct {
		breaks func(*installation)
		check  string
		state  State
		seen   string // a part of it
		do     string // a part of it
	}{
		"no ARI password":     {func(in *installation) { in.site.Config.Asterisk.Password = "" }, "config", Failure, "asterisk.password is not set", "ari.conf"},
		"file open to all":    {func(in *installation) { in.chmod("ringback.yaml", 0o644) }, "config.file", Warning, "may be read by everybody", "chmod o-rwx"},
		"number":              {func(in *installation) { in.site.Config.Number = "0231 5" }, "config.number", OK, "service number", ""},
		"number of nobody":    {func(in *installation) { in.site.Config.Number = "012 3456789012345" }, "config.number", Warning, "not one of a telephone in DE", "region"},
		"no API key":          {func(in *installation) { in.site.Config.API.Keys = nil }, "config.api", Warning, "no API key", "api.keys"},
		"Postgres down":       {func(in *installation) { in.postgresDown = gone }, "postgres", Failure, "connection refused", "Start Postgres"},
		"Postgres silent":     {func(in *installation) { in.postgresDown = context.DeadlineExceeded }, "postgres", Failure, "no answer in time", "firewall"},
		"database login":      {func(in *installation) { in.postgresDown = postgres.ErrLogin }, "postgres", Failure, "password", "pg_hba.conf"},
		"no database":         {func(in *installation) { in.postgresDown = postgres.ErrNoDatabase }, "postgres", Failure, "no database", "createdb"},
		"database full":       {func(in *installation) { in.postgresDown = postgres.ErrFull }, "postgres", Failure, "no connection left", "max_connections"},
		"database address":    {func(in *installation) { in.postgresDown = postgres.ErrAddress }, "postgres", Failure, "no address", "postgres://"},
		"Postgres 14":         {func(in *installation) { in.postgres.Version = 140012 }, "postgres.version", Failure, "14.12", "pg_upgrade"},
		"not migrated":        {func(in *installation) { in.postgres.Schema = 0 }, "postgres.schema", Failure, "empty", "ringback migrate"},
		"schema too old":      {func(in *installation) { in.postgres.Schema = 6 }, "postgres.schema", Failure, "version 6, and this program needs 7", "ringback migrate"},
		"schema too new":      {func(in *installation) { in.postgres.Schema = 8 }, "postgres.schema", Warning, "version 8, and this program knows 7", "Upgrade this program"},
		"standby":             {func(in *installation) { in.postgres.ReadOnly = true }, "postgres.writable", Failure, "standby", "primary"},
		"connections":         {func(in *installation) { in.postgres.Free = 15 }, "postgres.connections", Warning, "15 of 100", "max_connections"},
		"fsync":               {func(in *installation) { in.postgres.Off = []string{"fsync"} }, "postgres.durability", Warning, "fsync off", "postgresql.conf"},
		"database clock":      {func(in *installation) { in.postgres.Ahead = -3 * time.Second }, "postgres.clock", Warning, "Postgres' clock is 3s behind", "chrony"},
		"database clock, far": {func(in *installation) { in.postgres.Ahead = time.Hour }, "postgres.clock", Failure, "1h0m0s before", "chrony"},
		"Asterisk down":       {func(in *installation) { in.asteriskDown = gone }, "asterisk", Failure, "connection refused", "Start Asterisk"},
		"ARI login":           {func(in *installation) { in.asteriskDown = asterisk.ErrCredentials }, "asterisk", Failure, "does not take the user ringback", "ari.conf"},
		"not ARI":             {func(in *installation) { in.asteriskDown = asterisk.ErrNoARI }, "asterisk", Failure, "is not ARI", "asterisk.url"},
		"Asterisk 18":         {func(in *installation) { in.asterisk.Version = "18.9.0" }, "asterisk.version", Failure, "18.9.0", "Upgrade"},
		"Asterisk of no name": {func(in *installation) { in.asterisk.Version = "master" }, "asterisk.version", Warning, "master", "20 or newer"},
		"module missing":      {func(in *installation) { delete(in.asterisk.Modules, "app_stasis") }, "asterisk.modules", Failure, "app_stasis", "module load app_stasis"},
		"module not running":  {func(in *installation) { in.asterisk.Modules["res_ari_channels"] = false }, "asterisk.modules", Failure, "res_ari_channels", "modules.conf"},
		"srtp missing":        {func(in *installation) { delete(in.asterisk.Modules, "res_srtp") }, "asterisk.modules", Warning, "encrypted audio", "modules.conf"},
		"one opus will do":    {func(in *installation) { delete(in.asterisk.Modules, "codec_opus_open_source") }, "asterisk.modules", OK, "all that calls need", ""},
		"no opus": {func(in *installation) {
			delete(in.asterisk.Modules, "codec_opus_open_source")
			delete(in.asterisk.Modules, "codec_opus")
		}, "asterisk.modules", Warning, "opus", ""},
		"ARI read only":        {func(in *installation) { in.asterisk.Writable = false }, "asterisk.user", Failure, "may only read", "read_only = no"},
		"no systemname":        {func(in *installation) { in.asterisk.Node = "" }, "asterisk.node", Failure, "no name", "systemname = node-1"},
		"other systemname":     {func(in *installation) { in.asterisk.Node = "node-2" }, "asterisk.node", Warning, "two names", "node: node-2"},
		"no controller":        {func(in *installation) { in.asterisk.Controller = false }, "asterisk.application", Warning, "no controller is connected", "ringback serve"},
		"Asterisk's clock":     {func(in *installation) { in.asterisk.Ahead = time.Minute }, "asterisk.clock", Failure, "Asterisk's clock is 1m0s before", "chrony"},
		"SIP silent":           {func(in *installation) { in.asterisk.SIP["udp"] = sipAt(in.t, false) }, "asterisk.sip", Failure, "nothing answers SIP by udp", "firewall"},
		"SIP closed":           {func(in *installation) { in.asterisk.SIP["tcp"] = closedPort(in.t) }, "asterisk.sip", Failure, "nothing answers SIP by tcp", "pjsip show transports"},
		"TLS closed":           {func(in *installation) { in.asterisk.SIP["tls"] = closedPort(in.t) }, "asterisk.certificate", Failure, "nothing answers SIP by tls", "cert_file"},
		"no transport":         {func(in *installation) { in.asterisk.SIP = nil }, "asterisk.sip", Warning, "no transport", "--sip"},
		"SIP elsewhere":        {func(in *installation) { in.site.SIP = closedPort(in.t) }, "asterisk.sip", Failure, "nothing answers SIP", "firewall"},
		"controller not ready": {func(in *installation) { in.ready = `{"checks": [{"name": "asterisk", "reason": "not connected"}]}` }, "controller", Failure, "asterisk: not connected", "log"},
		"another program":      {func(in *installation) { in.ready = "" }, "controller", Failure, "another program", "http.listen"},
		"no controller runs":   {func(in *installation) { in.site.Config.HTTP.Listen = closedPort(in.t) }, "controller", Warning, "is free for it", "ringback serve"},
		"address of others":    {func(in *installation) { in.site.Config.HTTP.Listen = "203.0.113.1:0" }, "controller", Failure, "203.0.113.1", "http.listen"},
		"controller hangs":     {func(in *installation) { h, p := mute(in.t); in.site.Config.HTTP.Listen = fmt.Sprintf("%s:%d", h, p) }, "controller", Failure, "does not answer", "hangs"},
		"line missing": {func(in *installation) {
			in.site.Lines = append(slices.Clone(lines), prompts.Declaration{Key: "welcome.greeting"})
		}, "prompts", Failure, "welcome.greeting", "prompts/text/de.yaml"},
		"voice of no language": {func(in *installation) { in.site.Config.Speech.Voices["fr"] = []config.Engine{config.EnginePico} }, "prompts", Warning, "nothing is written", "prompts/text/fr.yaml"},
		"default language":     {func(in *installation) { in.site.Config.Call.DefaultLanguage = "fr" }, "prompts", Failure, "nothing is written in fr", "call.default_language"},
		"one voice missing":    {func(in *installation) { delete(in.engines, config.EnginePico) }, "speech.voices", Warning, "pico does not speak de: not installed", "speech.pico"},
		"voice broken":         {func(in *installation) { in.engines[config.EnginePico] = fakeEngine{err: gone} }, "speech.voices", Warning, "connection refused", "speech.pico"},
		"voice silent":         {func(in *installation) { in.engines[config.EnginePico] = fakeEngine{silent: true} }, "speech.voices", Warning, "silent", "speech.pico"},
		"voice of another":     {func(in *installation) { in.engines[config.EnginePico] = fakeEngine{mute: true} }, "speech.voices", Warning, "no voice for this language", "speech.voices.de"},
		"no voice":             {func(in *installation) { clear(in.engines) }, "speech.voices", Failure, "nothing speaks de", "espeak-ng"},
		"nothing spoken":       {func(in *installation) { in.remove("spoken") }, "speech.clips", Warning, "no line is spoken beforehand", "ringback serve"},
		"clip missing":         {func(in *installation) { in.remove("spoken/fixed/slow.json") }, "speech.clips", Warning, "2 lines in de", "log"},
		"clip in half":         {func(in *installation) { in.remove("spoken/fixed/slow.g722") }, "speech.clips", Warning, "2 lines in de", "log"},
		"clip of old words":    {func(in *installation) { in.clip("normal", "Tschüss.") }, "speech.clips", Warning, "2 lines in de", "log"},
		"clips closed":         {func(in *installation) { in.site.listener = stranger }, "speech.access", Failure, "cannot read", "one user"},
		"Asterisk elsewhere":   {func(in *installation) { in.site.listener = func(string) (int, bool) { return 0, false } }, "speech.access", OK, "not known", ""},
		"recording misnamed":   {func(in *installation) { in.write("recordings/de/goodbye.wav", "") }, "speech.recordings", Warning, "no line without values", "LANGUAGE/KEY.wav"},
		"recording of values":  {func(in *installation) { in.write("recordings/de/choose.offer.wav", "") }, "speech.recordings", Warning, "no line without values", ""},
		"recording not WAV":    {func(in *installation) { in.write("recordings/de/bye.simple.wav", "MP3") }, "speech.recordings", Warning, "bye.simple.wav", "16-bit WAV"},
		"recording elsewhere":  {func(in *installation) { in.write("recordings/tlh/bye.wav", "") }, "speech.recordings", Warning, "no language", ""},
		"unknown time zone":    {func(in *installation) { in.postgres.Zones = []string{"Mars/Olympus"} }, "host.timezones", Failure, "Mars/Olympus", "tzdata"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := setup(t)
			c.breaks(in)
			r := in.examined()
			found := slices.ContainsFunc(r.Findings, func(f Finding) bool {
				return f.Check == c.check && f.State == c.state && strings.Contains(f.Seen, c.seen) && strings.Contains(f.Do, c.do)
			})
			if !found {
				t.Errorf("no finding %s %s with %q and %q in\n%s", c.check, c.state, c.seen, c.do, text(t, r))
			}
			for _, f := range r.Findings {
				if f.State != OK && (f.Do == "" || f.Seen == "") {
					t.Errorf("it says not what to do: %+v", f)
				}
				elsewhere := !strings.HasPrefix(f.Check, strings.Split(c.check, ".")[0]) && !slices.Contains(ofThisMachine, f.Check)
				if f.State == Failure && elsewhere {
					t.Errorf("a fault elsewhere: %+v", f)
				}
			}
			if strings.Contains(written(t, r), "hunter2") || strings.Contains(written(t, r), "500123") {
				t.Errorf("a secret or a number is shown:\n%s", written(t, r))
			}
		})
	}
}

// stranger is a user who owns nothing here.
func stranger(string) (int, bool) { return 64_321, true }

func (in *installation) chmod(name string, mode os.FileMode) {
	in.t.Helper()
	if err := os.Chmod(filepath.Join(in.dir, name), mode); err != nil {
		in.t.Fatal(err)
	}
}

func (in *installation) remove(name string) {
	in.t.Helper()
	if err := os.RemoveAll(filepath.Join(in.dir, name)); err != nil {
		in.t.Fatal(err)
	}
}

func text(t *testing.T, r Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// written is a report in both forms.
func written(t *testing.T, r Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := errors.Join(r.WriteText(&b), r.WriteJSON(&b)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestDispensableModules keeps the list from naming what nobody loads.
func TestDispensableModules(t *testing.T) {
	t.Parallel()
	listed, err := asteriskconf.Modules()
	if err != nil {
		t.Fatal(err)
	}
	if len(listed) < 50 || !slices.Contains(listed, "app_stasis") {
		t.Fatalf("modules.conf loads %v", listed)
	}
	for m := range dispensable {
		if !slices.Contains(listed, m) {
			t.Errorf("modules.conf does not load %s", m)
		}
	}
}

func TestConfigurationFaults(t *testing.T) {
	t.Parallel()
	r := Run(t.Context(), Options{Fault: config.Faults{{Key: "drain", Value: "8", Mend: "write it with its unit"}, {Key: "colour", Mend: "there is no such key"}}})
	if len(r.Findings) != 2 || r.Count(Failure) != 2 || r.Findings[0].Check != "config" || !strings.Contains(r.Findings[0].Do, "config explain") {
		t.Errorf("got %+v", r.Findings)
	}
	r = Run(t.Context(), Options{Fault: os.ErrNotExist})
	if r.Count(Failure) != 1 || !strings.Contains(r.Findings[0].Do, "--config") {
		t.Errorf("got %+v", r.Findings)
	}
}

// TestEverythingHangs: what takes connections and never answers, and a check
// that does not heed its context, keep nobody waiting for long.
func TestEverythingHangs(t *testing.T) {
	t.Parallel()
	in := setup(t)
	host, port := mute(t)
	o := in.site.Options
	o.Config.Database.URL = config.Secret(fmt.Sprintf("postgres://u:p@%s:%d/x", host, port))
	o.Config.Asterisk.URL = fmt.Sprintf("http://%s:%d/ari", host, port)
	o.Config.Asterisk.Request = time.Minute
	o.Config.HTTP.Listen = fmt.Sprintf("%s:%d", host, port)
	o.SIP = sipAt(t, false)
	began := time.Now()
	r := Run(t.Context(), o)
	if took := time.Since(began); took > soon {
		t.Errorf("it took %v", took)
	}
	for _, check := range []string{"postgres", "asterisk", "asterisk.sip", "controller"} {
		if !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Check == check && f.State == Failure }) {
			t.Errorf("%s is not a failure:\n%s", check, text(t, r))
		}
	}

	release := make(chan struct{})
	defer close(release)
	r = examine(t.Context(), in.site, []check{
		{"stuck", func(context.Context, *site) []Finding { <-release; return nil }},
		{"quick", func(context.Context, *site) []Finding { return fine("done") }},
	}, 20*time.Millisecond)
	if len(r.Findings) != 2 || r.Findings[0].State != Failure || !strings.Contains(r.Findings[0].Seen, "not known after") || r.Findings[1].State != OK {
		t.Errorf("got %+v", r.Findings)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	r := Report{Findings: []Finding{{"a", OK, "seen <1>", ""}, {"a.long", Warning, "seen 2", "do 2"}}}
	var text, asJSON bytes.Buffer
	if err := errors.Join(r.WriteText(&text), r.WriteJSON(&asJSON)); err != nil {
		t.Fatal(err)
	}
	want := "ok       a       seen <1>\nwarning  a.long  seen 2\n                 → do 2\n\n1 ok, 1 to look at (warning), 0 to mend (failure).\n"
	if text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", text.String(), want)
	}
	var got struct {
		OK       bool
		Findings []Finding
	}
	if err := json.Unmarshal(asJSON.Bytes(), &got); err != nil || !got.OK || !slices.Equal(got.Findings, r.Findings) {
		t.Errorf("got %+v, %v", got, err)
	}
	var none bytes.Buffer
	if err := (Report{}).WriteJSON(&none); err != nil || !strings.Contains(none.String(), `"findings": []`) {
		t.Errorf("an empty report is %s, %v", none.String(), err)
	}
}
