package postgres_test

import (
	"slices"
	"testing"
	"time"

	"ringback/prompts"
	"ringback/queue"
	"ringback/queue/queuetest"
)

// Agents are those of the configuration. Who is configured no more talks to the
// end, and who stays does not notice.
func TestSetAgents(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	ctx := t.Context()
	set := func(agents ...queue.Agent) {
		t.Helper()
		if err := l.SetAgents(ctx, agents); err != nil {
			t.Fatal(err)
		}
	}
	names := func(want ...string) []queue.Agent {
		t.Helper()
		agents, err := l.Agents(ctx)
		var got []string
		for _, a := range agents {
			got = append(got, a.Name)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("agents %v, %v; want %v", got, err, want)
		}
		return agents
	}
	names()
	set(everything("bert"), everything("anna"))
	first := names("anna", "bert")
	if a := first[0]; a.State != queue.AgentReady || !a.Since.Equal(c.Now()) || a.Address != "anna@example.org" ||
		!slices.Equal(a.Topics, queue.Topics) || !slices.Equal(a.Languages, []prompts.Language{prompts.German, prompts.English}) {
		t.Errorf("anna: %+v", a)
	}
	l.join(t, numberOf(1))
	l.join(t, numberOf(2))
	c.pass(time.Minute)
	turns, err := l.Queue.Match(ctx, c.Now(), 2)
	if err != nil || len(turns) != 2 {
		t.Fatal(turns, err)
	}
	moved := everything("anna")
	moved.Address = "anna@example.com"
	set(moved) // bert is bound
	if a := names("anna", "bert")[0]; a.State != queue.AgentReserved || a.Address != "anna@example.com" {
		t.Errorf("anna: %+v", a)
	}
	for _, turn := range turns {
		if err := l.Joined(ctx, turn); err != nil {
			t.Fatal(err)
		}
		if err := l.Talked(ctx, turn); err != nil {
			t.Fatal(err)
		}
	}
	names("anna")
	c.pass(time.Hour)
	l.Sweep(t)
	l.join(t, numberOf(3))
	if turn, ok := l.Match(t); !ok || turn.Agent != "anna" {
		t.Errorf("bound %+v", turn)
	}
	l.join(t, numberOf(4))
	if turn, ok := l.Match(t); ok {
		t.Errorf("bound %+v, who is none any more", turn)
	}
	set(moved, everything("bert")) // comes back as somebody new
	if turn, ok := l.Match(t); !ok || turn.Agent != "bert" {
		t.Errorf("bound %+v", turn)
	}
	errs := together(8, func(int) error { return l.SetAgents(ctx, skilled(20)) })
	if count(errs, nil) != 8 {
		t.Errorf("set at once: %v", errs)
	}
	l.lawful(t)
}
