package asterisk_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"ringback/asterisk"
	asteriskconf "ringback/asterisk-conf"
	"ringback/e164"
	"ringback/journal"
	"ringback/phone"
	"ringback/queue"
)

// ample are ports for audio for all callers of a test.
var ample = asteriskconf.Ports{First: 24000, Last: 25999}

// TestIntakeProcess is not a test: it is the process that is killed.
func TestIntakeProcess(t *testing.T) {
	listen, dir := os.Getenv("RINGBACK_INTAKE_LISTEN"), os.Getenv("RINGBACK_INTAKE_JOURNAL")
	if dir == "" {
		t.Skip("only TestRegister starts it")
	}
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	i, err := asterisk.NewIntake(listen, j.Register, asterisk.IntakeOptions{Node: "register", Region: "DE", Language: "de"})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-i.Listening()
		fmt.Println("listening")
	}()
	if err := errors.Join(i.Run(context.Background()), j.Close()); err != nil {
		t.Fatal(err)
	}
}

// startIntake starts the intake in a process of its own, and returns once it
// listens.
func (x *exchange) startIntake() (kill func()) {
	x.t.Helper()
	c := exec.CommandContext(context.WithoutCancel(x.t.Context()), os.Args[0], "-test.run=^TestIntakeProcess$")
	c.Env = append(os.Environ(), "RINGBACK_INTAKE_LISTEN="+x.intake, "RINGBACK_INTAKE_JOURNAL="+x.journal)
	read, write := io.Pipe()
	c.Stdout, c.Stderr = write, write
	c.WaitDelay = time.Second
	x.start(c, syscall.SIGKILL)
	lines := bufio.NewScanner(read)
	for lines.Scan() && lines.Text() != "listening" {
		x.t.Log("intake: " + lines.Text())
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	return func() {
		if err := c.Process.Kill(); err != nil {
			x.t.Fatal(err)
		}
	}
}

// registered reads the journal, which nobody has any more.
func (x *exchange) registered() []queue.Registration {
	x.t.Helper()
	j, err := journal.Open(x.journal, journal.Options{Patience: patience, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		x.t.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			x.t.Error(err)
		}
	}()
	ended, end := context.WithCancel(x.t.Context())
	end()
	records, err := j.Next(ended, 1<<20)
	if err != nil && !errors.Is(err, context.Canceled) {
		x.t.Fatal(err)
	}
	var all []queue.Registration
	for _, r := range records {
		one, err := r.Registration()
		if err != nil {
			x.t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// takeLine has somebody take the one line there is.
func (x *exchange) takeLine() *ringing {
	x.t.Helper()
	r := x.ring(phone.CallOptions{From: "+4923150099999"})
	x.answered(r)
	return r
}

// TestRegister: whoever rings while all lines are taken is refused with 480
// only when the number is on the disk, also those who ring while the intake is
// killed. Nobody is registered who did not ring.
func TestRegister(t *testing.T) {
	t.Parallel()
	x := newExchange(t, 1, ample, nil)
	kill := x.startIntake()
	x.takeLine()
	const calls = 240
	b := x.burst(calls, 80, false)
	for n := 1; n <= 2; n++ {
		x.until("callers who are registered", func() bool { return len(b.acknowledged(t)) >= n*60 })
		kill()
		kill = x.startIntake()
	}
	if err := receive(t, "end of the calls", b.ended); err != nil {
		t.Error(err)
	}
	kill()
	byDialog, ids := map[string]queue.Registration{}, map[string]bool{}
	for _, r := range x.registered() {
		if before, again := byDialog[r.Dialog]; again && (before.ID != r.ID || before.Number != r.Number) {
			t.Errorf("one attempt became two: %+v and %+v", before, r)
		}
		byDialog[r.Dialog] = r
		ids[r.ID.String()] = true
		if r.Node != "register" || r.Language != "de" || time.Since(r.At) > patience {
			t.Errorf("registered %+v", r)
		}
	}
	told := b.acknowledged(t)
	for id, number := range told {
		if r, ok := byDialog[id]; !ok || r.Number != e164.Number("+49"+number[1:]) {
			t.Errorf("%s got 480 for %s, and %+v is registered", number, id, r)
		}
	}
	if len(told) != calls || len(byDialog) != calls || len(ids) != calls {
		t.Errorf("%d calls: %d got 480, %d are registered under %d ids", calls, len(told), len(byDialog), len(ids))
	}
}

// TestRegisterWaits: while nobody registers, nobody is refused. It rings, until
// there is somebody, or a line.
func TestRegisterWaits(t *testing.T) {
	t.Parallel()
	x := newExchange(t, 1, ample, nil)
	holder := x.takeLine()
	first := x.ring(phone.CallOptions{From: "+4923150000001"})
	x.until("the first rings", func() bool { return x.waits(first.from) })
	holder.leave()
	x.answered(first) // the line came free
	second := x.burst(1, 1, true)
	x.until("the second rings", func() bool { return x.waits("023150000000") })
	kill := x.startIntake()
	if err := receive(t, "end of the second", second.ended); err != nil {
		t.Error(err)
	}
	kill()
	if all := x.registered(); len(all) != 1 || all[0].Number != "+4923150000000" {
		t.Errorf("registered %+v", all)
	}
}

// TestRegisterWithheld: who shows no number is kept ringing for a line, and is
// answered beyond the cap after a while; so is as many as can be borne.
func TestRegisterWithheld(t *testing.T) {
	t.Parallel()
	x := newExchange(t, 1, ample, func(dialplan string) string {
		short := strings.Replace(dialplan, "${EPOCH} + 60", "${EPOCH} + 2", 1)
		if short == dialplan {
			t.Fatal("the dialplan lets ring for another time")
		}
		return short
	})
	kill := x.startIntake()
	holder := x.takeLine()
	withheld := func() *ringing { return x.ring(phone.CallOptions{From: phone.Anonymous}) }
	first := withheld()
	x.until("the first rings", func() bool { return x.waits("anonymous") })
	turnedAway := withheld() // as many ring as there are lines
	x.refused(turnedAway, 480)
	x.answered(first) // beyond the cap
	second := withheld()
	x.until("the second rings", func() bool { return strings.Contains(x.groups(), "ringing") })
	// Two lines are taken of one; when both are free, it is not beyond.
	first.leave()
	holder.leave()
	x.answered(second)
	kill()
	if all := x.registered(); len(all) != 0 {
		t.Errorf("registered %+v", all)
	}
}

// groups is who counts as what.
func (x *exchange) groups() string {
	x.t.Helper()
	out, err := x.command("-rx", "group show channels").Output()
	if err != nil {
		x.t.Fatal(err)
	}
	return string(out)
}

// TestRegisterOwnTelephones: telephones of our own take no line.
func TestRegisterOwnTelephones(t *testing.T) {
	t.Parallel()
	x := newExchange(t, 1, ample, nil)
	own := phone.CallOptions{From: desk, User: desk, Password: deskPassword}
	x.answered(x.ring(own))
	x.takeLine()
	x.answered(x.ring(own))
}

// TestRegisterFull: beyond the calls for which there are ports for audio a
// call is refused with 503, which networks take elsewhere, and not left
// without an answer.
func TestRegisterFull(t *testing.T) {
	t.Parallel()
	x := newExchange(t, 1, asteriskconf.Ports{First: 26000, Last: 26015}, nil) // for 8, of which calls in take 6
	holder := x.takeLine()
	var all []*ringing
	for n := range 5 {
		r := x.ring(phone.CallOptions{From: fmt.Sprintf("+492315000001%d", n)})
		x.until("it rings", func() bool { return x.waits(r.from) })
		all = append(all, r)
	}
	x.refused(x.ring(phone.CallOptions{From: "+4923150000020"}), 503)
	// And those who wait are not forgotten over it.
	holder.leave()
	kill := x.startIntake()
	taken := 0
	for _, r := range all {
		if err := receive(t, "end of the wait", r.over); err == nil {
			taken++
		}
	}
	kill()
	if n := len(x.registered()); taken != 1 || n != 4 {
		t.Errorf("%d were answered and %d registered, want 1 and 4", taken, n)
	}
}

// TestRegisterOverload: when more SIP comes in than is worked off, Asterisk says
// so with 503 from 500 waiting tasks on, and goes on when they are done.
func TestRegisterOverload(t *testing.T) {
	t.Parallel()
	x := newExchange(t, 1, ample, nil)
	c, err := net.Dial("tcp", x.sip)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// Requests of one Call-ID and From tag wait in one queue. These take long to
	// refuse (488), and leave no call behind.
	const sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 96\r\na=rtpmap:96 none/8000\r\n"
	ask := func(n int) string {
		return fmt.Sprintf("INVITE sip:116117@%[1]s SIP/2.0\r\nVia: SIP/2.0/TCP %[2]s;branch=z9hG4bK%[3]d\r\nFrom: <sip:flood@127.0.0.1>;tag=1\r\n"+
			"To: <sip:116117@127.0.0.1>\r\nContact: <sip:flood@%[2]s;transport=tcp>\r\nCall-ID: flood\r\nCSeq: %[3]d INVITE\r\nMax-Forwards: 70\r\n"+
			"Content-Type: application/sdp\r\nContent-Length: %[4]d\r\n\r\n%[5]s", x.sip, c.LocalAddr(), n, len(sdp), sdp)
	}
	const requests = 3000
	var flood strings.Builder
	for n := range requests {
		flood.WriteString(ask(n + 1))
	}
	go func() { _, _ = io.WriteString(c, flood.String()) }()
	statuses := map[string]int{}
	lines := bufio.NewScanner(c)
	next := func() string { // the next that is final
		for lines.Scan() {
			if status, ok := strings.CutPrefix(lines.Text(), "SIP/2.0 "); ok && status[0] != '1' {
				return status[:3]
			}
		}
		t.Fatalf("the connection ended: %v; answers so far: %v", lines.Err(), statuses)
		return ""
	}
	for range requests {
		statuses[next()]++
	}
	t.Logf("answers: %v", statuses)
	if statuses["503"] == 0 || statuses["488"] < 250 || statuses["503"]+statuses["488"] != requests {
		t.Errorf("%d requests: want at least 250 that are worked off (488), each of which waits once or twice, and 503 for some", requests)
	}
	late := time.Now().Add(patience)
	for n, status := requests+1, "503"; status != "488"; n++ {
		if _, err := io.WriteString(c, ask(n)); err != nil {
			t.Fatal(err)
		}
		if status = next(); time.Now().After(late) {
			t.Fatalf("when all is done it still answers %s", status)
		}
	}
}
