package asterisk

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringback/ivr"
	"ringback/prompts"
	"ringback/speech"
)

type mute struct{}

func (mute) Clip(context.Context, prompts.Manner, ...prompts.Line) (speech.Clip, error) {
	return speech.Clip{}, errors.New("mute")
}

// accepted answers every request with success.
type accepted struct{}

func (accepted) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusNoContent, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

// FuzzEvent feeds the dispatcher whatever an Asterisk, or what poses as one,
// could send in the middle of a call.
func FuzzEvent(f *testing.F) {
	files, err := filepath.Glob("testdata/recordings/*.jsonl")
	if err != nil || len(files) == 0 {
		f.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			f.Add(line)
		}
	}
	f.Add([]byte(`{"type":"ApplicationReplaced"}`))
	f.Add([]byte(`{"type":"PlaybackFinished","playback":{"target_uri":"bridge:1"}}`))
	f.Add([]byte(`{"type":"ChannelDtmfReceived","digit":"","channel":{"id":"known"}}`))
	f.Add([]byte(`{"type":"StasisEnd","channel":{"id":"known"}}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		l, err := New(Options{URL: "http://asterisk.invalid/ari", User: "u", Password: "p", App: "ringback", Region: "DE",
			Logger: slog.New(slog.DiscardHandler)}, mute{}, func(ctx context.Context, c ivr.Call) { <-ctx.Done() })
		if err != nil {
			t.Fatal(err)
		}
		l.ari.http.Transport = accepted{}
		ctx, cancel := context.WithCancel(t.Context())
		if err := l.start(ctx, nil); err != nil {
			t.Fatal(err)
		}
		start := `{"type":"StasisStart","args":["in","0231500123","allowed","trunk"],"channel":{"id":"known","state":"Ring"}}`
		if err := l.take([]byte(start)); err != nil || l.on("known") == nil {
			t.Fatalf("no call: %v", err)
		}
		if err := l.take(frame); err != nil && !errors.Is(err, ErrReplaced) {
			t.Errorf("take: %v", err)
		}
		cancel()
		l.goroutines.Wait()
		if n := len(l.Calls()); n != 0 {
			t.Errorf("%d calls left", n)
		}
	})
}

func TestWAVLength(t *testing.T) {
	t.Parallel()
	header := "RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00"
	for name, tc := range map[string]struct {
		file string
		want time.Duration
		bad  bool
	}{
		"half a second":       {header + "data\x40\x1f\x00\x00" + strings.Repeat("\x00", 8000), 500 * time.Millisecond, false},
		"empty":               {header + "data\x00\x00\x00\x00", 0, false},
		"longer than it is":   {header + "data\xff\xff\xff\xff" + strings.Repeat("\x00", 1600), 100 * time.Millisecond, false},
		"another chunk first": {header + "LIST\x03\x00\x00\x00abc\x00data\x80\x3e\x00\x00" + strings.Repeat("\x00", 16000), time.Second, false},
		"no data":             {header, 0, true},
		"no format":           {"RIFF\x00\x00\x00\x00WAVEdata\x00\x00\x00\x00", 0, true},
		"something else":      {"not a sound at all", 0, true},
		"nothing":             {"", 0, true},
	} {
		got, err := wavLength([]byte(tc.file))
		if got != tc.want || (err != nil) != tc.bad {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, tc.want)
		}
	}
}
