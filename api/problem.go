package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"ringback/queue"
)

// retryAfter is how many seconds a client is asked to wait when the store is
// away.
const retryAfter = "5"

// away is the answer while the store cannot be asked.
func away() error {
	return huma.ErrorWithHeaders(
		huma.Error503ServiceUnavailable("the database does not answer at present: try again in a few seconds"),
		http.Header{"Retry-After": {retryAfter}},
	)
}

// wrongMethod answers whoever asks a path of the API in another way than it
// allows.
func wrongMethod(allowed []string) http.HandlerFunc {
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(slices.Clone(allowed), http.MethodHead)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		write(w, http.StatusMethodNotAllowed, "this path does not do that: use "+strings.Join(allowed, " or "))
	}
}

func noSuchPath(w http.ResponseWriter, r *http.Request) {
	write(w, http.StatusNotFound, "there is nothing at this path: "+Prefix+"/openapi.json says what there is")
}

// write answers with a problem where no operation of the API was reached.
func write(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(&huma.ErrorModel{Title: http.StatusText(status), Status: status, Detail: detail})
}

// invalid is a 422 that blames one value: "query.number", "body.why".
func invalid(location, value, mend string) error {
	return huma.Error422UnprocessableEntity(mend, &huma.ErrorDetail{Location: location, Message: mend, Value: value})
}

// asProblem is the one table from errors of the store to answers.
func (h calls) asProblem(err error) error {
	if h.notFound != nil && errors.Is(err, h.notFound) {
		return noSuchCall()
	}
	return away()
}

func noSuchCall() error {
	return huma.Error404NotFound("there is no call with this id: GET " + Prefix + "/calls lists those there are")
}

func noSuchTicket() error {
	return huma.Error404NotFound("there is no ticket with this id: GET " + Prefix + "/tickets lists those there are")
}

// refusals is the one table from what the line refuses to answers.
var refusals = []struct {
	err    error
	answer func() error
}{
	{queue.ErrNoTicket, noSuchTicket},
	{queue.ErrOver, conflict("this ticket is closed and cannot be changed: GET " + Prefix + "/tickets?number=… finds an open one of the number")},
	{queue.ErrWindowFull, conflict("nobody more is rung in this window: take one of GET " + Prefix + "/line/windows, or now")},
	{queue.ErrForbidden, conflict("this number is not to be rung, by its own wish or by the rules of the configuration: remove the ticket instead")},
	{queue.ErrTooMany, conflict("the number has as many tickets as one number may have: remove one first")},
}

func conflict(detail string) func() error {
	return func() error { return huma.Error409Conflict(detail) }
}

// refusal turns an error of the line into an answer.
func refusal(err error) error {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return r.answer()
		}
	}
	if queue.Refused(err) {
		return huma.Error409Conflict("this cannot be done now: " + err.Error())
	}
	return away()
}
