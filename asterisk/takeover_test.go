package asterisk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringback/asterisk"
	"ringback/asterisk/aritest"
	"ringback/ivr"
)

// ledger is a Ledger written by hand.
type ledger struct {
	mu    sync.Mutex
	calls []ivr.Written
	err   error
}

func (l *ledger) write(i ivr.Info, ended bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, ivr.Written{Info: i, Ended: ended})
}

func (l *ledger) Written(_ context.Context, node string, channels []string) ([]ivr.Written, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []ivr.Written
	for _, w := range l.calls {
		if w.Node == node && !w.Ended || slices.Contains(channels, w.Channel) {
			found = append(found, w)
		}
	}
	return found, l.err
}

// successor is a second line to the same Asterisk, with what the first wrote.
func (r *rig) successor(books *ledger, handler asterisk.Handler, change ...func(*asterisk.Options)) *rig {
	r.t.Helper()
	next := &rig{t: r.t, server: r.server, options: r.options}
	next.options.Ledger = books
	next.options.Registerer = nil
	for _, f := range change {
		f(&next.options)
	}
	line, err := asterisk.New(next.options, voice{}, handler)
	if err != nil {
		r.t.Fatal(err)
	}
	next.line = line
	next.run()
	return next
}

// talk says a long prompt and returns what ended it.
func talk(led chan<- ivr.Info, ends chan<- error) asterisk.Handler {
	return func(ctx context.Context, c ivr.Call) {
		if err := c.Answer(ctx); err != nil {
			ends <- err
			return
		}
		led <- c.Info()
		ends <- c.Say(ctx, say("long"))
	}
}

// TestTakeOver: the second controller goes on with the call of the first, which
// lets go of it; what sounded is silenced, and keys arrive.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	first, firstEnds := make(chan ivr.Info, 1), make(chan error, 1)
	r := setup(t, talk(first, firstEnds))
	caller := r.server.Dial("+4923150012345")
	info := receive(t, "the call", first)
	r.playing(caller)

	books := &ledger{}
	books.write(info, false)
	second, keys := make(chan ivr.Info, 1), make(chan ivr.Key, 1)
	next := r.successor(books, func(ctx context.Context, c ivr.Call) {
		if err := c.Answer(ctx); err != nil {
			t.Errorf("answer: %v", err)
		}
		second <- c.Info()
		if err := c.Say(ctx, say("code")); err != nil {
			t.Errorf("say: %v", err)
		}
		k, err := c.Key(ctx, patience)
		if err != nil {
			t.Errorf("key: %v", err)
		}
		keys <- k
	})
	wantErr(t, "the first controller's call", receive(t, "its end", firstEnds), ivr.ErrElsewhere)
	wantErr(t, "the first controller", receive(t, "its end", r.ended), asterisk.ErrReplaced)
	got := receive(t, "the call", second)
	info.TakenOver = true
	if got != info {
		t.Errorf("taken over as %+v, want %+v", got, info)
	}
	if media := next.playing(caller); media != mediaOf("code") {
		t.Errorf("heard %s after the change", media)
	}
	caller.Press('7')
	if k := receive(t, "a key", keys); k != '7' {
		t.Errorf("key %c", k)
	}
	receive(t, "the end of the line", caller.Done())
	if heard := caller.Heard(); len(heard) != 2 {
		t.Errorf("heard %v", heard)
	}
}

// TestTakeOverInARecording: a recording that runs is ended and forgotten.
func TestTakeOverInARecording(t *testing.T) {
	t.Parallel()
	led := make(chan ivr.Info, 1)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		led <- c.Info()
		_, _ = c.Record(ctx, time.Hour) // ends elsewhere
	}, func(r *rig) { r.server.Silence = time.Hour })
	caller := r.server.Dial("+4923150012345")
	info := receive(t, "the call", led)
	if err := caller.WaitRecording(t.Context()); err != nil {
		t.Fatal(err)
	}
	books := &ledger{}
	books.write(info, false)
	said := make(chan error, 1)
	r.successor(books, func(ctx context.Context, c ivr.Call) { said <- c.Say(ctx, say("short")) })
	if err := receive(t, "what is said next", said); err != nil {
		t.Error(err)
	}
	if n := r.server.Stored(); n != 0 {
		t.Errorf("%d recordings are left over", n)
	}
}

