package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/phone"
	"ringback/phone/listen"
)

// trusted knows the demo by its own certificate, and nobody else.
func trusted(t *testing.T) *tls.Config {
	t.Helper()
	text, err := os.ReadFile(system.info.Secure.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	if !known.AppendCertsFromPEM(text) {
		t.Fatal("the demo's certificate is none")
	}
	return &tls.Config{RootCAs: known}
}

// secureSoftphone is baresip at the address that takes calls with SRTP only.
func secureSoftphone(t *testing.T, more string) *softphone {
	t.Helper()
	at := system.info.Secure
	s := turnOn(t, "<sip:"+at.Phone.User+"@"+at.SIP+";transport=tls>;regint=60;auth_pass="+at.Phone.Password+";audio_codecs=PCMA/8000/1"+more,
		"sip_cafile "+at.Certificate, "sip_verify_server yes", "module srtp.so")
	until(t, "registration", func() bool { return strings.Contains(s.out.String(), "[1 binding]") })
	return s
}

// TestTransportTLS: another telephone registers by TLS, knows the hotline by its
// certificate, and hears the greeting and presses a key by SRTP. Without SRTP
// the same telephone is refused: its address demands it.
func TestTransportTLS(t *testing.T) {
	t.Parallel()
	s := secureSoftphone(t, ";mediaenc=srtp-mand")
	ring := func(s *softphone) {
		s.do("dial", "sip:"+system.info.Number+"@"+system.info.Secure.SIP+";transport=tls")
	}
	ring(s)
	s.wait("CALL_ESTABLISHED")
	listener, fed := listen.NewListener(system.prompts(t)), 0
	lines := map[string]listen.Report{}
	// heard waits for a line and returns it with the time at which it sounded.
	heard := func(line string) listen.Report {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for lines[line].Name == "" {
			select {
			case <-tick.C:
				pcm := s.heard()
				for _, r := range listener.Feed(pcm[fed:]) {
					for _, k := range r.Keys {
						lines[k] = r
					}
				}
				fed = len(pcm)
			case <-ctx.Done():
				t.Fatalf("heard %v, want %s", slices.Collect(maps.Keys(lines)), line)
			}
		}
		return lines[line]
	}
	// The second half of the greeting; its beginning may be lost while the
	// telephone prepares its file.
	heard("welcome.language")
	s.press("1")
	notice := heard("welcome.notice")
	// Who presses nothing is given 15 s (patient), and a language sounds for two.
	if gap := notice.At - lines["welcome.language"].At; gap > 14*time.Second {
		t.Errorf("the notice came %v after the languages, as if no key had been pressed", gap)
	}
	s.hangUp()
	if out := s.out.String(); !strings.Contains(out, "SRTP is Enabled") && !strings.Contains(out, "Secure") {
		t.Error("nothing says that the audio was encrypted")
	}

	// The same telephone goes on without SRTP.
	plain := secureSoftphone(t, "")
	ring(plain)
	plain.wait("CALL_CLOSED")
	if out := plain.out.String(); !strings.Contains(out, "488") {
		t.Error("a call without SRTP was not refused with 488")
	}
}

// TestTransportTLSVersions: what is older than TLS 1.2 is broken, and refused.
func TestTransportTLSVersions(t *testing.T) {
	t.Parallel()
	browsers := strings.TrimSuffix(strings.TrimPrefix(system.info.Secure.WebSocket, "wss://"), "/ws")
	for name, address := range map[string]string{"SIP": system.info.Secure.SIP, "browsers": browsers} {
		for version, taken := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true} {
			c := trusted(t)
			c.MinVersion, c.MaxVersion = version, version
			conn, err := tls.Dial("tcp", address, c)
			if err == nil {
				conn.Close()
			}
			if taken != (err == nil) {
				t.Errorf("%s, %s: %v", name, tls.VersionName(version), err)
			}
		}
	}
}

// TestTransportTones: a trunk is set to keys as tones; it is offered nothing
// else, and a tone in the audio is a key.
func TestTransportTones(t *testing.T) {
	t.Parallel()
	tones, err := phone.New(phone.Options{IP: "127.0.0.3"}) // the demo's trunk "tones"
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tones.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := answered(t, tones, phone.CallOptions{To: "sip:" + system.info.Number + "@" + system.info.SIP, From: newNumber()}, system.prompts(t))
	c.expect(ctx, "welcome.greeting")
	if err := c.call.Press(ctx, "1"); err == nil {
		t.Error("telephone events were agreed upon")
	}
	if err := c.call.Speak(ctx, tone(697, 1209)); err != nil { // 1 (ITU-T Q.23)
		t.Fatal(err)
	}
	c.expect(ctx, "welcome.notice")
}

// tone is two frequencies in Hz at once, for 200 ms.
func tone(low, high float64) []int16 {
	pcm := make([]int16, phone.Rate/5)
	for i := range pcm {
		at := 2 * math.Pi * float64(i) / phone.Rate
		pcm[i] = int16(6000 * (math.Sin(low*at) + math.Sin(high*at)))
	}
	return pcm
}
