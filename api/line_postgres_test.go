package api_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/api"
	"ringback/e164"
	"ringback/postgres"
	"ringback/postgres/pgtest"
	"ringback/queue"
)

// TestLineOnPostgres: what programs ask for is done in the real line, in the
// order of the line, by pages, and audited with the key's name.
func TestLineOnPostgres(t *testing.T) {
	t.Parallel()
	rules := queue.NewRules()
	var err error
	if rules.Ringing, err = queue.ParseHours("always", "UTC", ""); err != nil {
		t.Fatal(err)
	}
	rules.PerHour = 1
	db := pgtest.New(t, postgres.Options{StatementTimeout: time.Minute})
	q := postgres.NewQueue(db, rules)
	h, err := api.New(api.Options{
		Store: postgres.NewCalls(db), NotFound: postgres.ErrNoCall, Line: func() (api.Line, error) { return q, nil },
		Keys: []string{"a key of sixteen letters"}, Region: "DE", Version: "test", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(status int, method, path, body string, into any) {
		t.Helper()
		r := httptest.NewRequest(method, api.Prefix+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer a key of sixteen letters")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status {
			t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
		}
		if into != nil {
			if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
				t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
			}
		}
	}

	var ids []uuid.UUID
	for i := range 5 {
		ticket, err := q.Promise(t.Context(), queue.Arrival{
			CallID: uuid.New(), Node: "n1", At: time.Now().Add(time.Duration(i-10) * time.Minute), Number: e164.Number(fmt.Sprintf("+4923150012%03d", i)),
			Topic: queue.TopicBooking, Language: "de", Wish: queue.WishPerson, Reason: queue.Asked,
		}, queue.Window{})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, ticket.ID)
	}
	at := func(i int) string { return "/tickets/" + ids[i].String() }

	var one struct {
		State, End string
		Priority   int
		Standing   *struct{ Ahead int }
		History    []struct{ Deed, By, Why string }
	}
	ask(http.StatusOK, "PATCH", at(3), `{"priority":2,"why":"a doctor","by":"Anna"}`, &one)
	last := one.History[len(one.History)-1]
	if one.Priority != 2 || one.Standing == nil || one.Standing.Ahead != 0 || last.Deed != "move" || last.Why != "a doctor" || !strings.HasPrefix(last.By, "Anna (API key ") {
		t.Errorf("moved: %+v", one)
	}
	ask(http.StatusOK, "DELETE", at(1)+"?why=asked", "", &one)
	if one.State != "closed" || one.End != "removed" {
		t.Errorf("removed: %+v", one)
	}
	ask(http.StatusConflict, "DELETE", at(1)+"?why=asked", "", nil)
	ask(http.StatusConflict, "PATCH", at(1), `{"now":true,"why":"x"}`, nil)
	ask(http.StatusNotFound, "DELETE", "/tickets/"+uuid.NewString()+"?why=x", "", nil)

	var order []uuid.UUID
	for cursor := ""; ; {
		var page struct {
			Tickets []struct{ ID uuid.UUID }
			Next    *string
		}
		ask(http.StatusOK, "GET", "/tickets?limit=1"+cursor, "", &page)
		for _, x := range page.Tickets {
			order = append(order, x.ID)
		}
		if page.Next == nil {
			break
		}
		cursor = "&cursor=" + *page.Next
	}
	if want := []uuid.UUID{ids[3], ids[0], ids[2], ids[4]}; fmt.Sprint(order) != fmt.Sprint(want) {
		t.Errorf("in line are %v, want %v", order, want)
	}

	// Room for one in each hour.
	var free struct{ Windows []json.RawMessage }
	ask(http.StatusOK, "GET", "/line/windows?limit=2", "", &free)
	body := fmt.Sprintf(`{"window":%s,"why":"x"}`, free.Windows[1])
	ask(http.StatusOK, "PATCH", at(0), body, &one)
	if one.State != "promised" {
		t.Errorf("of another hour: %+v", one)
	}
	ask(http.StatusConflict, "PATCH", at(2), body, nil)
	ask(http.StatusConflict, "PATCH", at(2), `{"window":{"from":"2100-01-01T08:00:00Z","to":"2100-01-01T09:00:00Z"},"why":"x"}`, nil)

	ask(http.StatusOK, "PUT", "/outgoing", `{"on":false,"why":"trunk"}`, nil)
	var line struct {
		Total    struct{ Due, Promised int }
		Outgoing struct{ On bool }
	}
	ask(http.StatusOK, "GET", "/line", "", &line)
	if line.Total.Due != 3 || line.Total.Promised != 1 || line.Outgoing.On {
		t.Errorf("at a glance: %+v", line)
	}

	ask(http.StatusOK, "POST", "/do-not-ring", `{"number":"0231 50012004","why":"asked"}`, nil)
	ask(http.StatusOK, "GET", at(4), "", &one)
	if one.End != "forbidden" {
		t.Errorf("of a number not to be rung: %+v", one)
	}
	ask(http.StatusOK, "DELETE", "/do-not-ring?number=0231+50012004&why=asked", "", nil)
	ask(http.StatusOK, "GET", "/agents", "", nil)
	var stats struct {
		Figures map[string]struct{ Value *float64 }
	}
	ask(http.StatusOK, "GET", "/line/stats", "", &stats)
	if f := stats.Figures["callbacks_promised"]; f.Value == nil || *f.Value != 5 {
		t.Errorf("promised: %+v", f)
	}
}
