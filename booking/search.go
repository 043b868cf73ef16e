package booking

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Want is what a caller would like instead of the time that was offered.
type Want string

// What a caller can ask for.
const (
	AnotherTime   Want = "another time"
	AnotherDay    Want = "another day"
	AnotherCentre Want = "another centre" // ask NextCentre which
)

// stride is how far another time lies from the one refused. A caller who
// cannot come at ten cannot come at ten past ten either.
const stride = 2 * time.Hour

// instant is the smallest step of time the Store tells apart. Search.After
// excludes its own moment, so "from eight o'clock on" is an instant earlier.
const instant = time.Microsecond

// Trail is what a caller was offered and said no to, and so where to look
// next. It is part of a call's saved state. The zero Trail leads nowhere: begin
// with First.
type Trail struct {
	Centre    int64     `json:"centre"`
	NotBefore time.Time `json:"not_before,omitzero"` // the search begins here
	After     time.Time `json:"after,omitzero"`      // the next offer starts later than this
	Refused   []int64   `json:"refused,omitempty"`   // slots, at every centre
	Visited   []int64   `json:"visited,omitempty"`   // centres left behind
	Wrapped   bool      `json:"wrapped,omitempty"`   // it began once more at NotBefore
}

// First begins at a centre. Offers start later than notBefore.
func (t *Trail) First(centre int64, notBefore time.Time) {
	*t = Trail{Centre: centre, NotBefore: notBefore, After: notBefore}
}

// Next takes note that the caller refused the last slot and wants another. The
// slot is not offered again.
func (t *Trail) Next(w Want, last Slot) {
	if !slices.Contains(t.Refused, last.ID) {
		t.Refused = append(t.Refused, last.ID)
	}
	switch w {
	case AnotherTime:
		t.After = last.Start.Add(stride - instant)
	case AnotherDay:
		t.After = nextMidnight(last.Start, last.Centre.Location()).Add(-instant)
	}
}

// Wrap goes back to the beginning, where slots between those refused may be
// left. It does so once a centre and then says no.
func (t *Trail) Wrap() bool {
	if t.Wrapped || !t.After.After(t.NotBefore) {
		return false
	}
	t.Wrapped, t.After = true, t.NotBefore
	return true
}

// NextCentre moves to the first of the centres that was not visited yet and
// begins there anew. Nearby is as Store.Nearby returns it for the first
// centre, nearest first. It says no when none is left.
func (t *Trail) NextCentre(nearby []Centre) bool {
	i := slices.IndexFunc(nearby, func(c Centre) bool {
		return c.ID != t.Centre && !slices.Contains(t.Visited, c.ID)
	})
	if i < 0 {
		return false
	}
	t.Visited = append(t.Visited, t.Centre)
	t.Centre, t.After, t.Wrapped = nearby[i].ID, t.NotBefore, false
	return true
}

// Search is what to ask the Store for.
func (t *Trail) Search(callID uuid.UUID, p Person) Search {
	return Search{CallID: callID, Person: p, Centre: t.Centre, After: t.After, Not: slices.Clone(t.Refused)}
}

// Offer asks the Store, and once more from the beginning when nothing later is
// left. ErrNothingFree means that this centre has no slot the caller has not
// refused; NextCentre may help.
func (t *Trail) Offer(ctx context.Context, s Store, callID uuid.UUID, p Person) (Hold, error) {
	h, err := s.Offer(ctx, t.Search(callID, p))
	if errors.Is(err, ErrNothingFree) && t.Wrap() {
		h, err = s.Offer(ctx, t.Search(callID, p))
	}
	return h, err
}

// nextMidnight is the first moment of the day after t in the zone. Where clocks
// go forward at midnight the day begins at one o'clock.
func nextMidnight(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	midnight := time.Date(y, m, d+1, 0, 0, 0, 0, zone)
	// For a midnight that does not exist time.Date may answer with the hour
	// before it, which still belongs to the old day.
	if h := midnight.Hour(); h >= 12 {
		midnight = midnight.Add(time.Duration(24-h) * time.Hour)
	}
	return midnight
}
