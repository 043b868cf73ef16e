package demo

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// ports are all that a demo listens on, on 127.0.0.1 only.
type ports struct {
	base     int
	postgres int // +54
	sip      int // +60, UDP and TCP
	sips     int // +61, SIP over TLS
	web      int // +80
	intake   int // +73, FastAGI
	ari      int // +88
	wss      int // +89, browser telephones
	rtpFirst int // +1000
	rtpLast  int // +3999
}

func portsFrom(base int) (ports, error) {
	p := ports{
		base: base, postgres: base + 54, sip: base + 60, sips: base + 61, intake: base + 73, web: base + 80, ari: base + 88, wss: base + 89,
		rtpFirst: base + 1000, rtpLast: base + 3999,
	}
	if base < 1024 || p.rtpLast > 65535 {
		return ports{}, fmt.Errorf("PORT_BASE=%d does not leave room for the ports up to +3999: choose one from 1024 to %d", base, 65535-3999)
	}
	return p, nil
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func localAddr(port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
}

// free fails with one sentence when a port is taken. Of the many RTP ports
// half may be: Asterisk passes over them.
func (p ports) free() error {
	for _, l := range []struct {
		network string
		port    int
		what    string
	}{
		{"tcp", p.postgres, "the database"},
		{"udp", p.sip, "SIP"},
		{"tcp", p.sip, "SIP"},
		{"tcp", p.sips, "SIP over TLS"},
		{"tcp", p.intake, "callers beyond the last line"},
		{"tcp", p.web, "the web pages"},
		{"tcp", p.ari, "Asterisk's ARI"},
		{"tcp", p.wss, "Asterisk's websocket"},
	} {
		if err := probe(l.network, l.port); err != nil {
			return p.taken(fmt.Sprintf("port %d (%s, %s)", l.port, l.what, l.network), err)
		}
	}
	busy := 0
	for port := p.rtpFirst; port <= p.rtpLast; port++ {
		if probe("udp", port) != nil {
			busy++
		}
	}
	if busy > (p.rtpLast-p.rtpFirst)/2 {
		return p.taken(fmt.Sprintf("more than half of the audio ports from %d to %d", p.rtpFirst, p.rtpLast), syscall.EADDRINUSE)
	}
	return nil
}

func (p ports) taken(what string, err error) error {
	other := p.base + 10_000
	if _, err := portsFrom(other); err != nil {
		other = p.base - 10_000
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s cannot be used (%w): choose other ports, for example PORT_BASE=%d", what, err, other)
	}
	return fmt.Errorf("%s is taken by another program: end it, or choose other ports, for example PORT_BASE=%d", what, other)
}

// probe binds a port and leaves it again.
func probe(network string, port int) error {
	if network == "udp" {
		c, err := net.ListenPacket("udp", local(port))
		if err != nil {
			return err
		}
		return c.Close()
	}
	l, err := net.Listen(network, local(port))
	if err != nil {
		return err
	}
	return l.Close()
}
