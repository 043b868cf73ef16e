package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/phone"
	"ringback/postgres"
	"ringback/queue"
)

// TestKilledControllers: many people are to be rung back, and the controller is
// killed again and again while it rings them. In the end each telephone has
// rung exactly as often as the records say, and never twice at once.
func TestKilledControllers(t *testing.T) {
	t.Parallel()
	const people, kills = 500, 20
	net := ownNetwork(t)
	h := own(t, "--no-controller", "--callback-to", net.callbackTo())
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	numbers := make([]string, people)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("+49231600%04d", i)
		manner := manners[i%len(manners)]
		if i%50 == 0 {
			manner = mailbox
		}
		net.subscribe(t, numbers[i], manner)
	}
	h.promise(t, numbers)

	env := []string{
		"RINGBACK_QUEUE_RING=5s", "RINGBACK_QUEUE_RETRIES=10s", "RINGBACK_QUEUE_NEXT_DAY=false",
		"RINGBACK_OUTGOING_LINES=40", "RINGBACK_OUTGOING_PER_SECOND=12", "RINGBACK_OUTGOING_PER_DAY=100000",
	}
	ctl := h.startController(t, env...)
	h.untilReady(t)
	for range kills {
		// Also before it is ready, and in the midst of finding out.
		<-time.After(time.Second + time.Duration(random.Int64N(int64(5*time.Second))))
		ctl.end(t, syscall.SIGKILL)
		ctl = h.startController(t, env...)
	}
	within(t, 4*time.Minute, "the end of all tickets", func() bool {
		return h.count(t, `SELECT count(*) FROM tickets WHERE state <> 'closed'`) == 0
	})
	ctl.end(t, syscall.SIGTERM)

	fates := map[string]int{}
	for _, number := range numbers {
		made := 0
		attempts := h.attempts(t, number)
		for _, a := range attempts {
			fates[a.Fate]++
			if a.Fate != string(queue.FateUnmade) {
				made++
			}
		}
		rings := net.rings(number)
		if len(rings) != made || made == 0 {
			t.Errorf("%s was rung %d times, and the records say %d: %+v %+v", number, len(rings), made, rings, attempts)
		}
		atOnce(t, number, rings)
	}
	t.Logf("fates of the attempts: %v", fates)
	for _, f := range []queue.Fate{queue.FateReached, queue.FateDeclined, queue.FateBusy, queue.FateNoAnswer} {
		if fates[string(f)] == 0 {
			t.Errorf("no attempt ended as %s", f)
		}
	}
}

// atOnce fails the test if a number rang while it was ringing, or in a call.
func atOnce(t *testing.T, number string, rings []phone.Ring) {
	t.Helper()
	slices.SortFunc(rings, func(a, b phone.Ring) int { return a.At.Compare(b.At) })
	for i, r := range rings[1:] {
		if before := rings[i]; before.Over.IsZero() || before.Over.After(r.At) {
			t.Errorf("%s rang at %v while a call from %v to %v was on", number, r.At, before.At, before.Over)
		}
	}
}

// manners are what people do who are rung.
var manners = []func(*phone.Incoming){
	func(in *phone.Incoming) { _ = in.Refuse(486, "Busy Here") },
	func(in *phone.Incoming) { // lets it ring
		_ = in.Ringing()
		<-in.Gone()
	},
	func(in *phone.Incoming) { // presses 1, and hangs up in the dialogue
		inCall(in, func(ctx context.Context, c *phone.Call) {
			rest(ctx, c, 2*time.Second)
			_ = c.Press(ctx, "1")
			rest(ctx, c, time.Second)
			_ = c.HangUp(ctx)
		})
	},
	func(in *phone.Incoming) { // hangs up at once
		inCall(in, func(ctx context.Context, c *phone.Call) { _ = c.HangUp(ctx) })
	},
	func(in *phone.Incoming) { // listens for a moment
		inCall(in, func(ctx context.Context, c *phone.Call) {
			rest(ctx, c, 4*time.Second)
			_ = c.HangUp(ctx)
		})
	},
}

// mailbox picks up and stays until the other side hangs up.
func mailbox(in *phone.Incoming) {
	inCall(in, func(ctx context.Context, c *phone.Call) {
		rest(ctx, c, time.Minute)
		_ = c.HangUp(ctx)
	})
}

// inCall rings for a moment and picks up.
func inCall(in *phone.Incoming, f func(context.Context, *phone.Call)) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	_ = in.Ringing()
	select {
	case <-in.Gone():
		return
	case <-time.After(300 * time.Millisecond):
	}
	if c, err := in.Answer(ctx); err == nil {
		f(ctx, c)
	}
}

// rest stays on the line, until the other side hangs up.
func rest(ctx context.Context, c *phone.Call, d time.Duration) {
	select {
	case <-c.Done():
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// promise promises each number that it is rung for the dialogue, as soon as it
// is its turn.
func (h *hotline) promise(t *testing.T, numbers []string) {
	t.Helper()
	db, err := postgres.Open(t.Context(), h.info.Database, postgres.Options{Name: "e2e"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rules := queue.NewRules()
	rules.Ringing = queue.Hours{} // always
	line := postgres.NewQueue(db, rules)
	for i, number := range numbers {
		if _, err := line.Promise(t.Context(), queue.Arrival{
			CallID: uuid.New(), At: time.Now().Add(time.Duration(i-len(numbers)) * time.Second), Number: e164.Number(number),
			Topic: queue.TopicBooking, Language: "de", Wish: queue.WishSelf, Reason: queue.Busy,
		}, queue.Window{}); err != nil {
			t.Fatal(err)
		}
	}
}
