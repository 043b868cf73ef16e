package booking

import "time"

// Rule is who may book: persons who have reached MinAge on the day On.
// MinAge 0 lets everyone in.
type Rule struct {
	MinAge int
	On     time.Time // midnight UTC of that day
}

// Eligible says whether a person born on that day may book.
func (r Rule) Eligible(b Born) bool { return !r.From(b).After(r.On) }

// From returns the day, at midnight UTC, on which the person reaches MinAge.
// Who is born on 29 February reaches it on 1 March of a common year (§ 188 (2)
// BGB counts the same way).
func (r Rule) From(b Born) time.Time { return b.AddDate(r.MinAge, 0, 0) }
