package phone

import (
	"slices"
	"sync"
	"time"

	"github.com/pion/rtp"
)

// Packet is one packet of speech as it arrived.
type Packet struct {
	Arrived   time.Duration // since the call was dialled, or rang
	Offset    int           // in samples: where its speech stands in Heard
	Samples   int
	Sequence  uint16
	Timestamp uint32
	SSRC      uint32
	Marker    bool
}

// timeline is everything heard, each packet at its place: where its RTP
// timestamp puts it relative to the packets before it. What is missing is
// silence. A stream that begins, pauses without counting on, or changes its
// source is placed by its arrival.
type timeline struct {
	mu      sync.Mutex
	pcm     []int16
	packets []Packet

	ssrc     uint32
	base     uint32 // a timestamp …
	baseAt   int    // … and the offset it stands for
	next     int    // where the last packet ended
	anchored bool
	over     bool

	// awake is the last moment by which all that had come was taken: what a
	// busy machine has not read yet is not silence.
	awake time.Duration
}

const (
	// jitter is how late a packet may come and still be found by those who
	// listen live.
	jitter = Rate * 80 / 1000
	// resync is how far timestamps and arrival may part where a stream begins
	// to speak before it is taken to have begun anew, and resyncRunning the
	// same in the midst of it: a busy machine sends late, then catches up.
	resync        = Rate * 400 / 1000
	resyncRunning = Rate * 3
	// stalled is how long nothing comes before that is taken for silence.
	stalled = 300 * time.Millisecond
)

// place puts one packet's speech in its place.
func (t *timeline) place(at time.Duration, h rtp.Header, pcm []int16) {
	if len(pcm) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return
	}
	arrived := max(0, samples(at)-len(pcm)) // it was spoken before it was sent
	offset := t.baseAt + int(int32(h.Timestamp-t.base))
	tolerance := resync
	if jump := offset - t.next; !h.Marker && -resync < jump && jump < resync {
		tolerance = resyncRunning
	}
	if !t.anchored || h.SSRC != t.ssrc || offset-arrived > tolerance || arrived-offset > tolerance {
		offset = arrived
		if offset < len(t.pcm) && offset > len(t.pcm)-resync {
			offset = len(t.pcm) // never over what was just said
		}
		t.anchored, t.ssrc, t.base, t.baseAt = true, h.SSRC, h.Timestamp, offset
	}
	offset = max(0, offset)
	t.next = offset + len(pcm)
	if t.next > len(t.pcm) {
		t.pcm = slices.Grow(t.pcm, t.next-len(t.pcm))
		t.pcm = t.pcm[:t.next] // grown space beyond a length never used is zero
	}
	copy(t.pcm[offset:], pcm)
	t.packets = append(t.packets, Packet{at, offset, len(pcm), h.SequenceNumber, h.Timestamp, h.SSRC, h.Marker})
}

// nothingSince says that nothing was to be read from that moment on.
func (t *timeline) nothingSince(at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.awake = max(t.awake, at)
}

// horizon is the offset up to which everything that will be heard is there:
// the end of what came while packets come, and the clock when none do.
func (t *timeline) horizon(at time.Duration) int {
	if n := len(t.packets); n > 0 && at-t.packets[n-1].Arrived < stalled {
		return min(max(0, samples(at)-jitter), len(t.pcm))
	}
	return max(0, samples(min(at, t.awake))-jitter)
}

// finish fixes the length when the call is over.
func (t *timeline) finish(at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	if end := samples(at); end > len(t.pcm) {
		t.pcm = append(t.pcm, make([]int16, end-len(t.pcm))...)
	}
}

// since copies what was heard from offset on, up to now.
func (t *timeline) since(offset int, at time.Duration) []int16 {
	t.mu.Lock()
	defer t.mu.Unlock()
	end := len(t.pcm)
	if !t.over {
		end = t.horizon(at)
	}
	if offset >= end {
		return nil
	}
	out := make([]int16, end-offset)
	copy(out, t.pcm[min(offset, len(t.pcm)):min(end, len(t.pcm))])
	return out
}

// Heard is everything heard so far at 8 kHz, silence where nothing came, from
// the moment the call was dialled, or rang. While the call lasts it ends about
// 100 ms ago, or earlier where packets are late, so that they have their place.
func (c *Call) Heard() []int16 { return c.HeardSince(0) }

// HeardSince is Heard from that sample on. The next piece begins at offset
// plus the length of this one.
func (c *Call) HeardSince(offset int) []int16 {
	return c.media.heard.since(offset, c.media.since())
}

// Packets are the packets of speech that arrived so far, in order of arrival.
func (c *Call) Packets() []Packet {
	c.media.heard.mu.Lock()
	defer c.media.heard.mu.Unlock()
	return slices.Clone(c.media.heard.packets)
}
