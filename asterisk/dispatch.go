package asterisk

import (
	"strings"

	"github.com/CyCoreSystems/ari/v5"

	"ringback/ivr"
)

// decode reads an event. A type that ari/v5 does not know gives nil.
func decode(frame []byte) (ari.Event, error) { return ari.DecodeEvent(frame) }

// take decodes a frame and hands the event to its call. What is no event known
// here is skipped and counted. It fails with ErrReplaced only.
//
// It runs in the one goroutine that reads for all calls, so nothing below it
// may block: no request, no log, no channel that may be full.
func (l *Line) take(frame []byte) error {
	e, err := decode(frame)
	switch {
	case err != nil:
		l.metrics.skipped.WithLabelValues(skippedMalformed).Inc()
		return nil
	case e == nil:
		l.metrics.skipped.WithLabelValues(skippedUnknown).Inc()
		return nil
	}
	l.metrics.events.WithLabelValues(e.GetType()).Inc()
	return l.dispatch(e, frame)
}

func (l *Line) dispatch(e ari.Event, frame []byte) error {
	switch e := e.(type) {
	case *ari.StasisStart:
		l.arrive(e)
	case *ari.StasisEnd:
		l.left(e.Channel.ID, hangup{})
	case *ari.ChannelDestroyed:
		l.left(e.Channel.ID, readHangup(frame))
	case *ari.ChannelHangupRequest:
		l.leaving(e.Channel.ID, readHangup(frame))
	case *ari.ChannelStateChange:
		l.changed(e)
	case *ari.Dial:
		if t := l.telephone(e.Peer.ID); t != nil {
			t.progress(e.Dialstatus)
		}
	case *ari.ChannelDtmfReceived:
		l.pressed(e)
	case *ari.ChannelTalkingStarted:
		if c := l.on(e.Channel.ID); c != nil {
			c.mail.speak()
		}
	case *ari.PlaybackFinished:
		l.finished(e.Playback.TargetURI, e.Playback.ID, ending{failed: e.Playback.State == "failed"})
	case *ari.RecordingFinished:
		l.finished(e.Recording.TargetURI, e.Recording.Name, ending{})
	case *ari.RecordingFailed:
		l.finished(e.Recording.TargetURI, e.Recording.Name, ending{failed: true, cause: e.Recording.Cause})
	case *ari.ApplicationReplaced:
		return ErrReplaced
	}
	return nil
}

// The states of channels that matter here.
const (
	stateUp      = "Up" // answered
	stateRinging = "Ringing"
)

func (l *Line) changed(e *ari.ChannelStateChange) {
	if c := l.on(e.Channel.ID); c != nil && e.Channel.State == stateUp {
		c.mail.up()
	}
	if t := l.telephone(e.Channel.ID); t != nil && e.Channel.State == stateRinging {
		t.ringing()
	}
}

// leaving notes that a channel is about to end.
func (l *Line) leaving(channel string, h hangup) {
	if c := l.on(channel); c != nil {
		c.mail.hangingUp(h)
	}
	if t := l.telephone(channel); t != nil {
		t.reply(h)
	}
}

// left ends the call on a channel that left our application, or notes the end
// of a telephone that we rang.
func (l *Line) left(channel string, h hangup) {
	if t := l.telephone(channel); t != nil {
		l.gone(t, h)
	}
	l.mu.Lock()
	c := l.unseat(channel)
	l.mu.Unlock()
	if c != nil {
		c.mail.hangingUp(h) // if nothing said so before
		c.lose(c.mail.why())
	}
}

func (l *Line) pressed(e *ari.ChannelDtmfReceived) {
	// The keys A to D of RFC 4733 are on no caller's telephone.
	if len(e.Digit) != 1 || !strings.Contains("0123456789*#", e.Digit) {
		return
	}
	c := l.on(e.Channel.ID)
	if c == nil {
		return
	}
	if !c.mail.press(ivr.Key(e.Digit[0])) {
		l.metrics.overflows.Inc()
		c.cancel(ivr.ErrTooManyKeys)
	}
}

// finished hands the end of a playback or recording to the call it sounded in.
func (l *Line) finished(target, id string, e ending) {
	channel, ok := strings.CutPrefix(target, "channel:")
	if !ok {
		return
	}
	if c := l.on(channel); c != nil {
		c.mail.finish(id, e)
	}
}
