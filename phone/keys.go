package phone

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// KeyLength and KeyGap are how long a person presses a key, and rests after
// it, in Press. ITU-T Q.24 asks for 40 ms of each at least.
const (
	KeyLength = 120 * time.Millisecond
	KeyGap    = 120 * time.Millisecond
)

// longestKey is what one telephone event can tell: 65535 samples.
const longestKey = 8 * time.Second

// keypad has each key at the place that is its event code (RFC 4733 table 3).
const keypad = "0123456789*#ABCD"

// Errors of keys and speech.
var (
	ErrNoEvents = errors.New("the far end takes no telephone events")
	ErrMuted    = errors.New("the telephone is muted")
)

// Press presses the keys one after another and returns when the last was
// released and rested. Blanks are skipped. When ctx ends, keys not begun stay
// unpressed. It fails with ErrEnded, ErrMuted, ErrNoEvents, or the cause of ctx.
func (c *Call) Press(ctx context.Context, keys string) error {
	keys = strings.Join(strings.Fields(keys), "")
	return c.press(ctx, keys, KeyLength)
}

// Hold presses one key for that long, 8 s at most.
func (c *Call) Hold(ctx context.Context, key byte, length time.Duration) error {
	return c.press(ctx, string(key), length)
}

func (c *Call) press(ctx context.Context, keys string, length time.Duration) error {
	if length < 20*time.Millisecond || length > longestKey {
		return fmt.Errorf("press a key for %v: want 20ms to %v", length, longestKey)
	}
	if keys == "" {
		return nil
	}
	var strokes []*stroke
	for _, k := range []byte(strings.ToUpper(keys)) {
		event := strings.IndexByte(keypad, k)
		if event < 0 {
			return fmt.Errorf("a telephone has no key %q", k)
		}
		strokes = append(strokes, &stroke{
			event: uint8(event), length: samples(length), gap: samples(KeyGap), done: make(chan struct{}),
		})
	}
	m := c.media
	m.mu.Lock()
	switch {
	case m.mute:
		m.mu.Unlock()
		return ErrMuted
	case m.far == nil || m.far.event < 0:
		m.mu.Unlock()
		return ErrNoEvents
	}
	m.out.strokes = append(m.out.strokes, strokes...)
	m.mu.Unlock()

	last := strokes[len(strokes)-1]
	err := c.wait(ctx, last.done)
	if err == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.out.forget(strokes)
	if last.elapsed == last.length { // released; the far end may hang up at that
		return nil
	}
	return err
}

// LastKey is when the last key was released; zero before the first.
func (c *Call) LastKey() time.Duration { return duration(c.media.lastKey()) }

func (m *media) lastKey() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.out.last
}

// Speak speaks 8 kHz audio instead of silence and returns when it was spoken.
func (c *Call) Speak(ctx context.Context, pcm []int16) error {
	if len(pcm) == 0 {
		return nil
	}
	s := &speech{pcm: pcm, done: make(chan struct{})}
	c.media.mu.Lock()
	c.media.out.speech = append(c.media.out.speech, s)
	c.media.mu.Unlock()
	err := c.wait(ctx, s.done)
	if err != nil {
		c.media.mu.Lock()
		c.media.out.speech = slices.DeleteFunc(c.media.out.speech, func(o *speech) bool { return o == s })
		c.media.mu.Unlock()
	}
	return err
}

// Mute stops sending altogether, as a line does that went dead: not even
// silence goes out. Unmute takes it up again.
func (c *Call) Mute() { c.setMute(true) }

// Unmute sends again after Mute.
func (c *Call) Unmute() { c.setMute(false) }

func (c *Call) setMute(mute bool) {
	c.media.mu.Lock()
	defer c.media.mu.Unlock()
	c.media.mute = mute
}

// samples is a time as a number of samples, and duration the reverse.
func samples(d time.Duration) int  { return int(d * Rate / time.Second) }
func duration(n int) time.Duration { return time.Duration(n) * time.Second / Rate }
