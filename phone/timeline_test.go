package phone

import (
	"testing"
	"time"

	"github.com/pion/rtp"
)

// TestLateReaderHearsAll: the machine is too busy to read what came. Nobody who
// listens takes that for silence, and all is heard once it is read.
func TestLateReaderHearsAll(t *testing.T) {
	t.Parallel()
	const begins, frames = 500 * time.Millisecond, 50
	var l timeline
	speak := func(n int, at time.Duration) {
		pcm := make([]int16, frame)
		for i := range pcm {
			pcm[i] = int16(1000 + n)
		}
		l.place(at, rtp.Header{SSRC: 1, SequenceNumber: uint16(n), Timestamp: uint32(n) * frame, Marker: n == 0}, pcm)
	}
	l.nothingSince(begins)
	heard := len(l.since(0, begins))
	for n := range frames / 2 {
		speak(n, begins+time.Duration(n+1)*20*time.Millisecond)
	}
	heard += len(l.since(heard, begins+510*time.Millisecond))
	const late = begins + 1300*time.Millisecond // the rest is read by then, and not before
	if pcm := l.since(heard, late); len(pcm) > 0 {
		t.Fatalf("%d samples are taken for silence before anybody looked for them", len(pcm))
	}
	for n := frames / 2; n < frames; n++ {
		speak(n, late)
	}
	l.nothingSince(late)
	rest := l.since(heard, late+time.Second)
	speech := samples(begins) + frames*frame // where it ends
	for i, v := range rest[:speech-heard] {
		if want := int16(1000 + (heard+i-samples(begins))/frame); v != want {
			t.Fatalf("sample %d is %d, want %d", heard+i, v, want)
		}
	}
	if end := heard + len(rest); end != samples(late)-jitter {
		t.Errorf("heard up to %d, want %d: the silence until it was looked for last", end, samples(late)-jitter)
	}
}
