package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/dispatch"
	"ringback/e164"
	"ringback/ivr"
	"ringback/postgres"
	"ringback/postgres/pgtest"
	"ringback/queue"
)

var _ dispatch.Store = (*postgres.Queue)(nil)

// quick are rules by which everything is over in moments.
func quick() queue.Rules {
	r := queue.NewRules()
	r.Hours, r.Ringing = queue.Hours{}, queue.Hours{}
	r.Retries, r.NextDay = []time.Duration{20 * time.Millisecond, 30 * time.Millisecond, 50 * time.Millisecond}, false
	r.Ring = time.Second
	r.PerNumber, r.OutLines, r.OutPerSecond, r.OutPerDay = 100, 40, 10_000, 1_000_000
	return r
}

func database(t *testing.T, rules queue.Rules) *postgres.Queue {
	t.Helper()
	return postgres.NewQueue(pgtest.New(t, postgres.Options{Name: "test", StatementTimeout: time.Minute}), rules)
}

// behaviour is what becomes of the rings of a telephone, by its number and how
// often it rang: the same with the same seed.
func behaviour(seed uint64) func(e164.Number, int) fate {
	return func(n e164.Number, nth int) fate {
		r := rand.New(rand.NewPCG(seed, uint64(nth)<<40+hash(n)))
		after := time.Duration(1+r.IntN(15)) * time.Millisecond
		if r.IntN(8) == 0 {
			after *= 20
		}
		return fate{after, []error{nil, nil, nil, ivr.ErrBusy, ivr.ErrNoAnswer, ivr.ErrUnreachable}[r.IntN(6)]}
	}
}

func hash(n e164.Number) uint64 {
	h, err := strconv.ParseUint(string(n[1:]), 10, 64)
	if err != nil {
		panic(err)
	}
	return h
}

