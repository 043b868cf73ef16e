package aritest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrDown says that the line is down.
var ErrDown = errors.New("the line is down")

// Caller is the far end of one call.
type Caller struct {
	server *Server

	// All below is guarded by server.mu.
	channel    channel
	operations []*operation // the first one sounds or records
	heard      []string     // media of the prompts that began
	told       int          // how many of them WaitPlaying returned
	recordings int          // that began
	toldRec    int          // of which WaitRecording told
	speech     time.Duration
	variables  map[string]string
	listening  bool // TALK_DETECT is set
	music      bool // sounds
	musicNext  bool // sounds when nothing else does
	early      bool // something sounded before it was answered
	bridge     *bridge
	paired     bool   // has been with another in its bridge
	keys       []byte // that the other one in its bridge pressed
	asked      string // the reason of the request that ended it
	rung       *ringing
	changed    chan struct{} // closed at every change
	done       chan struct{}
	sentOn     chan struct{}
}

// Dial rings, showing the number.
func (s *Server) Dial(number string) *Caller {
	return s.DialArgs(number, "in", number, "allowed_not_screened", "trunk")
}

// DialArgs rings; the dialplan passes the arguments on to Stasis().
func (s *Server) DialArgs(number string, args ...string) *Caller {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dialled++
	c := &Caller{
		server: s,
		channel: channel{
			ID:       fmt.Sprintf("%s-%d.%d", Node, time.Now().Unix(), s.dialled),
			Name:     fmt.Sprintf("PJSIP/trunk-%08x", s.dialled),
			State:    "Ring",
			Protocol: fmt.Sprintf("call-%d", s.dialled),
			Caller:   callerID{Number: number},
			Dialplan: dialplan{Context: "from-trunk", Exten: "116117", Priority: 2, App: "Stasis",
				Data: strings.Join(append([]string{App}, args...), ",")},
			Created:  stamp(time.Now()),
			Language: "en",
		},
	}
	c.open()
	if s.socket == nil {
		// Stasis() fails without an application: on in the dialplan.
		c.channel.inDialplan = true
		close(c.sentOn)
		return c
	}
	s.emit(event{Type: "StasisStart", Args: args, Channel: c.snapshot()})
	return c
}

// open enters a call in the books. It is called with server.mu held.
func (c *Caller) open() {
	c.variables = map[string]string{}
	c.changed, c.done, c.sentOn = make(chan struct{}), make(chan struct{}), make(chan struct{})
	c.server.channels[c.channel.ID] = c
}

// Channel is the id of the call's channel.
func (c *Caller) Channel() string { return c.channel.ID }

// Press presses a key and lets it go; the key is heard at once.
func (c *Caller) Press(key byte) { c.Hold(key, 100*time.Millisecond) }

// Hold is Press of a key that was held for so long.
func (c *Caller) Hold(key byte, held time.Duration) {
	c.locked(func() {
		if c.away() {
			return
		}
		c.server.emit(event{Type: "ChannelDtmfReceived", Digit: string(rune(key)), Held: int(held.Milliseconds()), Channel: c.snapshot()})
		c.keyEnds()
		if c.bridge != nil {
			c.bridge.pass(c, key)
		}
	})
}

// Speak says something of that length into the recording that runs or the next
// one. Saying it takes no time.
func (c *Caller) Speak(length time.Duration) {
	c.locked(func() { c.speech = length })
}

// Utter lets the caller begin to say something.
func (c *Caller) Utter() {
	c.locked(func() {
		if c.listening && !c.away() {
			c.server.emit(event{Type: "ChannelTalkingStarted", Channel: c.snapshot()})
		}
	})
}

// HangUp ends the call from the caller's side. A telephone that rings declines.
func (c *Caller) HangUp() {
	c.locked(func() {
		switch {
		case c.channel.State == "Up" && c.bridge != nil:
			c.drop(event{}, 16)
		case c.channel.State == "Up":
			c.drop(event{}, 0)
		case c.rung != nil:
			c.refuse(603)
		default:
			c.drop(event{Cause: because(127), TechCause: 487}, 127) // CANCEL
		}
	})
}

// HangUpFor is HangUp of a call that was answered, by a network that gives its
// reason (Q.850, in the Reason header).
func (c *Caller) HangUpFor(cause int) {
	c.locked(func() { c.drop(event{Cause: because(cause)}, cause) })
}

// device is Asterisk's flag for a hang-up of its own (AST_SOFTHANGUP_DEV).
const device = 1

// Break ends the call as Asterisk does when no audio came for long enough.
func (c *Caller) Break() {
	const unavailable = 44
	c.locked(func() { c.drop(event{Cause: because(device), Soft: true}, unavailable) })
}

