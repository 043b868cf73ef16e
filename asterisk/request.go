package asterisk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/CyCoreSystems/ari/v5"
)

// requester sends requests to ARI, each bounded in time, over connections that
// are used again. ari/v5's own client takes no context, sets no time-out and
// cannot be given a transport (v5.3.1, client/native/request.go), so its typed
// requests could hang a call for as long as a broken network does; what goes
// over the wire are ari/v5's types all the same, where it has them.
type requester struct {
	base           string
	user, password string
	bound          time.Duration
	http           *http.Client
	metrics        *metrics
	// ours is asked before each request that changes something; nil: nobody.
	ours func(context.Context) error
}

const (
	// connections is the most at a time. Asterisk's http.conf allows 100
	// sessions by default (sessionlimit), the one for events included; at
	// about a millisecond a request 64 carry far more than one Asterisk does.
	connections = 64
	// idle is shorter than Asterisk's own limit (session_keep_alive, 15 s by
	// default), so that no request is sent into a connection being closed.
	idle = 10 * time.Second
	// largest is the longest answer read: a list of 10,000 channels, or a
	// recording of five minutes.
	largest = 16 << 20
)

func newRequester(o Options, m *metrics) *requester {
	dial := o.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: o.Request, KeepAlive: 5 * time.Second}).DialContext
	}
	return &requester{
		base: o.URL, user: o.User, password: o.Password, bound: o.Request, metrics: m,
		http: &http.Client{Transport: &http.Transport{
			DialContext:         dial,
			TLSHandshakeTimeout: o.Request,
			MaxConnsPerHost:     connections,
			MaxIdleConnsPerHost: connections,
			IdleConnTimeout:     idle,
			DisableCompression:  true,
		}},
	}
}

func (r *requester) close() { r.http.CloseIdleConnections() }

// refusal is an answer of Asterisk other than success.
type refusal struct {
	code    int
	message string
}

func (e *refusal) Error() string {
	if e.message == "" {
		return http.StatusText(e.code)
	}
	return e.message
}

// refusedWith says whether Asterisk answered with one of the HTTP codes.
func refusedWith(err error, codes ...int) bool {
	var r *refusal
	if !errors.As(err, &r) {
		return false
	}
	for _, c := range codes {
		if r.code == c {
			return true
		}
	}
	return false
}

// send is exchange for who leads the calls: what would change something is not
// sent, and fails with ErrReplaced, once another process does.
func (r *requester) send(ctx context.Context, operation, method, path string, body, into any) error {
	if method != http.MethodGet && r.ours != nil {
		if err := r.ours(ctx); err != nil {
			return fmt.Errorf("ARI %s: %w", operation, err)
		}
	}
	return r.exchange(ctx, operation, method, path, body, into)
}

// exchange makes one request and decodes its answer into "into", if that is not
// nil: *[]byte takes the body as it is, anything else JSON. Operation names
// the request in errors and metrics. It ends with ctx or the bound of a
// request, whichever comes first.
func (r *requester) exchange(ctx context.Context, operation, method, path string, body, into any) (err error) {
	began := time.Now()
	defer func() {
		r.metrics.requests.WithLabelValues(operation).Observe(time.Since(began).Seconds())
		if err != nil {
			r.metrics.refused.WithLabelValues(operation, reasonOf(err)).Inc()
			err = fmt.Errorf("ARI %s: %w", operation, err)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, r.bound)
	defer cancel()
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, content)
	if err != nil {
		return err
	}
	req.SetBasicAuth(r.user, r.password)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, largest+1))
	if err != nil {
		return err
	}
	if len(answer) > largest {
		return fmt.Errorf("the answer is longer than %d bytes", largest)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		var said struct{ Message string }
		_ = json.Unmarshal(answer, &said) // not every refusal is JSON
		return &refusal{code: resp.StatusCode, message: said.Message}
	}
	switch into := into.(type) {
	case nil:
		return nil
	case *[]byte:
		*into = answer
		return nil
	default:
		return json.Unmarshal(answer, into)
	}
}

// reasonOf is the finite label of a failed request.
func reasonOf(err error) string {
	var r *refusal
	switch {
	case errors.As(err, &r):
		return fmt.Sprint(r.code)
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	default:
		return "network"
	}
}

