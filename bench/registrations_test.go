package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
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

// TestRegistrations measures how many callers a second are registered from the
// INVITE alone when all lines are taken: SIPp rings, Asterisk asks the intake,
// which answers when its disk has it. None may be lost, also when the intake is
// killed again and again.
func TestRegistrations(t *testing.T) {
	r := measuring(t)
	appends(t, r)
	at := freePort(t, "tcp")
	registering := &registering{t: t, sipp: sippProgram(t), task: intaking{Listen: at, Journal: filepath.Join(folder(t), "journal")}}
	registering.exchange = newExchange(t, 0, func(p *asteriskconf.Params) {
		p.Lines, p.Intake = 1, netip.MustParseAddrPort(at)
		p.RTP.Last = p.RTP.First + 9999 // as in production
	})
	registering.startIntake()
	registering.takeLine()

	best := 0.0
	for _, rate := range []int{250, 500, 750, 1000} {
		b := registering.burst(rate, scaledFor(10*time.Second))
		b.report(r, fmt.Sprintf("%d INVITEs a second", rate))
		if b.count["480"] == b.calls {
			best = max(best, float64(b.calls)/b.took.Seconds())
		}
	}
	r.atLeast("registrations a second, every caller registered", best, 500, "a second")

	// Restarted at once, as its supervisor would.
	kills := 0
	b := registering.burstWhile(500, scaledFor(20*time.Second), func(ctx context.Context) {
		for pause(ctx, scaledFor(3*time.Second)); ctx.Err() == nil; pause(ctx, scaledFor(3*time.Second)) {
			registering.intake.stop(syscall.SIGKILL)
			registering.startIntake()
			kills++
		}
	})
	b.report(r, fmt.Sprintf("500 INVITEs a second, the intake killed %d times", kills))

	b = registering.burst(2000, scaledFor(4*time.Second))
	b.report(r, "2000 INVITEs a second, more than can be served")

	registering.intake.stop(syscall.SIGKILL)
	lost, twice := registering.compare()
	r.add("all of these", figure{"got 480", float64(len(registering.told)), ""}, figure{"of them lost", float64(lost), ""},
		figure{"written down twice", float64(twice), ""})
	r.atMost("callers who got 480 and are not in the journal", float64(lost), 0, "callers")
	r.write()
}

