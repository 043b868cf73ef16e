package web

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"
)

// checkTimeout bounds one check: a load balancer waits no longer either.
const checkTimeout = 2 * time.Second

// alive says that the process answers, whatever it may be waiting for.
func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, "ok\n")
}

// readiness is the answer of /readyz.
type readiness struct {
	Ready  bool     `json:"ready"`
	Checks []result `json:"checks"`
}

type result struct {
	Name   string `json:"name"`
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"`
}

// ready answers 200 when new calls can be taken, else 503 and why not.
func ready(checks []Check) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
		defer cancel()
		answer := readiness{Ready: true, Checks: make([]result, len(checks))}
		var all sync.WaitGroup
		for i, c := range checks {
			all.Go(func() {
				answer.Checks[i] = result{Name: c.Name, Ready: true}
				if err := c.Ready(ctx); err != nil {
					answer.Checks[i] = result{Name: c.Name, Reason: err.Error()}
				}
			})
		}
		all.Wait()
		status := http.StatusOK
		for _, one := range answer.Checks {
			if !one.Ready {
				answer.Ready, status = false, http.StatusServiceUnavailable
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	}
}