func (r *requester) info(ctx context.Context) (ari.AsteriskInfo, error) {
	var i ari.AsteriskInfo
	err := r.send(ctx, "info", http.MethodGet, "/asterisk/info", nil, &i)
	return i, err
}

// channelData is what is wanted of a channel. ari/v5's own type (v5.3.1) lacks
// what the dialplan's application was called with.
type channelData struct {
	ID       string
	State    string
	Caller   struct{ Number string }
	Dialplan struct {
		AppName string `json:"app_name"`
		AppData string `json:"app_data"`
	}
}

// channels returns all channels by their ids.
func (r *requester) channels(ctx context.Context) (map[string]*channelData, error) {
	var list []*channelData
	if err := r.send(ctx, "channels", http.MethodGet, "/channels", nil, &list); err != nil {
		return nil, err
	}
	up := make(map[string]*channelData, len(list))
	for _, c := range list {
		up[c.ID] = c
	}
	return up, nil
}

// inApplication returns the ids of the channels that are in an application.
func (r *requester) inApplication(ctx context.Context, app string) (map[string]bool, error) {
	var a struct {
		Channels []string `json:"channel_ids"`
	}
	if err := r.send(ctx, "application", http.MethodGet, "/applications/"+url.PathEscape(app), nil, &a); err != nil {
		return nil, err
	}
	in := make(map[string]bool, len(a.Channels))
	for _, id := range a.Channels {
		in[id] = true
	}
	return in, nil
}

func channelPath(id string) string { return "/channels/" + url.PathEscape(id) }

// channel fails with a refusal 404 when there is no such channel.
func (r *requester) channel(ctx context.Context, id string) (channelData, error) {
	var c channelData
	err := r.send(ctx, "channel", http.MethodGet, channelPath(id), nil, &c)
	return c, err
}

func (r *requester) answer(ctx context.Context, channel string) error {
	return r.send(ctx, "answer", http.MethodPost, channelPath(channel)+"/answer", nil, nil)
}

func (r *requester) hangUp(ctx context.Context, channel string) error {
	return r.send(ctx, "hangup", http.MethodDelete, channelPath(channel)+"?reason=normal", nil, nil)
}

// sendOn lets a channel go on in the dialplan after Stasis().
func (r *requester) sendOn(ctx context.Context, channel string) error {
	return r.send(ctx, "continue", http.MethodPost, channelPath(channel)+"/continue", nil, nil)
}

func (r *requester) play(ctx context.Context, channel, playback, media string) error {
	return r.send(ctx, "play", http.MethodPost, channelPath(channel)+"/play/"+url.PathEscape(playback),
		map[string]string{"media": media}, nil)
}

func (r *requester) stopPlayback(ctx context.Context, playback string) error {
	return r.send(ctx, "stop_playback", http.MethodDelete, "/playbacks/"+url.PathEscape(playback), nil, nil)
}

// record starts a recording that a tone precedes and any key ends.
func (r *requester) record(ctx context.Context, channel, name string, longest, silence time.Duration) error {
	return r.send(ctx, "record", http.MethodPost, channelPath(channel)+"/record", map[string]any{
		"name":               name,
		"format":             "wav",
		"maxDurationSeconds": wholeSeconds(longest),
		"maxSilenceSeconds":  wholeSeconds(silence),
		"beep":               true,
		"terminateOn":        "any",
		// One that its controller did not live to delete.
		"ifExists": "overwrite",
	}, nil)
}

func wholeSeconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

func (r *requester) stopRecording(ctx context.Context, name string) error {
	return r.send(ctx, "stop_recording", http.MethodPost, "/recordings/live/"+url.PathEscape(name)+"/stop", nil, nil)
}

func (r *requester) recording(ctx context.Context, name string) ([]byte, error) {
	var wav []byte
	err := r.send(ctx, "recording", http.MethodGet, "/recordings/stored/"+url.PathEscape(name)+"/file", nil, &wav)
	return wav, err
}

func (r *requester) deleteRecording(ctx context.Context, name string) error {
	return r.send(ctx, "delete_recording", http.MethodDelete, "/recordings/stored/"+url.PathEscape(name), nil, nil)
}
