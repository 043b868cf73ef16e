package api

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/ivr"
)

var update = flag.Bool("update", false, "write testdata anew")

const key = "a key for tests, 32 letters long"

var errNone = errors.New("no such call")

// store is a Store of a few records that can be away.
type store struct {
	mu      sync.Mutex
	records []ivr.Record
	away    error
	asked   []e164.Number
	limits  []int
}

func (s *store) Calls(_ context.Context, number e164.Number, limit int) ([]ivr.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.limits = append(s.asked, number), append(s.limits, limit)
	if s.away != nil {
		return nil, s.away
	}
	var found []ivr.Record
	for _, r := range s.records {
		if (number == e164.Withheld || r.Number == number) && len(found) < limit {
			found = append(found, r)
		}
	}
	return found, nil
}

func (s *store) Call(_ context.Context, id uuid.UUID) (ivr.Record, error) {
	if s.away != nil {
		return ivr.Record{}, s.away
	}
	for _, r := range s.records {
		if r.ID == id {
			return r, nil
		}
	}
	return ivr.Record{}, errors.Join(errors.New("get call"), errNone)
}

var (
	ended   = uuid.MustParse("018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a11")
	running = uuid.MustParse("018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a12")
)

func records() []ivr.Record {
	berlin := time.FixedZone("CET", 3600)
	at := time.Date(2021, 1, 25, 9, 0, 1, 0, berlin)
	return []ivr.Record{
		{Info: ivr.Info{ID: running, Started: at.Add(time.Minute)}},
		{
			Info:     ivr.Info{ID: ended, Attempt: ended, Number: "+4923150012345", Started: at, Node: "n1", Channel: "c1"},
			Ticket:   uuid.MustParse("018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a13"),
			EndedAt:  at.Add(90*time.Second + 120*time.Millisecond),
			Language: "de", Scene: "goodbye", Outcome: ivr.Outcome{Result: ivr.Booked, Reason: "goodbye"},
			Transcript: []ivr.Entry{
				{At: at, Kind: ivr.EntryScene, Line: "welcome"},
				{At: at.Add(time.Millisecond), Kind: ivr.EntrySay, Line: "welcome.greeting", Text: "Guten Tag <&>"},
				{At: at.Add(2 * time.Second), Kind: ivr.EntryKey, Line: "welcome.language", Keys: "1"},
			},
		},
	}
}

func setup(t testing.TB) (*store, http.Handler) {
	t.Helper()
	s := &store{records: records()}
	h, err := New(Options{
		Store: s, NotFound: errNone, Line: func() (Line, error) { return nil, errors.New("not of this test") },
		Keys: []string{"another key", key}, Region: "DE", Version: "test",
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, h
}

func get(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Authorization", "Bearer "+key)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const endedJSON = `{"id":"018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a11","number":"+4923150012345","direction":"out","started_at":"2021-01-25T08:00:01.000Z",` +
	`"ended_at":"2021-01-25T08:01:31.120Z","language":"de","scene":"goodbye","ticket":"018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a13","outcome":{"result":"booked","reason":"goodbye"},` +
	`"transcript":[{"at":"2021-01-25T08:00:01.000Z","kind":"scene","line":"welcome","text":"","keys":""},` +
	`{"at":"2021-01-25T08:00:01.001Z","kind":"say","line":"welcome.greeting","text":"Guten Tag <&>","keys":""},` +
	`{"at":"2021-01-25T08:00:03.000Z","kind":"key","line":"welcome.language","text":"","keys":"1"}]}`

const runningJSON = `{"id":"018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a12","number":"","direction":"in","started_at":"2021-01-25T08:01:01.000Z",` +
	`"ended_at":null,"language":"","scene":"","ticket":null,"outcome":null,"transcript":[]}`

func TestShape(t *testing.T) {
	t.Parallel()
	_, h := setup(t)
	tests := []struct{ path, want string }{
		{"/api/v1/calls/" + ended.String(), endedJSON},
		{"/api/v1/calls/" + running.String(), runningJSON},
		{"/api/v1/calls", `{"calls":[` + runningJSON + `,` + endedJSON + `]}`},
		{"/api/v1/calls?limit=1", `{"calls":[` + runningJSON + `]}`},
		{"/api/v1/calls?number=%2B4915112345678", `{"calls":[]}`},
	}
	for _, tt := range tests {
		w := get(h, tt.path)
		if got := strings.TrimSpace(w.Body.String()); w.Code != 200 || got != tt.want {
			t.Errorf("%s: %d\ngot  %s\nwant %s", tt.path, w.Code, got, tt.want)
		}
		if w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Link") != "" {
			t.Errorf("%s: headers %v", tt.path, w.Header())
		}
	}
}

func TestNumberInAnyForm(t *testing.T) {
	t.Parallel()
	s, h := setup(t)
	for _, form := range []string{"+4923150012345", "%2B4923150012345", "4923150012345", "004923150012345", "023150012345", "0231+500+12345", "0231%2F500-12345"} {
		w := get(h, "/api/v1/calls?number="+form)
		if want := `{"calls":[` + endedJSON + `]}`; strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("%s: %d %s", form, w.Code, w.Body)
		}
	}
	if i := slices.IndexFunc(s.asked, func(n e164.Number) bool { return n != "+4923150012345" }); i >= 0 {
		t.Errorf("the store was asked for %q", s.asked[i])
	}
	if i := slices.IndexFunc(s.limits, func(n int) bool { return n != 50 }); i >= 0 {
		t.Errorf("the store was asked for %d", s.limits[i])
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, path string
		header     []string
		status     int
		says       string
	}{
		{"no key", "/api/v1/calls", []string{"Authorization", ""}, 401, "api.keys"},
		{"wrong key", "/api/v1/calls", []string{"Authorization", "Bearer " + key + "x"}, 401, "Authorization: Bearer"},
		{"empty key", "/api/v1/calls", []string{"Authorization", "Bearer "}, 401, "Authorization: Bearer"},
		{"key as password", "/api/v1/calls", []string{"Authorization", "Basic " + key}, 401, "Authorization: Bearer"},
		{"no key, one call", "/api/v1/calls/" + ended.String(), []string{"Authorization", ""}, 401, "api.keys"},
		{"unknown id", "/api/v1/calls/018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a99", nil, 404, "no call with this id"},
		{"no id", "/api/v1/calls/newest", nil, 404, "no call with this id"},
		{"no such path", "/api/v1/seats", nil, 404, "openapi.json"},
		{"bad number", "/api/v1/calls?number=hello", nil, 422, "no telephone number"},
		{"withheld", "/api/v1/calls?number=anonymous", nil, 422, "leave number out"},
		{"empty number", "/api/v1/calls?number=", nil, 422, "leave it out"},
		{"two numbers", "/api/v1/calls?number=023150012345&number=1", nil, 422, "once"},
		{"misspelt", "/api/v1/calls?numbr=023150012345", nil, 422, "unknown query parameter"},
		{"unreadable", "/api/v1/calls?number=%zz", nil, 422, "cannot be read"},
		{"long number", "/api/v1/calls?number=" + strings.Repeat("1", 41), nil, 422, "length"},
		{"limit 0", "/api/v1/calls?limit=0", nil, 422, "limit"},
		{"limit 201", "/api/v1/calls?limit=201", nil, 422, "200"},
		{"limit a word", "/api/v1/calls?limit=all", nil, 422, "limit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, h := setup(t)
			w := get(h, tt.path, tt.header...)
			problem(t, w, tt.status, tt.says)
			if tt.status == 401 && !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("WWW-Authenticate is %q", w.Header().Get("WWW-Authenticate"))
			}
			if len(s.asked) > 0 {
				t.Error("the store was asked all the same")
			}
		})
	}
}

