package aritest

import (
	"bytes"
	"encoding/binary"
	"time"
)

// operation is a playback or a recording of a call. A call has one at a time;
// the next ones wait for their turn, as commands do in Asterisk.
// Everything here is called with server.mu held.
type operation struct {
	caller    *Caller
	playback  *playback  // either this
	recording *recording // or this
	timer     *time.Timer
	finished  bool

	longest, silence, tone time.Duration // of a recording
	anyKey                 bool          // ends it
	began                  time.Time     // after the tone; zero before
}

// queue gives a call something to do.
func (c *Caller) queue(o *operation) {
	c.operations = append(c.operations, o)
	if len(c.operations) == 1 {
		o.start()
	}
	c.tell()
}

// after runs f unless the operation ends before.
func (o *operation) after(d time.Duration, f func()) {
	o.timer = time.AfterFunc(d, func() {
		o.caller.server.mu.Lock()
		defer o.caller.server.mu.Unlock()
		if !o.finished {
			f()
		}
	})
}

func (o *operation) start() {
	c := o.caller
	c.music = false // its generator is ended by any other (main/file.c, 22.10.1)
	c.early = c.early || c.channel.State != "Up"
	if o.recording != nil {
		o.recording.State = "recording"
		r := *o.recording
		c.server.emit(event{Type: "RecordingStarted", Recording: &r})
		o.after(o.tone, o.listen)
		return
	}
	length := 50 * time.Millisecond
	if c.server.Length != nil {
		length = c.server.Length(o.playback.Media)
	}
	o.playback.State = "playing"
	p := *o.playback
	c.server.emit(event{Type: "PlaybackStarted", Playback: &p})
	c.heard = append(c.heard, o.playback.Media)
	c.tell()
	if length < 0 {
		c.end(o, "failed")
		return
	}
	o.after(length, func() { c.end(o, "done") })
}

// listen is the recording after its tone.
func (o *operation) listen() {
	c := o.caller
	o.began = time.Now()
	c.recordings++
	c.tell()
	until := o.longest
	if o.silence > 0 {
		until = min(until, o.silence)
	}
	o.after(until, func() { c.end(o, "done") })
}

// keyEnds ends a recording that keys end. One pressed into the tone does not.
func (c *Caller) keyEnds() {
	if len(c.operations) == 0 {
		return
	}
	if o := c.operations[0]; o.recording != nil && o.anyKey && !o.began.IsZero() {
		c.end(o, "done")
	}
}

// stop ends what sounds or records; what waits for its turn never begins.
func (c *Caller) stop(o *operation) {
	if len(c.operations) > 0 && c.operations[0] == o {
		c.end(o, "done")
		return
	}
	o.forget()
	for i := range c.operations {
		if c.operations[i] == o {
			c.operations = append(c.operations[:i], c.operations[i+1:]...)
			break
		}
	}
}

// end ends the operation that has its turn, and begins the next one.
func (c *Caller) end(o *operation, state string) {
	o.finish(state)
	c.operations = c.operations[1:]
	if len(c.operations) > 0 {
		c.operations[0].start()
	} else if c.musicNext {
		c.music = true
	}
	c.musicNext = c.musicNext && len(c.operations) > 0
	c.tell()
}

// clear forgets all that a call does.
func (c *Caller) clear() {
	for _, o := range c.operations {
		o.forget()
	}
	c.operations = nil
}

// finish tells of the end.
func (o *operation) finish(state string) {
	if o.finished {
		return
	}
	o.forget()
	s := o.caller.server
	if o.playback != nil {
		o.playback.State = state
		s.emit(event{Type: "PlaybackFinished", Playback: o.playback})
		return
	}
	o.recording.State = "done" // also at a hang-up
	if !o.began.IsZero() {
		length := min(o.caller.speech, o.longest)
		s.stored[o.recording.Name] = wav(length)
		seconds, none := int(length/time.Second), 0
		o.recording.Duration, o.recording.Talking, o.recording.Silence = &seconds, &seconds, &none
	}
	o.caller.speech = 0
	s.emit(event{Type: "RecordingFinished", Recording: o.recording})
}

// forget ends an operation without a word.
func (o *operation) forget() {
	o.finished = true
	if o.timer != nil {
		o.timer.Stop()
	}
	if o.playback != nil {
		delete(o.caller.server.playbacks, o.playback.ID)
	} else {
		delete(o.caller.server.recorders, o.recording.Name)
	}
}

// wav is a sound of that length as Asterisk stores it: 16-bit PCM, 8 kHz, mono.
func wav(length time.Duration) []byte {
	const rate = 8000
	samples := make([]int16, int(length*rate/time.Second))
	for i := range samples {
		samples[i] = int16(i%40*400 - 8000) // a saw of 200 Hz
	}
	var b bytes.Buffer
	le := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) } // a buffer takes all
	b.WriteString("RIFF")
	le(uint32(36 + 2*len(samples)))
	b.WriteString("WAVEfmt ")
	le(uint32(16))
	le([2]uint16{1, 1})
	le([2]uint32{rate, 2 * rate})
	le([2]uint16{2, 16})
	b.WriteString("data")
	le(uint32(2 * len(samples)))
	le(samples)
	return b.Bytes()
}
