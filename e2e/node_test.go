package e2e

import (
	"syscall"
	"testing"
	"time"

	"ringback/ivr/ivrtest"
)

// TestNodeDies: two nodes share a database. One of them dies, Asterisk and
// controller at once, with somebody who was just offered a time. The other rings
// the person back within two minutes, and they go on with the same time held.
func TestNodeDies(t *testing.T) {
	t.Parallel()
	net := ownNetwork(t)
	survivor := own(t, "--callback-to", net.callbackTo())
	dying := own(t, "--no-controller")
	ctl := dying.startController(t, "RINGBACK_DATABASE_URL="+survivor.info.Database)
	dying.untilReady(t)

	ctx, number := patience(t), newNumber()
	rung := net.person(t, number, survivor.prompts(t))
	c := dying.ring(t, number)
	c.converse(ctx, toConfirm...)
	seat := survivor.count(t, `SELECT id FROM seats WHERE held_number = $1 AND state = 'held'`, number)

	ctl.end(t, syscall.SIGKILL)
	kill(t, dying.pid(t, "asterisk.pid"))
	died := time.Now()
	c.call.Abandon()
	back := next(ctx, t, number, rung)
	if wait := time.Since(died); wait > 2*time.Minute {
		t.Errorf("rung %v after the node died", wait)
	}
	back.converse(ctx, turn{"rung.ask", "1"}, turn{"rung.broke", ""}, turn{"rung.check", ""},
		turn{"born.ask", ivrtest.Born}, turn{"born.read", "1"}, turn{"confirm.ask", "1"}, turn{"booked.done", ""})
	if err := back.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	if got := survivor.count(t, `SELECT s.id FROM seats s JOIN appointments a ON a.id = s.appointment_id JOIN persons p ON p.id = a.person_id
		WHERE p.number = $1 AND a.state = 'booked'`, number); got != seat {
		t.Errorf("seat %d is booked, and seat %d was held", got, seat)
	}
	survivor.fates(t, number, "reached")
	if n := len(net.rings(number)); n != 1 {
		t.Errorf("rung %d times", n)
	}
}
