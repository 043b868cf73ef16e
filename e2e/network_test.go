package e2e

import (
	"context"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ringback/phone"
	"ringback/phone/listen"
	"ringback/phone/phonetest"
	"ringback/prompts"
)

// network is the telephone network as those see it who are rung: one telephone
// that stands for every number, and counts how often each was rung.
type network struct {
	phone *phone.Phone

	mu          sync.Mutex
	subscribers map[string]func(*phone.Incoming)
}

func newNetwork() (*network, error) {
	n := &network{subscribers: map[string]func(*phone.Incoming){}}
	var err error
	n.phone, err = phone.New(phone.Options{Name: "network", Ring: n.ring})
	return n, err
}

// ownNetwork is one for a single test.
func ownNetwork(t *testing.T) *network {
	t.Helper()
	n, err := newNetwork()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.phone.Close(); err != nil {
			t.Log(err)
		}
	})
	return n
}

// callbackTo is the flag that sends callbacks there.
func (n *network) callbackTo() string { return "sip:%s@" + n.phone.Addr() }

// ring asks the subscriber; who is none is not there.
func (n *network) ring(in *phone.Incoming) {
	n.mu.Lock()
	subscriber := n.subscribers[in.To]
	n.mu.Unlock()
	if subscriber != nil {
		subscriber(in)
	}
}

// subscribe says what happens when a number is rung, until the test ends.
func (n *network) subscribe(t *testing.T, number string, rung func(*phone.Incoming)) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.subscribers[number] = rung
	t.Cleanup(func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.subscribers, number)
	})
}

// person is somebody who picks up whenever the number is rung, and listens.
// Each call is given to who takes it from the channel.
func (n *network) person(t *testing.T, number string, known *listen.Library) <-chan *caller {
	t.Helper()
	calls := make(chan *caller, 10)
	n.subscribe(t, number, func(in *phone.Incoming) {
		_ = in.Ringing() // who rang may have given up
		if c := pickUp(t, in, known); c != nil {
			calls <- c
		}
	})
	return calls
}

// telephone rings when the number is rung, until whoever takes the call from the
// channel does something about it.
func (n *network) telephone(t *testing.T, number string) <-chan *phone.Incoming {
	t.Helper()
	calls := make(chan *phone.Incoming, 10)
	n.subscribe(t, number, func(in *phone.Incoming) {
		_ = in.Ringing() // who rang may have given up
		calls <- in
		<-in.Gone()
	})
	return calls
}

// pickUp answers a call as somebody who knows the prompts of a library; nil
// where who rang gave up.
func pickUp(t *testing.T, in *phone.Incoming, known *listen.Library) *caller {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	call, err := in.Answer(ctx)
	if err != nil {
		t.Logf("answer %s, who rings %s: %v", in.From, in.To, err)
		return nil
	}
	return onTheLine(t, call, known)
}

// next is the next call that somebody picked up.
func next(ctx context.Context, t *testing.T, who string, calls <-chan *caller) *caller {
	t.Helper()
	select {
	case c := <-calls:
		c.t = t
		return c
	case <-ctx.Done():
		t.Fatalf("%s was not rung: %v", who, context.Cause(ctx))
		panic("unreachable")
	}
}

// happens waits for a moment.
func happens(ctx context.Context, t *testing.T, what string, moment <-chan struct{}) {
	t.Helper()
	select {
	case <-moment:
	case <-ctx.Done():
		t.Fatalf("waited in vain: %s", what)
	}
}

// rings are how often a number was rung since the telephone is there.
func (n *network) rings(number string) []phone.Ring { return n.phone.RingsOf(number) }

// agent is somebody who talks with callers, at a telephone of their own.
type agent struct {
	name  string
	phone *phone.Phone
	calls chan *caller

	mu     sync.Mutex
	absent bool // lets the telephone ring
	taken  []*caller
}

