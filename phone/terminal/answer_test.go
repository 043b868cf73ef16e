package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ringback/phone/phonetest"
)

// waiting is a telephone that waits to be rung.
type waiting struct {
	t       *testing.T
	ctx     context.Context
	address string // host and port
	screen  *screenText
	away    context.CancelFunc
	ended   chan error
}

var waitsAt = regexp.MustCompile(`Waiting to be rung at sip:[^@]+@(\S+); `)

func waitToBeRung(t *testing.T, o Options) *waiting {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	on, away := context.WithCancel(ctx)
	w := &waiting{t: t, ctx: ctx, screen: &screenText{}, away: away, ended: make(chan error, 1)}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	o.Out = w.screen
	go func() { w.ended <- Answer(on, o) }()
	t.Cleanup(away)
	w.address = w.shows(waitsAt)[1]
	return w
}

// shows waits until the screen shows something.
func (w *waiting) shows(what *regexp.Regexp) []string {
	w.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if m := what.FindStringSubmatch(w.screen.String()); m != nil {
			return m
		}
		select {
		case <-tick.C:
		case err := <-w.ended:
			w.t.Fatalf("it ended (%v) and shows no %s:\n%s", err, what, w.screen)
		case <-w.ctx.Done():
			w.t.Fatalf("the screen shows no %s:\n%s", what, w.screen)
		}
	}
}

func (w *waiting) ring(h *phonetest.Hotline, user, from string) (*phonetest.Line, error) {
	return h.Ring(w.ctx, phonetest.Ringing{To: "sip:" + user + "@" + w.address, From: from})
}

func (w *waiting) end() {
	w.t.Helper()
	select {
	case err := <-w.ended:
		if err != nil {
			w.t.Errorf("it ended with %v", err)
		}
	case <-w.ctx.Done():
		w.t.Errorf("it does not end:\n%s", w.screen)
	}
}

// Rung twice it answers twice, by itself, and presses its keys each time when
// the line waits for them.
func TestAnswersByItself(t *testing.T) {
	t.Parallel()
	h := phonetest.Start(t, func(*phonetest.Line) {})
	ask := mumble(1, 2*time.Second)
	dir := demoFor(t, h, outcome{}, map[string][]int16{"Please press one.": ask, "Something else.": mumble(3, 2*time.Second)})
	wav := filepath.Join(dir, "heard.wav")
	w := waitToBeRung(t, Options{Dir: dir, Keys: "1", Save: wav})
	for range 2 {
		began := time.Now()
		l, err := w.ring(h, "+4923150012345", "116117")
		if err != nil {
			t.Fatal(err)
		}
		if rang := time.Since(began); rang < pickUp {
			t.Errorf("it rang for %v only", rang)
		}
		if _, err := l.Play(ask, false); err != nil {
			t.Fatal(err)
		}
		if k, err := l.Key(); err != nil || k.Key != '1' {
			t.Errorf("key %c: %v", k.Key, err)
		}
		if err := l.HangUp(); err != nil {
			t.Fatal(err)
		}
		w.shows(regexp.MustCompile(`(?s)116117 rings for \+4923150012345\.
Answered\.
00:0\d  hotline  Please press one\.
00:0\d  you      1
00:\d\d           The other side hung up after \d+ s\.
Saved what was heard in \S+\.`))
	}
	w.shows(regexp.MustCompile(`Saved what was heard in \S+heard-2\.wav`))
	for _, path := range []string{wav, filepath.Join(dir, "heard-2.wav")} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	w.away()
	w.end()
}

