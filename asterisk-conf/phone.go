package asteriskconf

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Kind is how a telephone's audio travels.
type Kind string

// The kinds.
const (
	PlainPhone   Kind = ""        // RTP, over any transport
	SecurePhone  Kind = "secure"  // SRTP with keys in the signalling, which must be TLS
	BrowserPhone Kind = "browser" // WebRTC: DTLS-SRTP and ICE, over a websocket
)

// Phone is a telephone that registers here.
type Phone struct {
	User, Password string
	Kind           Kind
	From           []netip.Prefix // where it may be; empty: anywhere
}

// Browsers says whether there are telephones in browsers.
func (p Params) Browsers() bool {
	return slices.ContainsFunc(p.Phones, func(ph Phone) bool { return ph.Kind == BrowserPhone })
}

func (p Params) checkPhones() error {
	var errs []error
	taken := map[string]bool{}
	for _, t := range p.Trunks {
		taken[t.Name] = true
	}
	for _, ph := range p.Phones {
		errs = append(errs, checkLine("telephone", ph.User), checkLine("password of telephone "+ph.User, ph.Password))
		if taken[ph.User] {
			errs = append(errs, fmt.Errorf("telephone %s: another telephone or a trunk has this name", ph.User))
		}
		taken[ph.User] = true
		if !slices.Contains([]Kind{PlainPhone, SecurePhone, BrowserPhone}, ph.Kind) {
			errs = append(errs, fmt.Errorf("telephone %s is of the kind %q: must be empty, %q or %q", ph.User, ph.Kind, SecurePhone, BrowserPhone))
		}
		if ph.Kind == SecurePhone && !p.TLS.SIP.IsValid() {
			errs = append(errs, fmt.Errorf("telephone %s: its keys for SRTP need SIP over TLS, which has no address", ph.User))
		}
	}
	return errors.Join(errs...)
}
