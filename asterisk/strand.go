package asterisk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// presenceVariable is the global variable of Asterisk that the controller
	// which reads its events writes anew every PresentEvery. It stands in
	// Asterisk because that is what a call needs: a controller that serves its
	// pages may have lost the line, and one whose pages are elsewhere, as
	// during an upgrade, may have it. Asterisk itself does not tell: an
	// application that holds channels is listed with or without a controller
	// (22.10.1, GET /applications/NAME).
	presenceVariable = "RINGBACK_PRESENT"
	// PresentEvery is how often a controller says that it is there.
	PresentEvery = 5 * time.Second
	// fallback is where the dialplan keeps callers without a controller.
	fallback = "fallback"
)

// present says that a controller is there until ctx ends: at once, because who
// was away may be missed already.
func (l *Line) present(ctx context.Context) {
	tick := time.NewTicker(PresentEvery)
	defer tick.Stop()
	for {
		// The time since this process began differs each time, also after a new
		// connection.
		value := l.epoch.mark + " " + strconv.FormatInt(l.epoch.now().Nanoseconds(), 10)
		q := url.Values{"variable": {presenceVariable}, "value": {value}}
		if err := l.ari.send(ctx, "present", http.MethodPost, variablePath(q), nil, nil); err != nil && ctx.Err() == nil && !errors.Is(err, ErrReplaced) {
			l.log.Warn("say that a controller is there", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Stranded is an Asterisk as its watchdog sees it: whether a controller is
// there, and the calls that nobody leads.
type Stranded struct {
	ari *requester
	app string
}

// NewStranded returns the Asterisk of the options, of which it takes the
// address, user, application and bound of a request.
func NewStranded(o Options) (*Stranded, error) {
	if o.App == "" || o.User == "" || o.Password == "" {
		return nil, errors.New("ARI: application, user and password are needed")
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	if o.Request <= 0 {
		o.Request = 3 * time.Second
	}
	m, err := newMetrics(prometheus.NewRegistry())
	if err != nil {
		return nil, fmt.Errorf("metrics of the watchdog: %w", err)
	}
	return &Stranded{ari: newRequester(o, m), app: o.App}, nil
}

// Close gives up the connections.
func (s *Stranded) Close() { s.ari.close() }

// Presence is a text without meaning. While a controller reads the events of
// this Asterisk it changes every PresentEvery.
func (s *Stranded) Presence(ctx context.Context) (string, error) {
	var v struct{ Value string }
	path := variablePath(url.Values{"variable": {presenceVariable}})
	err := s.ari.exchange(ctx, "presence", http.MethodGet, path, nil, &v)
	return v.Value, err
}

// SendOn sends the calls in the application to the fallback of the dialplan,
// one after another, and returns how many went. It stops as
// soon as Presence is not what it was: a controller has come for them. A call
// goes when what it hears now has sounded to its end (Asterisk does one thing
// after another with a channel), so nothing it hears is cut.
//
// Who talks with an agent is left alone: a talk needs no controller. So are
// telephones that a controller rang, agents' and others': their channels have no
// dialplan to go on in, and would end.
func (s *Stranded) SendOn(ctx context.Context, presence string) (sent int, err error) {
	callers, err := s.callers(ctx)
	if refusedWith(err, http.StatusNotFound) {
		return 0, nil // without a controller and calls there is no application
	}
	if err != nil {
		return 0, err
	}
	for _, id := range callers {
		now, err := s.Presence(ctx)
		if err != nil || now != presence {
			return sent, err
		}
		q := url.Values{"context": {fallback}, "extension": {"s"}, "priority": {"1"}}
		err = s.ari.exchange(ctx, "strand", http.MethodPost, channelPath(id)+"/continue?"+q.Encode(), nil, nil)
		switch {
		case err == nil:
			sent++
		case refusedWith(err, http.StatusNotFound, http.StatusConflict): // hung up, or on its way
		default:
			return sent, err
		}
	}
	return sent, nil
}

// callers are the channels of who rang us and talks with nobody.
func (s *Stranded) callers(ctx context.Context) ([]string, error) {
	ours, err := s.ari.inApplication(ctx, s.app)
	if err != nil || len(ours) == 0 {
		return nil, err
	}
	up, err := s.ari.channels(ctx)
	if err != nil {
		return nil, err
	}
	bridges, err := s.ari.bridges(ctx)
	if err != nil {
		return nil, err
	}
	talks := map[string]bool{}
	for _, in := range bridges {
		for _, id := range in {
			talks[id] = len(in) > 1
		}
	}
	// Asterisk's own ids begin with the time: who came first goes first.
	return slices.DeleteFunc(slices.Sorted(maps.Keys(ours)), func(id string) bool {
		return up[id] == nil || talks[id] || !up[id].isCall() || direction(up[id].stasisArgs()) == outgoing
	}), nil
}
