package terminal

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"ringback/phone/phonetest"
)

var mumble = phonetest.Mumble

// screenText is what a person sees.
type screenText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screenText) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screenText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// demoFor writes a demo's folder: the hotline, its API that always tells this
// outcome, and the audio of what it says.
func demoFor(t *testing.T, h *phonetest.Hotline, o outcome, clips map[string][]int16) string {
	t.Helper()
	began := time.Now()
	var asked atomic.Int32
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" || r.URL.Path != "/api/v1/calls" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		number := r.URL.Query().Get("number")
		old := fmt.Sprintf(`{"number":%q,"started_at":%q,"ended_at":%q,"outcome":{"result":"booked","reason":"old"}}`,
			number, began.Add(-time.Hour).Format(time.RFC3339Nano), began.Add(-time.Hour).Format(time.RFC3339Nano))
		if asked.Add(1) == 1 { // it is still being written down
			fmt.Fprintf(w, `{"calls":[{"number":%q,"started_at":%q,"ended_at":null,"outcome":null},%s]}`,
				number, time.Now().Format(time.RFC3339Nano), old)
			return
		}
		fmt.Fprintf(w, `{"calls":[{"number":%q,"started_at":%q,"ended_at":%q,"outcome":{"result":%q,"reason":%q}},%s]}`,
			number, time.Now().Format(time.RFC3339Nano), time.Now().Format(time.RFC3339Nano), o.Result, o.Reason, old)
	}))
	t.Cleanup(api.Close)

	dir := t.TempDir()
	write := func(name string, content []byte) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	info, err := json.Marshal(map[string]string{"sip": h.Addr(), "number": "116117", "api": api.URL + "/api/v1", "api_key": "secret"})
	if err != nil {
		t.Fatal(err)
	}
	write("demo.json", info)
	for text, pcm := range clips {
		raw := make([]byte, 0, 4*len(pcm))
		for i := range pcm {
			next := pcm[min(i+1, len(pcm)-1)]
			raw = binary.LittleEndian.AppendUint16(raw, uint16(pcm[i]))
			raw = binary.LittleEndian.AppendUint16(raw, uint16((int(pcm[i])+int(next))/2))
		}
		note, err := json.Marshal(map[string]any{"keys": []string{"k"}, "written": text})
		if err != nil {
			t.Fatal(err)
		}
		name := strings.ReplaceAll(text, " ", "-")
		write("sounds/fixed/"+name+".sln16", raw)
		write("sounds/fixed/"+name+".json", note)
	}
	return dir
}

func run(t *testing.T, o Options) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var out screenText
	if o.From == "" {
		o.From = DefaultFrom
	}
	o.Out = &out
	err := Run(ctx, o)
	return out.String(), err
}

// booking is a hotline with two questions.
func booking(welcome, birth []int16, got chan<- string) func(*phonetest.Line) {
	return func(l *phonetest.Line) {
		_ = l.Answer()
		keys := ""
		ask := func(pcm []int16, n int) {
			_, _ = l.Play(pcm, false)
			for range n {
				k, err := l.Key()
				if err != nil {
					return
				}
				keys += string(k.Key)
			}
		}
		ask(welcome, 1)
		ask(birth, 8)
		got <- keys
		_ = l.HangUp()
	}
}

func TestABookedCall(t *testing.T) {
	t.Parallel()
	welcome, birth := mumble(1, 2*time.Second), mumble(2, 2*time.Second)
	got := make(chan string, 1)
	h := phonetest.Start(t, booking(welcome, birth, got))
	dir := demoFor(t, h, outcome{"booked", "goodbye"}, map[string][]int16{
		"Welcome to the hotline.": welcome, "Please key in your date of birth.": birth, "Something else.": mumble(3, 2*time.Second),
	})
	wav := filepath.Join(t.TempDir(), "heard.wav")
	out, err := run(t, Options{Dir: dir, Keys: "1 24121935", Save: wav})
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if keys := <-got; keys != "124121935" {
		t.Errorf("keys %q arrived", keys)
	}
	want := regexp.MustCompile(`(?s)^Ringing 116117 at 127\.0\.0\.1:\d+ as \+4923150012345\.
00:00  hotline  Welcome to the hotline\.
00:0\d  you      1
00:0\d  hotline  Please key in your date of birth\.
00:\d\d  you      24121935
00:\d\d           The hotline hung up after \d+ s\.
Saved what was heard in .*heard\.wav\.
Result: booked \(goodbye\)\.
$`)
	if !want.MatchString(out) {
		t.Errorf("the screen shows\n%s", out)
	}
	saved, err := os.ReadFile(wav)
	if err != nil {
		t.Fatal(err)
	}
	if len(saved) < 8*16000 || string(saved[:4]) != "RIFF" || int(binary.LittleEndian.Uint32(saved[40:])) != len(saved)-44 {
		t.Errorf("the WAV file has %d bytes and begins %q", len(saved), saved[:44])
	}
}

// While music sounds it is never quiet, and the hotline waits for a key all the
// same.
func TestAKeyIntoMusic(t *testing.T) {
	t.Parallel()
	offer := mumble(1, 2*time.Second)
	music := make([]int16, 40*8000)
	for i := range music {
		music[i] = int16(6000*math.Sin(2*math.Pi*330*float64(i)/8000) + 5000*math.Sin(2*math.Pi*495*float64(i)/8000))
	}
	got := make(chan string, 1)
	h := phonetest.Start(t, func(l *phonetest.Line) {
		_ = l.Answer()
		_, _ = l.Play(offer, false)
		k, _ := l.Play(music, true)
		got <- string(k.Key)
		_ = l.HangUp()
	})
	out, err := run(t, Options{Dir: demoFor(t, h, outcome{"callback", "asked"}, map[string][]int16{"To be rung back, press one.": offer}), Keys: "1"})
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if key := <-got; key != "1" {
		t.Errorf("key %q arrived into the music\n%s", key, out)
	}
}

