package asterisk_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"ringback/asterisk"
	"ringback/asterisk/aritest"
	"ringback/ivr"
)

// continued notes which channels were sent where.
type continued struct {
	mu       sync.Mutex
	channels []string
	queries  []string
	first    func() // called before the first goes on
}

func (c *continued) intercept(_ http.ResponseWriter, r *http.Request) bool {
	channel, found := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/ari/channels/"), "/continue")
	if !found {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first != nil {
		c.first()
		c.first = nil
	}
	c.channels = append(c.channels, channel)
	c.queries = append(c.queries, r.URL.RawQuery)
	return false
}

// stranded is the watchdog's view of an Asterisk on which a controller left
// three calls.
func stranded(t *testing.T) (*asterisk.Stranded, *aritest.Server, *continued, []*aritest.Caller) {
	t.Helper()
	sent := &continued{}
	led := make(chan ivr.Info)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		led <- c.Info()
		<-ctx.Done()
	}, func(r *rig) { r.server.Intercept = sent.intercept })
	var calls []*aritest.Caller
	for _, number := range []string{"+4923150012301", "+4923150012302", "+4923150012303"} {
		calls = append(calls, r.server.Dial(number))
		receive(t, "a call", led)
	}
	s := r.watched()
	r.until("a sign of the controller", func() bool { // said beside the calls, not before them
		presence, err := s.Presence(t.Context())
		return err == nil && presence != ""
	})
	r.line.Release()
	if err := receive(t, "the controller's end", r.ended); err != nil {
		t.Fatal(err)
	}
	return s, r.server, sent, calls
}

// watched is the rig's Asterisk as its watchdog sees it.
func (r *rig) watched() *asterisk.Stranded {
	r.t.Helper()
	s, err := asterisk.NewStranded(r.options)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(s.Close)
	return s
}

// Calls nobody leads go to the fallback, one after another.
func TestStrandedCallsAreSentOn(t *testing.T) {
	t.Parallel()
	s, _, c, calls := stranded(t)
	presence, err := s.Presence(t.Context())
	if err != nil || presence == "" {
		t.Fatalf("presence %q, %v", presence, err)
	}
	sent, err := s.SendOn(t.Context(), presence)
	if err != nil || sent != len(calls) {
		t.Errorf("sent %d, %v", sent, err)
	}
	var want []string
	for _, call := range calls {
		receive(t, "a call in the dialplan", call.SentOn())
		want = append(want, call.Channel())
	}
	slices.Sort(want)
	if !slices.Equal(c.channels, want) {
		t.Errorf("sent on %v, want %v", c.channels, want)
	}
	for _, q := range c.queries {
		if q != "context=fallback&extension=s&priority=1" {
			t.Errorf("sent to %s", q)
		}
	}
	if sent, err := s.SendOn(t.Context(), presence); err != nil || sent != 0 {
		t.Errorf("a second time: sent %d, %v", sent, err)
	}
}

// A talk goes on without a controller, and telephones that were rung have no
// dialplan to go on in. A caller whose agent has hung up is kept company.
func TestTalksAreNotSentOn(t *testing.T) {
	t.Parallel()
	led, joined := make(chan struct{}, 5), make(chan struct{}, 5)
	r := setup(t, func(ctx context.Context, c ivr.Call) {
		led <- struct{}{}
		if c.Info().Attempt != uuid.Nil || c.Info().Number == "+4923150012303" {
			<-ctx.Done()
			return
		}
		_ = ringAndTalk(someLeg(), joined)(ctx, c) // ends elsewhere
	}, trunked)
	dial := func(number string) (caller, agent *aritest.Caller) {
		caller = r.server.Dial(number)
		receive(t, "a call", led)
		return caller, r.rung()
	}
	talks, agent := dial("+4923150012301")
	agent.PickUp()
	receive(t, "a talk", joined)
	alone, gone := dial("+4923150012302")
	gone.PickUp()
	receive(t, "a talk", joined)
	waits, rings := dial("+4923150012304")
	idle := r.server.Dial("+4923150012303")
	receive(t, "a call", led)
	ends := make(chan error, 2)
	go func() { ends <- r.line.Dial(t.Context(), someOut(t)) }()
	answered := r.rung()
	answered.PickUp()
	if err := receive(t, "Dial", ends); err != nil {
		t.Fatal(err)
	}
	receive(t, "a call", led)
	go func() { ends <- r.line.Dial(t.Context(), someOut(t)) }()
	ringing := r.rung()

	s := r.watched()
	r.until("a sign of the controller", func() bool {
		presence, err := s.Presence(t.Context())
		return err == nil && presence != ""
	})
	r.line.Release()
	if err := receive(t, "the controller's end", r.ended); err != nil {
		t.Fatal(err)
	}
	gone.HangUp()
	presence, err := s.Presence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sent, err := s.SendOn(t.Context(), presence)
	if err != nil || sent != 3 {
		t.Errorf("sent on %d, %v", sent, err)
	}
	for _, c := range []*aritest.Caller{alone, waits, idle} {
		receive(t, "who waits, in the dialplan", c.SentOn())
	}
	if talks.TalksWith() != agent {
		t.Error("the talk was cut")
	}
	if !rings.Ringing() || !ringing.Ringing() || !answered.Answered() {
		t.Error("a telephone that was rung was sent on")
	}
}

// A controller that comes meanwhile keeps the calls that are still there.
func TestStrandedCallsAreLeftToANewController(t *testing.T) {
	t.Parallel()
	s, server, c, _ := stranded(t)
	c.first = func() { server.Replace("RINGBACK_PRESENT", "somebody") }
	presence, err := s.Presence(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sent, err := s.SendOn(t.Context(), presence)
	if err != nil || sent != 1 {
		t.Errorf("sent on %d calls, %v, want the one before the controller came", sent, err)
	}
}

// A line shows that it is there as soon as it is connected, and again when it
// is connected anew.
func TestPresence(t *testing.T) {
	t.Parallel()
	r := setup(t, func(context.Context, ivr.Call) {})
	s := r.watched()
	last := ""
	for range 3 {
		r.until("a sign of the controller", func() bool {
			now, err := s.Presence(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			changed := now != last
			last = now
			return changed && now != ""
		})
		r.server.Disconnect()
	}
}
