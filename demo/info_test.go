package demo

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ringback/config"
)

// The names in demo.json are a contract with scripts and people.
func TestInfoIsTheContract(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(Info{
		SIP: "127.0.0.1:31060", Number: "116117", Web: "http://127.0.0.1:31080", API: "http://127.0.0.1:31080/api/v1",
		APIKey: "k", Database: "postgres://x", Users: []User{{"agent", "a", "p"}}, SIPPhones: []Phone{{"u", "p"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"sip":"127.0.0.1:31060","number":"116117","web":"http://127.0.0.1:31080",` +
		`"api":"http://127.0.0.1:31080/api/v1","api_key":"k","database":"postgres://x",` +
		`"users":[{"role":"agent","name":"a","password":"p"}],"sip_phones":[{"user":"u","password":"p"}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSecretsAreKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secrets.json")
	first, err := keptSecrets(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Phones) != 2 || first.Phones[0].Password == first.Phones[1].Password || len(first.APIKey) < 20 {
		t.Errorf("weak: %d telephones, a key of %d letters", len(first.Phones), len(first.APIKey))
	}
	if i, err := os.Stat(path); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("the file is open to others: %v %v", i.Mode(), err)
	}
	again, err := keptSecrets(path)
	if err != nil || !reflect.DeepEqual(first, again) {
		t.Errorf("others the second time: %v", err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keptSecrets(path); err == nil {
		t.Error("a damaged file was taken")
	}
}

// The controller accepts what the demo writes, and understands it as meant.
func TestConfigOfTheController(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, err := portsFrom(31000)
	if err != nil {
		t.Fatal(err)
	}
	s, err := keptSecrets(filepath.Join(dir, "secrets.json"))
	if err != nil {
		t.Fatal(err)
	}
	c := controller{configFile: filepath.Join(dir, "ringback.yaml"), journal: filepath.Join(dir, "journal"), ports: p, lines: 21,
		outside: outside{agents: []string{"sip:1001@127.0.0.1:5070;transport=tcp", "phone2"}, phones: s.Phones}}
	sounds := filepath.Join(dir, `a "quoted" folder: with #ü`)
	db := cluster{port: p.postgres, password: s.Database}.url()
	tools := Tools{Pico: "/opt/pico2wave", Espeak: "/opt/espeak-ng"}
	if err := c.writeConfig("demo-31000", db, sounds, filepath.Join(dir, "recordings"), s, tools); err != nil {
		t.Fatal(err)
	}
	got, err := config.Load(c.configFile)
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]any{
		"node":     {got.Node, "demo-31000"},
		"number":   {got.Number, "116117"},
		"drain":    {got.Drain, drain},
		"ari":      {got.Asterisk.URL, "http://127.0.0.1:31088/ari"},
		"password": {string(got.Asterisk.Password), s.ARI},
		"longest":  {got.Asterisk.LongestCall, longestCall},
		"database": {string(got.Database.URL), db},
		"sounds":   {got.Speech.Dir, sounds},
		"pico":     {got.Speech.Pico, "/opt/pico2wave"},
		"listen":   {got.HTTP.Listen, "127.0.0.1:31080"},
		"lines":    {got.Lines, config.Lines{Total: 21, KeepOut: 3}},
		"intake":   {got.Intake.Listen, "127.0.0.1:31073"},
		"journal":  {got.Journal.Dir, filepath.Join(dir, "journal")},
		"hours":    {got.Queue.Hours + " " + got.Queue.Ringing, "always always"},
		"agents":   {fmt.Sprint(got.Agents), "[{agent1 sip:1001@127.0.0.1:5070;transport=tcp [] []} {agent2 phone2 [] []}]"},
		"rung at":  {got.Outgoing.Trunk + " " + got.Outgoing.Dial, "trunk phone1"},
		"key":      {string(got.API.Keys[0]), s.APIKey},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %v, want %v", what, pair[0], pair[1])
		}
	}
	c.outside.callbacks = "sip:%s@127.0.0.1:5071"
	if err := c.writeConfig("demo-31000", db, sounds, filepath.Join(dir, "recordings"), s, tools); err != nil {
		t.Fatal(err)
	}
	if got, err = config.Load(c.configFile); err != nil || got.Outgoing.Dial != c.outside.callbacks {
		t.Errorf("people are rung back at %q: %v", got.Outgoing.Dial, err)
	}
	if i, err := os.Stat(c.configFile); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("the file is open to others: %v %v", i.Mode(), err)
	}
}

func TestOutside(t *testing.T) {
	t.Parallel()
	phones := []Phone{{User: "phone1"}, {User: "phone2"}}
	for _, tt := range []struct {
		agents, callbacks string
		fault             string
	}{
		{"", "", ""},
		{"sip:1001@127.0.0.1:5070, sips:a@b;transport=tls,phone2", "sip:%s@127.0.0.1:5070", ""},
		{"", "phone2", ""},
		{"anna", "", `AGENTS_AT has "anna"`},
		{"sip:127.0.0.1", "", `AGENTS_AT has "sip:127.0.0.1"`},
		{"", "sip:x@127.0.0.1", `CALLBACK_TO is "sip:x@127.0.0.1"`},
		{"", "phone3", `CALLBACK_TO is "phone3"`},
	} {
		o := outside{agents: splitAddresses(tt.agents), callbacks: tt.callbacks, phones: phones}
		err := o.check()
		if (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
			t.Errorf("%q, %q: %v", tt.agents, tt.callbacks, err)
		}
		if err == nil && !strings.Contains(o.tell(), o.rings()) {
			t.Errorf("told as %q", o.tell())
		}
	}
}

// What Asterisk counts and what the controller keeps is all there is, and there
// is always a line to ring in on.
func TestCapacity(t *testing.T) {
	t.Parallel()
	for c, want := range map[capacity][2]int{0: {0, 0}, 1: {1, 0}, 2: {1, 1}, 10: {9, 1}, 11: {9, 2}, 20: {18, 2}, 300: {270, 30}} {
		if c.in() != want[0] || c.keepOut() != want[1] {
			t.Errorf("of %d lines %d are for calls in and %d are kept, want %v", c, c.in(), c.keepOut(), want)
		}
	}
}

func TestEnvironmentDoesNotOverrideTheDemo(t *testing.T) {
	t.Parallel()
	got := withoutSettings([]string{"HOME=/x", "RINGBACK_HTTP_LISTEN=:80", "RINGBACK_LOG_LEVEL=debug", "RINGBACK_ASTERISK_URL=x", "RINGBACK_DATABASE_URL=y"})
	if want := []string{"HOME=/x", "RINGBACK_LOG_LEVEL=debug"}; !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
}
