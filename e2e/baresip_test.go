package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is one of the telephones of other people that make e2e brings.
func program(t *testing.T, variable string) string {
	t.Helper()
	p := os.Getenv(variable)
	if p == "" && os.Getenv("CI") == "true" {
		t.Fatalf("%s is not set; make e2e sets it", variable)
	}
	if p == "" {
		t.Skipf("%s is not set; make e2e sets it", variable)
	}
	return p
}

// softphone is baresip: a telephone with SIP, RTP, codecs and keys of its own.
// It speaks silence, keeps what it hears in a file, and is told by its control
// socket what to do.
type softphone struct {
	t     *testing.T
	dir   string
	conn  net.Conn
	out   *output
	token int

	mu      sync.Mutex
	answers map[string]string // what commands said, by token
	events  []string
}

// login is an address with a password, or a number of the public network.
type login struct{ user, password string }

// newSoftphone turns one on that offers a single codec, named as in SDP.
func newSoftphone(t *testing.T, l login, codec string) *softphone {
	t.Helper()
	account := fmt.Sprintf("<sip:%s@127.0.0.1>;regint=0", l.user)
	if l.password != "" {
		account = fmt.Sprintf("<sip:%s@%s>;regint=60;auth_user=%s;auth_pass=%s", l.user, system.info.SIP, l.user, l.password)
	}
	return turnOn(t, account+";audio_codecs="+codec)
}

// turnOn starts baresip with an account and more of its settings.
func turnOn(t *testing.T, account string, settings ...string) *softphone {
	t.Helper()
	bin, modules := program(t, "RINGBACK_BARESIP"), program(t, "RINGBACK_BARESIP_MODULES")
	s := &softphone{t: t, dir: t.TempDir(), answers: map[string]string{}, out: &output{}}
	control := freeAddr(t)
	for name, text := range map[string]string{
		"config": strings.Join(append(settings,
			"net_interface 127.0.0.1", "sip_listen 127.0.0.1:0", "rtp_ports 10000-11998", "statmode_default off", "audio_buffer 200-1000",
			"module_path "+modules,
			"module g711.so", "module g722.so", "module opus.so", "module aufile.so", "module rtcpsummary.so",
			"module_app account.so", "module_app menu.so", "module_app ctrl_tcp.so",
			"ctrl_tcp_listen "+control,
			"audio_source aufile,"+s.path("silence.wav"),
			"audio_player aufile,"+s.path("heard.wav"),
			"audio_alert aufile,"+s.path("ringing.wav"), "",
		), "\n"),
		"accounts":    account + "\n",
		"contacts":    "",
		"silence.wav": string(wave(make([]int16, 2*60*8000))), // longer than any call here
	} {
		if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(bin, "-f", s.dir)
	cmd.Stdout, cmd.Stderr = s.out, s.out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // hangs up and unregisters
		late := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		defer late.Stop()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("baresip:\n%s", s.out)
		}
	})
	until(t, "baresip's control socket", func() (ok bool) {
		var err error
		s.conn, err = net.Dial("tcp", control)
		return err == nil
	})
	t.Cleanup(func() { s.conn.Close() })
	go s.read()
	return s
}

func (s *softphone) path(name string) string { return filepath.Join(s.dir, name) }

// read takes what the control socket says until it is closed.
func (s *softphone) read() {
	in := bufio.NewReader(s.conn)
	for {
		// Netstrings of JSON: 7:{"a":1},
		size, err := in.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(size, ":"))
		if err != nil || n > 1<<20 {
			return
		}
		text := make([]byte, n+1)
		if _, err := io.ReadFull(in, text); err != nil {
			return
		}
		var m struct{ Type, Token, Data string }
		if json.Unmarshal(text[:n], &m) != nil {
			continue
		}
		s.mu.Lock()
		if m.Type != "" {
			s.events = append(s.events, m.Type)
		} else {
			s.answers[m.Token] = m.Data
		}
		s.mu.Unlock()
	}
}

// do has a command carried out and returns what it said.
func (s *softphone) do(command, params string) (said string) {
	s.t.Helper()
	s.token++
	token := strconv.Itoa(s.token)
	text, err := json.Marshal(map[string]string{"command": command, "params": params, "token": token})
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(s.conn, "%d:%s,", len(text), text); err != nil {
		s.t.Fatalf("baresip is gone: %v", err)
	}
	until(s.t, "baresip's answer to "+command, func() (ok bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		said, ok = s.answers[token]
		return ok
	})
	return said
}

// wait waits for an event of its user agent, such as CALL_ESTABLISHED.
func (s *softphone) wait(event string) {
	s.t.Helper()
	until(s.t, "baresip's "+event, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, e := range s.events {
			if e == "CALL_CLOSED" && e != event {
				s.t.Fatalf("the call is over; waited for %s", event)
			}
			if e == event {
				return true
			}
		}
		return false
	})
}

// ring rings the hotline.
func (s *softphone) ring() {
	s.t.Helper()
	s.do("dial", "sip:"+system.info.Number+"@"+system.info.SIP)
	s.wait("CALL_ESTABLISHED")
}

// press presses keys one after another, as RFC 4733 events.
func (s *softphone) press(keys string) { s.do("sndcode", keys) }

func (s *softphone) hangUp() {
	s.t.Helper()
	s.do("hangup", "")
	s.wait("CALL_CLOSED")
}

// output is what a program printed, while it runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// freeAddr is one that nobody listens on at the moment.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// begun is how long after a line was sent off it surely sounds: a key that
// commits must come later.
const begun = time.Second

// reached waits until a line sounds in the newest call of a number.
func reached(t *testing.T, number, line string) {
	t.Helper()
	until(t, "line "+line+" in the call of "+number, func() bool {
		all, err := system.calls(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Now()
		if len(all) > 0 {
			at = all[0].said(line)
		}
		return time.Since(at) > begun
	})
}

// said is when a line was said in a call first; now if it was not.
func (r record) said(line string) time.Time {
	for _, e := range r.Transcript {
		if e.Kind == "say" && e.Line == line {
			return e.At
		}
	}
	return time.Now()
}

// TestBaresipBooks: the way to an appointment by another telephone's own keys.
func TestBaresipBooks(t *testing.T) {
	t.Parallel()
	number := newNumber()
	s := newSoftphone(t, login{user: number}, "PCMA/8000/1")
	s.ring()
	for _, step := range []struct{ line, keys string }{
		{"welcome.greeting", "1"}, {"main.menu", "1"},
		{"born.ask", "24121935"}, {"born.read", "1"},
		{"postcode.ask", "44137"}, {"postcode.read", "1"},
		{"choose.offer", "1"}, {"confirm.ask", "1"},
	} {
		reached(t, number, step.line)
		s.press(step.keys)
	}
	reached(t, number, "booked.done")
	s.hangUp()
	if last := system.lastCall(t, number); last.Outcome.Result != "booked" {
		t.Errorf("the call ended as %+v: %+v", *last.Outcome, last.Transcript)
	}
}
