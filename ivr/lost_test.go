package ivr_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/ivr"
	"ringback/ivr/ivrtest"
	"ringback/prompts"
	"ringback/queue"
)

// TestLost: a line that dropped while no controller was there comes to the same
// as in a dialogue.
func TestLost(t *testing.T) {
	t.Parallel()
	booked := booking.Appointment{}
	for _, tt := range []struct {
		name  string
		scene ivr.SceneName
		why   error
		left  func(*ivr.State)
		facts []string
	}{
		{"hung up in the dialogue", "choose", ivr.ErrHungUp, nil, []string{"the call ends as hung_up", "0 tickets", "1 held"}},
		{"broke in the dialogue", "choose", ivr.ErrLineBroke, nil, []string{"the call ends as callback", "the ticket is due", "the ticket is for the dialogue", "the ticket is in choose", "1 held"}},
		{"broke when all was done", "code", ivr.ErrLineBroke, func(s *ivr.State) { s.Won, s.Booked = ivr.Booked, &booked }, []string{"the call ends as booked", "0 tickets"}},
		{"hung up in line", "wait", ivr.ErrHungUp, waits, []string{"the call ends as hung_up", "the ticket is left"}},
		{"broke in line", "wait", ivr.ErrLineBroke, waits, []string{"the call ends as callback", "the ticket is due", "the ticket is for a person"}},
		{"nothing was written", "", ivr.ErrLineBroke, nil, []string{"the call ends as callback", "the ticket is due"}},
	} {
		t.Run(tt.name, virtually(func(t *testing.T) {
			w := world(t)
			info := ivr.Info{ID: uuid.New(), Number: w.Caller, Node: "test", Started: time.Now()}
			hold, err := w.Bookings.Offer(t.Context(), booking.Search{CallID: info.ID, Person: booking.Person{Number: w.Caller, Born: born(ivrtest.Born)}, Centre: 1})
			if err != nil {
				t.Fatal(err)
			}
			s := ivr.State{Language: prompts.German, Number: w.Caller, Topic: ivr.TopicNew, Born: born(ivrtest.Born), Hold: &hold}
			if tt.scene == "wait" {
				ticket, err := w.Line.Join(t.Context(), queue.Arrival{CallID: info.ID, Number: w.Caller, At: info.Started, Language: "de", Wish: queue.WishPerson, Topic: queue.TopicOther})
				if err != nil {
					t.Fatal(err)
				}
				s.Place = &ivr.Place{Ticket: ticket.ID}
			}
			if tt.left != nil {
				tt.left(&s)
			}
			w.Log.Began(info)
			if tt.scene != "" {
				w.Log.Entered(info.ID, tt.scene, "de", s.JSON())
			}
			w.Hotline(prompts.Default()).Lost(t.Context(), info, tt.why)
			rec, _ := w.Log.Record(info.ID)
			check(t, w, rec.Outcome, tt.facts...)
		}))
	}
}

func waits(s *ivr.State) { s.Place.State = queue.StateWaiting }

func born(digits string) time.Time {
	d, _ := ivr.ParseBorn(digits, time.Now())
	return d
}
