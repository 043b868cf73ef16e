package queue

import "time"

// Again says when a ticket that was not reached is rung the next time. The
// ticket's Tries include the attempt that just failed; first is when the first
// one began. After Rules.Retries comes one on the next day at the hour of the
// first, in the time zone of Rules.Ringing. A time outside of those hours moves
// to when they open. Without more, the ticket is to be closed as EndUnreached.
func (r Rules) Again(t Ticket, first, now time.Time) (at time.Time, more bool) {
	switch n := t.Tries - 1; {
	case n < 0: // nothing was made yet
		at = now
	case n < len(r.Retries):
		at = now.Add(r.Retries[n])
	case n == len(r.Retries) && r.NextDay:
		at = nextDay(first.In(r.Ringing.Zone()), now)
	default:
		return time.Time{}, false
	}
	at = r.Ringing.Next(at)
	return at, !at.IsZero()
}

// nextDay is the day after first, or where the attempts took longer than that
// the next one after now, at the hour of first.
func nextDay(first, now time.Time) time.Time {
	for days := 1; ; days++ {
		if at := first.AddDate(0, 0, days); at.After(now) {
			return at
		}
	}
}
