package demo

import (
	"bytes"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	asteriskconf "ringback/asterisk-conf"
)

func TestCertificateIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certificate, key := filepath.Join(dir, "tls", "certificate.pem"), filepath.Join(dir, "tls", "key.pem")
	made := func(now time.Time) []byte {
		t.Helper()
		if err := keptCertificate(certificate, key, now); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(certificate)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	now := time.Now()
	first := made(now)
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "::1"} {
		if err := pair.Leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if i, err := os.Stat(key); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("the key is open to others: %v %v", i.Mode(), err)
	}
	if again := made(now.Add(300 * 24 * time.Hour)); !bytes.Equal(again, first) {
		t.Error("made anew though it is good")
	}
	renewed := made(now.Add(340 * 24 * time.Hour))
	if bytes.Equal(renewed, first) {
		t.Error("not renewed in its last month")
	}
	if err := os.WriteFile(key, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again := made(now.Add(340 * 24 * time.Hour)); bytes.Equal(again, renewed) {
		t.Error("kept though its key is damaged")
	}
	if _, err := tls.LoadX509KeyPair(certificate, key); err != nil {
		t.Error(err)
	}
}

// A folder of an earlier version gets the logins it lacks, and keeps its own.
func TestSecretsOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secrets.json")
	if err := os.WriteFile(path, []byte(`{"ARI":"old","Phones":[{"user":"phone1","password":"p"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := keptSecrets(path)
	if err != nil || s.ARI != "old" || len(s.Phones) != 1 || s.SecurePhone.Password == "" || s.BrowserPhone.Password == "" {
		t.Errorf("%d telephones, %q and %q besides, %v", len(s.Phones), s.SecurePhone.User, s.BrowserPhone.User, err)
	}
	again, err := keptSecrets(path)
	if err != nil || again.SecurePhone != s.SecurePhone || again.BrowserPhone != s.BrowserPhone {
		t.Errorf("other logins the second time: %v", err)
	}
}

func TestMoreTrunks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, says string }{
		"a trunk":  {`[{"Name":"provider","DTMF":"inband","Registration":{"Server":"sip:127.0.0.1"}}]`, ""},
		"misspelt": {`[{"Name":"provider","Adresses":["127.0.0.1"]}]`, "Adresses"},
		"no list":  {`{}`, "trunks.json"},
	} {
		path := filepath.Join(t.TempDir(), "trunks.json")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		trunks, err := exchange{trunks: path}.moreTrunks()
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || len(trunks) != 1 || trunks[0].DTMF != asteriskconf.DTMFInband || trunks[0].Registration == nil {
			t.Errorf("%s: %+v, %v", name, trunks, err)
		}
	}
	if _, err := (exchange{trunks: filepath.Join(t.TempDir(), "none")}).moreTrunks(); err == nil {
		t.Error("a file that is not there was read")
	}
	if trunks, err := (exchange{}).moreTrunks(); err != nil || len(trunks) != 0 {
		t.Errorf("%v, %v", trunks, err)
	}
}
