// Package watchdog stands beside a controller and its Asterisk: it ends a
// controller that is frozen, and keeps callers from sitting in silence while
// there is none.
// It must not know how a call is led, and needs nothing that a controller needs.
package watchdog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
)

// Exchange is the Asterisk that is watched over.
type Exchange interface {
	// Presence changes every few seconds while a controller leads the calls.
	Presence(ctx context.Context) (string, error)
	// SendOn sends all calls to where the dialplan keeps them, as long as
	// Presence is what it was, and returns how many went.
	SendOn(ctx context.Context, presence string) (int, error)
}

// Options say what is watched, and how long it may be silent.
type Options struct {
	Exchange Exchange
	// Address is where the controller serves its pages, host:port; without a
	// host, this machine.
	Address string
	// PIDFile names the controller's process. Empty: a frozen one is not ended.
	PIDFile string

	Interval time.Duration // between two looks, by default 2 s
	Frozen   time.Duration // a controller silent for that long is ended, by default 8 s
	Fallback time.Duration // calls without a controller for that long are sent on, by default 30 s

	Logger *slog.Logger // by default slog.Default
}

// Watchdog watches over one node.
type Watchdog struct {
	options Options
	alive   string // the URL that answers while a controller lives
	log     *slog.Logger
	program string // the path of this program, which the controller's is as well
	http    *http.Client
}

// New checks the options. Nothing happens before Run.
func New(o Options) (*Watchdog, error) {
	if o.Exchange == nil {
		return nil, errors.New("watchdog: an exchange is needed")
	}
	alive, err := aliveURL(o.Address)
	if err != nil {
		return nil, fmt.Errorf("watchdog: %w", err)
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("watchdog: %w", err)
	}
	if o.Interval <= 0 {
		o.Interval = 2 * time.Second
	}
	if o.Frozen <= 0 {
		o.Frozen = 8 * time.Second
	}
	if o.Fallback <= 0 {
		o.Fallback = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Watchdog{
		options: o, alive: alive, log: o.Logger, program: program,
		// A new connection for each question: it shows that the controller
		// still takes one.
		http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}, nil
}

// aliveURL is where the controller that listens on an address says that it lives.
func aliveURL(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("address of the controller: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	u := url.URL{Scheme: "http", Host: net.JoinHostPort(host, port), Path: "/healthz"}
	return u.String(), nil
}

// Run watches until ctx ends, and returns nil then.
func (w *Watchdog) Run(ctx context.Context) error {
	o := w.options
	w.log.Info("watching", "controller", w.alive, "frozen_after", o.Frozen, "fallback_after", o.Fallback)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { w.watchProcess(ctx); return nil })
	g.Go(func() error { w.watchCalls(ctx); return nil })
	return g.Wait()
}

// silence measures for how long something gave no sign. Time in which nobody
// looked, because this process or the whole machine stood still, does not
// count: then the other side may have been frozen as long, or not at all.
type silence struct {
	longest time.Duration // between two looks
	since   time.Time
	looked  time.Time
}

// newSilence begins now. Interval is how often it is asked.
func newSilence(interval time.Duration) *silence {
	now := time.Now()
	return &silence{longest: 3 * interval, since: now, looked: now}
}

// sign is a sign of life.
func (s *silence) sign() {
	s.since = time.Now()
	s.looked = s.since
}

// lasts says for how long there was no sign.
func (s *silence) lasts() time.Duration {
	now := time.Now()
	if away := now.Sub(s.looked); away > s.longest {
		s.since = s.since.Add(away)
	}
	s.looked = now
	return now.Sub(s.since)
}
