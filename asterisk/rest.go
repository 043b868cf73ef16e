package asterisk

import (
	"context"
	"errors"
	"time"

	"ringback/ivr"
)

const (
	// keyAfterVoice is how long a key is waited for after a voice: keys of some
	// lines are tones in the audio, and begin like a voice.
	keyAfterVoice = 700 * time.Millisecond

	// While somebody is listened for, TALK_DETECT tells when more than silence
	// is heard (func_talkdetect). It tells again only after it was silent for
	// the milliseconds it is set to; Asterisk's own 2500 would miss a second
	// word.
	talkDetect       = "TALK_DETECT(set)"
	talkDetectSilent = "800"
	talkDetectOff    = "TALK_DETECT(remove)"
)

// Rest waits. Nothing is asked or sent meanwhile, so a caller who waits costs a
// goroutine. The music goes on after Rest until something else is heard, so
// that nobody hears a hole in it.
func (c *call) Rest(ctx context.Context, r ivr.Rest) (ivr.Key, error) {
	if err := c.alone(ctx); err != nil {
		return 0, err
	}
	if k, ok := c.mail.next(); ok {
		return k, nil
	}
	if r.Wait <= 0 {
		return 0, ivr.ErrSilence
	}
	want := musicOff
	if r.Music {
		want = musicOn
	}
	if err := c.sound(ctx, want); err != nil {
		return 0, err
	}
	if r.Voice {
		c.mail.hush()
		if err := c.line.ari.setVariable(ctx, c.channel, talkDetect, talkDetectSilent); err != nil {
			return 0, c.failed(ctx, err)
		}
		defer c.listenNoMore(ctx)
	}
	return c.rest(ctx, r)
}

func (c *call) rest(ctx context.Context, r ivr.Rest) (ivr.Key, error) {
	timeout := time.NewTimer(r.Wait)
	defer timeout.Stop()
	var spoke <-chan time.Time
	for {
		if err := c.over(ctx); err != nil {
			return 0, err
		}
		if k, ok := c.mail.next(); ok {
			return k, nil
		}
		if r.Voice && spoke == nil && c.mail.hasSpoken() {
			t := time.NewTimer(keyAfterVoice)
			defer t.Stop()
			spoke = t.C
		}
		select {
		case <-c.mail.news:
		case <-c.down:
		case <-ctx.Done():
		case <-r.News:
			return 0, ivr.ErrNews
		case <-spoke:
			return 0, ivr.ErrSpoke
		case <-timeout.C:
			return 0, ivr.ErrSilence
		}
	}
}

// listenNoMore spares Asterisk the listening. It acts even when ctx has ended.
func (c *call) listenNoMore(ctx context.Context) {
	if c.gone() != nil {
		return
	}
	bounded, cancel := c.cleanUp(ctx)
	defer cancel()
	err := c.line.ari.setVariable(bounded, c.channel, talkDetectOff, "")
	if err != nil && !refusedWith(err, 404, 409) && c.gone() == nil {
		c.line.log.Warn("stop listening", "call_id", c.info.ID, "err", err)
	}
}

// music is whether music sounds to a caller.
type music int

const (
	musicOff music = iota
	musicOn
	musicUnknown // a request for it was not answered
)

// sound starts or stops the music. Asterisk does one thing after another with a
// channel: what is played next does not begin before the music has stopped. A
// playback would end it as well (openstream_internal in main/file.c, 22.10.1),
// but a channel whose next playback fails would keep it.
func (c *call) sound(ctx context.Context, want music) error {
	if c.music == want {
		return nil
	}
	set := c.line.ari.stopMusic
	if want == musicOn {
		set = c.line.ari.startMusic
	}
	c.music = musicUnknown
	if err := set(ctx, c.channel); err != nil {
		return c.failed(ctx, err)
	}
	c.music = want
	return nil
}

// alone is what a method begins with that is for the caller alone: it fails
// with what over says, and takes the caller out of a talk that nobody waits in.
func (c *call) alone(ctx context.Context) error {
	if err := c.over(ctx); err != nil {
		return err
	}
	if c.talk != nil {
		c.separate(ctx)
	}
	return c.over(ctx)
}

// quiet stops the music, for what is heard next. Where that fails the call goes
// on: what is played ends it as well.
func (c *call) quiet(ctx context.Context) error {
	err := c.sound(ctx, musicOff)
	if over := c.over(ctx); over != nil {
		return over
	}
	if err != nil && !errors.Is(err, ivr.ErrElsewhere) {
		c.line.log.Warn("stop the music", "call_id", c.info.ID, "err", err)
		return nil
	}
	return err
}

// Refuse ends a line that was never answered with SIP 480, of which no
// telephone makes a busy tone. One that was answered is hung up.
func (c *call) Refuse(ctx context.Context) error {
	return c.hangUp(ctx, c.line.ari.refuse)
}
