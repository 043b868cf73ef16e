package ivr_test

import (
	"slices"
	"testing"
	"time"

	"ringback/ivr/ivrtest"
	"ringback/prompts"
)

// TestPersonalQuestionComesSoon: at most two menus stand before the first.
func TestPersonalQuestionComesSoon(t *testing.T) {
	virtually(func(t *testing.T) {
		j := settings[0].travel(t, prompts.Default(), "", []step{"1", "1"}, false)
		if j.at.said != "born.ask" {
			t.Errorf("after two keys the caller hears %s, not the first personal question", j.at.said)
		}
	})(t)
}

// TestSilenceIsPromisedACallbackWithinAMinute: who has no keys waits that long
// at most.
func TestSilenceIsPromisedACallbackWithinAMinute(t *testing.T) {
	virtually(func(t *testing.T) {
		j := settings[0].travel(t, prompts.Default(), "", nil, true)
		if j.promise == 0 || j.promise > time.Minute {
			t.Errorf("the promise came after %v", j.promise)
		}
		t.Logf("the promise came after %v", j.promise)
	})(t)
}

// TestAppointmentWithinThreeMinutes: a caller who hears every line to its end
// holds an appointment in under three minutes.
func TestAppointmentWithinThreeMinutes(t *testing.T) {
	virtually(func(t *testing.T) {
		j := settings[0].travel(t, prompts.Default(), "", []step{"1", "1", ivrtest.Born, "1", ivrtest.Postcode, "1", "1", "1"}, false)
		if !slices.Contains(j.scenes, "name") {
			t.Fatalf("not booked: %v", j.scenes)
		}
		if j.took > 3*time.Minute {
			t.Errorf("the appointment took %v", j.took)
		}
		t.Logf("booked, and asked whether ready for the code, after %v", j.took)
	})(t)
}
