package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/ivr"
	"ringback/postgres"
	"ringback/queue"
)

// TestCallsNameTheirTicket: a call that opened a ticket, one that came back to
// it, open or closed, and one that was made for it.
func TestCallsNameTheirTicket(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()
	rules := queue.NewRules()
	var err error
	if rules.Ringing, err = queue.ParseHours("always", "UTC", ""); err != nil {
		t.Fatal(err)
	}
	calls, line := postgres.NewCalls(f.db), postgres.NewQueue(f.db, rules)
	first, again, stranger := info(1), info(2), info(3)
	arrival := queue.Arrival{
		CallID: first.ID, Node: "ast1", At: time.Now(), Number: first.Number, Topic: queue.TopicBooking, Language: "de",
		Wish: queue.WishSelf, Reason: queue.Asked,
	}
	ticket, err := line.Join(ctx, arrival)
	if err != nil {
		t.Fatal(err)
	}
	arrival.CallID, arrival.Ticket = again.ID, ticket.ID
	if _, err := line.Promise(ctx, arrival, queue.Window{}); err != nil {
		t.Fatal(err)
	}
	attempt, err := line.Begin(ctx, "ast1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []ivr.Info{first, again, stranger, {ID: attempt.ID, Attempt: attempt.ID, Number: first.Number, Node: "ast1", Started: started}} {
		calls.Began(i)
	}
	if err := calls.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	check := func(when string, id, attempt, ticket uuid.UUID) {
		t.Helper()
		if r, err := calls.Call(ctx, id); err != nil || r.Attempt != attempt || r.Ticket != ticket {
			t.Errorf("%s: attempt %s, ticket %s, %v", when, r.Attempt, r.Ticket, err)
		}
	}
	check("who opened it", first.ID, uuid.Nil, ticket.ID)
	check("who came back", again.ID, uuid.Nil, ticket.ID)
	check("who was rung", attempt.ID, attempt.ID, ticket.ID)
	check("another of the number", stranger.ID, uuid.Nil, uuid.Nil)
	if err := line.Close(ctx, ticket.ID, queue.EndSelf); err != nil {
		t.Fatal(err)
	}
	check("who came back, when it is closed", again.ID, uuid.Nil, ticket.ID)
	if all, err := calls.Calls(ctx, first.Number, 10); err != nil || len(all) != 4 {
		t.Errorf("each call is listed once: %d, %v", len(all), err)
	}
}