// appends measures the journal alone.
func appends(t *testing.T, r *report) {
	t.Helper()
	payload, err := json.Marshal(queue.Registration{Dialog: "1-12345@192.0.2.1", Number: "+4923150012345", Node: "bench", Language: "de", At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for _, appenders := range []int{1, 16, 256} {
		j, err := journal.Open(filepath.Join(folder(t), "journal"), journal.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), scaledFor(3*time.Second))
		began, cpu := time.Now(), usage(t)
		var all sync.WaitGroup
		took := make([][]float64, appenders)
		for n := range appenders {
			all.Go(func() {
				for ctx.Err() == nil {
					at := time.Now()
					if err := j.Append(t.Context(), journal.KindRegistration, payload); err != nil {
						t.Error(err)
						return
					}
					took[n] = append(took[n], time.Since(at).Seconds()*1000)
				}
			})
		}
		all.Wait()
		cancel()
		var each []float64
		for _, one := range took {
			each = append(each, one...)
		}
		figures := append(spread(each, "ms"), figure{"rate", float64(len(each)) / time.Since(began).Seconds(), "records/s"},
			figure{"CPU a record", float64(usage(t)-cpu) / 1000 / float64(len(each)), "µs"})
		r.add(fmt.Sprintf("the journal alone, %d who append", appenders), figures[1:]...)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// intaking is the task of an intake.
type intaking struct{ Listen, Journal string }

// intake is what the controller does for callers beyond the last line, alone.
func intake(t *testing.T, text []byte) {
	var task intaking
	if err := json.Unmarshal(text, &task); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	j, err := journal.Open(task.Journal, journal.Options{Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	i, err := asterisk.NewIntake(task.Listen, j.Register, asterisk.IntakeOptions{Node: "bench", Region: "DE", Language: "de", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- i.Run(ctx) }()
	<-i.Listening()
	obey(t, 0, func(context.Context, order) any { return usage(t) })
	cancel()
	if err := errors.Join(<-ran, j.Close()); err != nil {
		t.Error(err)
	}
}

// registering is an exchange with one line, which is taken, and who registers
// all others.
type registering struct {
	t        *testing.T
	exchange *exchange
	sipp     string
	task     intaking
	intake   *child
	told     map[string]string // who got 480: numbers by Call-ID
	calls    int               // so far
}

// sippProgram fetches SIPp if need be.
func sippProgram(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	c := exec.CommandContext(t.Context(), binary(t), "demo", "setup", "--peers", "--", "sh", "-c", "printf %s \"$RINGBACK_SIPP\"")
	c.Stdout, c.Stderr = &out, os.Stdout
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func (g *registering) startIntake() {
	var none int
	g.intake = newChild(g.t, "intake", g.task, &none)
}

// takeLine has somebody take the line there is.
func (g *registering) takeLine() {
	g.t.Helper()
	telephone, err := phone.New(phone.Options{})
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { telephone.Close() })
	ctx, cancel := context.WithTimeout(g.t.Context(), 30*time.Second)
	defer cancel()
	if _, err := telephone.Dial(ctx, phone.CallOptions{To: "sip:" + hotline + "@" + g.exchange.sip, From: "+4923150099999"}); err != nil {
		g.t.Fatal(err)
	}
}

// burst is many callers at once, and what came of them.
type burst struct {
	calls  int
	took   time.Duration  // from the first INVITE to the last answer
	count  map[string]int // of calls, by the status they ended with; "" never got any
	times  []float64      // ms from an INVITE to its 480
	cpu    time.Duration  // of Asterisk
	intake time.Duration  // of the intake; 0 where it was killed
	sipp   time.Duration
}

func (b burst) report(r *report, of string) {
	each := func(d time.Duration) float64 { return d.Seconds() * 1e6 / float64(b.calls) }
	figures := append([]figure{
		{"callers", float64(b.calls), ""}, {"registered", float64(b.count["480"]) / b.took.Seconds(), "a second"},
		{"got 480", float64(b.count["480"]), ""}, {"503", float64(b.count["503"]), ""}, {"488", float64(b.count["488"]), ""}, {"no answer", float64(b.count[""]), ""},
	}, spread(b.times, "ms")[1:]...)
	figures = append(figures, figure{"CPU of Asterisk a caller", each(b.cpu), "µs"}, figure{"cores of Asterisk", b.cpu.Seconds() / b.took.Seconds(), ""})
	if b.intake > 0 {
		figures = append(figures, figure{"CPU of the intake a caller", each(b.intake), "µs"}, figure{"cores of the intake", b.intake.Seconds() / b.took.Seconds(), ""})
	}
	r.add(of, append(figures, figure{"cores of SIPp", b.sipp.Seconds() / b.took.Seconds(), ""})...)
}

func (g *registering) burst(rate int, window time.Duration) burst {
	return g.burstWhile(rate, window, nil)
}

// burstWhile has callers ring while something is done, if not nil, until ctx
// ends with the last of them.
func (g *registering) burstWhile(rate int, window time.Duration, meanwhile func(ctx context.Context)) burst {
	g.t.Helper()
	dir := folder(g.t)
	b := burst{calls: int(float64(rate) * window.Seconds()), count: map[string]int{}}
	numbers := "SEQUENTIAL\n"
	for range b.calls {
		numbers += fmt.Sprintf("0231%08d;\n", 50_000_000+g.calls)
		g.calls++
	}
	if err := os.WriteFile(filepath.Join(dir, "numbers"), []byte(numbers), 0o600); err != nil {
		g.t.Fatal(err)
	}
	script, err := filepath.Abs(filepath.Join("testdata", "register.xml"))
	if err != nil {
		g.t.Fatal(err)
	}
	_, control, err := net.SplitHostPort(freePort(g.t, "udp"))
	if err != nil {
		g.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(g.t.Context(), window+2*time.Minute)
	defer cancel()
	var said bytes.Buffer
	c := exec.CommandContext(ctx, g.sipp, g.exchange.sip, "-sf", script, "-inf", "numbers", "-s", hotline, "-i", "127.0.0.1", "-cp", control,
		"-m", strconv.Itoa(b.calls), "-l", strconv.Itoa(b.calls), "-r", strconv.Itoa(rate), "-nostdin", "-buff_size", "4194304",
		"-trace_logs", "-log_file", "log", "-trace_rtt", "-rtt_freq", "1000")
	c.Dir, c.Env, c.Stdout, c.Stderr = dir, append(os.Environ(), "TERM=dumb"), &said, &said
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	asteriskPid := g.exchange.cmd.Process.Pid
	before, intakeBefore := cpuTime(g.t, asteriskPid), g.intakeCPU()
	if err := c.Start(); err != nil {
		g.t.Fatal(err)
	}
	ringing, over := context.WithCancel(ctx)
	var beside sync.WaitGroup
	if meanwhile != nil {
		beside.Go(func() { meanwhile(ringing) })
	}
	err = c.Wait()
	over()
	beside.Wait()
	var failed *exec.ExitError // some calls got no answer
	if err != nil && !(errors.As(err, &failed) && failed.ExitCode() == 1) {
		g.t.Fatalf("SIPp: %v: %s", err, said.Bytes())
	}
	b.cpu, b.sipp = cpuTime(g.t, asteriskPid)-before, c.ProcessState.UserTime()+c.ProcessState.SystemTime()
	if meanwhile == nil {
		b.intake = g.intakeCPU() - intakeBefore
	}
	g.read(&b, dir)
	return b
}

func (g *registering) intakeCPU() time.Duration {
	var ns int64
	g.intake.ask("use", 0, &ns)
	return time.Duration(ns)
}

// read reads what SIPp wrote: who got which answer, and after how long.
func (g *registering) read(b *burst, dir string) {
	g.t.Helper()
	f, err := os.Open(filepath.Join(dir, "log"))
	if err != nil {
		g.t.Fatal(err)
	}
	defer f.Close()
	if g.told == nil {
		g.told = map[string]string{}
	}
	answered := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if p := strings.Fields(lines.Text()); len(p) == 3 {
			b.count[p[0]]++
			answered++
			if p[0] == "480" {
				g.told[p[1]] = p[2]
			}
		}
	}
	b.count[""] = b.calls - answered
	names, err := filepath.Glob(filepath.Join(dir, "*rtt*.csv"))
	if err != nil || len(names) != 1 {
		g.t.Fatalf("SIPp's times: %q, %v", names, err)
	}
	text, err := os.ReadFile(names[0])
	if err != nil {
		g.t.Fatal(err)
	}
	first, last := math.Inf(1), math.Inf(-1)
	for line := range strings.Lines(string(text)) { // ms since some moment; ms it took; which
		f := strings.Split(line, ";")
		if len(f) < 2 {
			continue
		}
		at, err := strconv.ParseFloat(strings.TrimSpace(f[0]), 64)
		took, err2 := strconv.ParseFloat(strings.TrimSpace(f[1]), 64)
		if errors.Join(err, err2) == nil { // else the heading
			b.times = append(b.times, took)
			first, last = min(first, at-took), max(last, at)
		}
	}
	b.took = time.Duration((last - first) * float64(time.Millisecond))
}

// compare counts who got 480 and is not in the journal, and attempts that are
// in it more than once.
func (g *registering) compare() (lost, twice int) {
	g.t.Helper()
	j, err := journal.Open(g.task.Journal, journal.Options{Patience: 10 * time.Second})
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			g.t.Error(err)
		}
	}()
	kept := map[string]e164.Number{}
	for j.Waiting() > 0 {
		records, err := j.Next(g.t.Context(), 1000)
		if err != nil {
			g.t.Fatal(err)
		}
		for _, r := range records {
			one, err := r.Registration()
			if err != nil {
				g.t.Fatal(err)
			}
			if _, again := kept[one.Dialog]; again {
				twice++
			}
			kept[one.Dialog] = one.Number
		}
		if err := j.Done(records[len(records)-1].Number); err != nil {
			g.t.Fatal(err)
		}
	}
	for id, number := range g.told {
		if kept[id] != e164.Number("+49"+number[1:]) {
			lost++
		}
	}
	return lost, twice
}
