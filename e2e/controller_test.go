package e2e

import (
	"context"
	"syscall"
	"testing"
	"time"
)

// TestNoControllerNoBusyTone: who rings while the controller is dead is
// answered, and greeted as soon as it is back. It stands alone: other calls
// would lose their controller.
func TestNoControllerNoBusyTone(t *testing.T) {
	old := system.pid(t, "controller.pid")
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	number := newNumber()
	c := system.ring(t, number) // fails the test when it is refused
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c.expect(ctx, "welcome.greeting")
	if now := system.pid(t, "controller.pid"); now == old {
		t.Errorf("controller.pid still names %d", old)
	}
	if err := c.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	if last := system.lastCall(t, number); last.Outcome.Result != "hung_up" {
		t.Errorf("the call ended as %v", last.Outcome)
	}
}
