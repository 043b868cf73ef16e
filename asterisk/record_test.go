package asterisk_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"ringback/asterisk/aritest"
	"ringback/booking"
	"ringback/ivr"
)

type recorded struct {
	booking.Recording
	err  error
	next error // of a Key afterwards
}

// TestRecord ends recordings in every way.
func TestRecord(t *testing.T) {
	t.Parallel()
	const spoken = 1500 * time.Millisecond
	quick := func(r *rig) { r.server.Silence = 50 * time.Millisecond }
	for name, tc := range map[string]struct {
		change func(*rig)
		act    func(r *rig, c *aritest.Caller)
		want   time.Duration
		err    error
		next   error
	}{
		"by silence": {quick, func(r *rig, c *aritest.Caller) { c.Speak(spoken) }, spoken, nil, ivr.ErrSilence},
		"in silence": {quick, func(r *rig, c *aritest.Caller) {}, 0, nil, ivr.ErrSilence},
		"by a key, which is not kept": {nil, func(r *rig, c *aritest.Caller) {
			c.Speak(spoken)
			recording(r, c)
			c.Press('#')
		}, spoken, nil, ivr.ErrSilence},
		"by a key into the tone": {func(r *rig) { r.server.Tone = 300 * time.Millisecond }, func(r *rig, c *aritest.Caller) {
			c.Speak(spoken)
			c.Press('1')
		}, spoken, nil, ivr.ErrSilence},
		"by a hang-up": {nil, func(r *rig, c *aritest.Caller) {
			c.Speak(spoken)
			recording(r, c)
			c.HangUp()
		}, spoken, ivr.ErrHungUp, ivr.ErrHungUp},
		"by a hang-up in the tone": {func(r *rig) { r.server.Tone = time.Hour }, func(r *rig, c *aritest.Caller) {
			c.HangUp()
		}, 0, ivr.ErrHungUp, ivr.ErrHungUp},
		"by the end of the context": {func(r *rig) { r.options.Longest = 100 * time.Millisecond }, func(r *rig, c *aritest.Caller) {
			c.Speak(spoken)
		}, spoken, ivr.ErrTooLong, ivr.ErrTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var change []func(*rig)
			if tc.change != nil {
				change = append(change, tc.change)
			}
			begin := make(chan struct{})
			r, results := lead(t, func(ctx context.Context, c ivr.Call) recorded {
				err := c.Answer(ctx)
				close(begin)
				rec, recErr := c.Record(ctx, 30*time.Second)
				_, next := c.Key(ctx, 0)
				return recorded{rec, errors.Join(err, recErr), next}
			}, change...)
			caller := r.server.Dial("+4923150012345")
			<-begin
			r.until("recording", func() bool { return caller.Recording() })
			tc.act(r, caller)
			got := receive(t, "end", results)
			if got.Length != tc.want {
				t.Errorf("length %s, want %s", got.Length, tc.want)
			}
			if (len(got.WAV) > 0) != (tc.want > 0) {
				t.Errorf("%d bytes", len(got.WAV))
			}
			wantErr(t, "Record", got.err, tc.err)
			wantErr(t, "Key", got.next, tc.next)
			if left := r.server.Stored(); left != 0 {
				t.Errorf("%d recordings left in Asterisk", left)
			}
		})
	}
}

// recording waits until the caller is being recorded, past the tone.
func recording(r *rig, c *aritest.Caller) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	if err := c.WaitRecording(ctx); err != nil {
		r.t.Errorf("recording: %v", err)
	}
}

func TestRecordingFails(t *testing.T) {
	t.Parallel()
	r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
		_, err := c.Record(ctx, time.Second)
		return err
	})
	caller := r.server.Dial("+4923150012345")
	r.until("recording", func() bool { return caller.Recording() })
	caller.FailRecording("disk full")
	err := receive(t, "end", results)
	if err == nil || err.Error() != "record: disk full" {
		t.Errorf("got %v", err)
	}
}
