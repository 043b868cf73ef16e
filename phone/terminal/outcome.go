package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"ringback/e164"
)

// api is the hotline's REST API, as far as a telephone has use for it.
type api struct {
	base string
	key  string
}

// outcome is how a call ended, in the API's words.
type outcome struct {
	Result string `json:"result"`
	Reason string `json:"reason"`
}

// apiPatience is how long the hotline may take to write down how a call ended.
const apiPatience = 6 * time.Second

// apiClock is how far the hotline's clock may be behind this one.
const apiClock = 3 * time.Second

// good are the results with which a caller was helped.
var good = map[string]bool{
	"booked": true, "changed": true, "cancelled": true, "informed": true, "person": true, "callback": true,
}

// judge is nil for a good result.
func (o outcome) judge(hungUp bool) error {
	switch {
	case good[o.Result]:
		return nil
	case o.Result == "hung_up" && hungUp:
		return errors.New("you hung up before anything was settled")
	case o.Result == "hung_up":
		return errors.New("the hotline counts the call as hung up by the caller")
	case o.Result == "failed":
		return fmt.Errorf("the call failed at the hotline: %s", o.Reason)
	}
	return fmt.Errorf("the hotline calls the result %q", o.Result)
}

// outcome asks until the call that began after dialled has ended.
func (a *api) outcome(ctx context.Context, from e164.Number, dialled time.Time) (outcome, error) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		o, err := a.newest(ctx, from, dialled.Add(-apiClock))
		if err == nil {
			return o, nil
		}
		if !errors.Is(err, errNotYet) && ctx.Err() == nil {
			return o, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return o, errNotYet
		}
	}
}

var errNotYet = errors.New("it has not noted the end of this call")

// newest is the outcome of the newest call of a number since then.
func (a *api) newest(ctx context.Context, from e164.Number, since time.Time) (outcome, error) {
	address := a.base + "/calls"
	if from != e164.Withheld { // withheld ones cannot be asked for
		address += "?" + url.Values{"number": {string(from)}}.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return outcome{}, err
	}
	req.Header.Set("Authorization", "Bearer "+a.key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return outcome{}, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return outcome{}, fmt.Errorf("its API answers %s", res.Status)
	}
	var list struct {
		Calls []struct {
			Number    string     `json:"number"`
			StartedAt time.Time  `json:"started_at"`
			EndedAt   *time.Time `json:"ended_at"`
			Outcome   *outcome   `json:"outcome"`
		} `json:"calls"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 16<<20)).Decode(&list); err != nil {
		return outcome{}, fmt.Errorf("read its API's answer: %w", err)
	}
	for _, c := range list.Calls {
		if c.Number != string(from) || c.StartedAt.Before(since) {
			continue
		}
		if c.EndedAt == nil || c.Outcome == nil {
			return outcome{}, errNotYet
		}
		return *c.Outcome, nil
	}
	return outcome{}, errNotYet
}