// problem checks that an answer is an RFC 9457 problem that says something.
func problem(t *testing.T, w *httptest.ResponseRecorder, status int, says string) {
	t.Helper()
	var p struct {
		Title, Detail string
		Status        int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	if w.Code != status || p.Status != status || p.Title != http.StatusText(status) || p.Detail == "" {
		t.Errorf("got %d, %+v, want %d", w.Code, p, status)
	}
	if ct := w.Header().Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("content type %s", ct)
	}
	if !strings.Contains(strings.ReplaceAll(w.Body.String(), `\"`, `"`), says) {
		t.Errorf("%q is not in %s", says, w.Body)
	}
}

func TestWrongMethod(t *testing.T) {
	t.Parallel()
	_, h := setup(t)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodDelete, "/api/v1/calls/"+ended.String(), nil))
	problem(t, w, http.StatusMethodNotAllowed, "GET")
	if w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("Allow is %q", w.Header().Get("Allow"))
	}
}

func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	s, h := setup(t)
	s.away = errors.New("dial tcp 10.0.0.7:5432: connection refused")
	for _, path := range []string{"/api/v1/calls", "/api/v1/calls/" + ended.String()} {
		w := get(h, path)
		problem(t, w, http.StatusServiceUnavailable, "try again")
		if w.Header().Get("Retry-After") != "5" {
			t.Errorf("Retry-After is %q", w.Header().Get("Retry-After"))
		}
		if strings.Contains(w.Body.String(), "10.0.0.7") {
			t.Errorf("the answer tells where the database is: %s", w.Body)
		}
	}
}

func TestNoKeysLetNobodyIn(t *testing.T) {
	t.Parallel()
	h, err := New(Options{Store: &store{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer x"} {
		if w := get(h, "/api/v1/calls", "Authorization", header); w.Code != 401 {
			t.Errorf("%q: %d", header, w.Code)
		}
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	_, h := setup(t)
	w := get(h, "/api/v1/openapi.json", "Authorization", "")
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/openapi+json" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	golden := filepath.Join("testdata", "openapi.json")
	got := w.Body.String() + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the document has changed: go test ./api -update, and read the difference\n%s", got)
	}
}

// FuzzQuery sends any query: whatever is not understood must be refused, never
// widened to all calls.
func FuzzQuery(f *testing.F) {
	for _, q := range []string{"", "number=0231500123", "number", "number=+49", "limit=1e9", "number=%00", "limit=-1&number=;", "?number=1", "number=a&&limit", "NUMBER=1"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		s, h := setup(t)
		r := httptest.NewRequest(http.MethodGet, "/api/v1/calls", nil)
		r.URL.RawQuery = query
		r.Header.Set("Authorization", "Bearer "+key)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 422 {
			t.Fatalf("%q: %d %s", query, w.Code, w.Body)
		}
		if w.Code == 422 {
			return
		}
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatalf("%q cannot be read and was answered", query)
		}
		if len(s.asked) != 1 || s.limits[0] < 1 || s.limits[0] > 200 {
			t.Fatalf("%q: asked %q, limits %v", query, s.asked, s.limits)
		}
		if values.Has("number") != (s.asked[0] != e164.Withheld) {
			t.Fatalf("%q: asked for %q", query, s.asked[0])
		}
	})
}

func decode(t *testing.T, w *httptest.ResponseRecorder, into any) {
	t.Helper()
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
}
