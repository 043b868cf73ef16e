package phone

import (
	"encoding/binary"
	"slices"

	"github.com/pion/rtp"
)

// sender makes the packets of a telephone's own voice: silence, speech, or
// keys as telephone events (RFC 4733).
type sender struct {
	ssrc      uint32
	sequence  uint16
	timestamp uint32 // of the next packet of voice; one tick further each time
	started   bool

	speech  []*speech
	strokes []*stroke
	last    int // sample offset of the last key's release; 0: none yet
}

// stroke is one press of a key. Durations are in samples.
type stroke struct {
	event   uint8
	length  int
	gap     int
	began   uint32 // timestamp of its first packet
	elapsed int    // reported so far; 0: not begun
	after   int    // since its release
	done    chan struct{}
}

// speech is audio to be spoken.
type speech struct {
	pcm  []int16
	done chan struct{}
}

// endPackets is how often the end of a key is told, for one may be lost
// (RFC 4733 section 2.5.1.4).
const endPackets = 3

// next is the packet of this tick; now is the call's sample offset.
func (s *sender) next(c Codec, eventType, now int) *rtp.Packet {
	p := &rtp.Packet{Header: rtp.Header{
		Version: 2, SSRC: s.ssrc, SequenceNumber: s.sequence, Timestamp: s.timestamp, PayloadType: c.PayloadType,
	}}
	if len(s.strokes) == 0 || !s.key(s.strokes[0], p, eventType, now) {
		p.Payload = c.encodeFrame(s.voice())
		p.Marker = !s.started
	}
	s.started = true
	s.sequence++
	s.timestamp += frame
	return p
}

// key fills the packet with what the pressed key has to tell at this tick, or
// reports that it has nothing to tell: the gap after a key is voice.
func (s *sender) key(k *stroke, p *rtp.Packet, eventType, now int) bool {
	if k.elapsed == 0 {
		k.began = s.timestamp
		p.Marker = true
	}
	told := true
	if k.elapsed < k.length {
		k.elapsed = min(k.elapsed+frame, k.length)
		if k.elapsed == k.length {
			s.last = now
		}
	} else {
		k.after += frame
		told = k.after < endPackets*frame
		if k.after >= max(k.gap, endPackets*frame) {
			s.strokes = s.strokes[1:]
			close(k.done)
		}
	}
	if !told {
		return false
	}
	p.PayloadType = uint8(eventType)
	p.Timestamp = k.began // the same in all packets of one key
	payload := make([]byte, 4)
	payload[0] = k.event
	payload[1] = 10 // −10 dBm0
	if k.elapsed == k.length {
		payload[1] |= 0x80
	}
	binary.BigEndian.PutUint16(payload[2:], uint16(k.elapsed))
	p.Payload = payload
	return true
}

// voice is 20 ms of what is being spoken, or silence.
func (s *sender) voice() []int16 {
	pcm := make([]int16, frame)
	if len(s.speech) == 0 {
		return pcm
	}
	now := s.speech[0]
	n := copy(pcm, now.pcm)
	now.pcm = now.pcm[n:]
	if len(now.pcm) == 0 {
		s.speech = s.speech[1:]
		close(now.done)
	}
	return pcm
}

// forget takes back the keys that have not begun to sound.
func (s *sender) forget(ks []*stroke) {
	s.strokes = slices.DeleteFunc(s.strokes, func(k *stroke) bool {
		return k.elapsed == 0 && slices.Contains(ks, k)
	})
}
