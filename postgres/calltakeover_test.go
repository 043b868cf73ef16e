package postgres_test

import (
	"testing"

	"github.com/google/uuid"

	"ringback/ivr"
	"ringback/postgres"
	"ringback/prompts"
)

// TestWhatAnotherProcessFinds: the calls of the node that run, and those that
// were on a channel, with what was written last.
func TestWhatAnotherProcessFinds(t *testing.T) {
	t.Parallel()
	f := setup(t)
	calls := postgres.NewCalls(f.db)
	ctx := t.Context()
	running, over, elsewhere := info(1), info(2), info(3)
	elsewhere.Node = "ast2"
	for _, i := range []ivr.Info{running, over, elsewhere} {
		calls.Began(i)
	}
	calls.Entered(running.ID, "choose", prompts.English, []byte(`{"Version":1}`))
	calls.Ended(over.ID, started, ivr.Outcome{Result: ivr.Booked, Reason: "done"})
	if err := calls.Flush(ctx); err != nil {
		t.Fatal(err)
	}

	next := postgres.NewCalls(f.db)
	for what, tc := range map[string]struct {
		channels []string
		want     map[uuid.UUID]bool // by whether it ended
	}{
		"none asked for":      {nil, map[uuid.UUID]bool{running.ID: false}},
		"on their channels":   {[]string{over.Channel, elsewhere.Channel}, map[uuid.UUID]bool{running.ID: false, over.ID: true, elsewhere.ID: false}},
		"on no known channel": {[]string{"nowhere"}, map[uuid.UUID]bool{running.ID: false}},
	} {
		written, err := next.Written(ctx, "ast1", tc.channels)
		if err != nil || len(written) != len(tc.want) {
			t.Errorf("%s: %+v, %v", what, written, err)
		}
		for _, w := range written {
			if ended, ok := tc.want[w.ID]; !ok || w.Ended != ended {
				t.Errorf("%s: %+v", what, w)
			}
			if w.ID == running.ID && w.Info != running {
				t.Errorf("%s: %+v, want %+v", what, w.Info, running)
			}
		}
	}
	left, err := next.Left(ctx, running.ID)
	if err != nil || left.Scene != "choose" || left.Language != prompts.English || string(left.State) != `{"Version": 1}` {
		t.Errorf("left: %+v, %v", left, err)
	}
	if left, err := next.Left(ctx, uuid.New()); err != nil || left.Scene != "" {
		t.Errorf("left of no call: %+v, %v", left, err)
	}
}

// TestLateWritesOverwriteNothing: what the process before still had to write
// comes after the next one wrote, and is older.
func TestLateWritesOverwriteNothing(t *testing.T) {
	t.Parallel()
	f := setup(t)
	before, after := postgres.NewCalls(f.db), postgres.NewCalls(f.db)
	call := info(1)
	before.Began(call)
	if err := before.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	before.Entered(call.ID, "born", prompts.German, []byte(`{}`))
	after.Entered(call.ID, "postcode", prompts.German, []byte(`{}`))
	for _, c := range []*postgres.Calls{after, before} {
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := after.Left(t.Context(), call.ID); err != nil || left.Scene != "postcode" {
		t.Errorf("left: %+v, %v", left, err)
	}
}
