package api

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
)

// at is when all that happens in these tests does.
var at = time.Date(2021, 1, 25, 8, 0, 0, 0, time.UTC)

// id is one of the tests' tickets, attempts and calls.
func id(n byte) uuid.UUID {
	u := uuid.MustParse("018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a00")
	u[15] = n
	return u
}

// keySigns is what the audit calls the tests' key.
const keySigns = "API key 8897a099"

// inLine is a line of two who wait, one who was promised an hour, and one who
// was served.
func inLine() *fakeLine {
	return &fakeLine{
		outgoing: queue.Outgoing{On: true},
		tickets: []queue.Ticket{
			{
				ID: id(1), Number: "+4923150012345", Topic: queue.TopicBooking, Language: "de", Wish: queue.WishPerson, Reason: queue.Asked,
				RangAt: at, State: queue.StateWaiting, CallID: id(1), Node: "n1", Scene: "wait", Known: []byte(`{"born":"1935-12-24"}`),
			},
			{
				ID: id(2), Short: "40771", Topic: queue.TopicOther, Language: "en", Wish: queue.WishPerson, Reason: queue.NoKeys, Keyless: true,
				RangAt: at.Add(time.Minute), State: queue.StateWaiting, CallID: id(2), Node: "n2",
			},
			{
				ID: id(3), Number: "+4915112345678", Topic: queue.TopicBooking, Language: "de", Wish: queue.WishSelf, Reason: queue.Broken,
				RangAt: at.Add(2 * time.Minute), State: queue.StatePromised, Tries: 1,
				Window: queue.Window{From: at.Add(time.Hour), To: at.Add(2 * time.Hour)}, DueAt: at.Add(time.Hour),
			},
			{
				ID: id(4), Number: "+4915112345678", Topic: queue.TopicBooking, Language: "de", Wish: queue.WishPerson, Reason: queue.Asked,
				RangAt: at.Add(-time.Hour), State: queue.StateClosed, ClosedAt: at, End: queue.EndServed,
			},
		},
		tried: []queue.Ringing{
			{ID: id(0x31), Ticket: id(3), Node: "n1", Agent: "Bea", Began: at.Add(3 * time.Minute), Ended: at.Add(4 * time.Minute), Fate: queue.FateBusy},
			{ID: id(0x32), Ticket: id(3), Node: "n1", Began: at.Add(9 * time.Minute)},
		},
		staff: []queue.Agent{
			{Name: "Bea", Address: "bea", Languages: []prompts.Language{"de", "en"}, Topics: []queue.Topic{queue.TopicBooking}, State: queue.AgentTalking, Since: at, Ticket: id(9)},
			{Name: "Carl", Address: "sip:carl@192.0.2.7", State: queue.AgentWrapUp, Since: at, Until: at.Add(time.Minute)},
		},
	}
}