// TestTakeOverWithNothingWritten: the call begins anew, with the number the
// dialplan saw.
func TestTakeOverWithNothingWritten(t *testing.T) {
	t.Parallel()
	led := make(chan ivr.Info, 1)
	r := setup(t, talk(led, make(chan error, 1)))
	caller := r.server.DialArgs("", "in", "0231500123", "allowed", "trunk")
	r.playing(caller)
	other := r.server.DialArgs("", "out", "some-attempt")
	again := make(chan ivr.Info, 2)
	r.successor(&ledger{}, func(_ context.Context, c ivr.Call) { again <- c.Info() })
	before, got := receive(t, "the call", led), receive(t, "the call again", again)
	if got.TakenOver || got.ID == before.ID || got.Number != "+49231500123" || got.Channel != caller.Channel() {
		t.Errorf("began anew as %+v", got)
	}
	receive(t, "end", caller.Done())
	select {
	case <-other.Done():
		t.Error("a channel that did not come in was hung up")
	default:
	}
}

// TestOrphansAreEnded: the call is over, its channel is not.
func TestOrphansAreEnded(t *testing.T) {
	t.Parallel()
	led := make(chan ivr.Info, 3)
	r := setup(t, talk(led, make(chan error, 3)))
	books := &ledger{}
	var callers []*aritest.Caller
	for range 3 {
		c := r.server.Dial("+4923150012345")
		r.playing(c)
		callers = append(callers, c)
		books.write(receive(t, "a call", led), true)
	}
	r.successor(books, func(context.Context, ivr.Call) { t.Error("a call that is over was led again") })
	for _, c := range callers {
		receive(t, "the end of an orphan", c.Done())
	}
}

// TestBackFromTheFallback: a call that was sent into the dialplan and tries
// again is the call it was.
func TestBackFromTheFallback(t *testing.T) {
	t.Parallel()
	books := &ledger{}
	led := make(chan ivr.Info, 3)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		led <- c.Info()
		_, _ = c.Key(ctx, patience) // ends elsewhere or with the call
	}, func(r *rig) { r.options.Ledger = books })
	caller := r.server.Dial("+4923150012345")
	info := receive(t, "the call", led)
	books.write(info, false)
	caller.Send()
	r.until("the call is let go", func() bool { return len(r.line.Calls()) == 0 })
	if !caller.Again() {
		t.Fatal("nobody took the call back")
	}
	got := receive(t, "the call again", led)
	info.TakenOver = true
	if got != info {
		t.Errorf("came back as %+v, want %+v", got, info)
	}
}

// TestLedgerAway: who cannot be looked up is served all the same.
func TestLedgerAway(t *testing.T) {
	t.Parallel()
	led := make(chan ivr.Info, 1)
	r := setup(t, talk(led, make(chan error, 1)))
	caller := r.server.Dial("+4923150012345")
	info := receive(t, "the call", led)
	again := make(chan ivr.Info, 1)
	r.successor(&ledger{err: errors.New("connection refused")}, func(_ context.Context, c ivr.Call) { again <- c.Info() })
	if got := receive(t, "the call again", again); got.TakenOver || got.ID == info.ID {
		t.Errorf("led as %+v", got)
	}
	receive(t, "end", caller.Done())
}

// TestThawedProcessDoesNotAct: a process that did not run for a while asks
// before it acts, and finds that its calls are another's.
func TestThawedProcessDoesNotAct(t *testing.T) {
	t.Parallel()
	go1, said := make(chan struct{}), make(chan error, 3)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		said <- c.Say(ctx, say("short"))
		<-go1
		said <- c.Ours(ctx)
		said <- c.Say(ctx, say("code"))
	})
	caller := r.server.Dial("+4923150012345")
	if err := receive(t, "a prompt", said); err != nil {
		t.Fatal(err)
	}
	r.server.Replace(asterisk.EpochVariable, "another")
	r.line.Thaw()
	close(go1)
	wantErr(t, "whose call it is", receive(t, "the answer", said), ivr.ErrElsewhere)
	wantErr(t, "a prompt after the thaw", receive(t, "its end", said), ivr.ErrElsewhere)
	wantErr(t, "the line", receive(t, "its end", r.ended), asterisk.ErrReplaced)
	if heard := caller.Heard(); len(heard) != 1 {
		t.Errorf("heard %v", heard)
	}
	select {
	case <-caller.Done():
		t.Error("the thawed process hung up")
	default:
	}
}