// TestNeverTwiceNeverForgotten: of five hundred people who are to be rung back,
// by controllers that are killed at any moment of an attempt's life, each is rung
// exactly as often as the records say, and each is reached, or was tried as often
// as was promised. RINGBACK_SEED gives another course of events.
func TestNeverTwiceNeverForgotten(t *testing.T) {
	t.Parallel()
	people := 500
	if testing.Short() {
		people = 50
	}
	seed := uint64(20260125)
	if s := os.Getenv("RINGBACK_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	rules := quick()
	q := database(t, rules)
	k := newTrunk(t, behaviour(seed))
	tickets := make([]uuid.UUID, people)
	numbers := make([]e164.Number, people)
	for i := range tickets {
		numbers[i] = e164.Number(fmt.Sprintf("+49231500%04d", i))
		got, err := q.Promise(t.Context(), queue.Arrival{
			CallID: uuid.New(), At: time.Now(), Number: numbers[i], Topic: queue.TopicBooking, Language: "de",
			Wish: queue.WishSelf, Reason: queue.Asked,
		}, queue.Window{})
		if err != nil {
			t.Fatal(err)
		}
		tickets[i] = got.ID
	}

	r := rand.New(rand.NewPCG(seed, 1))
	dies := seeded(r, 120)
	kills := 0
	ringing, ringNoMore := context.WithCancel(t.Context())
	defer ringNoMore()
	var callers sync.WaitGroup
	callers.Go(func() { peopleRingIn(ringing, t, q, rand.New(rand.NewPCG(seed, 2))) })

	p := start(t, q, k, rules, dies)
	deadline := time.After(3 * time.Minute)
	for over := false; !over; {
		select {
		case <-p.killed:
			defer p.calls.Wait()
			kills++
			p = start(t, q, k, rules, dies)
		case <-time.After(100 * time.Millisecond):
			over = settled(t, q, people)
		case <-deadline:
			depth, err := q.Depth(t.Context())
			t.Fatalf("not over in three minutes; %d controllers killed; in line: %+v, %v", kills, depth, err)
		}
	}
	ringNoMore()
	callers.Wait()
	p.kill()
	p.calls.Wait()

	fates, rung := map[queue.Fate]int{}, 0
	for i, id := range tickets {
		attempts, err := q.Attempts(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		got, err := q.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if got.End == queue.EndUnreached && got.Tries < 1+len(rules.Retries) {
			t.Errorf("%s was given up after %d tries", numbers[i], got.Tries)
		}
		made := 0
		for _, a := range attempts {
			fates[a.Fate]++
			if a.Fate != queue.FateUnmade {
				made++
			}
		}
		rung += k.rang(numbers[i])
		if rang := k.rang(numbers[i]); rang != made {
			t.Errorf("%s was rung %d times, the records say %d: %+v", numbers[i], rang, made, attempts)
		}
	}
	t.Logf("seed %d: %d people, %d controllers killed, rung %d times, fates %v", seed, people, kills, rung, fates)
	if kills < people/20 {
		t.Errorf("only %d controllers were killed", kills)
	}
	for _, f := range []queue.Fate{queue.FateReached, queue.FateUnmade, queue.FateUnknown, queue.FateBusy, queue.FateStopped} {
		if fates[f] == 0 && people == 500 {
			t.Errorf("no attempt ended as %q: this test has a blind spot", f)
		}
	}
}

// peopleRingIn lets some ring the hotline while their telephone rings: the ticket
// is theirs, and the ringing stops. They hang up again, and are rung as they
// were promised.
func peopleRingIn(ctx context.Context, t *testing.T, q *postgres.Queue, r *rand.Rand) {
	for ctx.Err() == nil {
		time.Sleep(100 * time.Millisecond) // not the whole town at once
		ringing, err := q.List(ctx, queue.Filter{State: queue.StateRinging, Limit: 100})
		if err != nil || len(ringing) == 0 {
			continue
		}
		id, call := ringing[r.IntN(len(ringing))].ID, uuid.New()
		_, err = q.Join(ctx, queue.Arrival{CallID: call, Node: node, At: time.Now(), Ticket: id})
		switch {
		case errors.Is(err, queue.ErrOver), ctx.Err() != nil:
		case err != nil:
			t.Errorf("ring in: %v", err)
		default:
			time.Sleep(50 * time.Millisecond)
			if err := q.Leave(context.WithoutCancel(ctx), id, call); err != nil {
				t.Errorf("hang up: %v", err)
			}
		}
	}
}

// settled says whether nobody is to be rung any more. Who was reached is served.
func settled(t *testing.T, q *postgres.Queue, people int) bool {
	t.Helper()
	talking, err := q.List(t.Context(), queue.Filter{State: queue.StateTalking, Limit: people})
	if err != nil {
		t.Fatal(err)
	}
	for _, reached := range talking {
		if err := q.Close(t.Context(), reached.ID, queue.EndSelf); err != nil {
			t.Fatal(err)
		}
	}
	depth, err := q.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range depth {
		if d.Tickets > 0 && d.State != queue.StateLeft { // reached before, and rang in again
			return false
		}
	}
	open, err := q.Unresolved(t.Context(), node)
	if err != nil {
		t.Fatal(err)
	}
	return len(open) == 0
}

// TestSwitchOnPostgres: one switch stops all calls out, and says so.
func TestSwitchOnPostgres(t *testing.T) {
	t.Parallel()
	rules := quick()
	q := database(t, rules)
	if err := q.SetOutgoing(t.Context(), false, "operator", "the trunk is dear today"); err != nil {
		t.Fatal(err)
	}
	_, err := q.Promise(t.Context(), queue.Arrival{CallID: uuid.New(), At: time.Now(), Number: first, Topic: queue.TopicBooking, Language: "de", Wish: queue.WishSelf, Reason: queue.Asked}, queue.Window{})
	if err != nil {
		t.Fatal(err)
	}
	last := make(chan struct{})
	k := newTrunk(t, func(_ e164.Number, nth int) fate {
		if nth == 1+len(rules.Retries) {
			close(last)
		}
		return fate{time.Millisecond, ivr.ErrBusy}
	})
	var told sync.Once
	held := make(chan struct{})
	d, err := dispatch.New(dispatch.Options{
		Store: q, Dialler: k, Bell: &queue.Bell{}, Rules: rules, Node: node,
		Logger: slog.New(slog.NewTextHandler(writer(func(line string) {
			if strings.Contains(line, "limit=off") {
				told.Do(func() { close(held) })
			}
		}), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	<-held
	if k.rang(first) != 0 {
		t.Error("rung with calls out switched off")
	}
	if err := q.SetOutgoing(t.Context(), true, "operator", ""); err != nil {
		t.Fatal(err)
	}
	<-last
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// writer hands each line of a log on.
type writer func(string)

func (w writer) Write(p []byte) (int, error) {
	w(string(p))
	return len(p), nil
}
