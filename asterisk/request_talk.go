package asterisk

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// originating is a telephone to ring (POST /channels/ID).
type originating struct {
	Endpoint string `json:"endpoint"`
	App      string `json:"app"`
	Args     string `json:"appArgs"` // of Stasis(), joined by commas
	Caller   string `json:"callerId,omitempty"`
	Timeout  int    `json:"timeout"` // seconds
	// Variables are set before it is dialled. A function's name in them is
	// called as such (22.10.1: resource_channels.c, ast_set_variables).
	Variables map[string]string `json:"variables,omitempty"`
}

func (r *requester) originate(ctx context.Context, channel string, o originating) error {
	return r.send(ctx, "originate", http.MethodPost, channelPath(channel), o, nil)
}

// refuse hangs up with the Q.850 cause 19: SIP 480 where nobody answered before.
func (r *requester) refuse(ctx context.Context, channel string) error {
	return r.send(ctx, "refuse", http.MethodDelete, channelPath(channel)+"?reason=no_answer", nil, nil)
}

func (r *requester) startMusic(ctx context.Context, channel string) error {
	return r.send(ctx, "start_music", http.MethodPost, channelPath(channel)+"/moh", nil, nil)
}

func (r *requester) stopMusic(ctx context.Context, channel string) error {
	return r.send(ctx, "stop_music", http.MethodDelete, channelPath(channel)+"/moh", nil, nil)
}

// setVariable sets a variable, or calls a function, of a channel that is in the
// application.
func (r *requester) setVariable(ctx context.Context, channel, name, value string) error {
	q := url.Values{"variable": {name}, "value": {value}}
	return r.send(ctx, "set_variable", http.MethodPost, channelPath(channel)+"/variable?"+q.Encode(), nil, nil)
}

// variable reads a variable of a channel. One that was never set is empty.
func (r *requester) variable(ctx context.Context, channel, name string) (string, error) {
	var v struct{ Value string }
	err := r.send(ctx, "variable", http.MethodGet, channelPath(channel)+"/variable?"+url.Values{"variable": {name}}.Encode(), nil, &v)
	return v.Value, err
}

// global reads a variable of Asterisk. One that was never set is empty.
func (r *requester) global(ctx context.Context, name string) (string, error) {
	var v struct{ Value string }
	err := r.send(ctx, "global", http.MethodGet, variablePath(url.Values{"variable": {name}}), nil, &v)
	return v.Value, err
}

// forgetGlobal removes a variable of Asterisk. Without a value it is deleted,
// not emptied (main/pbx_variables.c).
func (r *requester) forgetGlobal(ctx context.Context, name string) error {
	return r.send(ctx, "forget_global", http.MethodPost, variablePath(url.Values{"variable": {name}}), nil, nil)
}

func bridgePath(id string) string { return "/bridges/" + url.PathEscape(id) }

// bridge makes a bridge in which everybody hears everybody, or finds the one
// there is of that id.
func (r *requester) bridge(ctx context.Context, id string) error {
	err := r.send(ctx, "bridge", http.MethodPost, bridgePath(id), map[string]string{"type": "mixing"}, nil)
	if refusedWith(err, http.StatusConflict) {
		return nil
	}
	return err
}

// bridged returns who is in a bridge; it fails with a refusal 404 when there is
// no such bridge.
func (r *requester) bridged(ctx context.Context, id string) ([]string, error) {
	var b struct{ Channels []string }
	err := r.send(ctx, "bridged", http.MethodGet, bridgePath(id), nil, &b)
	return b.Channels, err
}

func (r *requester) join(ctx context.Context, bridge string, channels ...string) error {
	q := url.Values{"channel": {strings.Join(channels, ",")}}
	return r.send(ctx, "join", http.MethodPost, bridgePath(bridge)+"/addChannel?"+q.Encode(), nil, nil)
}

func (r *requester) part(ctx context.Context, bridge, channel string) error {
	q := url.Values{"channel": {channel}}
	return r.send(ctx, "part", http.MethodPost, bridgePath(bridge)+"/removeChannel?"+q.Encode(), nil, nil)
}

func (r *requester) deleteBridge(ctx context.Context, id string) error {
	return r.send(ctx, "delete_bridge", http.MethodDelete, bridgePath(id), nil, nil)
}

// bridges returns who is in each bridge.
func (r *requester) bridges(ctx context.Context) (map[string][]string, error) {
	var list []struct {
		ID       string
		Channels []string
	}
	if err := r.send(ctx, "bridges", http.MethodGet, "/bridges", nil, &list); err != nil {
		return nil, err
	}
	all := make(map[string][]string, len(list))
	for _, b := range list {
		all[b.ID] = b.Channels
	}
	return all, nil
}

// inBridge says whether all channels are among those of a bridge.
func inBridge(there []string, channels ...string) bool {
	for _, c := range channels {
		if !slices.Contains(there, c) {
			return false
		}
	}
	return true
}
