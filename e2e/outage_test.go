package e2e

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zaf/g711"

	"ringback/phone/listen"
	"ringback/prompts"
)

// announced is what a caller without a controller hears, to whom knows it.
const announced prompts.Key = "fallback"

// withAnnouncement are the prompts of the hotline and its fallback's
// announcement, which is not one of them.
func (h *hotline) withAnnouncement(t *testing.T) *listen.Library {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(h.dir, "announcements", "*.ulaw"))
	if err != nil || len(files) != 1 {
		t.Fatalf("announcements: %v, %v", files, err)
	}
	spoken, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, len(spoken))
	for i, b := range spoken {
		pcm[i] = g711.DecodeUlawFrame(b)
	}
	lib := h.prompts(t).Copy()
	if !lib.Add("announcement", []string{string(announced)}, "", pcm) {
		t.Fatal("nobody speaks in the announcement")
	}
	return lib
}

// takenUp waits until a caller in a dialogue hears that somebody is there, and
// then the question they were asked.
func (c *caller) takenUp(ctx context.Context, question prompts.Key) {
	c.t.Helper()
	c.expect(ctx, "takeover.here")
	c.expect(ctx, question)
}

// books says yes at the question, waits until it is booked, and hangs up.
func (c *caller) books(ctx context.Context, h *hotline, number string) {
	c.t.Helper()
	if err := c.Press(ctx, "1"); err != nil {
		c.t.Fatal(err)
	}
	c.expect(ctx, "booked.done")
	if err := c.HangUp(ctx); err != nil {
		c.t.Fatal(err)
	}
	h.booked(c.t, number)
}

// lateBy fails the test if a line began later than it may after a moment.
func (c *caller) lateBy(line prompts.Key, after time.Time, what string, most time.Duration) {
	c.t.Helper()
	at, _ := c.heard(line)
	took := at.Sub(after)
	c.t.Logf("%s was heard %.1f s after %s", line, took.Seconds(), what)
	if took > most {
		c.t.Errorf("%s was heard %v after %s, want at most %v", line, took, what, most)
	}
}

