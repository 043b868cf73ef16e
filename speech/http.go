package speech

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"ringback/prompts"
)

// HTTP is an engine behind a URL: it is sent
//
//	POST {"text": "…", "language": "de", "words_per_minute": 162}
//
// and answers 200 with a WAV file.
type HTTP struct {
	// Label is the engine's name and version.
	Label string
	URL   string
	// Header is sent with every request, for example an authorisation.
	Header http.Header
	// Languages it speaks; none means all.
	Languages []prompts.Language
	// Timeout bounds a request; 0 means 5 s.
	Timeout time.Duration
	// Client is used when set.
	Client *http.Client
}

// Name returns the label.
func (h *HTTP) Name() string { return h.Label }

// Speaks reports whether the engine is for a language.
func (h *HTTP) Speaks(lang prompts.Language) bool {
	return len(h.Languages) == 0 || slices.Contains(h.Languages, lang)
}

// Speak asks the server.
func (h *HTTP) Speak(ctx context.Context, lang prompts.Language, wpm int, text string) (Audio, error) {
	timeout := h.Timeout
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	a, err := h.ask(ctx, lang, wpm, text)
	if err != nil {
		return nil, fmt.Errorf("speak with %s: %w", h.Label, err)
	}
	return a, nil
}

func (h *HTTP) ask(ctx context.Context, lang prompts.Language, wpm int, text string) (Audio, error) {
	body, err := json.Marshal(map[string]any{"text": text, "language": lang, "words_per_minute": wpm})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for k, v := range h.Header {
		req.Header[k] = v
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "audio/wav")
	client := h.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("server answered %s", resp.Status)
	}
	return ReadWAV(resp.Body)
}
