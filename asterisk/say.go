package asterisk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"ringback/ivr"
	"ringback/speech"
)

const (
	// stopBound is how long the end of a stopped playback or recording is
	// waited for. Without the wait, what is said next would queue behind it.
	stopBound = 500 * time.Millisecond
	// overdue is how much longer than its clip a playback may take.
	overdue = 5 * time.Second
)

// playbackIDs is how many ids the playbacks of a call take in turn. One sounds
// at a time; the second is for one that follows while Asterisk still stops it.
const playbackIDs = 2

// PlaybackID is the id of a call's n-th playback. It takes few values, so that
// who takes over a call can silence what sounds in it without knowing n.
func PlaybackID(call uuid.UUID, n int) string { return fmt.Sprintf("%s-%d", call, n%playbackIDs) }

// Say plays the utterance as one playback of one file. Into a talk that another
// process joined, and that Talk was not called for yet, nothing is said.
func (c *call) Say(ctx context.Context, u ivr.Utterance) error {
	if c.resumed && !closed(c.talk.down) {
		return c.over(ctx)
	}
	if err := c.alone(ctx); err != nil {
		return err
	}
	if c.cut(u) {
		return nil
	}
	clip, err := c.clip(ctx, u)
	if over := c.over(ctx); over != nil {
		return over
	}
	if c.cut(u) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("speak: %w", err)
	}
	if err := c.quiet(ctx); err != nil {
		return err
	}
	// A file may be missing for a moment while the cache is swept: once more.
	err = c.play(ctx, u, clip)
	if errors.Is(err, errNotPlayed) {
		if err = c.play(ctx, u, clip); err != nil {
			return fmt.Errorf("play %s: %w", clip.Path, err)
		}
	}
	return err
}

// cut says whether a key keeps the utterance from being heard.
func (c *call) cut(u ivr.Utterance) bool {
	_, pressed := c.mail.first()
	return pressed && !u.Uncut
}

// clip has the utterance spoken, and gives up as soon as nobody will hear it.
func (c *call) clip(ctx context.Context, u ivr.Utterance) (speech.Clip, error) {
	ctx, cancel := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		defer cancel()
		for c.gone() == nil && !c.cut(u) {
			select {
			case <-c.mail.news:
			case <-c.down:
			case <-ctx.Done():
				return
			}
		}
	}()
	clip, err := c.line.voice.Clip(ctx, u.Manner, u.Lines...)
	cancel()
	<-watched // one goroutine at a time reads the mailbox
	return clip, err
}

// errNotPlayed says that Asterisk could not play a file.
var errNotPlayed = errors.New("Asterisk could not play the file")

// play plays the clip once. It fails with errNotPlayed when another try may help.
func (c *call) play(ctx context.Context, u ivr.Utterance, clip speech.Clip) error {
	c.plays++
	id := PlaybackID(c.info.ID, c.plays)
	c.mail.await(id)
	if err := c.line.ari.play(ctx, c.channel, id, "sound:"+clip.Path); err != nil {
		refused := refusedWith(err, 404, 409)
		err = c.failed(ctx, err)
		switch {
		case c.gone() != nil:
			return err
		case refused && ctx.Err() == nil:
			return errNotPlayed
		}
		// It may have begun all the same: the answer may be what got lost.
		c.stop(ctx, id)
		return err
	}
	late := time.NewTimer(clip.Duration + overdue)
	defer late.Stop()
	for {
		if e := c.mail.ending(); e != nil {
			c.settle()
			if over := c.over(ctx); over != nil {
				return over
			}
			if e.failed {
				return errNotPlayed
			}
			return nil
		}
		if k, pressed := c.mail.first(); pressed && !u.Uncut {
			c.stop(ctx, id)
			if c.gone() == nil {
				c.line.metrics.stops.Observe(time.Since(k.at).Seconds())
			}
			return c.gone()
		}
		select {
		case <-c.mail.news:
		case <-c.down:
			return c.lost
		case <-ctx.Done():
			c.stop(ctx, id)
			return c.over(ctx)
		case <-late.C:
			c.line.metrics.unfinished.Inc()
			c.line.log.Warn("no end of a playback was reported", "call_id", c.info.ID, "media", clip.Path)
			c.stop(ctx, id)
			return c.gone()
		}
	}
}

// stop silences a playback and waits, for a short while, until it has ended.
// It acts even when ctx has ended, but not on a line that is gone: what sounds
// there may be another controller's. An Asterisk that does not stop what sounds
// is counted, and the call goes on: the next prompt is heard later, not never.
func (c *call) stop(ctx context.Context, id string) {
	if c.gone() != nil {
		return
	}
	bounded, cancel := c.cleanUp(ctx)
	defer cancel()
	err := c.line.ari.stopPlayback(bounded, id)
	// 404: it ended by itself meanwhile.
	if err != nil && !refusedWith(err, 404) && c.gone() == nil {
		c.line.log.Warn("stop what is said", "call_id", c.info.ID, "err", err)
	}
	if !c.ended(stopBound) && c.gone() == nil {
		c.line.metrics.unfinished.Inc()
	}
}

// ended waits at most that long for the awaited end and says whether it came.
// The line may drop meanwhile.
func (c *call) ended(bound time.Duration) bool {
	late := time.NewTimer(bound)
	defer late.Stop()
	for c.mail.ending() == nil {
		select {
		case <-c.mail.news:
		case <-c.down:
			return c.mail.ending() != nil
		case <-late.C:
			return false
		}
	}
	return true
}
