package asterisk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/CyCoreSystems/ari/v5"
	"github.com/coder/websocket"
	"github.com/sethvargo/go-retry"

	"ringback/ivr"
)

const (
	// A connection that died without a word is noticed within 10 s: at most
	// pingEvery until the next ping, and pingBound until it is missed.
	pingEvery = 4 * time.Second
	pingBound = 4 * time.Second
	// longestFrame is far above any event of Asterisk.
	longestFrame = 1 << 20
	// After a connection that lasted this long the waits start small again.
	settled = 30 * time.Second
)

// waits is how long to wait before each new try to connect: 100 ms, doubled up
// to 5 s, spread by a fifth so that controllers do not come all at once.
func waits() retry.Backoff {
	return retry.WithJitterPercent(20, retry.WithCappedDuration(5*time.Second, retry.NewExponential(100*time.Millisecond)))
}

// keepConnected reads events until ctx ends, over as many connections as it
// takes. It returns ErrReplaced, or nil when ctx ended.
func (l *Line) keepConnected(ctx context.Context) error {
	backoff := waits()
	for {
		began := time.Now()
		err := l.converse(ctx)
		if ctx.Err() != nil {
			return whyEnded(ctx)
		}
		if errors.Is(err, ErrReplaced) {
			return err
		}
		if time.Since(began) > settled {
			backoff = waits()
		}
		wait, _ := backoff.Next()
		l.metrics.reconnects.Inc()
		l.log.Warn("no connection to Asterisk", "err", err, "next_try_in", wait)
		if !pause(ctx, wait) {
			return whyEnded(ctx)
		}
	}
}

// whyEnded is nil unless another process leads the calls.
func whyEnded(ctx context.Context) error {
	if err := context.Cause(ctx); errors.Is(err, ivr.ErrElsewhere) {
		return err
	}
	return nil
}

// converse makes one connection and dispatches its events until it breaks. It
// never returns nil.
func (l *Line) converse(ctx context.Context) error {
	info, err := l.ari.info(ctx)
	if err != nil {
		return err
	}
	// A line that was lost may have been taken by another controller, which
	// must not be replaced in turn.
	if err := l.epoch.look(ctx); err != nil {
		return err
	}
	conn, err := l.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	if err := l.epoch.claim(ctx); err != nil {
		return err
	}

	restarted := l.booted(bootOf(info))
	l.setConnected(true, nodeName(info))
	defer l.setConnected(false, "")
	l.log.Info("connected to Asterisk", "version", info.SystemInfo.Version, "node", nodeName(info))

	ctx, cancel := context.WithCancel(ctx)
	var helpers sync.WaitGroup
	defer helpers.Wait()
	defer cancel()
	began := time.Now()
	var heard atomic.Int64 // when the last event was read, since began
	helpers.Go(func() {
		keepAlive(ctx, conn, func() time.Duration { return time.Since(began) - time.Duration(heard.Load()) })
	})
	helpers.Go(func() { l.present(ctx) })
	known, rung := l.all(), l.madeTelephones()
	l.ask()
	helpers.Go(func() {
		defer l.asked()
		l.reconcile(ctx, known, rung, restarted)
	})

	// Reading and dispatching share a goroutine: dispatching does not block,
	// so a queue between them would only hide how far behind it is.
	for {
		_, frame, err := conn.Read(ctx)
		if err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		heard.Store(int64(time.Since(began)))
		if err := l.take(frame); err != nil {
			return err
		}
	}
}

// bootOf is when an Asterisk was started.
func bootOf(i ari.AsteriskInfo) time.Time { return time.Time(i.StatusInfo.StartupTime) }

// booted notes when Asterisk was started, and says whether it is another one, or
// was started anew, since it was last looked at.
func (l *Line) booted(at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	anew := !l.boot.IsZero() && !l.boot.Equal(at)
	l.boot = at
	return anew
}

// since is when the Asterisk of the line was started; the zero time before it
// was reached.
func (l *Line) since() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.boot
}

// nodeName is the systemname of asterisk.conf, or what Asterisk calls itself.
func nodeName(i ari.AsteriskInfo) string {
	if i.ConfigInfo.Name != "" {
		return i.ConfigInfo.Name
	}
	return i.SystemInfo.EntityID
}

func (l *Line) dial(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, l.options.Request)
	defer cancel()
	req, err := http.NewRequest(http.MethodGet, l.options.URL, nil)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(l.options.User, l.options.Password)
	address := "ws" + strings.TrimPrefix(l.options.URL, "http") + "/events?" + url.Values{
		"app":          {l.options.App},
		"subscribeAll": {"false"},
	}.Encode()
	conn, resp, err := websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPClient:      l.ari.http,
		HTTPHeader:      req.Header,
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
			return nil, fmt.Errorf("connect for events: %s", resp.Status)
		}
		return nil, fmt.Errorf("connect for events: %w", err)
	}
	conn.SetReadLimit(longestFrame)
	return conn, nil
}

func (l *Line) setConnected(yes bool, node string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connected = yes
	if yes {
		l.node = node
		l.metrics.connected.Set(1)
	} else {
		l.metrics.connected.Set(0)
	}
}

// keepAlive pings until a ping is not answered, and closes the connection then.
// Quiet is for how long no event was read: an answer that stands in line behind
// thousands of events is not missed while those are read.
func keepAlive(ctx context.Context, conn *websocket.Conn, quiet func() time.Duration) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		bounded, cancel := context.WithTimeout(ctx, pingBound)
		err := conn.Ping(bounded)
		cancel()
		if err != nil && quiet() > pingBound {
			conn.CloseNow()
			return
		}
	}
}
