package doctor

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"
)

// renewal is how long before its end a certificate should have been renewed:
// who renews by ACME does so a month before.
const renewal = 14 * 24 * time.Hour

// certificate looks at what SIP over TLS shows, where there is such a transport.
func certificate(ctx context.Context, s *site) []Finding {
	i, err := s.asterisk()
	if err != nil || i.SIP["tls"] == "" {
		return nil
	}
	address := s.reachedAt(i.SIP["tls"], "5061")
	ctx, cancel := context.WithTimeout(ctx, answering)
	defer cancel()
	// Whether it is to be trusted is asked by who rings, under a name that is not known here.
	d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return failed(fmt.Sprintf("nothing answers SIP by tls at %s: %s", address, reason(err)),
			"Look at cert_file and priv_key_file of this transport in pjsip.conf: Asterisk must be able to read both.")
	}
	defer c.Close()
	shown := c.(*tls.Conn).ConnectionState().PeerCertificates
	if len(shown) == 0 {
		return failed("SIP by tls shows no certificate", "Set cert_file and priv_key_file of this transport in pjsip.conf.")
	}
	return lasts(shown[0].NotAfter, time.Now())
}

// lasts judges when a certificate ends.
func lasts(end, now time.Time) []Finding {
	const do = "Renew the certificate, and run `asterisk -rx \"pjsip reload\"` or start Asterisk anew."
	switch day := end.UTC().Format(time.DateOnly); {
	case now.After(end):
		return failed("the certificate of SIP by tls ended on "+day, do)
	case now.Add(renewal).After(end):
		return warned("the certificate of SIP by tls ends on "+day, do)
	default:
		return fine("SIP by tls answers; its certificate is good until %s", day)
	}
}
