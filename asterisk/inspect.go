package asterisk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// Inspection is what an Asterisk tells about itself, for who looks for faults.
type Inspection struct {
	Version string          // as Asterisk writes it: "22.10.1+dfsg"
	Node    string          // systemname of asterisk.conf; empty: not set
	Modules map[string]bool // by name without ".so"; true: it runs
	// Writable says that the user may do more than read.
	Writable bool
	// Controller says that the application is there, so that Stasis() succeeds.
	Controller bool
	// Clock says that Asterisk told its time; Ahead is how far that is before
	// ours, below zero behind. What the round trip and the whole seconds of
	// the answer leave open counts as no difference.
	Clock bool
	Ahead time.Duration
	// SIP are the addresses, by transport ("udp", "tcp", "tls"), that Asterisk is bound
	// to; those of asterisk-conf are asked for. Empty: no such transport.
	SIP map[string]string
}

// Major is the number of the release: 22. Zero: the version has none.
func (i Inspection) Major() int {
	digit := func(r rune) bool { return r >= '0' && r <= '9' }
	v := strings.TrimLeftFunc(i.Version, func(r rune) bool { return !digit(r) }) // "certified/20.7-cert1"
	if end := strings.IndexFunc(v, func(r rune) bool { return !digit(r) }); end >= 0 {
		v = v[:end]
	}
	n, _ := strconv.Atoi(v) // nothing is zero
	return n
}

// Why an Asterisk could not be inspected; any other error says that it was not
// reached.
var (
	ErrCredentials = errors.New("Asterisk does not take this user and password")
	ErrNoARI       = errors.New("what answers there is not ARI")
)

// Inspect asks the Asterisk of the options about itself. It changes nothing,
// and does not take the line from the controller that has it. Each request is
// bounded by Options.Request. It fails with ErrCredentials, ErrNoARI, or what
// kept Asterisk from answering.
func Inspect(ctx context.Context, o Options) (Inspection, error) {
	o.URL = strings.TrimSuffix(o.URL, "/")
	if o.Request <= 0 {
		o.Request = 3 * time.Second
	}
	m, err := newMetrics(prometheus.NewRegistry())
	if err != nil {
		return Inspection{}, fmt.Errorf("inspect Asterisk: %w", err)
	}
	r := newRequester(o, m)
	defer r.close()
	clock := &clock{RoundTripper: r.http.Transport}
	r.http.Transport = clock

	info, err := r.info(ctx)
	if err != nil {
		return Inspection{}, fmt.Errorf("inspect Asterisk: %w", whyNot(err))
	}
	i := Inspection{Version: info.SystemInfo.Version, Node: info.ConfigInfo.Name}
	i.Ahead, i.Clock = clock.ahead()
	if i.Version == "" {
		return Inspection{}, fmt.Errorf("inspect Asterisk: %w", ErrNoARI)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		i.Modules, err = r.modules(ctx)
		return err
	})
	g.Go(func() (err error) {
		i.Writable, err = r.writable(ctx)
		return err
	})
	g.Go(func() error {
		_, err := r.inApplication(ctx, o.App)
		i.Controller = err == nil
		if refusedWith(err, http.StatusNotFound) {
			return nil
		}
		return err
	})
	g.Go(func() (err error) {
		i.SIP, err = r.transports(ctx, "udp", "tcp", "tls")
		return err
	})
	if err := g.Wait(); err != nil {
		return Inspection{}, fmt.Errorf("inspect Asterisk: %w", err)
	}
	return i, nil
}

// whyNot tells what answered from what did not.
func whyNot(err error) error {
	var r *refusal
	var network *url.Error
	switch {
	case refusedWith(err, http.StatusUnauthorized, http.StatusForbidden):
		return errors.Join(ErrCredentials, err)
	case errors.As(err, &r) && r.code < http.StatusInternalServerError:
		return errors.Join(ErrNoARI, err)
	case errors.As(err, &r), errors.As(err, &network), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	}
	return errors.Join(ErrNoARI, err) // an answer that is no JSON
}

func (r *requester) modules(ctx context.Context) (map[string]bool, error) {
	var list []struct{ Name, Status string }
	if err := r.exchange(ctx, "modules", http.MethodGet, "/asterisk/modules", nil, &list); err != nil {
		return nil, err
	}
	modules := make(map[string]bool, len(list))
	for _, m := range list {
		modules[strings.TrimSuffix(m.Name, ".so")] = m.Status == "Running"
	}
	return modules, nil
}

// writable asks for something that is not there to be removed: a user who may
// only read is refused before Asterisk looks for it (22.10.1, res_ari.c).
func (r *requester) writable(ctx context.Context) (bool, error) {
	err := r.exchange(ctx, "writable", http.MethodDelete, "/playbacks/ringback-doctor", nil, nil)
	switch {
	case refusedWith(err, http.StatusForbidden):
		return false, nil
	case refusedWith(err, http.StatusNotFound):
		return true, nil
	}
	return err == nil, err
}

// transports returns where the transports of those names are bound to. Asterisk
// gives objects of its configuration by their names only.
func (r *requester) transports(ctx context.Context, names ...string) (map[string]string, error) {
	bound := map[string]string{}
	for _, name := range names {
		var fields []struct{ Attribute, Value string }
		err := r.exchange(ctx, "transport", http.MethodGet, "/asterisk/config/dynamic/res_pjsip/transport/"+url.PathEscape(name), nil, &fields)
		if refusedWith(err, http.StatusNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, f := range fields {
			if f.Attribute == "bind" {
				bound[name] = f.Value
			}
		}
	}
	return bound, nil
}

// clock reads the time an answer bears, of the first that bears one.
type clock struct {
	http.RoundTripper

	mu             sync.Mutex
	told           time.Time // in whole seconds; zero: not told
	sent, received time.Time
}

// RoundTrip makes a request and looks at its answer.
func (c *clock) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := time.Now()
	resp, err := c.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	received := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if told, err := http.ParseTime(resp.Header.Get("Date")); err == nil && c.told.IsZero() {
		c.told, c.sent, c.received = told, sent, received
	}
	return resp, nil
}

// ahead is the least difference that explains what was told.
func (c *clock) ahead() (ahead time.Duration, told bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told.IsZero() {
		return 0, false
	}
	// It was between told and a second later, somewhen between sent and received.
	least, most := c.told.Sub(c.received), c.told.Add(time.Second).Sub(c.sent)
	return max(least, min(most, 0)), true
}
