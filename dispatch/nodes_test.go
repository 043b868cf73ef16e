package dispatch_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/ivr"
	"ringback/prompts"
	"ringback/queue"
)

func TestBeatsAndBreaksDeadNodes(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		f.run()
		f.pass(10 * time.Second)
		f.line.set(func() {
			if n := len(f.line.beats); n < 5 || n > 7 {
				t.Errorf("%d beats in ten seconds", n)
			}
			f.line.dead = []string{node, "node2"} // a node never breaks its own calls
		})
		f.pass(3 * time.Second)
		f.line.set(func() {
			if len(f.line.broken) != 1 || f.line.broken[0] != "node2" {
				t.Errorf("broken are %v", f.line.broken)
			}
		})
		if got := f.metric("ringback_line_broken_total", ""); got != 3 {
			t.Errorf("%v broken calls are counted", got)
		}
	})
}

// TestNoticesThatItWasDeclaredDead after it was cut off.
func TestNoticesThatItWasDeclaredDead(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		f.run()
		f.pass(5 * time.Second)
		f.line.set(func() { f.line.away = true })
		f.pass(25 * time.Second)
		f.line.set(func() { f.line.away = false })
		f.pass(5 * time.Second)
		if n := strings.Count(f.log.String(), "this node was silent for so long"); n != 1 {
			t.Errorf("said %d times\n%s", n, f.log)
		}
	})
}

// TestMatchTellsTheDialogue: an agent and a caller who waits on this node.
func TestMatchTellsTheDialogue(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		f.line.Bell = nil // only the dispatcher rings it
		f.run()
		ticket, err := f.line.Join(f.t.Context(), arrival(first))
		if err != nil {
			t.Fatal(err)
		}
		rung, stop := f.bell.Listen(ticket.ID)
		defer stop()
		f.pass(time.Second)
		f.line.SignIn(queue.Agent{Name: "anna", Address: "sip:anna@x", Languages: []prompts.Language{"de"}, Topics: queue.Topics})
		f.pass(300 * time.Millisecond)
		told := func() bool {
			select {
			case <-rung:
				return true
			default:
				return false
			}
		}
		if !told() {
			t.Fatal("the dialogue is not told of its agent")
		}
		f.pass(time.Second)
		told() // the bell may ring twice for one binding
		f.pass(time.Second)
		if told() {
			t.Error("told again within two seconds")
		}
		f.pass(2 * time.Second)
		if !told() {
			t.Error("who did not hear it is not told again")
		}
		if got := f.metric("ringback_line_agents", "reserved"); got != 1 {
			f.pass(5 * time.Second)
			if got := f.metric("ringback_line_agents", "reserved"); got != 1 {
				t.Errorf("%v agents are reserved", got)
			}
		}
		if got := f.metric("ringback_line_waiting", "booking"); got != 1 {
			t.Errorf("%v wait", got)
		}
	})
}

// TestRingsAheadOfAnAgent: who wants a person is rung with the agent bound.
func TestRingsAheadOfAnAgent(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		f.trunk.comes = func(e164.Number, int) fate { return fate{3 * time.Second, nil} }
		f.trunk.led = func(id uuid.UUID) {
			if _, err := f.line.Resolve(context.Background(), id, queue.FateReached); err != nil {
				t.Error(err)
			}
			f.trunk.hangUp(id)
		}
		a := arrival(first)
		if _, err := f.line.Promise(f.t.Context(), a, queue.Window{}); err != nil {
			t.Fatal(err)
		}
		f.run()
		f.pass(3 * time.Second)
		if f.trunk.rang(first) != 0 {
			t.Error("rung with no agent in sight")
		}
		f.line.SignIn(queue.Agent{Name: "anna", Address: "sip:anna@x", Languages: []prompts.Language{"de"}, Topics: queue.Topics})
		f.pass(4 * time.Second)
		if f.trunk.rang(first) != 1 {
			t.Fatalf("rung %d times\n%s", f.trunk.rang(first), f.log)
		}
		if got := f.line.Ticket(a.CallID); got.State != queue.StateWaiting || got.Agent != "anna" {
			t.Errorf("reached, and the ticket is %+v", got)
		}
	})
}

// TestNews: what the store tells shortens the wait.
func TestNews(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		f.trunk.comes = func(e164.Number, int) fate { return fate{time.Second, ivr.ErrBusy} }
		r := f.run()
		f.pass(time.Second + 10*time.Millisecond) // between two ticks
		f.due(first)
		r.Wake()
		synctest.Wait()
		if f.trunk.rang(first) != 1 {
			t.Error("not rung at once")
		}
	})
}
