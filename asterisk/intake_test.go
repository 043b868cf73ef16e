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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ringback/asterisk"
	"ringback/queue"
)

// intake is one that runs, and what it was given.
type intake struct {
	*asterisk.Intake
	metrics *prometheus.Registry
	stop    context.CancelFunc
	ended   chan error

	mu    sync.Mutex
	taken []queue.Registration
	fail  error
}

func newIntake(t testing.TB, change ...func(*asterisk.IntakeOptions)) *intake {
	t.Helper()
	i := &intake{metrics: prometheus.NewRegistry(), ended: make(chan error, 1)}
	o := asterisk.IntakeOptions{
		Node: "node-1", Region: "DE", Language: "de", Logger: slog.New(slog.DiscardHandler), Registerer: i.metrics,
		Patience: patience, Now: func() time.Time { return time.Date(2026, 11, 25, 9, 0, 0, 0, time.FixedZone("", 3600)) },
	}
	for _, f := range change {
		f(&o)
	}
	made, err := asterisk.NewIntake("127.0.0.1:0", func(_ context.Context, r queue.Registration) error {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.fail != nil {
			return i.fail
		}
		i.taken = append(i.taken, r)
		return nil
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	i.Intake = made
	i.run(t)
	return i
}

func (i *intake) run(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	i.stop = cancel
	over := make(chan struct{})
	go func() {
		defer close(over)
		i.ended <- i.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-over
	})
	receive(t, "listening", i.Listening())
}

func (i *intake) all() []queue.Registration {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.taken
}

// environment is what Asterisk 22.10.1 sent for a call of the demo, with the
// arguments changed.
func environment(script string, args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `agi_network: yes
agi_network_script: %[1]s
agi_request: agi://127.0.0.1:4573/%[1]s
agi_channel: PJSIP/trunk-00000001
agi_language: en
agi_type: PJSIP
agi_uniqueid: node-1-1764057600.1
agi_version: 22.10.1
agi_callerid: 023150012345
agi_calleridname: unknown
agi_callingpres: 0
agi_callingani2: 0
agi_callington: 0
agi_callingtns: 0
agi_dnid: 116117
agi_rdnis: unknown
agi_context: register
agi_extension: s
agi_priority: 4
agi_enhanced: 0.0
agi_accountcode: 
agi_threadid: 140000000000000
`, script)
	for n, a := range args {
		fmt.Fprintf(&b, "agi_arg_%d: %s\n", n+1, a)
	}
	return b.String() + "\n"
}

// ask sends what Asterisk would and returns the command that came, as Asterisk
// would act on it; empty where the connection was just closed.
func (i *intake) ask(t testing.TB, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", i.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, text) // it may be closed before the end of that
	in := bufio.NewReader(c)
	command, err := in.ReadString('\n')
	if err != nil {
		return ""
	}
	if _, err := io.WriteString(c, "200 result=1\n"); err != nil {
		t.Error(err)
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		t.Errorf("after the command: %q, %v", rest, err)
	}
	return strings.TrimSuffix(command, "\n")
}

const (
	asRegistered = "SET VARIABLE REGISTERED 1"
	asWithheld   = "SET VARIABLE REGISTERED withheld"
)

// An attempt is written down before Asterisk hears of it, the same when it
// comes again.
func TestIntakeRegisters(t *testing.T) {
	t.Parallel()
	i := newIntake(t)
	text := environment("register", "023150012345", "allowed_not_screened", "1-99%40127.0.0.1")
	for range 2 {
		if got := i.ask(t, text); got != asRegistered {
			t.Fatalf("got %q", got)
		}
	}
	i.ask(t, environment("register", "023150012345", "allowed", "2-99%40127.0.0.1"))
	i.ask(t, environment("register", "023150012346", "allowed", "1-99%40127.0.0.1"))
	all := i.all()
	if len(all) != 4 {
		t.Fatalf("taken: %+v", all)
	}
	want := queue.Registration{
		ID: all[0].ID, Dialog: "1-99@127.0.0.1", Number: "+4923150012345", Node: "node-1",
		At: time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC), Language: "de",
	}
	if all[0] != want || all[1] != want {
		t.Errorf("taken %+v and %+v, want twice %+v", all[0], all[1], want)
	}
	if all[2].ID == want.ID || all[3].ID == want.ID || all[2].ID == all[3].ID {
		t.Errorf("different attempts have one id: %+v", all)
	}
}

