package asterisk_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ringback/asterisk"
	"ringback/ivr"
	"ringback/phone"
	"ringback/prompts"
	"ringback/speech"
)

// files is a voice that has every line as a silent file.
type files struct{ dir string }

func (v files) Clip(_ context.Context, _ prompts.Manner, lines ...prompts.Line) (speech.Clip, error) {
	key := string(lines[0].Key)
	return speech.Clip{Path: filepath.Join(v.dir, key), Duration: promptLengths[key]}, nil
}

// leadReal is lead on a real Asterisk, with a call made by SIP.
func leadReal[T any](t *testing.T, handler func(ctx context.Context, c ivr.Call) T, change ...func(*asterisk.Options)) (*sipPhone, <-chan T) {
	t.Helper()
	_, _, _, sip := realAsterisk(t)
	results := make(chan T, 1)
	realLine(t, func(ctx context.Context, c ivr.Call) { results <- handler(ctx, c) }, change...)
	return ringSIP(t, sip, "+4923150012345"), results
}

// stop is when and how a prompt ended.
type stop struct {
	at  time.Time
	err error
}

// TestRealPromptStops measures, by SIP and RTP, how long after a key's release
// the next prompt is under way.
func TestRealPromptStops(t *testing.T) {
	const keys = 20
	began := make(chan struct{})
	stops := make(chan stop, keys)
	phone, results := leadReal(t, func(ctx context.Context, c ivr.Call) error {
		if err := c.Answer(ctx); err != nil {
			return err
		}
		for range keys {
			began <- struct{}{}
			err := c.Say(ctx, say("long"))
			stops <- stop{time.Now(), err}
			if k, err := c.Key(ctx, 0); err != nil || k != '5' {
				return fmt.Errorf("key %q: %w", k, err)
			}
		}
		return nil
	})
	var took []time.Duration
	for range keys {
		receive(t, "prompt", began)
		released := phone.press(t, '5', tap)
		s := receive(t, "stop", stops)
		if s.err != nil {
			t.Fatal(s.err)
		}
		took = append(took, s.at.Sub(released))
	}
	if err := receive(t, "end", results); err != nil {
		t.Error(err)
	}
	slices.Sort(took)
	t.Logf("prompt stopped after the last packet of a key: median %s, longest %s", took[keys/2], took[keys-1])
	if longest := took[keys-1]; longest > 100*time.Millisecond {
		t.Errorf("longest %s, want at most 100 ms", longest)
	}
}

// TestRealKeyHeldThreeSeconds holds a key: the prompt stops at its release, and
// it is one key.
func TestRealKeyHeldThreeSeconds(t *testing.T) {
	ready := make(chan struct{})
	phone, results := leadReal(t, func(ctx context.Context, c ivr.Call) stop {
		err := c.Answer(ctx)
		close(ready)
		err = errors.Join(err, c.Say(ctx, say("long")))
		return stop{time.Now(), err}
	})
	receive(t, "answer", ready)
	began := time.Now()
	released := phone.press(t, '5', 3*time.Second)
	s := receive(t, "end", results)
	if s.err != nil {
		t.Error(s.err)
	}
	if held, late := released.Sub(began), s.at.Sub(released); held < 2900*time.Millisecond || late < 0 || late > 100*time.Millisecond {
		t.Errorf("held %s, stopped %s after the release", held, late)
	}
}

// TestRealCall goes through all methods of a call.
func TestRealCall(t *testing.T) {
	told := make(chan string)
	phone, results := leadReal(t, func(ctx context.Context, c ivr.Call) error {
		if n := c.Info().Number; n != "+4923150012345" {
			t.Errorf("number %s", n)
		}
		if err := errors.Join(c.Answer(ctx), c.Answer(ctx)); err != nil {
			return err
		}
		began := time.Now()
		if err := c.Say(ctx, say("short")); err != nil {
			return err
		}
		if took := time.Since(began); took < promptLengths["short"] || took > 2*promptLengths["short"] {
			t.Errorf("a prompt of %s took %s", promptLengths["short"], took)
		}
		if err := c.Say(ctx, say("none")); err == nil {
			t.Error("a missing file was said")
		}
		told <- "press 1 2"
		for _, want := range []ivr.Key{'1', '2'} {
			if k, err := c.Key(ctx, patience); k != want || err != nil {
				t.Errorf("got key %q, %v", k, err)
			}
		}
		told <- "end the recording by a key"
		rec, err := c.Record(ctx, 10*time.Second)
		if err != nil || rec.Length < time.Second/2 || rec.Length > 2*time.Second {
			t.Errorf("recording of %s, %d bytes: %v", rec.Length, len(rec.WAV), err)
		}
		if k, err := c.Key(ctx, 100*time.Millisecond); !errors.Is(err, ivr.ErrSilence) {
			t.Errorf("the key that ended the recording was kept: %q, %v", k, err)
		}
		told <- "press a key into the tone"
		if _, err := c.Record(ctx, 10*time.Second); err != nil {
			t.Errorf("recording with a key in its tone: %v", err)
		}
		told <- "hang up in the recording"
		rec, err = c.Record(ctx, 10*time.Second)
		if !errors.Is(err, ivr.ErrHungUp) || rec.Length < time.Second/2 {
			t.Errorf("recording of %s: %v", rec.Length, err)
		}
		return c.HangUp(context.WithoutCancel(ctx))
	})
	receive(t, "keys", told)
	phone.press(t, '1', tap)
	phone.stay(t, tap)
	phone.press(t, '2', tap)
	receive(t, "recording", told)
	phone.speak(t, 1500*time.Millisecond)
	phone.press(t, '#', tap)
	receive(t, "recording", told)
	phone.stay(t, tap)
	phone.press(t, '#', tap)
	receive(t, "recording", told)
	phone.speak(t, 1500*time.Millisecond)
	phone.hangUp()
	if err := receive(t, "end", results); err != nil {
		t.Error(err)
	}
}

// TestRealHangUp hangs up in a prompt, from either side.
func TestRealHangUp(t *testing.T) {
	t.Run("caller", func(t *testing.T) {
		began := make(chan struct{})
		phone, results := leadReal(t, func(ctx context.Context, c ivr.Call) error {
			err := c.Answer(ctx)
			close(began)
			return errors.Join(err, c.Say(ctx, say("long")))
		})
		receive(t, "prompt", began)
		phone.stay(t, tap)
		phone.hangUp()
		wantErr(t, "Say", receive(t, "end", results), ivr.ErrHungUp)
	})
	t.Run("handler", func(t *testing.T) {
		sip, results := leadReal(t, func(ctx context.Context, c ivr.Call) error {
			err := errors.Join(c.Answer(ctx), c.HangUp(ctx))
			<-ctx.Done()
			return errors.Join(err, c.HangUp(ctx))
		})
		if err := receive(t, "end", results); err != nil {
			t.Error(err)
		}
		if by := sip.endedBy(t); by != phone.FarEnd {
			t.Errorf("the SIP call was ended by %s", by)
		}
	})
}
