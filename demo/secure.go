package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	asteriskconf "ringback/asterisk-conf"
)

// Secure is how a demo is reached by TLS.
type Secure struct {
	SIP         string `json:"sip"`         // host:port of SIP over TLS
	WebSocket   string `json:"websocket"`   // URL for telephones in browsers
	Certificate string `json:"certificate"` // PEM file by which to know it
	Phone       Phone  `json:"phone"`       // takes calls with SRTP only
	Browser     Phone  `json:"browser"`     // WebRTC
}

// secure is where TLS is on these ports, nil without any.
func (e exchange) secure() *Secure {
	if e.ports.sips == 0 {
		return nil
	}
	return &Secure{
		SIP: local(e.ports.sips), WebSocket: "wss://" + local(e.ports.wss) + "/ws",
		Certificate: e.certificate(), Phone: e.secrets.SecurePhone, Browser: e.secrets.BrowserPhone,
	}
}

func (e exchange) certificate() string { return filepath.Join(e.dir, "tls", "certificate.pem") }
func (e exchange) key() string         { return filepath.Join(e.dir, "tls", "key.pem") }

// beSecure adds TLS, and telephones that need it, to what Asterisk gets.
func (e exchange) beSecure(p *asteriskconf.Params) error {
	if e.ports.sips == 0 {
		return nil
	}
	if err := keptCertificate(e.certificate(), e.key(), time.Now()); err != nil {
		return err
	}
	p.TLS = asteriskconf.TLS{
		Certificate: e.certificate(), Key: e.key(),
		// Trunks of the demo show the demo's own certificate.
		Authorities: e.certificate(),
		SIP:         localAddr(e.ports.sips), Browsers: localAddr(e.ports.wss),
	}
	s, b := e.secrets.SecurePhone, e.secrets.BrowserPhone
	p.Phones = append(p.Phones,
		asteriskconf.Phone{User: s.User, Password: s.Password, Kind: asteriskconf.SecurePhone},
		asteriskconf.Phone{User: b.User, Password: b.Password, Kind: asteriskconf.BrowserPhone})
	return nil
}

// The life of a demo's certificate, and what must be left of it at a start.
const (
	certificateLife = 365 * 24 * time.Hour
	certificateLeft = 30 * 24 * time.Hour
)

// keptCertificate makes a certificate for this machine's loopback, signed by
// itself, and keeps it as long as it is good, so that a browser which took it
// once goes on doing so.
func keptCertificate(certificate, key string, now time.Time) error {
	if pair, err := tls.LoadX509KeyPair(certificate, key); err == nil && now.Add(certificateLeft).Before(pair.Leaf.NotAfter) {
		return nil
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key for TLS: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return fmt.Errorf("make a key for TLS: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Ringback demo"},
		NotBefore:    now.Add(-time.Hour), // clocks differ
		NotAfter:     now.Add(certificateLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fmt.Errorf("make a key for TLS: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(certificate), 0o700); err != nil {
		return err
	}
	// Where only the first is written, the two do not fit, and are made anew.
	return errors.Join(
		writeFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})),
		writeFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})),
	)
}

// moreTrunks reads the file with trunks of one's own.
func (e exchange) moreTrunks() ([]asteriskconf.Trunk, error) {
	if e.trunks == "" {
		return nil, nil
	}
	f, err := os.Open(e.trunks)
	if err != nil {
		return nil, fmt.Errorf("read more trunks: %w", err)
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	var trunks []asteriskconf.Trunk
	if err := d.Decode(&trunks); err != nil {
		return nil, fmt.Errorf("read more trunks from %s: %w", e.trunks, err)
	}
	return trunks, nil
}
