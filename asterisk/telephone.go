package asterisk

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"ringback/ivr"
)

// telephone is one that we ring: an agent's, or that of somebody who is called
// back. The dispatcher tells it what happens on its channel, which bears an id
// chosen here.
type telephone struct {
	channel string
	out     bool // of a call out, not an agent's

	up   chan struct{} // closed when it was picked up and is in our application
	down chan struct{} // closed when its channel is gone, or no longer ours

	mu      sync.Mutex
	rang    bool // something of its network was heard
	replied bool // the far end ended the ringing
	wanted  bool // somebody waits for it, or talks with it
	exists  bool // its channel was made
	end     hangup
	cause   error // why it is no longer ours; nil: its channel is gone
}

// errUnknownFate says that nobody saw what a call out came to.
var errUnknownFate = errors.New("what became of the call out was not seen")

func newTelephone(channel string, out bool) *telephone {
	return &telephone{channel: channel, out: out, up: make(chan struct{}), down: make(chan struct{})}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// progress notes what its network says while it is dialled.
func (t *telephone) progress(status string) {
	switch status {
	case "RINGING", "PROGRESS", "PROCEEDING":
		t.ringing()
	}
}

func (t *telephone) ringing() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rang = true
}

// made notes that its channel was made.
func (t *telephone) made() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.exists = true
}

func (t *telephone) isMade() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.exists
}

// reply notes that the far end ends it.
func (t *telephone) reply(h hangup) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.replied = t.replied || !h.Soft
}

// enter says that it is in our application.
func (t *telephone) enter() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !closed(t.up) {
		close(t.up)
	}
}

// leave says that its channel is gone, or, with a cause, that it is no longer
// ours to act on or nobody saw its end.
func (t *telephone) leave(h hangup, cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !closed(t.down) {
		t.end, t.cause = h, cause
		close(t.down)
	}
}

// want says whether somebody waits for it, or talks with it, from now on.
func (t *telephone) want(yes bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wanted = yes
}

func (t *telephone) isWanted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wanted
}

// unanswered is why it is down without having been picked up.
func (t *telephone) unanswered() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cause != nil {
		return t.cause
	}
	return t.end.unanswered(t.rang, t.replied)
}

// notOurs is ivr.ErrElsewhere, or what wraps it, if another process leads it now.
func (t *telephone) notOurs() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if errors.Is(t.cause, ivr.ErrElsewhere) {
		return t.cause
	}
	return nil
}

// expect enters a telephone in the books before it is rung, so that nothing
// that happens on its channel is missed, or returns the one that is there.
func (l *Line) expect(channel string, out bool) (t *telephone, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t = l.telephones[channel]; t != nil {
		return t, true
	}
	t = newTelephone(channel, out)
	l.telephones[channel] = t
	l.countTelephones()
	return t, false
}

// telephone returns the one on a channel, or nil.
func (l *Line) telephone(channel string) *telephone {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.telephones[channel]
}

// madeTelephones returns those in the books whose channel was made.
func (l *Line) madeTelephones() []*telephone {
	l.mu.Lock()
	defer l.mu.Unlock()
	var made []*telephone
	for _, t := range l.telephones {
		if t.isMade() {
			made = append(made, t)
		}
	}
	return made
}

// dropTelephones lets go of all telephones: the line ends, with that cause.
func (l *Line) dropTelephones(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.telephones {
		t.leave(hangup{}, cause)
	}
	clear(l.telephones)
	l.countTelephones()
}

// strike takes a telephone out of the books.
func (l *Line) strike(t *telephone) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.telephones[t.channel] == t {
		delete(l.telephones, t.channel)
	}
	l.countTelephones()
}

// countTelephones is called with l.mu held.
func (l *Line) countTelephones() {
	out := 0
	for _, t := range l.telephones {
		if t.out {
			out++
		}
	}
	l.dialling = out
	l.metrics.legs.Set(float64(len(l.telephones) - out))
	l.metrics.dialling.Set(float64(out))
}

// gone strikes a telephone whose channel is gone.
func (l *Line) gone(t *telephone, h hangup) {
	l.strike(t)
	t.leave(h, nil)
}

// grace is how long an agent who was picked up stands ready for a call to take
// the two up: a call that another process led needs a moment to find its scene.
const grace = 15 * time.Second

// strayed looks after an agent's leg that nobody here waits for: another process
// rang it, or nobody wants it any more. If the call it was rung for is led here
// it may yet be taken up; else it is ended.
func (l *Line) strayed(t *telephone, call uuid.UUID) {
	patience := l.grace
	if !l.mayWant(call) {
		patience = 0
	}
	l.goroutines.Go(func() {
		late := time.NewTimer(patience)
		defer late.Stop()
		select {
		case <-late.C:
		case <-t.down:
			return
		}
		if t.isWanted() || t.notOurs() != nil {
			return
		}
		l.metrics.orphans.Inc()
		ctx, cancel := context.WithTimeout(context.Background(), l.options.Request)
		defer cancel()
		l.endLeg(ctx, t)
		l.endBridge(ctx, bridgeOf(t.channel))
	})
}

// mayWant says whether a call is led here, or may be.
func (l *Line) mayWant(call uuid.UUID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range l.running {
		// One that was taken over does not know its id at once.
		if i.ID == call || i.ID == uuid.Nil {
			return true
		}
	}
	return false
}