// newAgent is an agent who picks up whenever rung, and knows the voices of the
// callers. Give its address to the hotline before anybody rings.
func newAgent(t *testing.T, name string, voices ...string) *agent {
	t.Helper()
	a := &agent{name: name, calls: make(chan *caller, 10)}
	known := listen.NewLibrary()
	learn(t, known, voices...)
	var err error
	a.phone, err = phone.New(phone.Options{Name: name, Ring: func(in *phone.Incoming) {
		_ = in.Ringing() // who rang may have given up
		if a.isAbsent() {
			<-in.Gone()
		} else if c := pickUp(t, in, known); c != nil {
			a.mu.Lock()
			a.taken = append(a.taken, c)
			a.mu.Unlock()
			a.calls <- c
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.phone.Close(); err != nil {
			t.Log(err)
		}
	})
	return a
}

// address is where the hotline rings the agent.
func (a *agent) address() string { return "sip:" + a.name + "@" + a.phone.Addr() }

func (a *agent) isAbsent() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.absent
}

// leave lets the telephone ring from now on, or not.
func (a *agent) leave(absent bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.absent = absent
}

// hangUp ends the agent's calls, and drop leaves them as the network does that
// fails: the other side is not there any more.
func (a *agent) hangUp(t *testing.T) {
	t.Helper()
	for _, c := range a.all() {
		if err := c.HangUp(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func (a *agent) drop() {
	for _, c := range a.all() {
		c.call.Abandon()
	}
}

func (a *agent) all() []*caller {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.taken
	a.taken = nil
	return all
}

// speech is what somebody says, unlike what anybody else says.
func speech(name string) []int16 {
	seed := uint64(1)
	for _, b := range []byte(name) {
		seed = seed*131 + uint64(b)
	}
	return phonetest.Mumble(seed, 3*time.Second)
}

// saying is the line that a voice is heard as.
func saying(name string) prompts.Key { return prompts.Key("voice." + name) }

// learn makes voices known.
func learn(t *testing.T, lib *listen.Library, voices ...string) {
	t.Helper()
	for _, v := range voices {
		if !lib.Add("voice."+v, []string{string(saying(v))}, "", speech(v)) {
			t.Fatalf("nobody hears the voice of %s", v)
		}
	}
}

// promptsAnd are the prompts of the hotline and voices of agents.
func (h *hotline) promptsAnd(t *testing.T, voices ...string) *listen.Library {
	t.Helper()
	lib := h.prompts(t).Copy()
	learn(t, lib, voices...)
	return lib
}

// says speaks with a voice, and the other hears it.
func (c *caller) says(ctx context.Context, name string, other *caller) {
	c.t.Helper()
	spoken := make(chan error, 1)
	go func() { spoken <- c.call.Speak(ctx, speech(name)) }()
	other.expect(ctx, saying(name))
	if err := <-spoken; err != nil {
		c.t.Errorf("speak as %s: %v", name, err)
	}
}

// over waits until a call has ended.
func (c *caller) over(ctx context.Context) {
	c.t.Helper()
	select {
	case <-c.call.Done():
	case <-ctx.Done():
		c.t.Fatalf("the call does not end; heard last: %s", c.last)
	}
}

// attempt is a row of the records of who was rung.
type attempt struct {
	Number       string
	Began, Ended time.Time // Ended is zero while it is under way
	Fate         string
}

// attempts are what the records say of a number, in their order.
func (h *hotline) attempts(t *testing.T, number string) []attempt {
	t.Helper()
	rows, err := h.db.Query(t.Context(), `SELECT number, began_at, ended_at, coalesce(fate, '') FROM attempts WHERE number = $1 ORDER BY began_at`, number)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []attempt
	for rows.Next() {
		var a attempt
		var ended *time.Time
		if err := rows.Scan(&a.Number, &a.Began, &ended, &a.Fate); err != nil {
			t.Fatal(err)
		}
		if ended != nil {
			a.Ended = *ended
		}
		all = append(all, a)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// fates waits until the records say that the attempts to ring a number ended so.
func (h *hotline) fates(t *testing.T, number string, want ...string) {
	t.Helper()
	var got []string
	until(t, "attempts that ended as "+strings.Join(want, ", "), func() bool {
		got = got[:0]
		for _, a := range h.attempts(t, number) {
			got = append(got, a.Fate)
		}
		return strings.Join(got, " ") == strings.Join(want, " ")
	})
}

// ticket waits until the newest ticket of a number is in a state, and returns
// how it ended, if it did.
func (h *hotline) ticket(t *testing.T, number, state string) (ending string) {
	t.Helper()
	got := ""
	until(t, "a ticket of "+number+" that is "+state, func() bool {
		err := h.db.QueryRow(t.Context(), `SELECT state, coalesce(ending, '') FROM tickets WHERE number = $1 ORDER BY rang_at DESC LIMIT 1`, number).Scan(&got, &ending)
		return err == nil && got == state
	})
	return ending
}

// kill ends a process without a word.
func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