// Somebody at a terminal refuses a call, answers another, presses a key, hangs
// up, and puts the telephone away.
func TestTypedAnswer(t *testing.T) {
	t.Parallel()
	keyboard, terminal := pty(t)
	typed := func(keys string) {
		t.Helper()
		if _, err := keyboard.WriteString(keys); err != nil {
			t.Fatal(err)
		}
	}
	h := phonetest.Start(t, func(*phonetest.Line) {})
	w := waitToBeRung(t, Options{In: terminal, User: "anna"})

	lines := make(chan *phonetest.Line, 2)
	declined := make(chan int, 3)
	call := func(user, from string) {
		l, err := w.ring(h, user, from)
		var d *phonetest.Declined
		switch {
		case errors.As(err, &d):
			declined <- d.Status
		case err != nil:
			t.Error(err)
		default:
			lines <- l
		}
	}
	call("bernd", "1")
	if s := <-declined; s != http.StatusNotFound {
		t.Errorf("somebody else was rung here: %d", s)
	}
	go call("anna", "anonymous")
	w.shows(regexp.MustCompile(`A withheld number rings\. Enter answers`))
	typed("q")
	if s := <-declined; s != 486 {
		t.Errorf("refused with %d", s)
	}
	w.shows(regexp.MustCompile(`You refused\.`))
	go call("anna", "4711")
	w.shows(regexp.MustCompile(`4711 rings\. Enter answers`))
	w.shows(regexp.MustCompile(`It rings\.`))
	typed("\r")
	l := <-lines
	call("anna", "4712")
	if s := <-declined; s != 486 {
		t.Errorf("a second caller was told %d", s)
	}
	w.shows(regexp.MustCompile(`4712 rings too`))
	typed("x5")
	if k, err := l.Key(); err != nil || k.Key != '5' {
		t.Errorf("key %c: %v", k.Key, err)
	}
	typed("q")
	<-l.Gone()
	w.shows(regexp.MustCompile(`You hung up after`))
	typed("q")
	w.end()
}

// Who rings gives up; then the telephone is put away while it rings.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	_, terminal := pty(t)
	h := phonetest.Start(t, func(*phonetest.Line) {})
	w := waitToBeRung(t, Options{In: terminal})
	ringing, stop := context.WithCancel(w.ctx)
	go func() {
		_, _ = h.Ring(ringing, phonetest.Ringing{To: "sip:me@" + w.address, From: "1"})
	}()
	w.shows(regexp.MustCompile(`1 rings for me`))
	stop()
	w.shows(regexp.MustCompile(`They gave up after \d+ s\.`))
	declined := make(chan error, 1)
	go func() {
		_, err := w.ring(h, "me", "2")
		declined <- err
	}()
	w.shows(regexp.MustCompile(`2 rings for me`))
	w.away()
	var d *phonetest.Declined
	if err := <-declined; !errors.As(err, &d) || d.Status != 480 {
		t.Errorf("who rang was told %v", err)
	}
	w.end()
}

// With the name of one of the demo's telephones it logs in as that.
func TestATelephoneOfTheDemo(t *testing.T) {
	t.Parallel()
	r := phonetest.StartRegistrar(t, "desk1", "s3cret")
	dir := t.TempDir()
	info, err := json.Marshal(map[string]any{"sip": r.Addr, "sip_phones": []map[string]string{{"user": "desk1", "password": "s3cret"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "demo.json"), info, 0o600); err != nil {
		t.Fatal(err)
	}
	w := waitToBeRung(t, Options{Dir: dir, User: "desk1", Keys: "1"})
	if contact := <-r.Registered; contact.User != "desk1" || !strings.HasPrefix(w.address, contact.Host) {
		t.Errorf("it logged in at %s as %s", w.address, contact.String())
	}
	w.shows(regexp.MustCompile(`Logged in at ` + regexp.QuoteMeta(r.Addr) + ` as desk1`))
	w.away()
	w.end()
	if contact := <-r.Left; contact.User != "desk1" {
		t.Errorf("%s logged out", contact.String())
	}
}

func TestTelephonesThatCannotWait(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]Options{
		"open the telephone":       {Port: 1 << 20},
		"a telephone has the keys": {Keys: "1 x"},
	} {
		o.Dir = t.TempDir()
		var out screenText
		o.Out = &out
		if err := Answer(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
