package api

import (
	"time"

	"github.com/google/uuid"

	"ringback/ivr"
)

// Call is a call as the API shows it.
type Call struct {
	ID         string   `json:"id" format:"uuid" doc:"Ringback's own name of the call."`
	Number     string   `json:"number" doc:"Who rang or was rung, in E.164; empty where the number was withheld."`
	Direction  string   `json:"direction" enum:"in,out" doc:"Whether they rang us, or we them."`
	StartedAt  string   `json:"started_at" format:"date-time" doc:"When it came in, or was begun."`
	EndedAt    *string  `json:"ended_at" format:"date-time" doc:"When it ended; null while it runs."`
	Language   string   `json:"language" doc:"BCP 47; empty until one is chosen."`
	Scene      string   `json:"scene" doc:"The last scene entered."`
	Ticket     *string  `json:"ticket" format:"uuid" doc:"The place in line it was about; null: none."`
	Outcome    *Outcome `json:"outcome" doc:"How it ended; null while it runs."`
	Transcript []Entry  `json:"transcript" nullable:"false" doc:"What happened, oldest first; personal digits are masked."`
}

// Outcome is how a call ended.
type Outcome struct {
	_      struct{} `nullable:"true"`
	Result string   `json:"result" enum:"booked,changed,cancelled,informed,person,callback,hung_up,failed"`
	Reason string   `json:"reason" doc:"Why; one of a finite number of words."`
}

// Entry is one line of a transcript. What a kind has no use for is empty.
type Entry struct {
	At   string `json:"at" format:"date-time"`
	Kind string `json:"kind" enum:"scene,say,key" doc:"A scene was entered, a line was said, keys were pressed."`
	Line string `json:"line" doc:"The scene's name, the line's key, or the question the keys answer."`
	Text string `json:"text" doc:"What was said."`
	Keys string `json:"keys" doc:"What was pressed; personal digits as •."`
}

func asCall(r ivr.Record) Call {
	c := Call{
		ID:         r.ID.String(),
		Number:     string(r.Number),
		Direction:  "in",
		StartedAt:  stamp(r.Started),
		EndedAt:    stampOrNull(r.EndedAt),
		Language:   string(r.Language),
		Scene:      string(r.Scene),
		Transcript: make([]Entry, len(r.Transcript)),
	}
	if r.Attempt != uuid.Nil {
		c.Direction = "out"
	}
	if r.Ticket != uuid.Nil {
		id := r.Ticket.String()
		c.Ticket = &id
	}
	if r.Outcome.Result != "" {
		c.Outcome = &Outcome{Result: string(r.Outcome.Result), Reason: r.Outcome.Reason}
	}
	for i, e := range r.Transcript {
		c.Transcript[i] = Entry{At: stamp(e.At), Kind: string(e.Kind), Line: e.Line, Text: e.Text, Keys: e.Keys}
	}
	return c
}

// stamp writes a time as RFC 3339 in UTC with milliseconds, always three.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
