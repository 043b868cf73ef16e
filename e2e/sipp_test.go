package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ringback/phone"
)

// sipp is SIPp acting out one of the scripts of SIP messages in testdata/sipp.
type sipp struct {
	t      *testing.T
	number string
	dir    string // where scripts touch files to tell how far they are
	voice  *voice
	ended  chan error
}

// act starts a script as a call from a new number. Args are SIPp's own.
func act(t *testing.T, script string, args ...string) *sipp {
	t.Helper()
	s := &sipp{t: t, number: newNumber(), dir: t.TempDir(), voice: newVoice(t), ended: make(chan error, 1)}
	messages := filepath.Join(s.dir, "messages")
	out := &output{}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program(t, "RINGBACK_SIPP"), append([]string{
		system.info.SIP, "-sf", filepath.Join("testdata", "sipp", script+".xml"),
		"-s", system.info.Number, "-i", "127.0.0.1", "-m", "1", "-nostdin", "-cp", strconv.Itoa(freeUDP(t)),
		"-key", "from", s.number, "-key", "voice", strconv.Itoa(s.voice.port()), "-key", "dir", s.dir,
		"-recv_timeout", "20s", "-trace_msg", "-message_file", messages,
	}, args...)...)
	cmd.Env = append(os.Environ(), "TERM=dumb")
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- cmd.Wait() }()
	t.Cleanup(func() {
		if t.Failed() {
			text, _ := os.ReadFile(messages) // none: it sent nothing
			all, err := system.calls(context.Background(), s.number)
			t.Logf("%s\nSIPp:\n%s\ncalls: %+v %v", text, out, all, err)
		}
	})
	return s
}

// wait waits for the end of the script, which says whether every answer was
// the expected one.
func (s *sipp) wait() {
	s.t.Helper()
	if err := <-s.ended; err != nil {
		s.t.Fatalf("SIPp saw other messages than its script has: %v", err)
	}
}

// told waits until the script has touched a file.
func (s *sipp) told(name string) {
	s.t.Helper()
	for late := time.Now().Add(100 * time.Second); time.Now().Before(late); {
		select {
		case err := <-s.ended:
			s.t.Fatalf("the script ended before %s: %v", name, err)
		case <-time.After(50 * time.Millisecond):
		}
		if _, err := os.Stat(filepath.Join(s.dir, name)); err == nil {
			return
		}
	}
	s.t.Fatalf("waited in vain for %s", name)
}

// hungUp checks that the call ended by the caller's hand, and nothing is left.
func (s *sipp) hungUp() record {
	s.t.Helper()
	last := system.lastCall(s.t, s.number)
	if last.Outcome.Result != "hung_up" {
		s.t.Errorf("the call ended as %+v", *last.Outcome)
	}
	gone(s.t, s.number)
	return last
}

// gone waits until Asterisk has no channel of a number.
func gone(t *testing.T, number string) {
	t.Helper()
	until(t, "the end of the channel of "+number, func() bool { return channels(t, number) == 0 })
}

// channels counts Asterisk's channels of a number.
func channels(t *testing.T, number string) (n int) {
	t.Helper()
	var secrets struct{ ARI string }
	text, err := os.ReadFile(filepath.Join(system.dir, "secrets.json"))
	if err := errors.Join(err, json.Unmarshal(text, &secrets)); err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(system.info.SIP)
	sip, err2 := strconv.Atoi(port)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	// SIP is at +60 and ARI at +88 of the demo's first port.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+net.JoinHostPort(host, strconv.Itoa(sip+28))+"/ari/channels", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("ringback", secrets.ARI)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var all []struct{ Caller struct{ Number string } }
	if err := json.NewDecoder(resp.Body).Decode(&all); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("ask for the channels: %s: %v", resp.Status, err)
	}
	for _, c := range all {
		if c.Caller.Number == number {
			n++
		}
	}
	return n
}

