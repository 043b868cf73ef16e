package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ringback/postgres"
)

// TestForget: all parts are removed one after another, once a minute, and a
// database that is away ends nothing.
func TestForget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		some := func(context.Context) (postgres.Forgotten, error) {
			switch n := asked.Add(1); {
			case n == 1:
				return postgres.Forgotten{}, errors.New("connection refused")
			case n < 4:
				return postgres.Forgotten{Calls: 100, History: 1, More: true}, nil
			case n == 4:
				return postgres.Forgotten{Calls: 7}, nil
			}
			return postgres.Forgotten{}, nil
		}
		var out bytes.Buffer
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			forget(ctx, some, slog.New(slog.NewTextHandler(&out, nil)))
		}()
		for i, want := range []int32{1, 4, 5} { // each minute
			time.Sleep(2 * forgetPause)
			synctest.Wait()
			if n := asked.Load(); n != want {
				t.Errorf("minute %d: asked %d times, want %d", i, n, want)
			}
			time.Sleep(forgetEvery)
		}
		stop()
		<-ended
		log := out.String()
		if !strings.Contains(log, "connection refused") || !strings.Contains(log, "calls=207 registrations=0 history=2") || strings.Count(log, "\n") != 2 {
			t.Errorf("logged:\n%s", log)
		}
	})
}
