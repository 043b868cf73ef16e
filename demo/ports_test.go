package demo

import (
	"net"
	"strconv"
	"strings"
	"testing"
)

func TestPortsAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	p, err := portsFrom(31000)
	if err != nil {
		t.Fatal(err)
	}
	want := ports{base: 31000, postgres: 31054, sip: 31060, sips: 31061, intake: 31073, web: 31080, ari: 31088, wss: 31089, rtpFirst: 32000, rtpLast: 34999}
	if p != want {
		t.Errorf("ports %+v, want %+v", p, want)
	}
	for base, fits := range map[int]bool{1023: false, 1024: true, 61536: true, 61537: false, -1: false} {
		if _, err := portsFrom(base); (err == nil) != fits {
			t.Errorf("PORT_BASE=%d: %v", base, err)
		}
	}
}

// A taken port is one sentence with its number, its use and the mend.
func TestTakenPort(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", local(0))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	tcp := listener.Addr().(*net.TCPAddr).Port
	packets, err := net.ListenPacket("udp", local(0))
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	udp := packets.LocalAddr().(*net.UDPAddr).Port

	// Port 0 is free always.
	if err := (ports{base: 8000}).free(); err != nil {
		t.Fatalf("nothing is taken: %v", err)
	}
	for name, c := range map[string]struct {
		ports ports
		says  []string
	}{
		"web":      {ports{base: 8000, web: tcp}, []string{strconv.Itoa(tcp), "web", "taken", "PORT_BASE=18000"}},
		"database": {ports{base: 60000, postgres: tcp}, []string{strconv.Itoa(tcp), "database", "PORT_BASE=50000"}},
		"ARI":      {ports{base: 8000, ari: tcp}, []string{strconv.Itoa(tcp), "ARI"}},
		"TLS":      {ports{base: 8000, sips: tcp}, []string{strconv.Itoa(tcp), "TLS", "tcp"}},
		"intake":   {ports{base: 8000, intake: tcp}, []string{strconv.Itoa(tcp), "beyond the last line", "tcp"}},
		"browsers": {ports{base: 8000, wss: tcp}, []string{strconv.Itoa(tcp), "websocket"}},
		"SIP":      {ports{base: 8000, sip: udp}, []string{strconv.Itoa(udp), "SIP", "udp"}},
		"audio":    {ports{base: 8000, rtpFirst: udp, rtpLast: udp}, []string{"audio ports from", "PORT_BASE="}},
		"low":      {ports{base: 8000, web: 70000}, []string{"70000", "cannot be used", "PORT_BASE="}},
	} {
		err := c.ports.free()
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, s := range c.says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %q does not say %q", name, err, s)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q is more than a sentence", name, err)
		}
	}
}