// Vanish takes the channel away without a word, as a restart of Asterisk does
// for who is not connected.
func (c *Caller) Vanish() {
	c.locked(c.vanish)
}

// Done is closed when the line is down.
func (c *Caller) Done() <-chan struct{} { return c.done }

// SentOn is closed when the call went on in the dialplan.
func (c *Caller) SentOn() <-chan struct{} { return c.sentOn }

// Early says whether something sounded before the call was answered.
func (c *Caller) Early() (yes bool) {
	c.locked(func() { yes = c.early })
	return yes
}

// Music says whether music sounds.
func (c *Caller) Music() (yes bool) {
	c.locked(func() { yes = c.music })
	return yes
}

// WaitMusic returns when music sounds, or none does any more.
func (c *Caller) WaitMusic(ctx context.Context, sounds bool) error {
	return c.wait(ctx, func() bool { return c.music == sounds })
}

// WaitListened returns when somebody listens for a voice.
func (c *Caller) WaitListened(ctx context.Context) error {
	return c.wait(ctx, func() bool { return c.listening })
}

// TalksWith is who else is in the bridge with the caller; nil: nobody.
func (c *Caller) TalksWith() (other *Caller) {
	c.locked(func() { other = c.bridge.other(c) })
	return other
}

// WaitTalk returns who else is in the bridge with the caller, as soon as somebody is.
func (c *Caller) WaitTalk(ctx context.Context) (other *Caller, err error) {
	err = c.wait(ctx, func() bool {
		other = c.bridge.other(c)
		return other != nil
	})
	return other, err
}

// WaitAlone returns when the caller is in no bridge.
func (c *Caller) WaitAlone(ctx context.Context) error {
	return c.wait(ctx, func() bool { return c.bridge == nil })
}

// HeardKeys are the keys the others in its bridges pressed.
func (c *Caller) HeardKeys() (keys string) {
	c.locked(func() { keys = string(c.keys) })
	return keys
}

// EndedFor is the reason, in ARI's words, of the request that ended the call:
// "normal", "no_answer" …; empty: there was none.
func (c *Caller) EndedFor() (reason string) {
	c.locked(func() { reason = c.asked })
	return reason
}

// Answered says whether the call was answered.
func (c *Caller) Answered() (yes bool) {
	c.locked(func() { yes = c.channel.State == "Up" })
	return yes
}

// Playing is the media URI that sounds now, or empty.
func (c *Caller) Playing() (media string) {
	c.locked(func() {
		if len(c.operations) > 0 && c.operations[0].playback != nil {
			media = c.operations[0].playback.Media
		}
	})
	return media
}

// Recording says whether a recording runs, its tone included.
func (c *Caller) Recording() (yes bool) {
	c.locked(func() { yes = len(c.operations) > 0 && c.operations[0].recording != nil })
	return yes
}

// FailRecording has the recording that runs fail.
func (c *Caller) FailRecording(cause string) {
	c.locked(func() {
		if len(c.operations) == 0 || c.operations[0].recording == nil {
			return
		}
		o := c.operations[0]
		o.recording.State, o.recording.Cause = "failed", cause
		c.server.emit(event{Type: "RecordingFailed", Recording: o.recording})
		o.forget()
		c.operations = c.operations[1:]
	})
}

// Heard are the media URIs of all prompts that began, oldest first.
func (c *Caller) Heard() (media []string) {
	c.locked(func() { media = append(media, c.heard...) })
	return media
}

// WaitPlaying returns the next prompt: one call for every prompt that begins,
// in their order, whether it still sounds or not. It fails with ErrDown or the
// cause of ctx's end.
func (c *Caller) WaitPlaying(ctx context.Context) (media string, err error) {
	err = c.wait(ctx, func() bool {
		if c.told == len(c.heard) {
			return false
		}
		media = c.heard[c.told]
		c.told++
		return true
	})
	return media, err
}

// WaitRecording returns when the next recording runs, after its tone.
func (c *Caller) WaitRecording(ctx context.Context) error {
	return c.wait(ctx, func() bool {
		if c.toldRec == c.recordings {
			return false
		}
		c.toldRec++
		return true
	})
}

// WaitQuiet returns when nothing sounds and nothing is recorded.
func (c *Caller) WaitQuiet(ctx context.Context) error {
	return c.wait(ctx, func() bool { return len(c.operations) == 0 })
}

func (c *Caller) wait(ctx context.Context, ready func() bool) error {
	for {
		c.server.mu.Lock()
		if ready() {
			c.server.mu.Unlock()
			return nil
		}
		changed := c.changed
		c.server.mu.Unlock()
		select {
		case <-changed:
		case <-c.done:
			return ErrDown
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (c *Caller) locked(f func()) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	f()
}