// freeUDP is a port nobody has at the moment, for SIPp's remote control: it
// would take one well-known port, and a second SIPp the next.
func freeUDP(t *testing.T) int {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

// TestSIPpKeys: keys come as SIP INFO, in both of its forms, and as RFC 4733
// in one call, in the midst of one date. Each counts once.
func TestSIPpKeys(t *testing.T) {
	t.Parallel()
	s := act(t, "keys")
	s.told("keyed") // 1, 1, 2412
	s.voice.press("1935" + "1")
	reached(t, s.number, "postcode.ask")
	s.wait()
	s.hungUp()
}

// TestSIPpDelayedOffer: the hotline makes the offer, and hears keys.
func TestSIPpDelayedOffer(t *testing.T) {
	t.Parallel()
	s := act(t, "delayed_offer")
	until(t, "the greeting", func() bool { return s.voice.packets(8) > 50 })
	s.voice.press("1")
	reached(t, s.number, "main.menu")
	s.wait()
	s.hungUp()
}

// TestSIPpHold: 70 s on hold without a packet are not taken for a dead line,
// which is ended after 60 s; and the call goes on.
func TestSIPpHold(t *testing.T) {
	t.Parallel()
	for _, direction := range []string{"sendonly", "inactive"} {
		t.Run(direction, func(t *testing.T) {
			t.Parallel()
			s := act(t, "hold", "-key", "direction", direction)
			s.told("held")
			s.voice.mute(true)
			s.told("back")
			s.voice.mute(false)
			before := s.voice.packets(8)
			s.voice.press("1")
			reached(t, s.number, "main.menu")
			if s.voice.packets(8) == before {
				t.Error("nothing is heard after the hold")
			}
			s.wait()
			s.hungUp()
		})
	}
}

// TestSIPpByeInAPrompt: who hangs up in the greeting is gone.
func TestSIPpByeInAPrompt(t *testing.T) {
	t.Parallel()
	s := act(t, "bye")
	s.wait()
	if last := s.hungUp(); last.Scene != "welcome" {
		t.Errorf("the call ended in scene %s", last.Scene)
	}
}

// TestSIPpCancel: a CANCEL on the heels of the INVITE ends it (487), and
// leaves no channel, and no call that goes on.
func TestSIPpCancel(t *testing.T) {
	t.Parallel()
	s := act(t, "cancel")
	s.wait()
	s.over()
}

// over checks that nothing of the call is left; it may not have become one.
func (s *sipp) over() {
	s.t.Helper()
	gone(s.t, s.number)
	ended(s.t, s.number)
}

// ended waits until no call of a number goes on.
func ended(t *testing.T, number string) {
	t.Helper()
	until(t, "the end of the calls of "+number, func() bool {
		all, err := system.calls(t.Context(), number)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if c.Outcome == nil {
				return false
			}
		}
		return true
	})
}

// TestCancelAtAnyMoment: a CANCEL may also cross the answer. Whichever wins,
// nothing is left.
func TestCancelAtAnyMoment(t *testing.T) {
	t.Parallel()
	number := newNumber()
	for i := range 25 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond)
		call, err := telephone.Dial(ctx, phone.CallOptions{To: "sip:" + system.info.Number + "@" + system.info.SIP, From: number})
		cancel()
		if err == nil { // answered in time
			err = call.HangUp(t.Context())
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %d ms: %v", i, err)
		}
	}
	gone(t, number)
	ended(t, number)
}

// TestSIPpUnusable: an INVITE that cannot become a call is refused with a
// clear answer (the script knows which), and leaves nothing.
func TestSIPpUnusable(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"malformed", "no_codec"} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			s := act(t, script)
			s.wait()
			if n := channels(t, s.number); n != 0 {
				t.Errorf("%d channels are left", n)
			}
			if n := system.count(t, `SELECT count(*) FROM calls WHERE number = $1`, s.number); n != 0 {
				t.Errorf("it counts as %d calls", n)
			}
		})
	}
}

// TestSIPpHeaders: 8 KB of headers nobody knows are a call like any other.
func TestSIPpHeaders(t *testing.T) {
	t.Parallel()
	for name, transport := range map[string]string{"UDP": "u1", "TCP": "t1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := act(t, "headers", "-t", transport, "-key", "padding", strings.Repeat("x", 1024))
			s.wait()
			sent, err := os.ReadFile(filepath.Join(s.dir, "messages"))
			if n := strings.Count(string(sent), "x"); err != nil || n < 8<<10 {
				t.Errorf("only %d bytes of padding were sent: %v", n, err)
			}
			s.hungUp()
		})
	}
}
