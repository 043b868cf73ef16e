package asterisk_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	asteriskconf "ringback/asterisk-conf"
	"ringback/demo"
	"ringback/phone"
)

// exchange is a real Asterisk with few lines, and no controller.
type exchange struct {
	t       *testing.T
	sip     string // host:port
	intake  string // host:port of the intake, at which nobody listens yet
	journal string // folder
	command func(args ...string) *exec.Cmd
}

// desk is the login of a telephone of our own.
const desk, deskPassword = "desk1", "desk-secret"

// newExchange starts one as the demo would. Edit may change its dialplan.
func newExchange(t *testing.T, lines int, rtp asteriskconf.Ports, edit func(dialplan string) string) *exchange {
	t.Helper()
	realAsterisk(t) // or skips
	found, err := demo.Install(t.Context(), demo.Options{Out: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "rreg-*") // a short name: paths of sockets are bounded
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	music := filepath.Join(dir, "music")
	if err := os.Mkdir(music, 0o700); err != nil {
		t.Fatal(err)
	}
	x := &exchange{t: t, sip: freeAddress(t), intake: freeAddress(t), journal: filepath.Join(dir, "journal")}
	conf := filepath.Join(dir, "conf")
	err = asteriskconf.Render(conf, asteriskconf.Params{
		Node: "register", EntityID: "02:00:00:00:4e:01", Modules: found.Modules, Data: found.Data,
		State: filepath.Join(dir, "state"), Spool: filepath.Join(dir, "spool"),
		Run: filepath.Join(dir, "run"), Log: filepath.Join(dir, "log"),
		SIP: netip.MustParseAddrPort(x.sip), App: "ringback", RTP: rtp,
		ARI:    asteriskconf.ARI{AddrPort: netip.MustParseAddrPort(freeAddress(t)), User: "ringback", Password: "ringback"},
		Trunks: []asteriskconf.Trunk{{Name: "trunk", Addresses: []string{"127.0.0.1"}, Trust: asteriskconf.TrustFrom}},
		Phones: []asteriskconf.Phone{{User: desk, Password: deskPassword}},
		Lines:  lines, Intake: netip.MustParseAddrPort(x.intake),
		NoAudio: time.Minute, LongestCall: time.Hour, Fallback: filepath.Join(dir, "none"), Music: music,
	})
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		path := filepath.Join(conf, "extensions.conf")
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, []byte(edit(string(text))), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	x.command = func(args ...string) *exec.Cmd {
		return exec.CommandContext(context.WithoutCancel(t.Context()), found.Asterisk, append([]string{"-C", filepath.Join(conf, "asterisk.conf")}, args...)...)
	}
	x.start(x.command("-f"), syscall.SIGTERM)
	x.until("Asterisk", func() bool { return x.command("-rx", "core waitfullybooted").Run() == nil })
	return x
}

// start runs a program that is ended with the test.
func (x *exchange) start(c *exec.Cmd, end syscall.Signal) {
	x.t.Helper()
	var said bytes.Buffer
	if c.Stdout == nil {
		c.Stdout, c.Stderr = &said, &said
	}
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		x.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Wait() // it is ended by a signal
	}()
	x.t.Cleanup(func() {
		_ = c.Process.Signal(end) // it may have ended
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = c.Process.Kill()
			<-ended
		}
		if x.t.Failed() {
			x.t.Logf("%s: %s", c.Path, said.Bytes())
		}
	})
}

