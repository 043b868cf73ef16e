package bench

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	asteriskconf "ringback/asterisk-conf"
)

// The ARI user of the measurements, and the numbers that lead elsewhere than
// to the controller: the same menu in the dialplan, with long and short prompts.
const (
	ariUser     = "ringback"
	ariPassword = "bench"
	ariApp      = "ringback"

	hotline     = "116117"
	nativeLong  = "7001"
	nativeShort = "7002"
)

// The two sets of prompts: longer than any pause between keys, and shorter
// than some.
const (
	longPrompts  = "long"
	shortPrompts = "short"
)

var promptLengths = map[string]time.Duration{longPrompts: time.Minute, shortPrompts: 6 * time.Second}

// exchange is an Asterisk that sends callers to the controller, or to the same
// menu in its own dialplan.
type exchange struct {
	*started
	sip, ari string // host:port
	sounds   string // folder of the prompts
}

func (e *exchange) url() string { return "http://" + e.ari + "/ari" }

// nativeMenu is what an expert would write by hand: a prompt that a key cuts
// short, the key looked at, the next prompt. Read() takes one key.
const nativeMenu = `
[from-trunk](+)
exten => 7001,1,Set(prompts=%[1]s/long)
 same => n,Goto(bench,s,1)
exten => 7002,1,Set(prompts=%[1]s/short)
 same => n,Goto(bench,s,1)

[bench]
exten => s,1,Answer()
 same => n(one),Read(key,${prompts}-a,1,,1,30)
 same => n,GotoIf($["${key}" = ""]?end)
 same => n,Read(key,${prompts}-b,1,,1,30)
 same => n,GotoIf($["${key}" = ""]?end:one)
 same => n(end),Hangup()
`

// newExchange starts the n-th Asterisk of a measurement, as the demo would but
// for the module and the extensions of the native menu.
func newExchange(t *testing.T, n int, change ...func(*asteriskconf.Params)) *exchange {
	t.Helper()
	found := tools(t)
	dir := folder(t)
	e := &exchange{sip: freePort(t, "udp"), ari: freePort(t, "tcp"), sounds: filepath.Join(dir, "sounds")}
	writeTones(t, e.sounds)
	music := filepath.Join(dir, "music")
	if err := os.Mkdir(music, 0o755); err != nil {
		t.Fatal(err)
	}
	first := ports(t) + 3000*n
	conf := filepath.Join(dir, "conf")
	p := asteriskconf.Params{
		Node: fmt.Sprintf("bench-%d", n), EntityID: fmt.Sprintf("02:00:00:00:be:%02x", n),
		Modules: found.Modules, Data: found.Data,
		State: filepath.Join(dir, "state"), Spool: filepath.Join(dir, "spool"),
		Run: filepath.Join(dir, "run"), Log: filepath.Join(dir, "log"),
		SIP: netip.MustParseAddrPort(e.sip), App: ariApp,
		ARI:     asteriskconf.ARI{AddrPort: netip.MustParseAddrPort(e.ari), User: ariUser, Password: ariPassword},
		RTP:     asteriskconf.Ports{First: first, Last: first + 2999},
		Trunks:  []asteriskconf.Trunk{{Name: "trunk", Addresses: []string{"127.0.0.1"}, Trust: asteriskconf.TrustFrom}},
		NoAudio: time.Minute, LongestCall: time.Hour,
		Fallback: filepath.Join(dir, "none"), Music: music,
	}
	for _, f := range change {
		f(&p)
	}
	if err := asteriskconf.Render(conf, p); err != nil {
		t.Fatal(err)
	}
	appendTo(t, filepath.Join(conf, "extensions.conf"), fmt.Sprintf(nativeMenu, e.sounds))
	appendTo(t, filepath.Join(conf, "modules.conf"), "\nload = app_read.so\n")

	command := func(args ...string) *exec.Cmd {
		return exec.Command(found.Asterisk, append([]string{"-C", filepath.Join(conf, "asterisk.conf")}, args...)...)
	}
	e.started = start(t, command("-f"))
	until(t, 30*time.Second, "Asterisk", func() error { return command("-rx", "core waitfullybooted").Run() })
	return e
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// freePort is an address of this machine that nobody listens at just now.
func freePort(t *testing.T, network string) string {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.LocalAddr().String()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