// TestThawedProcessGoesOn: nobody took the calls meanwhile.
func TestThawedProcessGoesOn(t *testing.T) {
	t.Parallel()
	thawed, said := make(chan struct{}), make(chan error, 2)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		said <- c.Say(ctx, say("short"))
		<-thawed
		said <- c.Say(ctx, say("code"))
	})
	caller := r.server.Dial("+4923150012345")
	if err := receive(t, "a prompt", said); err != nil {
		t.Fatal(err)
	}
	r.line.Thaw()
	close(thawed)
	if err := receive(t, "a prompt after the thaw", said); err != nil {
		t.Error(err)
	}
	receive(t, "end", caller.Done())
}

// TestReplacedWhileCutOff: a controller whose connection was lost does not take
// the line back from the one that took it meanwhile.
func TestReplacedWhileCutOff(t *testing.T) {
	t.Parallel()
	led, ends := make(chan ivr.Info, 1), make(chan error, 1)
	r := setup(t, talk(led, ends))
	r.server.Dial("+4923150012345")
	receive(t, "the call", led)
	r.server.Replace(asterisk.EpochVariable, "another")
	r.server.Disconnect()
	wantErr(t, "the call", receive(t, "its end", ends), ivr.ErrElsewhere)
	wantErr(t, "the line", receive(t, "its end", r.ended), asterisk.ErrReplaced)
}

// TestRelease: a controller that gives way on purpose leaves its calls alone.
func TestRelease(t *testing.T) {
	t.Parallel()
	led, ends := make(chan ivr.Info, 1), make(chan error, 1)
	r := setup(t, talk(led, ends))
	caller := r.server.Dial("+4923150012345")
	receive(t, "the call", led)
	r.playing(caller)
	r.line.Release()
	r.line.Release()
	wantErr(t, "the call", receive(t, "its end", ends), ivr.ErrElsewhere)
	if err := receive(t, "the end of the line", r.ended); err != nil {
		t.Errorf("Run: %v", err)
	}
	if caller.Playing() != mediaOf("long") {
		t.Error("what sounded was cut")
	}
}

// TestThousandCallsTakenOver: all of them are led on. How soon is a figure of
// make bench; here it is only printed.
func TestThousandCallsTakenOver(t *testing.T) {
	t.Parallel()
	const calls = 1000
	led := make(chan ivr.Info, calls)
	// So many at once may wait for each other longer than one request may take.
	r := setup(t, talk(led, make(chan error, calls)), func(r *rig) { r.options.Request = patience })
	books := &ledger{}
	callers := make([]*aritest.Caller, calls)
	for i := range callers {
		callers[i] = r.server.Dial(fmt.Sprintf("+49231%07d", i))
		books.write(receive(t, "a call", led), false)
	}
	spoke := make(chan ivr.Info, calls)
	began := time.Now()
	r.successor(books, func(ctx context.Context, c ivr.Call) {
		if err := c.Say(ctx, say("short")); err != nil {
			t.Errorf("say: %v", err)
		}
		spoke <- c.Info()
	})
	seen := map[string]bool{}
	for range calls {
		i := receive(t, "a call that goes on", spoke)
		if !i.TakenOver || seen[i.Channel] {
			t.Fatalf("taken over twice, or not at all: %+v", i)
		}
		seen[i.Channel] = true
	}
	t.Logf("%d calls were all spoken to again after %v", calls, time.Since(began))
}