func TestIntakeAnswers(t *testing.T) {
	t.Parallel()
	i := newIntake(t)
	for name, c := range map[string]struct{ text, want string }{
		"national":               {environment("register", "0231500123", "allowed", "a"), asRegistered},
		"plus sign":              {environment("register", "+49231500123", "allowed", "a"), asRegistered},
		"no Call-ID":             {environment("register", "0231500123", "allowed"), asRegistered},
		"ends of lines":          {strings.ReplaceAll(environment("register", "0231500123", "allowed", "a"), "\n", "\r\n"), asRegistered},
		"hung up meanwhile":      {environment("register", "0231500123", "allowed", "a") + "HANGUP\n", asRegistered},
		"withheld":               {environment("register", "0231500123", "prohib_passed_screen", "a"), asWithheld},
		"unavailable":            {environment("register", "", "unavailable", "a"), asWithheld},
		"anonymous":              {environment("register", "anonymous", "allowed", "a"), asWithheld},
		"no number":              {environment("register", "116117", "allowed", "a"), asWithheld},
		"nothing":                {environment("register"), asWithheld},
		"turned away":            {environment("turned-away"), ""},
		"another script":         {environment("book"), ""},
		"no script":              {environment(""), ""},
		"another protocol":       {"GET / HTTP/1.1\r\n\r\n", ""},
		"an empty line":          {"\n", ""},
		"no variable":            {"agi_network: yes\nagi_network_script\n\n", ""},
		"a line without an end":  {"agi_network: " + strings.Repeat("x", 9000), ""},
		"lines without an end":   {strings.Repeat("agi_arg_9: x\n", 10000), ""},
		"a Call-ID of no text":   {environment("register", "0231500123", "allowed", "%00%ff%zz"), asRegistered},
		"a Call-ID without end":  {environment("register", "0231500123", "allowed", strings.Repeat("x", 4000)), asRegistered},
		"an argument with colon": {environment("register", "0231500123", "allowed", "a:b"), asRegistered},
	} {
		t.Run(name, func(t *testing.T) {
			if got := i.ask(t, c.text); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	for _, r := range i.all() {
		if len(r.Dialog) > 255 || strings.ContainsRune(r.Dialog, 0) {
			t.Errorf("kept the Call-ID %q", r.Dialog)
		}
	}
}

// What cannot be written down is not answered, and is the next time.
func TestIntakeFails(t *testing.T) {
	t.Parallel()
	i := newIntake(t)
	i.mu.Lock()
	i.fail = errors.New("the disk is full")
	i.mu.Unlock()
	text := environment("register", "0231500123", "allowed", "a")
	if got := i.ask(t, text); got != "" {
		t.Errorf("got %q", got)
	}
	i.mu.Lock()
	i.fail = nil
	i.mu.Unlock()
	if got := i.ask(t, text); got != asRegistered || len(i.all()) != 1 {
		t.Errorf("got %q, taken %v", got, i.all())
	}
}

// Who says nothing is not waited for, and those behind come through.
func TestIntakeIsBounded(t *testing.T) {
	t.Parallel()
	i := newIntake(t, func(o *asterisk.IntakeOptions) { o.Connections, o.Patience = 2, 100*time.Millisecond })
	for range 4 {
		c, err := net.Dial("tcp", i.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if got := i.ask(t, environment("register", "0231500123", "allowed", "a")); got != asRegistered {
		t.Errorf("got %q", got)
	}
}

// Run waits for the port of the process before, and ends when it is told.
func TestIntakeWaitsForThePort(t *testing.T) {
	t.Parallel()
	before := newIntake(t)
	next, err := asterisk.NewIntake(before.Addr().String(), func(context.Context, queue.Registration) error { return nil },
		asterisk.IntakeOptions{Logger: slog.New(slog.DiscardHandler), Region: "DE"})
	if err != nil {
		t.Fatal(err)
	}
	i := &intake{Intake: next, ended: make(chan error, 1)}
	go func() {
		before.ask(t, environment("register", "0231500123", "allowed", "a"))
		before.stop()
	}()
	i.run(t)
	if i.Addr() != before.Addr() {
		t.Errorf("listens at %s, want %s", i.Addr(), before.Addr())
	}
	if got := i.ask(t, environment("register", "0231500123", "allowed", "a")); got != asRegistered {
		t.Errorf("got %q", got)
	}
	i.stop()
	if err := receive(t, "end", i.ended); err != nil {
		t.Error(err)
	}
	third, err := asterisk.NewIntake(newIntake(t).Addr().String(), nil, asterisk.IntakeOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := third.Run(ctx); err != nil {
		t.Errorf("ended while it waited: %v", err)
	}
}

func TestIntakeRefusesAddresses(t *testing.T) {
	t.Parallel()
	for _, a := range []string{"", "4573", ":4573", "0.0.0.0:4573", "192.0.2.1:4573", "localhost:4573"} {
		if _, err := asterisk.NewIntake(a, nil, asterisk.IntakeOptions{}); err == nil {
			t.Errorf("%q was taken", a)
		}
	}
	if _, err := asterisk.NewIntake("[::1]:0", nil, asterisk.IntakeOptions{}); err != nil {
		t.Error(err)
	}
}

// FuzzIntake: whatever a connection brings, it is answered as Asterisk
// understands, or closed.
func FuzzIntake(f *testing.F) {
	f.Add(environment("register", "0231500123", "allowed", "a%40b"))
	f.Add(environment("turned-away"))
	f.Add("agi_network: yes\nagi_network_script: register\nagi_arg_1: +49\n\n200 ")
	f.Add("\n\n")
	i := newIntake(f)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(i.Addr()))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, text) // it may be closed before the end of that
		_ = c.CloseWrite()
		answer, err := io.ReadAll(c)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("it was kept waiting")
		}
		if s := strings.TrimSuffix(string(answer), "\n"); s != "" && s != asRegistered && s != asWithheld {
			t.Errorf("answered %q", s)
		}
	})
}