// until waits for a condition that no signal tells of.
func (x *exchange) until(what string, ok func() bool) {
	x.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			x.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// waits says whether a calling number hears it ring, for a line or for being
// registered.
func (x *exchange) waits(number string) bool {
	x.t.Helper()
	out, err := x.command("-rx", "core show channels concise").Output()
	if err != nil {
		x.t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		// Channel, context, extension, priority, state, application, its data, number …
		if f := strings.Split(line, "!"); len(f) > 7 && f[7] == number && f[4] == "Ring" && f[5] == "Wait" {
			return true
		}
	}
	return false
}

// freeAddress is one of this machine at which nobody listens just now, neither by
// TCP nor by UDP.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.ListenPacket("udp", l.Addr().String())
		l.Close()
		if err == nil {
			c.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// ringing is a telephone that rings the exchange.
type ringing struct {
	from  string
	leave context.CancelFunc
	// over gets what became of it once: nil when it was answered, and then the
	// call goes on until leave.
	over chan error
}

// ring calls the hotline by telephone.
func (x *exchange) ring(o phone.CallOptions) *ringing {
	x.t.Helper()
	telephone, err := phone.New(phone.Options{NoReply: patience})
	if err != nil {
		x.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(x.t.Context()))
	r := &ringing{from: o.From, leave: cancel, over: make(chan error, 1)}
	o.To = "sip:116117@" + x.sip
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		call, err := telephone.Dial(ctx, o)
		r.over <- err
		if err != nil {
			return
		}
		<-ctx.Done()
		ended, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer stop()
		_ = call.HangUp(ended) // Asterisk may be gone already
	}()
	x.t.Cleanup(func() {
		cancel()
		<-gone
		_ = telephone.Close() // nothing depends on it any more
	})
	return r
}

// answered waits until the telephone is answered.
func (x *exchange) answered(r *ringing) {
	x.t.Helper()
	if err := receive(x.t, "answer for "+r.from, r.over); err != nil {
		x.t.Fatalf("%s: %v", r.from, err)
	}
}

// refused waits until the telephone is refused, with that status.
func (x *exchange) refused(r *ringing, status int) {
	x.t.Helper()
	err := receive(x.t, "refusal of "+r.from, r.over)
	var refused *phone.Refused
	if !errors.As(err, &refused) || refused.Status != status {
		x.t.Fatalf("%s: %v, want %d", r.from, err, status)
	}
}

// burst is SIPp ringing from many numbers, one call each.
type burst struct {
	log   string
	ended chan error
}

// burst has that many callers ring, so many a second. Each has to end with 480,
// and to hear it ring before if so wanted.
func (x *exchange) burst(calls, rate int, rings bool) *burst {
	x.t.Helper()
	sipp := os.Getenv("RINGBACK_SIPP")
	if sipp == "" {
		const need = "needs SIPp: set RINGBACK_SIPP"
		if os.Getenv("CI") == "true" {
			x.t.Fatal(need)
		}
		x.t.Skip(need)
	}
	dir := x.t.TempDir()
	script := filepath.Join("testdata", "sipp", "register.xml")
	if rings {
		text, err := os.ReadFile(script)
		script = filepath.Join(dir, "script.xml")
		if err == nil {
			err = os.WriteFile(script, bytes.Replace(text, []byte(`"180" optional="true"`), []byte(`"180"`), 1), 0o600)
		}
		if err != nil {
			x.t.Fatal(err)
		}
	}
	numbers := "SEQUENTIAL\n"
	for n := range calls {
		numbers += fmt.Sprintf("0231%08d;\n", 50_000_000+n)
	}
	file := filepath.Join(dir, "numbers.csv")
	if err := os.WriteFile(file, []byte(numbers), 0o600); err != nil {
		x.t.Fatal(err)
	}
	b := &burst{log: filepath.Join(dir, "acknowledged"), ended: make(chan error, 1)}
	_, control, err := net.SplitHostPort(freeAddress(x.t))
	if err != nil {
		x.t.Fatal(err)
	}
	var said bytes.Buffer
	c := exec.CommandContext(x.t.Context(), sipp, x.sip, "-sf", script, "-inf", file,
		"-s", "116117", "-i", "127.0.0.1", "-cp", control, "-m", strconv.Itoa(calls), "-l", strconv.Itoa(calls), "-r", strconv.Itoa(rate),
		"-nostdin", "-trace_logs", "-log_file", b.log)
	c.Env = append(os.Environ(), "TERM=dumb")
	c.Stdout, c.Stderr = &said, &said
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		x.t.Fatal(err)
	}
	go func() {
		err := c.Wait()
		if err != nil {
			err = fmt.Errorf("SIPp: %w: %s", err, said.Bytes())
		}
		b.ended <- err
	}()
	return b
}

// acknowledged are the calls that got 480 so far: their numbers by Call-ID.
func (b *burst) acknowledged(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open(b.log)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if id, number, ok := strings.Cut(lines.Text(), " "); ok {
			all[id] = number
		}
	}
	return all
}