// TestGapInEvents: whatever happened while nobody listened is put right by
// asking: who hung up, who was sent into the dialplan, who rang meanwhile.
func TestGapInEvents(t *testing.T) {
	t.Parallel()
	books := &ledger{}
	led, ends := make(chan ivr.Info, 3), make(chan error, 3)
	var cut atomic.Bool
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		led <- c.Info()
		_, err := c.Key(ctx, patience)
		ends <- err
	}, func(r *rig) {
		r.options.Ledger = books
		r.server.Intercept = func(w http.ResponseWriter, q *http.Request) bool {
			away := cut.Load() && strings.HasSuffix(q.URL.Path, "/events")
			if away {
				breakOff(w)
			}
			return away
		}
	})
	gone, sent, stays := r.server.Dial("+492315000001"), r.server.Dial("+492315000002"), r.server.Dial("+492315000003")
	for range 3 {
		books.write(receive(t, "a call", led), false)
	}
	cut.Store(true)
	r.server.Disconnect()
	gone.Vanish()
	sent.Send()
	late := r.server.Dial("+492315000004") // Stasis() fails: it is in the fallback
	cut.Store(false)
	got := []error{receive(t, "an end", ends), receive(t, "an end", ends)}
	if !errors.Is(got[0], ivr.ErrHungUp) {
		got[0], got[1] = got[1], got[0]
	}
	wantErr(t, "who hung up", got[0], ivr.ErrHungUp)
	wantErr(t, "who was sent on", got[1], ivr.ErrElsewhere)
	if calls := r.line.Calls(); len(calls) != 1 || calls[0].Channel != stays.Channel() {
		t.Errorf("still led: %+v", calls)
	}
	for _, c := range []*aritest.Caller{sent, late} {
		if !c.Again() {
			t.Fatal("nobody took a call back")
		}
		if i := receive(t, "a call that came back", led); i.Channel != c.Channel() || i.TakenOver != (c == sent) {
			t.Errorf("came back as %+v", i)
		}
	}
}

// TestCallsArriveWhileAsking: a channel that is found by asking and told by its
// event is one call, whichever comes first.
func TestCallsArriveWhileAsking(t *testing.T) {
	t.Parallel()
	const calls = 400
	answered := make(chan string, 2*calls)
	dialled := make(chan *aritest.Caller, calls)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		if err := c.Answer(ctx); err != nil {
			t.Errorf("answer: %v", err)
		}
		answered <- c.Info().Channel
	}, func(r *rig) {
		var once sync.Once
		r.options.Ledger, r.options.Request = &ledger{}, patience
		r.server.Intercept = func(_ http.ResponseWriter, q *http.Request) bool {
			if !strings.HasSuffix(q.URL.Path, "/ari/channels") {
				return false
			}
			once.Do(func() {
				go func() {
					for i := range calls {
						dialled <- r.server.Dial(fmt.Sprintf("+49231%07d", i))
					}
				}()
				<-dialled // the first one is there when it is answered
			})
			return false
		}
	})
	led := map[string]int{}
	for range calls {
		led[receive(t, "a call", answered)]++
	}
	if err := r.line.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(answered); n > 0 || len(led) != calls {
		t.Errorf("%d channels were led, and %d calls too many", len(led), n)
	}
}

// TestStasisStartOfACallThatIsOver: it was found by asking, led, and ended
// before its event was read.
func TestStasisStartOfACallThatIsOver(t *testing.T) {
	t.Parallel()
	first := make(chan ivr.Info, 1)
	r := setup(t, talk(first, make(chan error, 1)))
	caller := r.server.Dial("+4923150012345")
	info := receive(t, "the call", first)
	led := make(chan ivr.Info, 2)
	next := r.successor(&ledger{}, func(_ context.Context, c ivr.Call) { led <- c.Info() })
	receive(t, "the call again", led)
	receive(t, "its end", caller.Done())
	if err := next.line.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	next.server.Emit(fmt.Appendf(nil, `{"type":"StasisStart","args":["in","0231","allowed","trunk"],"channel":{"id":%q,"state":"Up"}}`, info.Channel))
	other := next.server.Dial("+4923150012346")
	if i := receive(t, "another call", led); i.Channel != other.Channel() {
		t.Errorf("led %+v", i)
	}
}

// That a channel was answered, told while nobody listened, is found by asking.
func TestAnswerInAGap(t *testing.T) {
	t.Parallel()
	answers := make(chan error, 1)
	var once sync.Once
	r := setup(t, func(ctx context.Context, c ivr.Call) { answers <- c.Answer(ctx) }, func(r *rig) {
		r.options.Request = patience
		r.server.Intercept = func(_ http.ResponseWriter, q *http.Request) bool {
			if strings.HasSuffix(q.URL.Path, "/answer") {
				once.Do(r.server.Disconnect)
			}
			return false
		}
	})
	caller := r.server.Dial("+492315000001")
	if err := receive(t, "an answered call", answers); err != nil || !caller.Answered() {
		t.Errorf("answered %v, %v", caller.Answered(), err)
	}
}
