package speech

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestHTTP(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var got struct {
			Text     string `json:"text"`
			Language string `json:"language"`
			WPM      int    `json:"words_per_minute"`
		}
		err := json.NewDecoder(r.Body).Decode(&got)
		if err != nil || r.Method != http.MethodPost || got.Text != "Grüße <3" || got.Language != "de" ||
			got.WPM != 130 || r.Header.Get("Authorization") != "Bearer x" {
			t.Errorf("asked %s %+v, %v", r.Method, got, err)
		}
		w.Header().Set("Content-Type", "audio/wav")
		w.Write(wavFile(sines(440, 48000, part{-6, 1}), 48000, 16, 2))
	}))
	defer server.Close()
	e := &HTTP{Label: "served", URL: server.URL, Header: http.Header{"Authorization": {"Bearer x"}}}
	a, err := e.Speak(t.Context(), "de", 130, "Grüße <3")
	if err != nil {
		t.Fatal(err)
	}
	if m := Measure(a); m.Duration != time.Second || math.Abs(m.RMSdB-(-9.01)) > 0.1 {
		t.Errorf("measured %+v", m)
	}
}

func TestHTTPIsBounded(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "overloaded", http.StatusServiceUnavailable)
		},
		"a page":    func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"never":     func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() },
		"no format": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "RIFF....WAVE") },
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			w.Write(wavWith(1, 12345, 16, 1, 0xffffffff, nil))
			for {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(answer)
			defer server.Close()
			e := &HTTP{Label: "served", URL: server.URL, Timeout: 2 * time.Second}
			_, err := e.Speak(t.Context(), "de", 160, "geheim")
			if err == nil || strings.Contains(err.Error(), "geheim") || !strings.Contains(err.Error(), "served") {
				t.Errorf("got %v, want an error that names the engine and not the text", err)
			}
		})
	}
}
