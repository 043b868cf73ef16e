package asteriskconf

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Trust names the header in which a trunk's calling number is believed.
type Trust string

// The headers.
const (
	TrustFrom     Trust = "from" // what the caller's network wrote
	TrustAsserted Trust = "pai"  // P-Asserted-Identity (RFC 3325)
)

// DTMF is how keys come in: dtmf_mode of pjsip.conf.
type DTMF string

// The ways. Keys in SIP INFO are taken in all of them.
const (
	DTMFAuto    DTMF = ""        // RFC 4733 where the trunk offers it, else as tones
	DTMFRFC4733 DTMF = "rfc4733" // telephone events beside the audio
	DTMFInband  DTMF = "inband"  // tones in the audio
	DTMFInfo    DTMF = "info"    // SIP INFO
)

// SRTP says whether audio is encrypted, with keys that travel in the signalling
// (SDES, RFC 4568).
type SRTP string

// What may be asked for.
const (
	SRTPOff      SRTP = ""
	SRTPOptional SRTP = "optional" // taken where the far end offers it
	SRTPRequired SRTP = "required" // a call without it is refused (488)
)

// Transport carries the signalling.
type Transport string

// The transports.
const (
	UDP     Transport = "" // the default
	TCP     Transport = "tcp"
	OverTLS Transport = "tls"
)

// Trunk is a network that sends us calls. It is known by its addresses, by a
// registration, or by both.
type Trunk struct {
	Name      string
	Addresses []string  // its hosts or networks, as 192.0.2.1 or 192.0.2.0/28
	Contact   string    // where calls out go, as sip:192.0.2.1:5060; empty: none, or the registrar
	Transport Transport // of what we send; it may send over any
	Trust     Trust
	DTMF      DTMF
	SRTP      SRTP
	Codecs    []string // in order of preference; alaw, ulaw, g722 if empty
	// Registration is our login at the trunk's registrar; nil: none is needed.
	Registration *Registration
}

// Registration is an account at a provider to which calls come in as they do
// to a telephone (RFC 3261 section 10).
type Registration struct {
	Server   string // the registrar, as sip:sip.carrier.example
	Account  string // as sip:4923150010@carrier.example
	User     string // for digest authentication
	Password string
}

// codecs are those that prompts are stored in: what a trunk may use
// without a conversion for each call. Opus is for trunks that insist.
var codecs = []string{"alaw", "ulaw", "g722", "opus"}

// Protocol is the section of pjsip.conf that carries the signalling.
func (t Trunk) Protocol() string {
	if t.Transport == UDP {
		return "udp"
	}
	return string(t.Transport)
}

// Parameter ends every address that we send to by this transport. The
// backslash keeps the rest from being a comment.
func (t Trunk) Parameter() string {
	if t.Transport == UDP {
		return ""
	}
	return `\;transport=` + string(t.Transport)
}

// Allow is the value of allow in pjsip.conf.
func (t Trunk) Allow() string {
	if len(t.Codecs) == 0 {
		return "alaw,ulaw,g722"
	}
	return strings.Join(t.Codecs, ",")
}

// Keys is the value of dtmf_mode in pjsip.conf.
func (t Trunk) Keys() string {
	if t.DTMF == DTMFAuto {
		return "auto"
	}
	return string(t.DTMF)
}

// Target is where calls out go; empty: nowhere.
func (t Trunk) Target() string {
	if t.Contact == "" && t.Registration != nil {
		return t.Registration.Server
	}
	return t.Contact
}

// Name is the account's part before the @.
func (r Registration) Name() string {
	name, _ := r.split()
	return name
}

// Domain is the account's part behind the @; it may hold a port.
func (r Registration) Domain() string {
	_, domain := r.split()
	return domain
}

func (r Registration) split() (name, domain string) {
	name, domain, _ = strings.Cut(strings.TrimPrefix(r.Account, "sip:"), "@")
	return name, domain
}

func (p Params) checkTrunks() error {
	var errs []error
	seen := map[string]bool{}
	for _, t := range p.Trunks {
		if seen[t.Name] {
			errs = append(errs, fmt.Errorf("trunk %s: there are two of this name", t.Name))
		}
		seen[t.Name] = true
		if err := p.checkTrunk(t); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (p Params) checkTrunk(t Trunk) error {
	errs := []error{checkLine("trunk", t.Name), checkLine("codecs of trunk "+t.Name, t.Allow())}
	fault := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("trunk %s "+format, append([]any{t.Name}, args...)...))
	}
	if len(t.Addresses) == 0 && t.Registration == nil {
		fault("needs an address or a registration")
	}
	for _, a := range t.Addresses {
		errs = append(errs, checkLine("address of trunk "+t.Name, a))
		if net, err := netip.ParsePrefix(a); err == nil && net.Bits() == 0 {
			fault("has the address %s: that is everybody", a)
		}
	}
	if t.Contact != "" {
		errs = append(errs, checkLine("contact of trunk "+t.Name, t.Contact))
	}
	if t.Trust != TrustFrom && t.Trust != TrustAsserted {
		fault("trusts %q: must be %q or %q", t.Trust, TrustFrom, TrustAsserted)
	}
	if !slices.Contains([]DTMF{DTMFAuto, DTMFRFC4733, DTMFInband, DTMFInfo}, t.DTMF) {
		fault("has keys as %q: must be empty, %q, %q or %q", t.DTMF, DTMFRFC4733, DTMFInband, DTMFInfo)
	}
	for _, c := range t.Codecs {
		if !slices.Contains(codecs, c) {
			fault("has the codec %q: must be of %s", c, strings.Join(codecs, ", "))
		}
	}
	if !slices.Contains([]Transport{UDP, TCP, OverTLS}, t.Transport) {
		fault("has the transport %q: must be empty, %q or %q", t.Transport, TCP, OverTLS)
	}
	if !slices.Contains([]SRTP{SRTPOff, SRTPOptional, SRTPRequired}, t.SRTP) {
		fault("has SRTP %q: must be empty, %q or %q", t.SRTP, SRTPOptional, SRTPRequired)
	}
	if t.SRTP != SRTPOff && t.Transport != OverTLS {
		fault("has SRTP without TLS: everybody on the way could read its keys")
	}
	if t.Transport == OverTLS && (!p.TLS.SIP.IsValid() || p.TLS.Authorities == "") {
		fault("uses TLS: give TLS an address, and the authorities to know the trunk's certificate by")
	}
	if r := t.Registration; r != nil {
		for what, value := range map[string]string{
			"registrar": r.Server, "account": r.Account, "user": r.User, "password": r.Password,
		} {
			errs = append(errs, checkLine(what+" of trunk "+t.Name, value))
		}
		if name, domain := r.split(); name == "" || domain == "" || !strings.HasPrefix(r.Account, "sip:") {
			fault("has the account %q: must look like sip:4923150010@carrier.example", r.Account)
		}
	}
	return errors.Join(errs...)
}
