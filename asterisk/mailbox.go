package asterisk

import (
	"sync"
	"time"

	"ringback/ivr"
)

// mostKeys is how many keys may wait to be read. Nobody types so many ahead;
// a machine that does is stopped before it costs more than this.
const mostKeys = 64

// mailbox is what happened on a line and its call has not read yet: keys typed
// ahead, and the end of the playback or recording it waits for. Putting never
// blocks; one goroutine reads.
type mailbox struct {
	news chan struct{} // holds one token when something was put

	mu       sync.Mutex
	keys     []pressedKey
	count    int // keys pressed since the call began
	awaited  string
	ended    *ending
	answered bool
	leaving  *hangup // the line is about to drop; nil: it is not
	spoke    bool    // somebody spoke since hush
	deaf     bool    // keys are for somebody else
}

type pressedKey struct {
	key    ivr.Key
	at     time.Time
	number int // the first key of the call is 1
}

// ending is how a playback or recording ended.
type ending struct {
	failed bool
	cause  string // of a failed recording, in Asterisk's words
	keys   int    // how many keys the call had seen then
}

func newMailbox() *mailbox { return &mailbox{news: make(chan struct{}, 1)} }

func (m *mailbox) tell() {
	select {
	case m.news <- struct{}{}:
	default:
	}
}

// press puts a key, or returns false when too many wait.
func (m *mailbox) press(k ivr.Key) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.deaf {
		return true
	}
	if len(m.keys) >= mostKeys {
		return false
	}
	m.count++
	m.keys = append(m.keys, pressedKey{key: k, at: time.Now(), number: m.count})
	m.tell()
	return true
}

// await says of which playback or recording the end is wanted from now on.
func (m *mailbox) await(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.awaited, m.ended = id, nil
}

// finish puts the end of a playback or recording; of one not awaited it is old
// news.
func (m *mailbox) finish(id string, e ending) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id != m.awaited || m.ended != nil {
		return
	}
	e.keys = m.count
	m.ended = &e
	m.tell()
}

// ending returns the end that is awaited, or nil.
func (m *mailbox) ending() *ending {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ended
}

// up notes that the channel was answered.
func (m *mailbox) up() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answered = true
	m.tell()
}

func (m *mailbox) isUp() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.answered
}

// hangingUp notes that the line is about to drop, and how it was first told. It
// is not down yet: what still ends on it, ends before that.
func (m *mailbox) hangingUp(h hangup) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leaving == nil {
		m.leaving = &h
	}
}

func (m *mailbox) isHangingUp() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.leaving != nil
}

// why is why the line drops, or dropped: ivr.ErrHungUp unless something else is
// known.
func (m *mailbox) why() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leaving == nil {
		return ivr.ErrHungUp
	}
	return m.leaving.why()
}

// speak notes that somebody began to speak.
func (m *mailbox) speak() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spoke = true
	m.tell()
}

// hush forgets that somebody spoke.
func (m *mailbox) hush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spoke = false
}

func (m *mailbox) hasSpoken() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spoke
}

// listen says whether keys are taken: while two people talk, keys pressed are
// for the other's telephone.
func (m *mailbox) listen(yes bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deaf = !yes
}

// first returns the oldest unread key and leaves it there.
func (m *mailbox) first() (pressedKey, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.keys) == 0 {
		return pressedKey{}, false
	}
	return m.keys[0], true
}

// next takes the oldest unread key.
func (m *mailbox) next() (ivr.Key, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.keys) == 0 {
		return 0, false
	}
	k := m.keys[0].key
	m.keys = m.keys[1:]
	return k, true
}

// seen is how many keys were pressed since the call began.
func (m *mailbox) seen() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count
}

// forget drops the unread keys after the one numbered "after", up to and with
// the one numbered "to".
func (m *mailbox) forget(after, to int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := m.keys[:0]
	for _, k := range m.keys {
		if k.number <= after || k.number > to {
			kept = append(kept, k)
		}
	}
	m.keys = kept
}