func setupLine(t testing.TB) (*fakeLine, http.Handler) {
	t.Helper()
	l := inLine()
	h, err := New(Options{
		Store: &store{}, NotFound: errNone, Line: func() (Line, error) { return l, nil },
		Keys: []string{key}, Region: "DE", Version: "test", Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return l, h
}

func send(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const (
	firstJSON = `{"id":"018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a01","short":"","number":"+4923150012345","topic":"booking","language":"de","wish":"person","reason":"asked",` +
		`"keyless":false,"priority":0,"rang_at":"2021-01-25T08:00:00.000Z","state":"waiting","window":null,"due_at":null,"tries":0,` +
		`"call_id":"018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a01","node":"n1","agent":"","scene":"wait","closed_at":null,"end":""`
	secondJSON = `{"id":"018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a02","short":"40771","number":"","topic":"other","language":"en","wish":"person","reason":"no_keys",` +
		`"keyless":true,"priority":0,"rang_at":"2021-01-25T08:01:00.000Z","state":"waiting","window":null,"due_at":null,"tries":0,` +
		`"call_id":"018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a02","node":"n2","agent":"","scene":"","closed_at":null,"end":""`
	promisedJSON = `{"id":"018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a03","short":"","number":"+4915112345678","topic":"booking","language":"de","wish":"self","reason":"broken",` +
		`"keyless":false,"priority":0,"rang_at":"2021-01-25T08:02:00.000Z","state":"promised","window":{"from":"2021-01-25T09:00:00.000Z","to":"2021-01-25T10:00:00.000Z"},` +
		`"due_at":"2021-01-25T09:00:00.000Z","tries":1,"call_id":null,"node":"","agent":"","scene":"","closed_at":null,"end":""`
	closedJSON = `{"id":"018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a04","short":"","number":"+4915112345678","topic":"booking","language":"de","wish":"person","reason":"asked",` +
		`"keyless":false,"priority":0,"rang_at":"2021-01-25T07:00:00.000Z","state":"closed","window":null,"due_at":null,"tries":0,` +
		`"call_id":null,"node":"","agent":"","scene":"","closed_at":"2021-01-25T08:00:00.000Z","end":"served"`
)

func TestLineShape(t *testing.T) {
	t.Parallel()
	_, h := setupLine(t)
	tests := []struct{ path, want string }{
		{"/tickets", `{"tickets":[` + firstJSON + `},` + secondJSON + `},` + promisedJSON + `}],"next":null}`},
		{"/tickets?state=closed", `{"tickets":[` + closedJSON + `}],"next":null}`},
		{"/tickets?topic=other&limit=1", `{"tickets":[` + secondJSON + `}],"next":null}`},
		{"/tickets?number=015112345678", `{"tickets":[` + promisedJSON + `}],"next":null}`},
		{"/tickets/" + id(1).String(), firstJSON + `,"standing":{"ahead":2,"low_seconds":241,"high_seconds":420,"agents":1},"attempts":[],"history":[]}`},
		{"/tickets/" + id(3).String(), promisedJSON + `,"standing":{"ahead":0,"low_seconds":null,"high_seconds":null,"agents":1},"attempts":[` +
			`{"id":"018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a31","began_at":"2021-01-25T08:03:00.000Z","ended_at":"2021-01-25T08:04:00.000Z","fate":"busy","node":"n1","agent":"Bea"},` +
			`{"id":"018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a32","began_at":"2021-01-25T08:09:00.000Z","ended_at":null,"fate":"","node":"n1","agent":""}],"history":[]}`},
		{"/tickets/" + id(4).String(), closedJSON + `,"standing":null,"attempts":[],"history":[]}`},
		{"/line/windows?limit=1", `{"windows":[{"from":"2021-01-25T09:00:00.000Z","to":"2021-01-25T10:00:00.000Z"}]}`},
		{"/agents", `{"agents":[{"name":"Bea","address":"bea","languages":["de","en"],"topics":["booking"],"state":"talking","since":"2021-01-25T08:00:00.000Z","until":null,` +
			`"ticket":"018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a09"},{"name":"Carl","address":"sip:carl@192.0.2.7","languages":[],"topics":[],"state":"wrap_up",` +
			`"since":"2021-01-25T08:00:00.000Z","until":"2021-01-25T08:01:00.000Z","ticket":null}]}`},
	}
	for _, tt := range tests {
		w := get(h, Prefix+tt.path)
		if got := strings.TrimSpace(w.Body.String()); w.Code != 200 || got != tt.want {
			t.Errorf("%s: %d\ngot  %s\nwant %s", tt.path, w.Code, got, tt.want)
		}
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: may be kept in a cache", tt.path)
		}
		if strings.Contains(w.Body.String(), "1935") {
			t.Errorf("%s tells a date of birth", tt.path)
		}
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	l := inLine()
	depths, _ := l.Depth(t.Context())
	// A closed ticket and one that was promised an hour have waited longer.
	s := asSummary(depths, l.staff, l.outgoing, at.Add(5*time.Minute))
	if want := (Depth{Waiting: 2, Promised: 1, LongestWaitSeconds: 300}); s.Total != want {
		t.Errorf("total %+v", s.Total)
	}
	want := map[string]Depth{
		"booking": {Waiting: 1, Promised: 1, LongestWaitSeconds: 300}, "appointment": {}, "other": {Waiting: 1, LongestWaitSeconds: 240},
	}
	for topic, d := range want {
		if s.Topics[topic] != d {
			t.Errorf("%s: %+v, want %+v", topic, s.Topics[topic], d)
		}
	}
	if len(s.Topics) != 3 || len(s.Agents) != 5 || s.Agents["talking"] != 1 || s.Agents["wrap_up"] != 1 || s.Agents["ready"] != 0 {
		t.Errorf("topics %v, agents %v", s.Topics, s.Agents)
	}

	_, h := setupLine(t)
	w := get(h, Prefix+"/line")
	if got := w.Body.String(); w.Code != 200 || !strings.Contains(got, `"total":{"waiting":2,"due":0,"promised":1,`) ||
		!strings.Contains(got, `"outgoing":{"on":true,"since":null,"by":"","why":""}`) {
		t.Errorf("%d %s", w.Code, got)
	}
}

func TestStats(t *testing.T) {
	t.Parallel()
	_, h := setupLine(t)
	var got struct {
		From, To time.Time
		Figures  map[string]struct {
			Value            *float64
			Unit, Definition string
		}
	}
	decode(t, get(h, Prefix+"/line/stats?from=2021-01-25T08:00:00%2B01:00&to=2021-01-25T08:00:00Z"), &got)
	if !got.From.Equal(at.Add(-time.Hour)) || !got.To.Equal(at) {
		t.Errorf("from %v to %v", got.From, got.To)
	}
	for name, want := range map[string]float64{"offered": 12, "service_level": .6, "abandonment": .2, "answer_mean": 14.5, "attempts_busy": 0} {
		if f := got.Figures[name]; f.Value == nil || *f.Value != want || f.Definition == "" || f.Unit == "" {
			t.Errorf("%s: %+v, want %v", name, f, want)
		}
	}
	if f, ok := got.Figures["handling_mean"]; !ok || f.Value != nil {
		t.Errorf("a mean of nothing is %+v", f)
	}
	decode(t, get(h, Prefix+"/line/stats"), &got)
	if got.To.Sub(got.From) != 24*time.Hour || time.Since(got.To) > time.Minute {
		t.Errorf("of no span: from %v to %v", got.From, got.To)
	}
}

// TestPages: who follows next sees every ticket once, in order.
func TestPages(t *testing.T) {
	t.Parallel()
	l, h := setupLine(t)
	five := -5
	_ = l.Move(t.Context(), id(1), queue.Move{Priority: &five}, "", "")
	var seen []uuid.UUID
	for cursor := ""; ; {
		var page struct {
			Tickets []struct{ ID uuid.UUID }
			Next    *string
		}
		decode(t, get(h, Prefix+"/tickets?limit=1"+cursor), &page)
		for _, x := range page.Tickets {
			seen = append(seen, x.ID)
		}
		if page.Next == nil {
			break
		}
		cursor = "&cursor=" + *page.Next
	}
	if len(seen) != 3 || seen[0] != id(2) || seen[1] != id(3) || seen[2] != id(1) {
		t.Errorf("saw %v", seen)
	}
	if l.asked[0].Limit != 2 {
		t.Errorf("asked for %d", l.asked[0].Limit)
	}
}

// TestUnwanted: who follows next sees every number that is not to be rung once.
func TestUnwanted(t *testing.T) {
	t.Parallel()
	l, h := setupLine(t)
	w := get(h, Prefix+"/do-not-ring")
	if got := strings.TrimSpace(w.Body.String()); w.Code != 200 || got != `{"numbers":[],"next":null}` || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("none: %d %s", w.Code, got)
	}
	l.unwanted = []e164.Number{"+4923150012345", "+4923150012346", "+447911123456", "+4915112345678", "+4915112345679"}
	var seen []e164.Number
	for cursor := ""; ; {
		var page struct {
			Numbers []struct{ Number e164.Number }
			Next    *string
		}
		decode(t, get(h, Prefix+"/do-not-ring?limit=2"+cursor), &page)
		for _, x := range page.Numbers {
			seen = append(seen, x.Number)
		}
		if page.Next == nil {
			break
		}
		cursor = "&cursor=" + *page.Next
	}
	if want := l.unwanted; !slices.Equal(seen, []e164.Number{want[0], want[1], want[2], want[3], want[4]}) {
		t.Errorf("saw %v", seen)
	}
	w = get(h, Prefix+"/do-not-ring?number=0151+12345678")
	if got, want := strings.TrimSpace(w.Body.String()), `{"numbers":[{"number":"+4915112345678","since":"2021-01-25T07:00:00.000Z","by":"Anna","why":"asked for it"}],"next":null}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	first := "/tickets/" + id(1).String()
	hour := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Hour)
	window := `{"from":"` + stamp(hour) + `","to":"` + stamp(hour.Add(time.Hour)) + `"}`
	tests := []struct {
		name, method, path, body string
		says                     []string
		by                       string
	}{
		{"remove", "DELETE", first + "?why=wrong+number&by=Anna", "", []string{`"state":"closed"`, `"end":"removed"`, `"deed":"remove"`, `"why":"wrong number"`}, "Anna (" + keySigns + ")"},
		{"priority", "PATCH", first, `{"priority":7,"why":"a doctor"}`, []string{`"priority":7`, `"why":"a doctor"`}, keySigns},
		{"priority 0", "PATCH", first, `{"priority":0,"why":" x "}`, []string{`"priority":0`, `"why":"x"`}, keySigns},
		{"hour", "PATCH", first, `{"window":` + window + `,"why":"later"}`, []string{`"window":` + window}, keySigns},
		{"now", "PATCH", "/tickets/" + id(3).String(), `{"now":true,"why":"sooner"}`, []string{`"window":null`}, keySigns},
		{"outgoing", "PUT", "/outgoing", `{"on":false,"why":"trunk is down","by":"Ö. Ünal"}`, []string{`"on":false`, `"why":"trunk is down"`, `"since":"2021-01-25T08:00:00.000Z"`}, "Ö. Ünal (" + keySigns + ")"},
		{"do not ring", "POST", "/do-not-ring", `{"number":"0231 50012345","why":"asked for it"}`, []string{`{"number":"+4923150012345"}`}, ""},
		{"ring again", "DELETE", "/do-not-ring?number=0231+50012345&why=changed+his+mind&by=Anna", "", []string{`{"number":"+4923150012345"}`}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, h := setupLine(t)
			if tt.name == "ring again" {
				l.unwanted = []e164.Number{"+4923150012345"}
			}
			w := send(h, tt.method, Prefix+tt.path, tt.body)
			if w.Code != 200 || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			for _, s := range tt.says {
				if !strings.Contains(w.Body.String(), s) {
					t.Errorf("%s is not in %s", s, w.Body)
				}
			}
			if !strings.Contains(w.Body.String(), `"by":"`+tt.by+`"`) && tt.by != "" {
				t.Errorf("%s is not who did it: %s", tt.by, w.Body)
			}
			if tt.name == "ring again" && (len(l.unwanted) != 0 || l.changes[0].By != "Anna ("+keySigns+")" || l.changes[0].Why != "changed his mind") {
				t.Errorf("%v %v", l.unwanted, l.changes)
			}
			if tt.name == "do not ring" && (len(l.unwanted) != 1 || l.unwanted[0] != "+4923150012345" || l.changes[0].By != keySigns) {
				t.Errorf("%v %v", l.unwanted, l.changes)
			}
		})
	}
}

func TestLineRefusals(t *testing.T) {
	t.Parallel()
	first := "/tickets/" + id(1).String()
	tests := []struct {
		name, method, path, body string
		refuse                   error
		status                   int
		says                     string
	}{
		{"unknown", "GET", "/tickets/" + id(0x99).String(), "", nil, 404, "no ticket with this id"},
		{"no id", "GET", "/tickets/first", "", nil, 404, "no ticket with this id"},
		{"remove unknown", "DELETE", "/tickets/" + id(0x99).String() + "?why=x", "", nil, 404, "no ticket with this id"},
		{"remove without why", "DELETE", first, "", nil, 422, "why"},
		{"remove with blank why", "DELETE", first + "?why=+", "", nil, 422, "say why"},
		{"remove twice why", "DELETE", first + "?why=x&why=y", "", nil, 422, "once"},
		{"forged key", "DELETE", first + "?why=x&by=Anna+(API+key+00000000)", "", nil, 422, "without brackets"},
		{"control character", "DELETE", first + "?why=x%00", "", nil, 422, "a line of text"},
		{"remove closed", "DELETE", "/tickets/" + id(4).String() + "?why=x", "", nil, 409, "closed"},
		{"move without why", "PATCH", first, `{"priority":1}`, nil, 422, "why"},
		{"move nowhere", "PATCH", first, `{"why":"x"}`, nil, 422, "say where to"},
		{"move twice", "PATCH", first, `{"why":"x","now":true,"window":{"from":"2100-01-01T08:00:00Z","to":"2100-01-01T09:00:00Z"}}`, nil, 422, "not both"},
		{"move into the past", "PATCH", first, `{"why":"x","window":{"from":"2020-01-01T08:00:00Z","to":"2020-01-01T09:00:00Z"}}`, nil, 422, "in the future"},
		{"move backwards", "PATCH", first, `{"why":"x","window":{"from":"2100-01-01T10:00:00Z","to":"2100-01-01T09:00:00Z"}}`, nil, 422, "after it begins"},
		{"move for a week", "PATCH", first, `{"why":"x","window":{"from":"2100-01-01T10:00:00Z","to":"2100-01-08T09:00:00Z"}}`, nil, 422, "no longer than a day"},
		{"move to a word", "PATCH", first, `{"why":"x","priority":"high"}`, nil, 422, "body.priority"},
		{"misspelt", "PATCH", first, `{"why":"x","prio":1}`, nil, 422, "unexpected property"},
		{"no JSON", "PATCH", first, `{`, nil, 400, "JSON"},
		{"move closed", "PATCH", "/tickets/" + id(4).String(), `{"why":"x","priority":1}`, nil, 409, "closed"},
		{"move to a full hour", "PATCH", first, `{"why":"x","now":true}`, queue.ErrWindowFull, 409, "take one of GET"},
		{"move a forbidden number", "PATCH", first, `{"why":"x","now":true}`, queue.ErrForbidden, 409, "remove the ticket"},
		{"move while talking", "PATCH", first, `{"why":"x","now":true}`, queue.ErrNotYet, 409, "cannot be done now"},
		{"state", "GET", "/tickets?state=open", "", nil, 422, "waiting"},
		{"topic", "GET", "/tickets?topic=all", "", nil, 422, "booking"},
		{"number", "GET", "/tickets?number=hello", "", nil, 422, "no telephone number"},
		{"empty state", "GET", "/tickets?state=", "", nil, 422, "leave it out"},
		{"cursor", "GET", "/tickets?cursor=abc", "", nil, 422, "no cursor"},
		{"long cursor", "GET", "/tickets?cursor=" + strings.Repeat("a", 65), "", nil, 422, "length"},
		{"outgoing without on", "PUT", "/outgoing", `{"why":"x"}`, nil, 422, "on"},
		{"do not ring a word", "POST", "/do-not-ring", `{"why":"x","number":"anonymous"}`, nil, 422, "no telephone number"},
		{"do not ring nothing", "POST", "/do-not-ring", `{"why":"x","number":""}`, nil, 422, "number"},
		{"ring again without why", "DELETE", "/do-not-ring?number=023150012345", "", nil, 422, "why"},
		{"ring again without number", "DELETE", "/do-not-ring?why=x", "", nil, 422, "number"},
		{"ring a word again", "DELETE", "/do-not-ring?why=x&number=hello", "", nil, 422, "no telephone number"},
		{"unwanted word", "GET", "/do-not-ring?number=hello", "", nil, 422, "no telephone number"},
		{"unwanted nothing", "GET", "/do-not-ring?number=", "", nil, 422, "leave it out"},
		{"cursor of another list", "GET", "/do-not-ring?cursor=" + asCursor(inLine().tickets[0].Place()), "", nil, 422, "no cursor"},
		{"cursor of ages ago", "GET", "/do-not-ring?cursor=" + asUnwantedCursor(queue.Unwanted{Number: "+4923150012345"}), "", nil, 422, "no cursor"},
		{"windows of a word", "GET", "/line/windows?limit=all", "", nil, 422, "limit"},
		{"stats backwards", "GET", "/line/stats?from=2021-01-25T08:00:00Z&to=2021-01-25T07:00:00Z", "", nil, 422, "before the end"},
		{"stats of ages", "GET", "/line/stats?from=2019-01-25T08:00:00Z&to=2021-01-25T07:00:00Z", "", nil, 422, "a year at most"},
		{"stats of today", "GET", "/line/stats?from=today", "", nil, 422, "query.from"},
		{"wrong method", "POST", "/tickets", `{}`, nil, 405, "use GET"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, h := setupLine(t)
			l.refuse = tt.refuse
			problem(t, send(h, tt.method, Prefix+tt.path, tt.body), tt.status, tt.says)
			if len(l.changes) > 0 || len(l.unwanted) > 0 || !l.outgoing.On {
				t.Errorf("changed all the same: %v", l.changes)
			}
		})
	}
}

// everyLinePath is each operation of the line, asked rightly.
var everyLinePath = []struct{ method, path, body string }{
	{"GET", "/line", ""},
	{"GET", "/agents", ""},
	{"GET", "/tickets", ""},
	{"GET", "/tickets/" + id(1).String(), ""},
	{"DELETE", "/tickets/" + id(1).String() + "?why=x", ""},
	{"PATCH", "/tickets/" + id(1).String(), `{"now":true,"why":"x"}`},
	{"PUT", "/outgoing", `{"on":false,"why":"x"}`},
	{"GET", "/line/windows", ""},
	{"GET", "/line/stats", ""},
	{"DELETE", "/do-not-ring?number=023150012345&why=x", ""},
	{"POST", "/do-not-ring", `{"number":"023150012345","why":"x"}`},
	{"GET", "/do-not-ring", ""},
}

func TestLineNeedsKey(t *testing.T) {
	t.Parallel()
	for _, o := range everyLinePath {
		l, h := setupLine(t)
		r := httptest.NewRequest(o.method, Prefix+o.path, strings.NewReader(o.body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		problem(t, w, http.StatusUnauthorized, "api.keys")
		if len(l.changes) > 0 || len(l.asked) > 0 {
			t.Errorf("%s %s was done all the same", o.method, o.path)
		}
	}
}

func TestLineAway(t *testing.T) {
	t.Parallel()
	for _, o := range everyLinePath {
		l, h := setupLine(t)
		l.away = errors.New("dial tcp 10.0.0.7:5432: connection refused")
		w := send(h, o.method, Prefix+o.path, o.body)
		problem(t, w, http.StatusServiceUnavailable, "try again")
		if strings.Contains(w.Body.String(), "10.0.0.7") || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s %s: %v %s", o.method, o.path, w.Header(), w.Body)
		}
		if _, h := setup(t); send(h, o.method, Prefix+o.path, o.body).Code != http.StatusServiceUnavailable {
			t.Errorf("%s %s is answered without a line", o.method, o.path)
		}
	}
}

// FuzzMove sends any body: a ticket may only go where the body says.
func FuzzMove(f *testing.F) {
	for _, b := range []string{``, `{}`, `null`, `{"why":"x","priority":3}`, `{"why":"x","now":true}`, `{"why":"x","priority":1e3}`, `{"why":"\u0000","priority":1}`, `[`, `{"why":"x","priority":1,"priority":2000}`} {
		f.Add(b)
	}
	l, h := setupLine(f)
	f.Fuzz(func(t *testing.T, body string) {
		l.tickets, l.changes = inLine().tickets, nil
		w := send(h, http.MethodPatch, Prefix+"/tickets/"+id(1).String(), body)
		if w.Code != 200 && w.Code != 400 && w.Code != 415 && w.Code != 422 {
			t.Fatalf("%q: %d %s", body, w.Code, w.Body)
		}
		if p := l.tickets[0].Priority; (w.Code == 200) != (len(l.changes) == 1) || p < -1000 || p > 1000 {
			t.Fatalf("%q: %d, priority %d, changes %v", body, w.Code, p, l.changes)
		}
		if len(l.changes) == 1 && (l.changes[0].Why == "" || strings.ContainsAny(l.changes[0].Why, "\x00\n")) {
			t.Fatalf("%q: done for %q", body, l.changes[0].Why)
		}
	})
}