// TestFrozenController: the controller freezes in the middle of a dialogue.
// The watchdog ends it within 10 s, and with the next one both get on: the
// caller in the dialogue where they were, and who rang meanwhile.
func TestFrozenController(t *testing.T) {
	t.Parallel()
	h := own(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	number, other := newNumber(), newNumber()
	talking := h.ring(t, number)
	talking.converse(ctx, toConfirm...)

	old := h.pid(t, "controller.pid")
	frozen := time.Now()
	if err := syscall.Kill(old, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ringing := h.ring(t, other) // rings until somebody is there
	until(t, "the frozen controller is ended", func() bool { return !runs(old) })
	if took := time.Since(frozen); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	talking.takenUp(ctx, "confirm.ask")
	talking.lateBy("takeover.here", frozen, "the controller froze", 25*time.Second)
	talking.books(ctx, h, number)

	ringing.converse(ctx, turn{"welcome.greeting", ""})
	ringing.lateBy("welcome.greeting", frozen, "the controller froze", 25*time.Second)
	ringing.converse(ctx, toConfirm...)
	ringing.books(ctx, h, other)
	if now := h.pid(t, "controller.pid"); now == old {
		t.Errorf("controller.pid still names %d", old)
	}
}

// runs says whether a process is there and not only waits to be collected.
func runs(pid int) bool {
	s, err := stat(pid)
	return err == nil && s.state != "Z"
}

// TestNoControllerForTwoMinutes: the controller dies in the middle of a
// dialogue and none comes for two minutes. Nobody hears busy or silence: who
// rings hears the announcement at once, who was in a dialogue after 30 s, and
// then music; and when a controller comes, it takes both up.
func TestNoControllerForTwoMinutes(t *testing.T) {
	t.Parallel()
	h := own(t, "--no-controller")
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	first := h.startController(t)
	h.untilReady(t)
	number, other := newNumber(), newNumber()
	talking := h.ringKnowing(t, number, h.withAnnouncement(t))
	talking.converse(ctx, toConfirm...)

	first.end(t, syscall.SIGKILL)
	died := time.Now()
	ringing := h.ringKnowing(t, other, h.withAnnouncement(t))
	ringing.expect(ctx, announced)
	ringing.lateBy(announced, died, "the controller died", 10*time.Second)
	talking.expect(ctx, announced)
	talking.lateBy(announced, died, "the controller died", 45*time.Second)
	waiting, _ := talking.heard(announced)

	for _, c := range []*caller{talking, ringing} {
		if err := c.waitUntil(ctx, died.Add(2*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	back := time.Now()
	h.startController(t)
	talking.takenUp(ctx, "confirm.ask")
	talking.lateBy("takeover.here", back, "a controller was started", 20*time.Second)
	ringing.expect(ctx, "welcome.greeting")
	ringing.lateBy("welcome.greeting", back, "a controller was started", 20*time.Second)

	talking.neverSilent("in the dialogue", waiting, back)
	rang, _ := ringing.heard(announced)
	ringing.neverSilent("who rang", rang, back)
	talking.books(ctx, h, number)
}

// waitUntil listens until a moment.
func (c *caller) waitUntil(ctx context.Context, moment time.Time) error {
	ctx, cancel := context.WithDeadlineCause(ctx, moment, errMoment)
	defer cancel()
	for {
		if _, err := c.Hear(ctx); errors.Is(err, errMoment) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

var errMoment = errors.New("the moment has come")

const (
	// listening is the piece in which a caller should hear something. The
	// longest pauses that are meant are below a second: between the two
	// languages of the announcement, and between chords of the music.
	listening = 5 * time.Second
	// audible is the level in dB full scale that is no silence: the music is at
	// about −25.
	audible = -45
)

// neverSilent fails the test for each piece between two moments in which the
// caller heard nothing.
func (c *caller) neverSilent(who string, from, to time.Time) {
	c.t.Helper()
	pcm := c.call.Heard()
	at := func(m time.Time) int { return int(m.Sub(c.call.Dialled()).Seconds() * listen.Rate) }
	piece := int(listening.Seconds() * listen.Rate)
	pieces, faintest := 0, 0.0
	for i := at(from); i+piece <= min(at(to), len(pcm)); i += piece {
		db := level(pcm[i : i+piece])
		faintest = min(faintest, db)
		pieces++
		if db < audible {
			c.t.Errorf("%s: silence from %.0f s on (%.0f dB)", who, float64(i-at(from))/listen.Rate, db)
		}
	}
	c.t.Logf("%s: %d pieces of %v, the faintest %.0f dB", who, pieces, listening, faintest)
	if least := int(to.Sub(from)/listening) - 1; pieces < least {
		c.t.Errorf("%s: %d pieces, want %d", who, pieces, least)
	}
}

// level is the power of audio in dB full scale.
func level(pcm []int16) float64 {
	var sum float64
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return 10 * math.Log10(max(sum/float64(len(pcm)), 1e-3)/(1<<30))
}

// TestPostgresAway: Postgres stands still for 20 s when the caller says yes.
// They are asked for a moment, and then it is booked; nothing is confirmed
// before it was committed.
func TestPostgresAway(t *testing.T) {
	t.Parallel()
	h := own(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	number := newNumber()
	c := h.ring(t, number)
	c.converse(ctx, toConfirm...)
	seat := h.count(t, `SELECT id FROM seats WHERE held_number = $1 AND state = 'held'`, number)

	goOn := freeze(t, h.pid(t, "postgres.pid"))
	stopped := time.Now()
	if err := c.Press(ctx, "1"); err != nil {
		t.Fatal(err)
	}
	c.expect(ctx, "common.moment")
	c.lateBy("common.moment", stopped, "the key", 10*time.Second)
	if err := c.waitUntil(ctx, stopped.Add(20*time.Second)); err != nil {
		t.Fatal(err)
	}
	if at, said := c.heard("booked.done"); said {
		t.Errorf("it was said to be booked %v after Postgres stopped", at.Sub(stopped))
	}
	back := time.Now()
	goOn()
	c.expect(ctx, "booked.done")
	c.lateBy("booked.done", back, "Postgres went on", 15*time.Second)
	if got := h.count(t, `SELECT s.id FROM seats s JOIN appointments a ON a.id = s.appointment_id JOIN persons p ON p.id = a.person_id
		WHERE p.number = $1 AND a.state = 'booked'`, number); got != seat {
		t.Errorf("seat %d is booked, but seat %d was read out", got, seat)
	}
	if err := c.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	h.booked(t, number)
}

// freeze stops a process and its children, and returns what lets them go on.
// They go on with the end of the test at the latest.
func freeze(t *testing.T, parent int) (goOn func()) {
	t.Helper()
	// The parent first: then no child is born any more.
	if err := syscall.Kill(parent, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	stopped := []int{parent}
	goOn = func() {
		for _, pid := range stopped {
			_ = syscall.Kill(pid, syscall.SIGCONT) // one may have ended
		}
		stopped = nil
	}
	t.Cleanup(goOn)
	all, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if s, err := stat(pid); err == nil && s.parent == parent && syscall.Kill(pid, syscall.SIGSTOP) == nil {
			stopped = append(stopped, pid)
		}
	}
	if len(stopped) < 2 {
		t.Fatalf("process %d has no children", parent)
	}
	return goOn
}

// status is what the kernel tells of a process (proc(5), stat).
type status struct {
	state  string
	parent int
}

func stat(pid int) (status, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return status{}, err
	}
	// The program's name before may hold spaces and brackets.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 2 {
		return status{}, fmt.Errorf("stat of process %d: %q", pid, text)
	}
	parent, err := strconv.Atoi(fields[1])
	return status{state: fields[0], parent: parent}, err
}
