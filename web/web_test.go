package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func setup(checks ...Check) http.Handler {
	named := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, name+" "+r.URL.Path) })
	}
	return New(Options{Number: "0231 <500>", Version: "1.2", Checks: checks, Metrics: named("metrics"), API: named("api")})
}

func get(h http.Handler, path, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Language", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestFrontPageSpeaksTheReadersLanguage(t *testing.T) {
	t.Parallel()
	h := setup()
	tests := []struct{ path, accept, want string }{
		{"/", "de-AT,de;q=0.9,en;q=0.5", "de"},
		{"/", "en-GB", "en"},
		{"/", "fr;q=0.9, en;q=0.2, de;q=0.1", "en"},
		{"/", "tr", "de"},
		{"/", "", "de"},
		{"/", "\x00;;;q=", "de"},
		{"/?lang=en", "de", "en"},
		{"/?lang=de", "en", "de"},
		{"/?lang=%22%3E", "en", "en"},
	}
	for _, tt := range tests {
		w := get(h, tt.path, tt.accept)
		if w.Code != 200 || w.Header().Get("Content-Language") != tt.want || !strings.Contains(w.Body.String(), `<html lang="`+tt.want+`">`) {
			t.Errorf("%s for %q: %d, %s, want %s", tt.path, tt.accept, w.Code, w.Header().Get("Content-Language"), tt.want)
		}
		if w.Header().Get("Vary") != "Accept-Language" {
			t.Errorf("%s: Vary is %q", tt.path, w.Header().Get("Vary"))
		}
	}
}

func TestFrontPageIsSafeAndComplete(t *testing.T) {
	t.Parallel()
	h := setup()
	for _, lang := range []string{"de", "en"} {
		w := get(h, "/", lang)
		body := w.Body.String()
		for _, want := range []string{"0231 &lt;500&gt;", `href="tel:0231500"`, "/healthz", "/readyz", "/metrics", "/api/v1/openapi.json", "Ringback 1.2", "<title>", "<h1>", `name="viewport"`} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: %q is missing", lang, want)
			}
		}
		for _, forbidden := range []string{"://", "<script", " style=", "<style", " on"} {
			if i := strings.Index(body, forbidden); i >= 0 && !(forbidden == " on" && !regexp.MustCompile(` on[a-z]+=`).MatchString(body)) {
				t.Errorf("%s: %q is in the page", lang, forbidden)
			}
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none';") || strings.Contains(csp, "unsafe") {
			t.Errorf("policy %q", csp)
		}
		// What the page loads must be there.
		for _, m := range regexp.MustCompile(`(?:href|src)="(/[a-z]+\.[a-z]+)"`).FindAllStringSubmatch(body, -1) {
			if a := get(h, m[1], lang); a.Code != 200 || a.Body.Len() == 0 || strings.HasPrefix(a.Header().Get("Content-Type"), "text/plain") {
				t.Errorf("%s: %d %s", m[1], a.Code, a.Header())
			}
		}
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	h := setup()
	tests := []struct {
		path string
		code int
		body string
	}{
		{"/healthz", 200, "ok\n"},
		{"/metrics", 200, "metrics /metrics"},
		{"/api/v1/calls", 200, "api /api/v1/calls"},
		{"/nothing", 404, "404 page not found\n"},
		{"/pages/frame.html", 404, "404 page not found\n"},
	}
	for _, tt := range tests {
		w := get(h, tt.path, "")
		if w.Code != tt.code || w.Body.String() != tt.body {
			t.Errorf("%s: %d %q", tt.path, w.Code, w.Body)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", tt.path, w.Header())
		}
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	var down error
	h := setup(
		Check{"postgres", func(context.Context) error { return nil }},
		Check{"asterisk", func(context.Context) error { return down }},
	)
	if w := get(h, "/readyz", ""); w.Code != 200 ||
		strings.TrimSpace(w.Body.String()) != `{"ready":true,"checks":[{"name":"postgres","ready":true},{"name":"asterisk","ready":true}]}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	down = errors.New("connection refused")
	if w := get(h, "/readyz", ""); w.Code != 503 ||
		strings.TrimSpace(w.Body.String()) != `{"ready":false,"checks":[{"name":"postgres","ready":true},{"name":"asterisk","ready":false,"reason":"connection refused"}]}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestSlowCheck asks something that never answers.
func TestSlowCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(Check{"postgres", func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		began := time.Now()
		w := get(h, "/readyz", "")
		var answer readiness
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 503 || answer.Checks[0].Reason == "" {
			t.Errorf("%v, %d %s", err, w.Code, w.Body)
		}
		if took := time.Since(began); took != checkTimeout {
			t.Errorf("answered after %s", took)
		}
	})
}

func TestServerFinishesAnswersUnderWay(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	s, err := Listen("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		_, _ = io.WriteString(w, "done")
	}), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()

	answered := make(chan string, 1)
	go func() {
		r, err := http.Get("http://" + s.Address())
		if err != nil {
			answered <- err.Error()
			return
		}
		defer r.Body.Close()
		body, _ := io.ReadAll(r.Body)
		answered <- string(body)
	}()
	<-arrived
	stop()
	close(release)
	if got := <-answered; got != "done" {
		t.Errorf("the answer under way was %q", got)
	}
	if err := <-ran; err != nil {
		t.Errorf("stopped with %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed after it ran: %v", err)
	}
}

func TestServerThatNeverRan(t *testing.T) {
	t.Parallel()
	s, err := Listen("127.0.0.1:0", http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(s.Address(), http.NotFoundHandler(), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("one address was taken twice")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}
