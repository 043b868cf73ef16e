package asteriskconf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata anew")

// sample is a configuration with one of everything.
func sample(t *testing.T) Params {
	t.Helper()
	certificate, key := identity(t, time.Now().Add(time.Hour))
	return Params{
		Node: "node-1", EntityID: "02:00:00:00:00:01",
		Modules: "/opt/modules", Data: "/opt/data",
		State: "/var/lib/x", Spool: "/var/spool/x", Run: "/run/x", Log: "/var/log/x",
		SIP: netip.MustParseAddrPort("192.0.2.10:5060"),
		TLS: TLS{
			Certificate: certificate, Key: key, Authorities: certificate,
			SIP: netip.MustParseAddrPort("192.0.2.10:5061"), Browsers: netip.MustParseAddrPort("192.0.2.10:8089"),
		},
		Public: netip.MustParseAddr("203.0.113.10"),
		Inside: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
		Permit: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8::/32")},
		ARI:    ARI{AddrPort: netip.MustParseAddrPort("127.0.0.1:8088"), User: "ringback", Password: "ari-secret"},
		App:    "ringback", RTP: Ports{First: 10000, Last: 19999},
		Trunks: []Trunk{
			{Name: "carrier", Addresses: []string{"198.51.100.0/28", "203.0.113.7"}, Contact: "sip:203.0.113.7:5060", Trust: TrustAsserted},
			{Name: "clinic", Addresses: []string{"192.0.2.99"}, Trust: TrustFrom, DTMF: DTMFInband, Codecs: []string{"ulaw"}},
			{
				Name: "provider", Addresses: []string{"203.0.113.50"}, Trust: TrustAsserted, Transport: OverTLS, SRTP: SRTPRequired,
				Registration: &Registration{
					Server: "sip:sip.provider.example", Account: "sip:4923150010@provider.example", User: "hotline", Password: "trunk-secret",
				},
			},
		},
		Phones: []Phone{
			{User: "desk1", Password: "desk-secret"},
			{User: "desk2", Password: "desk-secret", Kind: SecurePhone, From: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
			{User: "desk3", Password: "desk-secret", Kind: BrowserPhone},
		},
		Lines: 120, Intake: netip.MustParseAddrPort("127.0.0.1:4573"),
		NoAudio: time.Minute, LongestCall: 30 * time.Minute,
		Fallback: "/var/lib/x/fallback", Music: "/var/lib/x/music",
	}
}

// identity writes a certificate that is good until end, and its key.
func identity(t *testing.T, end time.Time) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: end.Add(-24 * time.Hour), NotAfter: end}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: signed}, key: {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

// The files as they are written, to be read by a person: testdata is what an
// operator sees. Modules stands for an Asterisk without an opus codec.
func TestRender(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := sample(t)
	p.Modules = filepath.Join(dir, "modules")
	p.State, p.Spool, p.Run, p.Log = filepath.Join(dir, "s"), filepath.Join(dir, "p"), filepath.Join(dir, "r"), filepath.Join(dir, "l")
	if err := os.MkdirAll(p.Modules, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, m := range []string{"chan_pjsip", "res_ari", "app_stasis", "codec_alaw", "pbx_config", "pbx_spool"} {
		if err := os.WriteFile(filepath.Join(p.Modules, m+".so"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	conf := filepath.Join(dir, "conf")
	if err := Render(conf, p); err != nil {
		t.Fatal(err)
	}
	if err := Render(conf, p); err != nil {
		t.Fatalf("a second time: %v", err)
	}
	written, err := os.ReadDir(conf)
	if err != nil {
		t.Fatal(err)
	}
	names, err := files()
	if err != nil {
		t.Fatal(err)
	}
	if len(written) != len(names) {
		t.Errorf("%d files written, want %d", len(written), len(names))
	}
	for _, e := range written {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v, want only its owner to read it", e.Name(), info.Mode())
		}
		text, err := os.ReadFile(filepath.Join(conf, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.ReplaceAll(string(text), dir, "/DIR")
		got = strings.ReplaceAll(got, filepath.Dir(p.TLS.Key), "/TLS")
		golden := filepath.Join("testdata", e.Name())
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatalf("%v: run go test -update", err)
		}
		if got != string(want) {
			t.Errorf("%s is not as in testdata: run go test -update and read the difference", e.Name())
		}
	}
	for _, d := range []string{"s/keys", "s/cache", "p/recording", "r", "l"} {
		if i, err := os.Stat(filepath.Join(dir, d)); err != nil || i.Mode().Perm() != 0o700 {
			t.Errorf("folder %s: %v, %v", d, i, err)
		}
	}
}

// What the dialogues and the safety of callers rest on, whatever else changes.
func TestRenderedLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file    string
		change  func(*Params)
		has     []string
		hasNone []string
	}{
		"the controller gets number, presentation and trunk": {
			file: "extensions.conf",
			has:  []string{"Stasis(ringback,in,${number},${shown},${trunk})", "Stasis(ringback,again,${number},${shown},${trunk})"},
		},
		"another application": {
			file: "extensions.conf", change: func(p *Params) { p.App = "second" },
			has: []string{"Stasis(second,in,"}, hasNone: []string{"Stasis(ringback"},
		},
		"the backstop is five minutes behind the controller": {
			file: "extensions.conf", change: func(p *Params) { p.LongestCall = 10 * time.Minute },
			has: []string{"Set(TIMEOUT(absolute)=900)"},
		},
		"nobody hears a busy tone": {
			file: "extensions.conf", change: func(p *Params) { p.Lines = 0 },
			hasNone: []string{"Busy(", "Congestion(", "Hangup("},
		},
		"without a cap nobody is counted": {
			file: "extensions.conf", change: func(p *Params) { p.Lines, p.Intake = 0, netip.AddrPort{} },
			has: []string{"Stasis(ringback,in,"}, hasNone: []string{"GROUP", "AGI", "[register]", "[withheld]", "admitted"},
		},
		"beyond the cap callers are registered": {
			file: "extensions.conf", change: func(p *Params) { p.Lines = 7 },
			has: []string{
				"(count),GotoIf($[${GROUP_COUNT(in@lines)} >= 7]?register,s,1)", "GotoIf($[${GROUP_COUNT(in@lines)} > 7]?back)",
				"AGI(agi://127.0.0.1:4573/register,${number},${shown},${URIENCODE(${CHANNEL(pjsip,call-id)})})",
				"GotoIf($[${GROUP_COUNT(ringing@lines)} > 7]?away)", "GotoIf($[${GROUP_COUNT(in@lines)} >= 7 + 1]?wait)",
			},
			// 19 is 480; any other may be heard as busy.
			hasNone: []string{"Busy(", "Congestion(", "Hangup()", "Hangup(1)", "Hangup(17)", "Hangup(21)"},
		},
		"our own telephones are not counted": {
			file: "extensions.conf", has: []string{"same => n,MSet(number=,shown=prohib)\n same => n,Goto(hotline,s,admitted)\n", " same => n(admitted),Set(TIMEOUT(absolute)="},
		},
		"a slow controller does not make SIP deaf": {
			file: "pjsip.conf", has: []string{"taskprocessor_overload_trigger = pjsip_only\n"},
		},
		"a call without ports for audio goes elsewhere": {
			file: "asterisk.conf", change: func(p *Params) { p.RTP = Ports{First: 20000, Last: 20799} }, has: []string{"\nmaxcalls = 300\n", "\nmaxfiles = 3424\n"},
		},
		"a browser's audio": {
			file: "rtp.conf", has: []string{"icesupport = yes\n"},
		},
		"without browsers calls cost less": {
			file: "rtp.conf", change: func(p *Params) { p.Phones = p.Phones[:2] }, has: []string{"icesupport = no\n"},
		},
		"ARI is on the loopback": {
			file: "http.conf", has: []string{"bindaddr = 127.0.0.1\n", "bindport = 8088\n"},
		},
		"a slow reader is not cut off": {
			file: "ari.conf", has: []string{"websocket_write_timeout = 5000", "[ringback]\n", "password = ari-secret\n"},
		},
		"a trunk is identified by address only": {
			file: "pjsip.conf", has: []string{"match = 198.51.100.0/28\nmatch = 203.0.113.7\n", "identify_by = ip\n"},
		},
		"silence ends the line": {
			file: "pjsip.conf", change: func(p *Params) { p.NoAudio = 90 * time.Second },
			has: []string{"rtp_timeout = 90\n"}, hasNone: []string{"rtp_timeout = 60\n"},
		},
		"From is trusted": {
			file: "pjsip.conf", change: func(p *Params) { p.Trunks = p.Trunks[1:2] },
			has: []string{"trust_id_inbound = no\n"}, hasNone: []string{"trust_id_inbound = yes"},
		},
		"the asserted identity is trusted": {
			file: "pjsip.conf", change: func(p *Params) { p.Trunks = p.Trunks[:1] },
			has: []string{"trust_id_inbound = yes\n"}, hasNone: []string{"trust_id_inbound = no"},
		},
		"a trunk's own keys and codecs": {
			file: "pjsip.conf", change: func(p *Params) { p.Trunks = p.Trunks[1:2] },
			has: []string{"allow = ulaw\n", "dtmf_mode = inband\n"}, hasNone: []string{"[tls]\ntype = endpoint", "type = registration"},
		},
		"a registration goes on for ever": {
			file: "pjsip.conf", change: func(p *Params) { p.Trunks = p.Trunks[2:] },
			has: []string{
				"server_uri = sip:sip.provider.example\\;transport=tls\n", "line = yes\nendpoint = provider\n",
				"auth_rejection_permanent = no\n", "max_retries = 2000000000\n", "username = hotline\npassword = trunk-secret\n",
				"permit = 203.0.113.50\n", "contact = sip:sip.provider.example\\;transport=tls\n",
			},
		},
		"encryption is demanded": {
			file: "pjsip.conf", change: func(p *Params) { p.Trunks, p.Phones = p.Trunks[2:], nil },
			has: []string{"media_encryption = sdes\nmedia_encryption_optimistic = no\n"},
		},
		"encryption is welcome": {
			file: "pjsip.conf", change: func(p *Params) { p.Trunks, p.Phones = p.Trunks[2:], nil; p.Trunks[0].SRTP = SRTPOptional },
			has: []string{"media_encryption_optimistic = yes\n"}, hasNone: []string{"media_encryption_optimistic = no"},
		},
		"a browser": {
			file: "pjsip.conf", change: func(p *Params) { p.Trunks, p.Phones = nil, p.Phones[2:] },
			has: []string{"webrtc = yes\n"}, hasNone: []string{"sdes"},
		},
		"a telephone is welcome where it belongs": {
			file: "pjsip.conf", change: func(p *Params) { p.Permit = nil },
			has: []string{"deny = 0.0.0.0/0,::/0\npermit = 192.0.2.0/24\n"}, hasNone: []string{"type = acl"},
		},
		"only some networks are heard": {
			file: "pjsip.conf", has: []string{"type = acl\ndeny = 0.0.0.0/0,::/0\npermit = 198.51.100.0/24,2001:db8::/32\n"},
		},
		"nobody is anonymous": {
			file: "pjsip.conf", has: []string{"endpoint_identifier_order = auth_username,username,ip\n"}, hasNone: []string{"[anonymous]"},
		},
		"no caller sends his call elsewhere": {
			file: "pjsip.conf", has: []string{"allow_transfer = no\n"}, hasNone: []string{"allow_transfer = yes"},
		},
		"no old TLS": {
			file: "pjsip.conf", has: []string{"method = tlsv1_2\n", "verify_server = yes\n"},
		},
		"without TLS": {
			file: "pjsip.conf", change: func(p *Params) { p.TLS = TLS{} }, hasNone: []string{"[tls]", "cert_file"},
		},
		"the outside address in every transport": {
			file: "pjsip.conf", has: []string{"external_media_address = 203.0.113.10\nexternal_signaling_address = 203.0.113.10\nlocal_net = 192.0.2.0/24\n"},
		},
		"ARI is not for browsers": {
			file: "http.conf", has: []string{"tlsbindaddr = 192.0.2.10:8089\n", "[/ari]\ntype = restriction\ndeny = 0.0.0.0/0\n", "tlsdisablev11 = yes\n"},
		},
		"no HTTPS without browsers": {
			file: "http.conf", change: func(p *Params) { p.TLS.Browsers = netip.AddrPort{} }, hasNone: []string{"tls"},
		},
		"no module is loaded that is not there": {
			file: "modules.conf", has: []string{"autoload = no\n"}, hasNone: []string{"\nload = "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			if c.change != nil {
				c.change(&p)
			}
			text, err := render(c.file, "/etc/x", p)
			if err != nil {
				t.Fatal(err)
			}
			got := uncommented(string(text))
			for _, want := range c.has {
				if !strings.Contains(got, want) {
					t.Errorf("%s lacks %q", c.file, want)
				}
			}
			for _, not := range c.hasNone {
				if strings.Contains(got, not) {
					t.Errorf("%s has %q", c.file, not)
				}
			}
		})
	}
}

func uncommented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, ";") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestRenderRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Params)
		says   string
	}{
		"no node":                  {func(p *Params) { p.Node = "" }, "node"},
		"a password of two lines":  {func(p *Params) { p.ARI.Password = "x\nread_only = no" }, "ARI password"},
		"a comment in a password":  {func(p *Params) { p.Phones[0].Password = "a;b" }, "telephone desk1"},
		"a section in a trunk":     {func(p *Params) { p.Trunks[0].Name = "a]" }, "trunk"},
		"a trunk from anywhere":    {func(p *Params) { p.Trunks[0].Addresses = nil }, "needs an address"},
		"an unknown header":        {func(p *Params) { p.Trunks[0].Trust = "diversion" }, `"diversion"`},
		"a relative folder":        {func(p *Params) { p.Music = "music" }, "absolute"},
		"two files to play":        {func(p *Params) { p.Fallback = "/a&/b" }, "fallback"},
		"a variable in a path":     {func(p *Params) { p.Fallback = "/${EVAL}" }, "fallback"},
		"ports of other services":  {func(p *Params) { p.RTP.First = 80 }, "RTP"},
		"ports the wrong way":      {func(p *Params) { p.RTP.Last = 9000 }, "RTP"},
		"fewer lines than none":    {func(p *Params) { p.Lines = -1 }, "lines -1"},
		"an intake for everybody":  {func(p *Params) { p.Intake = netip.MustParseAddrPort("192.0.2.1:4573") }, "loopback"},
		"lines without an intake":  {func(p *Params) { p.Intake = netip.AddrPort{} }, "intake"},
		"no time without audio":    {func(p *Params) { p.NoAudio = 0 }, "no audio"},
		"no longest call":          {func(p *Params) { p.LongestCall = 0 }, "longest call"},
		"an address of two lines":  {func(p *Params) { p.Trunks[1].Addresses[0] = "1.2.3.4\nmatch = 0.0.0.0/0" }, "address"},
		"a key that does not fit":  {func(p *Params) { _, p.TLS.Key = identity(t, time.Now().Add(time.Hour)) }, "does not match"},
		"no certificate":           {func(p *Params) { p.TLS.Certificate = "/none/cert.pem" }, "certificate for TLS: open /none/cert.pem"},
		"no key":                   {func(p *Params) { p.TLS.Key = "" }, "key"},
		"a key for everybody":      {func(p *Params) { _ = os.Chmod(p.TLS.Key, 0o604) }, "everybody can read it"},
		"an old certificate":       {func(p *Params) { p.TLS.Certificate, p.TLS.Key = identity(t, time.Now().Add(-time.Hour)) }, "ran out on"},
		"authorities not there":    {func(p *Params) { p.TLS.Authorities = "/none/ca.pem" }, "authorities for TLS"},
		"a relative certificate":   {func(p *Params) { p.TLS.Certificate = "cert.pem" }, "absolute"},
		"everybody is a trunk":     {func(p *Params) { p.Trunks[0].Addresses[0] = "0.0.0.0/0" }, "everybody"},
		"two trunks of a name":     {func(p *Params) { p.Trunks[1].Name = "carrier" }, "there are two"},
		"a telephone like a trunk": {func(p *Params) { p.Phones[0].User = "carrier" }, "has this name"},
		"unknown keys":             {func(p *Params) { p.Trunks[0].DTMF = "morse" }, `"morse"`},
		"an unknown codec":         {func(p *Params) { p.Trunks[0].Codecs = []string{"g729"} }, `"g729"`},
		"an unknown transport":     {func(p *Params) { p.Trunks[0].Transport = "sctp" }, `"sctp"`},
		"SRTP in the clear":        {func(p *Params) { p.Trunks[0].SRTP = SRTPRequired }, "SRTP without TLS"},
		"an unknown encryption":    {func(p *Params) { p.Trunks[2].SRTP = "zrtp" }, `"zrtp"`},
		"a trunk by TLS unproven":  {func(p *Params) { p.TLS.Authorities = "" }, "trunk provider uses TLS"},
		"an account of no domain":  {func(p *Params) { p.Trunks[2].Registration.Account = "sip:hotline" }, "has the account"},
		"no password to register":  {func(p *Params) { p.Trunks[2].Registration.Password = "" }, "password of trunk provider"},
		"a telephone of TLS alone": {func(p *Params) { p.TLS = TLS{} }, "telephone desk2"},
		"an unknown telephone":     {func(p *Params) { p.Phones[0].Kind = "fax" }, `"fax"`},
		"inside of nothing":        {func(p *Params) { p.Public = netip.Addr{} }, "public address"},
		"a telephone without name": {func(p *Params) { p.Phones[0].User = "" }, "telephone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sample(t)
			if err := p.check(); err != nil {
				t.Fatalf("refused before: %v", err)
			}
			c.change(&p)
			dir := filepath.Join(t.TempDir(), "conf")
			err := Render(dir, p)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("something was written")
			}
		})
	}
}
