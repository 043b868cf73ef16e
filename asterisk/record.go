package asterisk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/ivr"
)

const (
	// trailingSilence ends a recording. Asterisk cuts it off what it keeps.
	trailingSilence = 3 * time.Second
	// beeping is more than the tone and the start of a recording take.
	beeping = 5 * time.Second
)

// recordingName is the name of a call's recording in Asterisk: one runs at a
// time, and is taken out of Asterisk when it ends. Who takes over a call can
// work it out.
func recordingName(call uuid.UUID) string { return call.String() + "-recording" }

// Record plays a tone and records. Somebody who said nothing, or hung up
// before the tone, gives the zero Recording and no error of its own. What was
// recorded when the line dropped or ctx ended is returned with that error.
func (c *call) Record(ctx context.Context, longest time.Duration) (booking.Recording, error) {
	if err := c.alone(ctx); err != nil {
		return booking.Recording{}, err
	}
	if err := c.quiet(ctx); err != nil {
		return booking.Recording{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return booking.Recording{}, fmt.Errorf("id of a recording: %w", err)
	}
	name, before := recordingName(c.info.ID), c.mail.seen()
	c.mail.await(name)
	if err := c.line.ari.record(ctx, c.channel, name, max(longest, time.Second), trailingSilence); err != nil {
		err = c.failed(ctx, err)
		if c.gone() == nil && !refusedWith(err, 404, 409, 422) {
			c.stopRecording(ctx, name) // it may have begun all the same
			c.discard(ctx, name)
		}
		return booking.Recording{}, err
	}
	c.untilRecorded(ctx, name, before, longest)

	end := c.mail.ending()
	if end == nil {
		// No end in sight: what there is will have to do.
		c.line.metrics.unfinished.Inc()
		end = &ending{keys: c.mail.seen()}
	}
	// The key that ended it is not kept; nor is one pressed into the tone, or
	// a second one pressed for good measure.
	c.mail.forget(before, end.keys)
	c.settle()
	if end.failed {
		if over := c.over(ctx); over != nil {
			return booking.Recording{}, over
		}
		return booking.Recording{}, fmt.Errorf("record: %s", end.cause)
	}
	recording, err := c.fetch(ctx, id, name)
	if over := c.over(ctx); over != nil {
		return recording, over
	}
	return recording, err
}

// untilRecorded waits until the recording ended, and ends it when the caller
// pressed a key into the tone (Asterisk does not take that for an end), when
// ctx ends, or when it takes too long.
func (c *call) untilRecorded(ctx context.Context, name string, before int, longest time.Duration) {
	late := time.NewTimer(longest + trailingSilence + beeping)
	defer late.Stop()
	for c.mail.ending() == nil {
		if c.mail.seen() > before {
			if !c.ended(stopBound) {
				c.stopRecording(ctx, name)
			}
			return
		}
		select {
		case <-c.mail.news:
		case <-c.down:
			c.endedThough(stopBound)
			return
		case <-ctx.Done():
			c.stopRecording(ctx, name)
			return
		case <-late.C:
			c.stopRecording(ctx, name)
			return
		}
	}
}

// stopRecording ends a recording and waits for its end. It acts even when ctx
// has ended, but not on a line that is another controller's.
func (c *call) stopRecording(ctx context.Context, name string) {
	if errors.Is(c.gone(), ivr.ErrElsewhere) {
		return
	}
	bounded, cancel := c.cleanUp(ctx)
	defer cancel()
	err := c.line.ari.stopRecording(bounded, name)
	// 404: it ended by itself meanwhile.
	if err != nil && !refusedWith(err, 404) && c.gone() == nil {
		c.line.log.Warn("stop recording", "call_id", c.info.ID, "err", err)
	}
	c.ended(stopBound)
}

// endedThough waits for the awaited end although the line has dropped.
func (c *call) endedThough(bound time.Duration) {
	late := time.NewTimer(bound)
	defer late.Stop()
	for c.mail.ending() == nil {
		select {
		case <-c.mail.news:
		case <-late.C:
			return
		}
	}
}

// fetch takes a recording out of Asterisk's store. It acts even when ctx has
// ended or the line has dropped: what somebody said is not thrown away.
func (c *call) fetch(ctx context.Context, id uuid.UUID, name string) (booking.Recording, error) {
	if errors.Is(c.gone(), ivr.ErrElsewhere) {
		return booking.Recording{}, nil
	}
	bounded, cancel := c.cleanUp(ctx)
	defer cancel()
	wav, err := c.line.ari.recording(bounded, name)
	if err != nil {
		if refusedWith(err, 404) {
			return booking.Recording{}, nil // nothing was said
		}
		return booking.Recording{}, err
	}
	defer c.discard(ctx, name)
	length, err := wavLength(wav)
	if err != nil {
		return booking.Recording{}, fmt.Errorf("recording: %w", err)
	}
	if length == 0 {
		return booking.Recording{}, nil
	}
	return booking.Recording{ID: id, Length: length, WAV: wav}, nil
}

// discard deletes a recording from Asterisk's store.
func (c *call) discard(ctx context.Context, name string) {
	bounded, cancel := c.cleanUp(ctx)
	defer cancel()
	if err := c.line.ari.deleteRecording(bounded, name); err != nil && !refusedWith(err, 404) {
		c.line.log.Warn("delete recording", "call_id", c.info.ID, "err", err)
	}
}
