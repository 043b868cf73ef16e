package doctor

import (
	"encoding/json"
	"fmt"
	"io"
)

// State is how grave a finding is.
type State string

// The states. A failure keeps the hotline from working, or callers from being
// served well; a warning may do so one day.
const (
	OK      State = "ok"
	Warning State = "warning"
	Failure State = "failure"
)

// Finding is what a check found.
type Finding struct {
	Check string `json:"check"` // "postgres.version"
	State State  `json:"state"`
	Seen  string `json:"seen"`
	Do    string `json:"do,omitempty"` // one sentence; none where all is well
}

// Report is all that was found, in the order of the checks.
type Report struct {
	Findings []Finding
}

// Count says how many findings are in a state.
func (r Report) Count(s State) int {
	n := 0
	for _, f := range r.Findings {
		if f.State == s {
			n++
		}
	}
	return n
}

// WriteText writes the report for people.
func (r Report) WriteText(w io.Writer) error {
	width := 0
	for _, f := range r.Findings {
		width = max(width, len(f.Check))
	}
	for _, f := range r.Findings {
		if _, err := fmt.Fprintf(w, "%-8s %-*s  %s\n", f.State, width, f.Check, f.Seen); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		if f.Do == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%-8s %-*s  → %s\n", "", width, "", f.Do); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	_, err := fmt.Fprintf(w, "\n%d ok, %d to look at (warning), %d to mend (failure).\n", r.Count(OK), r.Count(Warning), r.Count(Failure))
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// WriteJSON writes the report for programs: {"ok": …, "findings": […]}.
func (r Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		OK       bool      `json:"ok"` // no failure
		Findings []Finding `json:"findings"`
	}{r.Count(Failure) == 0, append([]Finding{}, r.Findings...)})
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func fine(format string, args ...any) []Finding {
	return []Finding{{State: OK, Seen: fmt.Sprintf(format, args...)}}
}

func warned(seen, do string) []Finding {
	return []Finding{{State: Warning, Seen: seen, Do: do}}
}

func failed(seen, do string) []Finding {
	return []Finding{{State: Failure, Seen: seen, Do: do}}
}
