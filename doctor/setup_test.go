package doctor

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ringback/asterisk"
	asteriskconf "ringback/asterisk-conf"
	"ringback/config"
	"ringback/postgres"
	"ringback/prompts"
	"ringback/speech"
)

// installation is a healthy one, of fakes, to be broken before it is looked at.
type installation struct {
	t        *testing.T
	site     *site
	dir      string // holds the configuration, the spoken lines, the recordings
	postgres postgres.Inspection
	asterisk asterisk.Inspection
	// down are why they are not reached.
	postgresDown, asteriskDown error
	engines                    map[config.Engine]fakeEngine
	ready                      string // what the controller answers to /readyz; empty: 404
}

// lines are a catalogue of two.
var lines = []prompts.Declaration{
	{Key: "bye"},
	{Key: "choose.offer", Placeholders: []prompts.Placeholder{{Name: "date", Kind: prompts.KindDate}}},
}

const german = `
language: de
name: Deutsch
region: DE
order: 1
lines:
  bye: {text: "Auf Wiederhören."}
  choose.offer: {text: "Frei ist {date}."}
`

func setup(t *testing.T) *installation {
	t.Helper()
	texts, err := prompts.Load(fstest.MapFS{"de.yaml": {Data: []byte(german)}}, lines)
	if err != nil {
		t.Fatal(err)
	}
	in := &installation{
		t: t, dir: t.TempDir(),
		postgres: postgres.Inspection{Version: 150018, Schema: 7, Latest: 7, Most: 100, Free: 90, Zones: []string{"Europe/Berlin"}, Local: true},
		asterisk: asterisk.Inspection{Version: "22.10.1", Node: "node-1", Modules: map[string]bool{}, Writable: true, Controller: true, Clock: true},
		engines:  map[config.Engine]fakeEngine{config.EnginePico: {}, config.EngineEspeak: {}},
		ready:    `{"ready": true, "checks": [{"name": "postgres", "ready": true}]}`,
	}
	in.postgres.Data = in.dir
	listed, err := asteriskconf.Modules()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range listed {
		in.asterisk.Modules[m] = true
	}
	at := sipAt(t, true)
	secure := httptest.NewTLSServer(nil)
	t.Cleanup(secure.Close)
	in.asterisk.SIP = map[string]string{"udp": at, "tcp": at, "tls": secure.Listener.Addr().String()}
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" || in.ready == "" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, in.ready)
	}))
	t.Cleanup(pages.Close)
	file := in.write("ringback.yaml", fmt.Sprintf(`
node: node-1
number: "0231 500123"
asterisk: {password: hunter2hunter2}
database: {url: "postgres://u:hunter2@127.0.0.1/x"}
speech: {dir: %q, recordings: %q, voices: {de: [pico, espeak], en: [espeak]}}
http: {listen: "%s"}
api: {keys: [hunter2hunter2hunter2]}
`, filepath.Join(in.dir, "spoken"), filepath.Join(in.dir, "recordings"), pages.Listener.Addr()))
	settings, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	delete(settings.Speech.Voices, "en")
	in.site = &site{
		Options: Options{Config: settings, File: file, Texts: texts, Lines: lines,
			Engine: func(_ context.Context, name config.Engine, _ config.Speech) (speech.Engine, error) {
				e, ok := in.engines[name]
				if !ok {
					return nil, errors.New("not installed")
				}
				return e, nil
			}},
		postgres: func() (postgres.Inspection, error) { return in.postgres, in.postgresDown },
		asterisk: func() (asterisk.Inspection, error) { return in.asterisk, in.asteriskDown },
		listener: func(string) (int, bool) { return os.Getuid(), true },
	}
	for _, pace := range []string{"normal", "slow"} {
		in.clip(pace, "Auf Wiederhören.")
	}
	return in
}

// write writes a file below the folder.
func (in *installation) write(name, text string) string {
	in.t.Helper()
	path := filepath.Join(in.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		in.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		in.t.Fatal(err)
	}
	return path
}

// clip puts a spoken line on the shelf.
func (in *installation) clip(pace, written string) {
	in.t.Helper()
	note, err := json.Marshal(speech.Note{Keys: []prompts.Key{"bye"}, Language: "de", Pace: pace, Written: written})
	if err != nil {
		in.t.Fatal(err)
	}
	in.write("spoken/fixed/"+pace+".json", string(note))
	for _, ext := range soundFormats {
		in.write("spoken/fixed/"+pace+ext, "sound")
	}
}

// examined is the report on it.
func (in *installation) examined() Report {
	return examine(in.t.Context(), in.site, checks, longest)
}

type fakeEngine struct {
	mute, silent bool
	err          error
}

func (e fakeEngine) Name() string                   { return "fake" }
func (e fakeEngine) Speaks(l prompts.Language) bool { return !e.mute }
func (e fakeEngine) Speak(context.Context, prompts.Language, int, string) (speech.Audio, error) {
	if e.silent || e.err != nil {
		return nil, e.err
	}
	return make(speech.Audio, speech.Rate), nil
}

// sipAt is an address where SIP is, over UDP and TCP, answered or not.
func sipAt(t *testing.T, answered bool) string {
	t.Helper()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close() })
	// The same port over TCP may be somebody else's: then try another.
	tcp, err := net.Listen("tcp", udp.LocalAddr().String())
	if err != nil {
		return sipAt(t, answered)
	}
	t.Cleanup(func() { tcp.Close() })
	go func() {
		packet := make([]byte, 4096)
		for {
			n, from, err := udp.ReadFrom(packet)
			if err != nil {
				return
			}
			if answered {
				_, _ = udp.WriteTo(accepted(string(packet[:n])), from)
			}
		}
	}()
	go func() {
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				var request strings.Builder
				for lines := bufio.NewScanner(c); lines.Scan(); {
					request.WriteString(lines.Text() + "\r\n")
					if lines.Text() == "" && answered {
						_, _ = c.Write(accepted(request.String()))
					}
				}
			}()
		}
	}()
	return udp.LocalAddr().String()
}

// accepted is the answer 200 to a request.
func accepted(request string) []byte {
	answer := "SIP/2.0 200 OK\r\n"
	for line := range strings.SplitSeq(request, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "Via", "From", "To", "Call-ID", "CSeq":
			answer += line + "\r\n"
		}
	}
	return []byte(answer + "Content-Length: 0\r\n\r\n")
}

// closedPort is one of this machine that nobody listens on.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// mute takes connections and never says a word.
func mute(t *testing.T) (host string, port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	host, p, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	port, err = strconv.Atoi(p)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// soon is a bound that a healthy answer keeps by far.
const soon = 10 * time.Second
