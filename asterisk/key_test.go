package asterisk_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"ringback/ivr"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	const keys = "0123456789*#"
	r, results := lead(t, func(ctx context.Context, c ivr.Call) string {
		var got string
		for range keys {
			k, err := c.Key(ctx, patience)
			if err != nil {
				t.Errorf("key: %v", err)
			}
			got += string(k)
		}
		return got
	})
	caller := r.server.Dial("+4923150012345")
	caller.Press('A') // on no caller's telephone
	for _, k := range []byte(keys) {
		caller.Press(k)
	}
	if got := receive(t, "keys", results); got != keys {
		t.Errorf("got %s, want %s", got, keys)
	}
}

func TestKeyHeldLongIsOneKey(t *testing.T) {
	t.Parallel()
	r, results := lead(t, func(ctx context.Context, c ivr.Call) error {
		k, err := c.Key(ctx, patience)
		if k != '5' {
			t.Errorf("got %q", k)
		}
		_, more := c.Key(ctx, 0)
		if !errors.Is(more, ivr.ErrSilence) {
			t.Errorf("a second key: %v", more)
		}
		return err
	})
	r.server.Dial("+4923150012345").Hold('5', 3*time.Second)
	if err := receive(t, "end", results); err != nil {
		t.Error(err)
	}
}

func TestSilenceIsCountedFromKey(t *testing.T) {
	t.Parallel()
	const wait = 30 * time.Millisecond
	r, results := lead(t, func(ctx context.Context, c ivr.Call) time.Duration {
		began := time.Now()
		_, err := c.Key(ctx, wait)
		wantErr(t, "Key", err, ivr.ErrSilence)
		return time.Since(began)
	})
	r.server.Dial("+4923150012345")
	if took := receive(t, "end", results); took < wait {
		t.Errorf("silence after %s, want %s", took, wait)
	}
}

func TestFlush(t *testing.T) {
	t.Parallel()
	r, results := lead(t, func(ctx context.Context, c ivr.Call) ivr.Key {
		if err := c.Say(ctx, say("long")); err != nil {
			t.Error(err)
		}
		c.Flush()
		_, err := c.Key(ctx, 0)
		wantErr(t, "Key after Flush", err, ivr.ErrSilence)
		if err := c.Say(ctx, say("long")); err != nil { // is heard again
			t.Error(err)
		}
		k, err := c.Key(ctx, patience)
		wantErr(t, "Key", err, nil)
		return k
	})
	caller := r.server.Dial("+4923150012345")
	r.playing(caller)
	caller.Press('1')
	r.playing(caller)
	caller.Press('2')
	if k := receive(t, "key", results); k != '2' {
		t.Errorf("got %q", k)
	}
}

// TestTooManyKeys presses more keys than a mailbox takes: the context ends, the
// line does not, and something can still be said.
func TestTooManyKeys(t *testing.T) {
	t.Parallel()
	type result struct{ cause, key, said error }
	pressed := make(chan struct{})
	r, results := lead(t, func(ctx context.Context, c ivr.Call) result {
		<-ctx.Done()
		<-pressed
		_, key := c.Key(ctx, time.Hour)
		c.Flush()
		fresh, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return result{context.Cause(ctx), key, c.Say(fresh, say("short"))}
	})
	caller := r.server.Dial("+4923150012345")
	for range 65 {
		caller.Press('1')
	}
	close(pressed)
	got := receive(t, "end", results)
	wantErr(t, "cause", got.cause, ivr.ErrTooManyKeys)
	wantErr(t, "Key", got.key, ivr.ErrTooManyKeys)
	if got.said != nil {
		t.Errorf("last word: %v", got.said)
	}
	if heard := caller.Heard(); len(heard) != 1 {
		t.Errorf("heard %v", heard)
	}
	if n := r.count("ringback_ari_mailbox_overflows_total"); n != 1 {
		t.Errorf("overflows: %v, want 1", n)
	}
}
