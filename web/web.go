// Package web is the house's web server: its front page, its health, its
// metrics, and the API beside them.
// It must not know how calls are led or where anything is kept.
package web

import (
	"context"
	"net/http"
)

// Check says whether one thing the hotline needs is there.
type Check struct {
	Name string // "postgres"
	// Ready returns nil, or why not. It is asked often and by several at once.
	Ready func(context.Context) error
}

// Options are what the pages show and lead to.
type Options struct {
	Number  string       // of the hotline, as people are told it
	Version string       // of Ringback
	Checks  []Check      // what must be there to take calls
	Metrics http.Handler // of /metrics
	API     http.Handler // of everything under /api/
}

// New returns the handler of all paths.
func New(o Options) http.Handler {
	mux := http.NewServeMux()
	p := page{number: o.Number, version: o.Version}
	mux.HandleFunc("GET /{$}", p.serve)
	mux.HandleFunc("GET /style.css", asset("style.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /icon.svg", asset("icon.svg", "image/svg+xml"))
	mux.HandleFunc("GET /healthz", alive)
	mux.HandleFunc("GET /readyz", ready(o.Checks))
	mux.Handle("GET /metrics", o.Metrics)
	mux.Handle("/api/", o.API)
	return guarded(mux)
}

// policy lets a page load nothing but what this server holds.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guarded sets what every answer carries.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
