package booking

import (
	"fmt"
	"strings"
	"testing"

	"ringback/internal/golden"
)

// TestStatesAreDrawn: the diagrams in docs/CALLS.md are the transition tables.
func TestStatesAreDrawn(t *testing.T) {
	t.Parallel()
	golden.Section(t, "../docs/CALLS.md", "seats", drawn(SeatTransitions))
	golden.Section(t, "../docs/CALLS.md", "appointments", drawn(AppointmentTransitions))
}

func drawn[S ~string](transitions []Transition[S]) string {
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
