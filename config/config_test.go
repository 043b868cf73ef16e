package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/prompts"
)

// file writes a configuration file and returns its path.
func file(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ringback.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaultsAreUsable(t *testing.T) {
	t.Parallel()
	c, err := load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Node == "" {
		t.Error("node is empty")
	}
	c.Node = "n"
	want := Config{
		Node: "n", Region: "DE", Number: "116117", Drain: 5 * time.Minute,
		Database: Database{URL: "postgres:///ringback?host=/var/run/postgresql"},
		Asterisk: Asterisk{URL: "http://127.0.0.1:8088/ari", User: "ringback", App: "ringback", LongestCall: 30 * time.Minute, Request: 3 * time.Second},
		Speech: Speech{
			Dir: "/var/lib/ringback/speech", Recordings: "/var/lib/ringback/recordings", Pico: "pico2wave", Espeak: "espeak-ng",
			Voices: map[prompts.Language][]Engine{"de": {EnginePico, EngineEspeak}, "en": {EnginePico, EngineEspeak}},
		},
		Call: Call{FirstKey: 8 * time.Second, BetweenKeys: 5 * time.Second, AfterError: 2, Ready: time.Minute, Name: 10 * time.Second, DefaultLanguage: "de"},
		Queue: Queue{
			TimeZone: "Europe/Berlin", Hours: "always", Ringing: "Mon-Sun 08:00-21:00",
			KeepPlace: 10 * time.Minute, LongWait: 5 * time.Minute, Announce: time.Minute,
			Ring: 30 * time.Second, Retries: []time.Duration{5 * time.Minute, 20 * time.Minute, time.Hour}, NextDay: true,
			Ahead: 10 * time.Second, Reserve: 30 * time.Second, RungWait: 30 * time.Second,
			AgentRing: 20 * time.Second, WrapUp: 15 * time.Second, Away: time.Minute,
			PerHour: 60, Horizon: 7 * 24 * time.Hour, Window: time.Hour,
			Regions: []string{"DE"}, OwnNumbers: []string{}, PerNumber: 6,
		},
		Agents:    []Agent{},
		Outgoing:  Outgoing{Enabled: true, Lines: 10, PerSecond: 2, PerDay: 2000},
		Intake:    Intake{Listen: "127.0.0.1:4573"},
		Journal:   Journal{Dir: "/var/lib/ringback/journal"},
		Retention: Retention{Calls: 30 * 24 * time.Hour, History: 90 * 24 * time.Hour},
		HTTP:      HTTP{Listen: "127.0.0.1:8080"},
		API:       API{Keys: []Secret{}},
		Watchdog: Watchdog{
			PIDFile: "/run/ringback/controller.pid", Interval: 2 * time.Second, FrozenAfter: 8 * time.Second, FallbackAfter: 30 * time.Second,
		},
		Log: Log{Level: "info", Format: "text"},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %#v\nwant %#v", c, want)
	}
}

// TestSettingsAndStructAgree compares the table with the fields of Config.
func TestSettingsAndStructAgree(t *testing.T) {
	t.Parallel()
	var fields []string
	var walk func(reflect.Type, string)
	walk = func(s reflect.Type, at string) {
		for f := range s.Fields() {
			key := at + f.Tag.Get("mapstructure")
			if f.Type.Kind() == reflect.Struct {
				walk(f.Type, key+".")
				continue
			}
			fields = append(fields, key)
			isSecret := f.Type == reflect.TypeFor[Secret]() || f.Type == reflect.TypeFor[[]Secret]()
			if s, ok := setting(key); ok && s.Secret != isSecret {
				t.Errorf("%s: the table says secret %v, the field %v", key, s.Secret, isSecret)
			}
		}
	}
	walk(reflect.TypeFor[Config](), "")
	slices.Sort(fields)
	keys := keyNames()
	slices.Sort(keys)
	if !slices.Equal(fields, keys) {
		t.Errorf("fields %v\nsettings %v", fields, keys)
	}
	for _, s := range Settings() {
		if s.Unit == "" || !strings.HasSuffix(s.About, ".") {
			t.Errorf("%s: unit %q, about %q", s.Key, s.Unit, s.About)
		}
	}
}

func TestFileAndEnvironment(t *testing.T) {
	t.Parallel()
	path := file(t, `
number: "0231 500123"
drain: 0s
asterisk:
  url: http://10.0.0.1:8088/ari
  password: from-file
call:
  after_error: 3
speech:
  espeak: bin/espeak-ng
  voices:
    de: [espeak]
api:
  keys: [aaaaaaaaaaaaaaaaaaaa]
log:
`)
	c, err := load(path, []string{
		"RINGBACK_ASTERISK_PASSWORD=from=env", "RINGBACK_CALL_FIRST_KEY=12s", "RINGBACK_CALL_AFTER_ERROR=1.5",
		"RINGBACK_API_KEYS=bbbbbbbbbbbbbbbbbbbb, cccccccccccccccccccc", "RINGBACK_SPEECH_VOICES_TR=espeak",
		"RINGBACK_NUMBER=", "RINGBACK_SERVICE_HOST=10.1.1.1", "RINGBACK_TEST_SOMETHING=x", "HOME=/root",
	})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.TrimSpace(fmt.Sprintln(c.Number, c.Drain, c.Asterisk.URL, c.Asterisk.Password.Reveal(), c.Call.FirstKey, c.Call.AfterError,
		c.Speech.Voices, len(c.API.Keys), c.API.Keys[1].Reveal(), c.Log.Level))
	want := "0231 500123 0s http://10.0.0.1:8088/ari from=env 12s 1.5 map[de:[espeak] en:[pico espeak] tr:[espeak]] 2 cccccccccccccccccccc info"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLineByFileAndEnvironment(t *testing.T) {
	t.Parallel()
	path := file(t, `
queue:
  hours: Mon-Fri 8:00-18:30, sat 09:00-13:00
  holidays: 2026-12-24
  next_day: false
agents:
  - name: anna
    address: sip:1001@127.0.0.1:5070;transport=tcp
    languages: [de, en]
    topics: [booking]
  - ben=phone1
`)
	c, err := load(path, []string{"RINGBACK_QUEUE_RETRIES=1m, 2m", "RINGBACK_QUEUE_PER_HOUR=7", "RINGBACK_QUEUE_RINGING=Fri-Mon 00:00-24:00, Wed 10:00-11:00", "RINGBACK_OUTGOING_ENABLED=false"})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.Queue.Hours, "; ", c.Queue.Ringing, "; ", c.Queue.Holidays, " ", c.Queue.NextDay, c.Queue.Retries, c.Queue.PerHour, c.Outgoing.Enabled); got !=
		"Mon-Fri 8:00-18:30, sat 09:00-13:00; Fri-Mon 00:00-24:00, Wed 10:00-11:00; 2026-12-24 false [1m0s 2m0s] 7 false" {
		t.Errorf("got %s", got)
	}
	anna := Agent{"anna", "sip:1001@127.0.0.1:5070;transport=tcp", []prompts.Language{"de", "en"}, []string{"booking"}}
	if want := []Agent{anna, {Name: "ben", Address: "phone1"}}; !reflect.DeepEqual(c.Agents, want) {
		t.Errorf("agents %+v, want %+v", c.Agents, want)
	}

	c, err = load("", []string{"RINGBACK_AGENTS=anna=sip:1001@127.0.0.1:5070;transport=tcp de en booking, ben=phone1"})
	anna.Address = "sip:1001@127.0.0.1:5070;transport=tcp"
	if want := []Agent{anna, {Name: "ben", Address: "phone1"}}; err != nil || !reflect.DeepEqual(c.Agents, want) {
		t.Errorf("by the environment %+v, %v, want %+v", c.Agents, err, want)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, yaml string
		env        []string
		want       []string // each must stand in one line of its own
	}{
		{"misspelt key", "asterisk: {pasword: hunter2hunter2}", nil, []string{"asterisk.pasword: there is no such key: did you mean asterisk.password?"}},
		{"key without its section", "listen: 127.0.0.1:80", nil, []string{"listen: there is no such key: did you mean http.listen?"}},
		{"unlike any", "colour: red", nil, []string{"colour: there is no such key: take it out"}},
		{"section with a value", "asterisk: http://x", nil, []string{"asterisk: this is a section"}},
		{"misspelt variable", "", []string{"RINGBACK_ASTERISK_PASWORD=hunter2hunter2"}, []string{"RINGBACK_ASTERISK_PASWORD: there is no such variable: did you mean RINGBACK_ASTERISK_PASSWORD?"}},
		{"number with leading zero, not quoted", "number: 0231500123", nil, []string{`number is "40271955": this is a text: write it in quotes`}},
		{"duration without unit", "drain: 8\ncall: {first_key: 8}", []string{"RINGBACK_CALL_READY=60"}, []string{`drain is "8"`, `call.first_key is "8"`, `call.ready is "60"`}},
		{"durations out of bounds", "drain: -1s\ncall: {first_key: 1ms, name: 1000h}", nil, []string{`drain is "-1s"`, `call.first_key is "1ms": take a length of time from 1s to 1m`, `call.name is "1000h"`}},
		{"hasty watchdog", "watchdog: {interval: 5s, fallback_after: 5s}", nil, []string{`watchdog.frozen_after is "8s": take a length of time from 10s to 1m`, `watchdog.fallback_after is "5s"`}},
		{"factor", "call: {after_error: .nan}", nil, []string{`call.after_error is "NaN": take a factor from 1 to 4`}},
		{"factor of words", "call: {after_error: double}", nil, []string{`call.after_error is "double": this is a number`}},
		{"factor a list", "call: {after_error: [1]}", nil, []string{`call.after_error is "[1]": this is a number`}},
		{"region", "region: de", nil, []string{`region is "de": take a country`}},
		{"Norway problem", "region: no", nil, []string{`region is`}},
		{"number of words", "number: hotline", nil, []string{`number is "hotline"`}},
		{"urls", "asterisk: {url: 'ws://x'}\nspeech: {http: x}", nil, []string{`asterisk.url is "ws://x"`, `speech.http is "x"`}},
		{"password in a url", "asterisk: {url: 'http://u:hunter2hunter2@x/ari'}", nil, []string{"asterisk.url: take user and password out"}},
		{"database", "database: {url: 'mysql://u:hunter2hunter2@x'}", nil, []string{"database.url: take an address"}},
		{"broken database", "database: {url: 'postgres://u:hunter2hunter2%zz@x'}", nil, []string{"database.url: take an address"}},
		{"secret of the wrong kind", "asterisk: {password: 12341234}\napi: {keys: [hunter2]}\n", nil, []string{"asterisk.password: this is a text: write it in quotes", "api.keys: key 1 of 1 is too short"}},
		{"secret as a section", "asterisk: {password: {a: hunter2hunter2}}", nil, []string{"asterisk.password"}},
		{"engine unknown or unset", "speech: {voices: {de: [siri], en: [http], fr: []}}", nil, []string{`speech.voices.de is "siri": take one of`, `speech.voices.en is "http": this engine needs speech.http`, `speech.voices.fr: name at least one`}},
		{"voices no section", "speech: {voices: pico}", nil, []string{"speech.voices"}},
		{"default language without a voice", "call: {default_language: fr}", nil, []string{`call.default_language is "fr": take one of the languages of speech.voices: [de en]`}},
		{"listen", "http: {listen: 8080}", nil, []string{`http.listen is "8080"`}},
		{"port", "http: {listen: '127.0.0.1:99999'}", nil, []string{`http.listen is "127.0.0.1:99999"`}},
		{"log", "log: {level: loud, format: xml}", nil, []string{`log.level is "loud": take one of debug, info, warn, error`, `log.format is "xml"`}},
		{"node", "node: a b", nil, []string{`node is "a b"`}},
		{"empty folder", "speech: {dir: ''}", nil, []string{"speech.dir: name a folder"}},
		{"hours as a list", "queue: {hours: [Mon-Fri 08:00-20:00]}", nil, []string{`queue.hours is "[Mon-Fri 08:00-20:00]": this is one text`}},
		{"wholes and truths", "queue: {per_hour: 1.5, per_number: many, next_day: maybe}\noutgoing: {enabled: 1}", nil, []string{
			`queue.per_hour is "1.5": this is a whole number`, `queue.per_number is "many": this is a whole number`, `queue.next_day is "maybe": this is true or false`, `outgoing.enabled is "1": this is true or false`,
		}},
		{"line out of bounds", "queue: {retries: [5m, 1s], horizon: 10m, per_hour: 0, regions: [], own_numbers: [hotline]}", nil, []string{
			`queue.retries is "1s"`, `queue.horizon is "10m": take a length of time from 1h to 1440h`, `queue.per_hour is "0"`, "queue.regions: name the countries", `queue.own_numbers is "hotline"`,
		}},
		{"retries without unit", "queue: {retries: [5, 20]}", nil, []string{`queue.retries is "[5 20]": this is a length of time`}},
		{"agents", "agents: [{name: anna, address: 'sip:1@x'}, {name: anna, address: nobody@x}, {name: ben}]", nil, []string{
			`agents is "anna": there are two of this name`, `agents is "nobody@x": take the name of a telephone`, `agents is "ben": write an agent as`,
		}},
		{"agents as texts", "", []string{"RINGBACK_AGENTS=anna"}, []string{`agents is "anna": write an agent as`}},
		{"agents with other keys", "agents: [{name: anna, phone: 1}]", nil, []string{`phone`}},
		{"window", "queue: {window: 7m}", nil, []string{`queue.window is "7m": take 5m to 24h that divide a day`}},
		{"hours", "queue: {time_zone: Local, hours: all day, ringing: Mon-Fri 21:00-08:00, holidays: DE-XX}", nil, []string{
			`queue.time_zone is "Local": "Local" is no time zone`, `queue.hours is "all day": "day" are no hours of a day; write them as 08:00-20:00`,
			`queue.ringing is "Mon-Fri 21:00-08:00": `, `queue.holidays is "DE-XX": `,
		}},
		{"window longer than the hours", "queue: {window: 24h}", nil, []string{`queue.window is "24h": no hour of this length lies within queue.hours and queue.ringing`}},
		{"rung when closed", "queue: {hours: Mon-Fri 08:00-12:00, ringing: Mon-Fri 13:00-20:00}", nil, []string{`queue.window is "1h": no hour`}},
		{"no trunk", "outgoing: {dial: 'sip:%s@y'}", nil, []string{`outgoing.dial is "sip:%s@y": name the trunk`}},
		{"calls out", "outgoing: {dial: 'sip:x@y', caller: we, lines: 0, per_second: .nan}", nil, []string{
			`outgoing.dial is "sip:x@y": take a SIP address with %s`, `outgoing.caller is "we"`, `outgoing.lines is "0"`, `outgoing.per_second is "NaN"`,
		}},
		{"lines", "lines: {total: -1, keep_out: 2}\nintake: {listen: '0.0.0.0:4573'}\njournal: {dir: ''}", nil, []string{
			`lines.total is "-1": take a whole number from 0`, `lines.keep_out is "2": take fewer lines`, `intake.listen is "0.0.0.0:4573": take a loopback address`, "journal.dir: name a folder",
		}},
		{"kept too short", "retention: {calls: 24h, history: 1h}", nil, []string{
			`retention.calls is "24h": take a length of time from 168h to 87840h`, `retention.history is "1h": take a length of time from that of retention.calls`,
		}},
		{"history shorter than tickets", "retention: {calls: 2000h, history: 1999h}", nil, []string{`retention.history is "1999h"`}},
		{"all lines kept", "lines: {total: 20, keep_out: 20}", nil, []string{`lines.keep_out is "20"`}},
		{"keys of both kinds", "drain: 5\ncolour: red\nregion: XX", nil, []string{`drain is "5"`, "colour: ", `region is "XX"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(file(t, tt.yaml), tt.env)
			var faults Faults
			if !errors.As(err, &faults) {
				t.Fatalf("got %v, want Faults", err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a secret is shown: %v", err)
			}
			if len(faults) != len(tt.want) {
				t.Errorf("got %d faults, want %d:\n%v", len(faults), len(tt.want), err)
			}
			for _, want := range tt.want {
				if !slices.ContainsFunc(faults, func(f Fault) bool { return strings.Contains(f.String(), want) }) {
					t.Errorf("nothing says %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestUnreadableFiles(t *testing.T) {
	t.Parallel()
	_, err := load(filepath.Join(t.TempDir(), "none.yaml"), nil)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("missing file: %v", err)
	}
	for _, text := range []string{"a: [", "\tnode: x", "- node", "just words", "node: a\nnode: b"} {
		if _, err := load(file(t, text), nil); err == nil {
			t.Errorf("%q was read", text)
		}
	}
	if _, err := load(file(t, ""), nil); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

func TestSecretsStayHidden(t *testing.T) {
	t.Parallel()
	c := Config{
		Database: Database{URL: "postgres://u:hunter2@x/y"},
		Asterisk: Asterisk{Password: "hunter2"},
		API:      API{Keys: []Secret{"hunter2"}},
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, c)
	}
	if err := json.NewEncoder(&out).Encode(c); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("config", "config", c, "password", c.Asterisk.Password)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("config", "config", c, "password", c.Asterisk.Password)
	for _, leak := range []string{"hunter2", fmt.Sprintf("%x", "hunter2")} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%s is shown in %s", leak, out.String())
		}
	}
	if !strings.Contains(out.String(), hidden) || c.Asterisk.Password.Reveal() != "hunter2" {
		t.Error("the secret is gone altogether")
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := Explain(&out); err != nil {
		t.Fatal(err)
	}
	for _, s := range Settings() {
		if !strings.Contains(out.String(), s.Key) || !strings.Contains(out.String(), s.About) {
			t.Errorf("%s is not explained", s.Key)
		}
	}
	for _, want := range []string{"{de: [pico, espeak], en: [pico, espeak]}", "30m ", `""`, `"116117"`, "RINGBACK_ASTERISK_URL"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("number: 0231\n", "RINGBACK_DRAIN=5m")
	f.Add("call: {after_error: .inf}\nspeech: {voices: {de: [[x]]}}\n", "RINGBACK_SPEECH_VOICES_DE=,,")
	f.Add("asterisk.url: x\nasterisk: {url: {a: b}}\n", "RINGBACK_SPEECH_VOICES_=x")
	f.Add("api: {keys: {a: 1}}\nlog: [1]\n", "RINGBACK_")
	f.Fuzz(func(t *testing.T, yaml, variable string) {
		c, err := load(file(t, yaml), []string{variable})
		if err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Errorf("what was loaded is not valid: %v", err)
		}
	})
}