func TestResults(t *testing.T) {
	t.Parallel()
	for result, wantErr := range map[string]string{
		"person":  "",
		"failed":  "failed at the hotline",
		"hung_up": "hung up by the caller",
	} {
		t.Run(result, func(t *testing.T) {
			t.Parallel()
			h := phonetest.Start(t, func(l *phonetest.Line) {
				_ = l.Answer()
				_, _ = l.Play(mumble(1, time.Second), false)
				_ = l.HangUp()
			})
			out, err := run(t, Options{Dir: demoFor(t, h, outcome{result, "test"}, nil), From: "anonymous"})
			if (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
				t.Errorf("error %v, want %q", err, wantErr)
			}
			if !strings.Contains(out, "a withheld number") || !strings.Contains(out, "(speech 1.") && !strings.Contains(out, "(speech 0.9") {
				t.Errorf("the screen shows\n%s", out)
			}
		})
	}
}

func TestAForeignHotline(t *testing.T) {
	t.Parallel()
	keys := make(chan string, 1)
	h := phonetest.Start(t, func(l *phonetest.Line) {
		_ = l.Answer()
		_, _ = l.Play(mumble(1, 2*time.Second), false)
		k, _ := l.Key()
		keys <- l.Number() + " " + string(k.Key)
		_ = l.HangUp()
	})
	out, err := run(t, Options{To: h.URI(), Dir: t.TempDir(), From: "alice", In: strings.NewReader("x 5\n")})
	if err != nil {
		t.Errorf("error %v", err)
	}
	if got := <-keys; got != "alice 5" {
		t.Errorf("the hotline got %q, want alice 5", got)
	}
	if strings.Count(out, "no prompts to compare with") != 1 || !strings.Contains(out, "(speech 2.0 s)") && !strings.Contains(out, "(speech 1.9 s)") {
		t.Errorf("the screen shows\n%s", out)
	}
}

func TestCallsThatDoNotComeAbout(t *testing.T) {
	t.Parallel()
	busy := phonetest.Start(t, func(l *phonetest.Line) { _ = l.Respond(486, "Busy Here", nil) })
	gone := phonetest.Start(t, func(l *phonetest.Line) { _ = l.Respond(480, "Temporarily Unavailable", nil) })
	dead, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dead.Close() })
	for want, o := range map[string]Options{
		"refused: busy":            {To: busy.URI()},
		"no answer":                {To: gone.URI()},
		"make demo":                {To: "sip:1@" + dead.LocalAddr().String()},
		"no demo was started":      {},
		"no SIP address":           {To: "sip:"},
		"a telephone has the keys": {To: busy.URI(), Keys: "1 x"},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			o.Dir = t.TempDir()
			out, err := run(t, o)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q\n%s", err, want, out)
			}
		})
	}
}

// pty opens a terminal: what is written to the keyboard is read from the
// screen's end.
func pty(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return keyboard, terminal
}

func TestTypedKeys(t *testing.T) {
	t.Parallel()
	keyboard, terminal := pty(t)
	before, err := term.GetState(int(terminal.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	h := phonetest.Start(t, func(l *phonetest.Line) {
		_ = l.Answer()
		if _, err := io.WriteString(keyboard, "1x#"); err != nil {
			t.Error(err)
		}
		keys := ""
		for range 2 {
			k, err := l.Key()
			if err != nil {
				break
			}
			keys += string(k.Key)
		}
		if _, err := keyboard.Write([]byte{3}); err != nil { // Ctrl-C
			t.Error(err)
		}
		<-l.Gone()
		got <- keys
	})
	out, err := run(t, Options{To: h.URI(), Dir: t.TempDir(), In: terminal})
	if err == nil || err.Error() != errHungUp.Error() {
		t.Errorf("error %v, want %v", err, errHungUp)
	}
	if keys := <-got; keys != "1#" {
		t.Errorf("keys %q arrived, want 1#", keys)
	}
	if !strings.Contains(out, "You hung up after") || !strings.Contains(out, "\r\n") {
		t.Errorf("the screen shows %q", out)
	}
	after, err := term.GetState(int(terminal.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if *after != *before {
		t.Error("the terminal was not put back as it was")
	}
}

func TestInterruptHangsUp(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	over := make(chan struct{})
	h := phonetest.Start(t, func(l *phonetest.Line) {
		_ = l.Answer()
		_, _ = l.Wait(5)
		interrupt()
		<-l.Gone()
		close(over)
	})
	var out screenText
	err := Run(ctx, Options{To: h.URI(), From: DefaultFrom, Dir: t.TempDir(), Out: &out})
	if err == nil {
		t.Error("a call that was broken off ended well")
	}
	<-over
}

func TestWrap(t *testing.T) {
	t.Parallel()
	if got := wrap("für  einen neuen Termin", 10); !slices.Equal(got, []string{"für einen", "neuen", "Termin"}) {
		t.Errorf("%q", got)
	}
	if got := wrap("", 10); !slices.Equal(got, []string{""}) {
		t.Errorf("%q", got)
	}
}
