package asteriskconf

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// TLS is what this machine shows to know it by, and where. Asterisk reads the
// files itself, so they are named by their paths.
type TLS struct {
	Certificate string // PEM, with the chain up to its authority; an absolute path
	Key         string // PEM, without a passphrase; an absolute path
	// Authorities are the certificates by which a trunk's own is judged, PEM;
	// Debian keeps all public ones in /etc/ssl/certs/ca-certificates.crt.
	Authorities string
	SIP         netip.AddrPort // SIP over TLS; the zero value: none
	Browsers    netip.AddrPort // secure websocket; the zero value: none
}

// check looks at the files as Asterisk will: it would log an error, and be up
// without the transport.
func (t TLS) check() error {
	if !t.SIP.IsValid() && !t.Browsers.IsValid() {
		return nil
	}
	var errs []error
	for _, f := range []struct{ what, path string }{
		{"certificate", t.Certificate}, {"key", t.Key}, {"authorities", t.Authorities},
	} {
		if f.what == "authorities" && f.path == "" {
			continue
		}
		if err := checkLine(f.what, f.path); err != nil {
			errs = append(errs, err)
		} else if !filepath.IsAbs(f.path) {
			errs = append(errs, fmt.Errorf("%s %q: must be an absolute path", f.what, f.path))
		} else if _, err := os.ReadFile(f.path); err != nil {
			errs = append(errs, fmt.Errorf("%s for TLS: %w", f.what, err))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	info, err := os.Stat(t.Key)
	if err != nil {
		return fmt.Errorf("key for TLS: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return fmt.Errorf("key %s: everybody can read it: chmod o= it", t.Key)
	}
	pair, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", t.Certificate, t.Key, err)
	}
	if end := pair.Leaf.NotAfter; time.Now().After(end) {
		return fmt.Errorf("certificate %s: it ran out on %s", t.Certificate, end.Format(time.DateOnly))
	}
	return nil
}
