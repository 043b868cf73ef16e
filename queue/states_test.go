package queue

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ringback/booking"
	"ringback/internal/golden"
)

// TestStatesAreDrawn: the diagrams in docs/CALLS.md are the transition tables.
func TestStatesAreDrawn(t *testing.T) {
	t.Parallel()
	golden.Section(t, "../docs/CALLS.md", "tickets", drawn(Transitions))
	golden.Section(t, "../docs/CALLS.md", "agents", drawn(AgentTransitions))
}

// TestTables: every state can be come to and, but for the last, left; nothing is
// listed twice.
func TestTables(t *testing.T) {
	t.Parallel()
	checkTable(t, States, Transitions, StateClosed)
	checkTable(t, AgentStates, AgentTransitions, "")
}

func checkTable[S ~string](t *testing.T, states []S, table []booking.Transition[S], last S) {
	t.Helper()
	seen := map[[2]S]bool{}
	for _, tr := range table {
		if pair := [2]S{tr.From, tr.To}; seen[pair] || tr.From == tr.To || tr.By == "" {
			t.Errorf("%q to %q is there twice, or no change, or without what brings it about", tr.From, tr.To)
		} else {
			seen[pair] = true
		}
		if strings.ContainsAny(tr.By, ":;\n") {
			t.Errorf("%q cannot be drawn", tr.By)
		}
		if tr.From != "" && !slices.Contains(states, tr.From) || !slices.Contains(states, tr.To) {
			t.Errorf("%q to %q has a state that is none", tr.From, tr.To)
		}
	}
	for _, s := range states {
		to := slices.ContainsFunc(table, func(tr booking.Transition[S]) bool { return tr.To == s })
		from := slices.ContainsFunc(table, func(tr booking.Transition[S]) bool { return tr.From == s })
		if !to || from == (s == last) {
			t.Errorf("%q: come to %v, left %v", s, to, from)
		}
	}
}

func drawn[S ~string](transitions []booking.Transition[S]) string {
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	for _, tr := range transitions {
		from := string(tr.From)
		if from == "" {
			from = "[*]"
		}
		fmt.Fprintf(&b, "    %s --> %s: %s\n", from, tr.To, tr.By)
	}
	b.WriteString("```\n")
	return b.String()
}
