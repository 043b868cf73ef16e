package config

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with a configuration.
type Fault struct {
	Key   string // or the environment variable
	Value string // as given; empty where it is a secret or there is none
	Mend  string // what to do about it
}

func (f Fault) String() string {
	if f.Value == "" {
		return f.Key + ": " + f.Mend
	}
	return fmt.Sprintf("%s is %q: %s", f.Key, f.Value, f.Mend)
}

// Faults are all that is wrong with a configuration.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.String()
	}
	if len(lines) == 1 {
		return "configuration: " + lines[0]
	}
	return "configuration:\n  " + strings.Join(lines, "\n  ")
}

// and adds those of further whose key, or section, has no fault yet: a value
// that could not be read need not be blamed again for being empty.
func (f Faults) and(further Faults) Faults {
	all := slices.Clone(f)
	for _, one := range further {
		if !slices.ContainsFunc(f, func(old Fault) bool { return within(old.Key, one.Key) || within(one.Key, old.Key) }) {
			all = append(all, one)
		}
	}
	return all
}

// within says whether key is the section, or one of its keys.
func within(key, section string) bool {
	return key == section || strings.HasPrefix(key, section+".")
}

// nearest returns the name a person may have meant, or "".
func nearest(name string, names []string) string {
	best, least := "", 3 // a slip or two of the finger
	for _, n := range names {
		if d := distance(name, n); d < least {
			best, least = n, d
		}
	}
	if best != "" {
		return best
	}
	// The right key in the wrong section, or in none.
	last := name[strings.LastIndexByte(name, '.')+1:]
	for _, n := range names {
		if strings.HasSuffix(n, "."+last) {
			return n
		}
	}
	return ""
}

// distance counts the letters to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
