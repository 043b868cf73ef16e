package dispatch

import "time"

// Hurry makes a dispatcher do everything so many times as often, before it runs.
func (d *Dispatcher) Hurry(times time.Duration) {
	p := &d.pace
	for _, every := range []*time.Duration{
		&p.tick, &p.sweep, &p.rering, &p.beat, &p.dead, &p.review, &p.suspect, &p.sure, &p.answer, &p.measure,
	} {
		*every /= times
	}
}
