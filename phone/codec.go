package phone

import "github.com/zaf/g711"

// Codec is a way to carry speech: one byte a sample at 8 kHz (ITU-T G.711),
// payload types as RFC 3551 fixes them.
type Codec struct {
	Name        string // as in SDP
	PayloadType uint8
	encode      func(int16) uint8
	decode      func(uint8) int16
}

// The codecs a Phone speaks.
var (
	ALaw = Codec{"PCMA", 8, g711.EncodeAlawFrame, g711.DecodeAlawFrame}
	ULaw = Codec{"PCMU", 0, g711.EncodeUlawFrame, g711.DecodeUlawFrame}
)

// Rate is the sampling rate of everything heard and spoken, in Hz.
const Rate = 8000

// frame is what one packet carries: 20 ms.
const frame = Rate / 50

func (c Codec) encodeFrame(pcm []int16) []byte {
	out := make([]byte, len(pcm))
	for i, s := range pcm {
		out[i] = c.encode(s)
	}
	return out
}

func (c Codec) decodeFrame(payload []byte) []int16 {
	out := make([]int16, len(payload))
	for i, b := range payload {
		out[i] = c.decode(b)
	}
	return out
}
