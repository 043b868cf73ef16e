package doctor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"

	"ringback/phone"
)

// transports are the ways to SIP that are tried.
var transports = []string{"udp", "tcp"}

// sipAnswers asks for what SIP can do there (OPTIONS, RFC 3261 section 11). Any
// answer will do: that a stranger is refused is right.
func sipAnswers(ctx context.Context, s *site) []Finding {
	at, findings := s.sipAddresses()
	ctx, cancel := context.WithTimeout(ctx, answering)
	defer cancel()
	found := make([][]Finding, len(transports))
	var asked sync.WaitGroup
	for i, transport := range transports {
		address := at[transport]
		if address == "" {
			continue
		}
		asked.Go(func() {
			code, err := options(ctx, transport, address)
			if err != nil {
				found[i] = failed(fmt.Sprintf("nothing answers SIP by %s at %s: %s", transport, address, reason(err)),
					"Look at `asterisk -rx \"pjsip show transports\"`, at the firewall, and whether another program has the port.")
				return
			}
			found[i] = fine("SIP answers by %s at %s (%d)", transport, address, code)
		})
	}
	asked.Wait()
	for _, f := range found {
		findings = append(findings, f...)
	}
	return findings
}

// sipAddresses is where SIP should answer, by transport. Asterisk itself knows
// best; its wildcard is asked where ARI is.
func (s *site) sipAddresses() (at map[string]string, findings []Finding) {
	at = map[string]string{}
	if s.SIP != "" {
		for _, t := range transports {
			at[t] = s.SIP
		}
		return at, nil
	}
	i, err := s.asterisk()
	if err != nil {
		return at, nil
	}
	if len(i.SIP) == 0 {
		return at, warned("Asterisk has no transport called udp or tcp, so where SIP answers is not known",
			"Take pjsip.conf from asterisk-conf, or name the address with --sip HOST:PORT.")
	}
	for t, bound := range i.SIP {
		at[t] = s.reachedAt(bound, "5060")
	}
	return at, nil
}

// reachedAt is how what Asterisk is bound to is reached: its wildcard is where
// ARI is, and no port is that of SIP.
func (s *site) reachedAt(bound, usual string) string {
	host, port, err := net.SplitHostPort(bound)
	if err != nil {
		host, port = strings.Trim(bound, "[]"), usual
	}
	if port == "0" {
		port = usual
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		if u, err := url.Parse(s.Config.Asterisk.URL); err == nil {
			host = u.Hostname()
		}
	}
	return net.JoinHostPort(host, port)
}

var errSIPSilent = errors.New("no answer in time")

// options sends one OPTIONS and returns the status of its answer.
func options(ctx context.Context, transport, address string) (int, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return 0, err
	}
	ours, err := phone.OutboundIP(address)
	if err != nil {
		return 0, err
	}
	silent := slog.New(slog.DiscardHandler)
	// The agent is the user in From as well: no spaces.
	ua, err := sipgo.NewUA(sipgo.WithUserAgent("ringback-doctor"), sipgo.WithUserAgentHostname(ours),
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(silent)),
		sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(silent)))
	if err != nil {
		return 0, err
	}
	defer ua.Close()
	c, err := sipgo.NewClient(ua, sipgo.WithClientHostname(ours), sipgo.WithClientNAT(), sipgo.WithClientLogger(silent))
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if strings.Contains(host, ":") { // IPv6
		host = "[" + host + "]"
	}
	req := sip.NewRequest(sip.OPTIONS, sip.Uri{Scheme: "sip", Host: host, Port: n})
	req.SetTransport(strings.ToUpper(transport))
	resp, err := c.Do(ctx, req)
	if err != nil {
		if ctx.Err() != nil {
			return 0, errSIPSilent
		}
		return 0, err
	}
	return resp.StatusCode, nil
}
