package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/ivr"
	"ringback/ivr/ivrtest"
	"ringback/postgres"
	"ringback/prompts"
)

// hasty presses the keys that lead to an appointment as soon as it is asked,
// and hangs up where it is offered a time in another town.
type hasty struct {
	keys  []string
	heard []prompts.Key
}

func (h *hasty) Hears(u ivr.Utterance) ivrtest.Act {
	for _, l := range u.Lines {
		if l.Key != prompts.OneMoment.Key { // said while the database has much to do
			h.heard = append(h.heard, l.Key)
		}
	}
	return ivrtest.Act{}
}

func (h *hasty) Asked(time.Duration) ivrtest.Act {
	if len(h.keys) == 0 || h.full() {
		return ivrtest.Act{HangUp: true}
	}
	k := h.keys[0]
	h.keys = h.keys[1:]
	return ivrtest.Act{Keys: k}
}

func (h *hasty) Speaks(time.Duration) (time.Duration, ivrtest.Act) {
	return 0, ivrtest.Act{}
}

// full says whether the caller was told that the town is full and offered a
// time elsewhere.
func (h *hasty) full() bool {
	n := len(h.heard)
	return n >= 2 && h.heard[n-2] == "choose.full" && h.heard[n-1] == "choose.offer"
}

// TestTwoHundredDialoguesForFiftySeats: 200 callers lead their dialogues at
// once; 50 book, and 150 are politely offered a time in the next town.
func TestTwoHundredDialoguesForFiftySeats(t *testing.T) {
	t.Parallel()
	f := setup(t)
	dortmund := f.dortmund(20, 20, 10)
	f.AddPlace("44137", "Dortmund", dortmund.ID)
	bochum := f.AddCentre(booking.Centre{Name: "Bochum", TimeZone: "Europe/Berlin"}, 51.48, 7.22)
	f.AddSlot(bochum.ID, time.Now().Add(24*time.Hour).Truncate(time.Hour), 200)

	h := ivrtest.NewWorld().Hotline(prompts.Default())
	h.Bookings, h.Queue, h.Habits = f.Bookings, postgres.NewQueue(f.db, h.Rules), postgres.NewHabits(f.db)
	h.Timing.Grasp = 0 // nobody listens long here
	var mu sync.Mutex
	results, elsewhere := map[ivr.Result]int{}, 0
	together(200, func(i int) error {
		p := &hasty{keys: []string{"1", "1", "24121935", "1", "44137", "1", "1", "1"}}
		info := ivr.Info{ID: uuid.New(), Number: person(i).Number, Started: time.Now()}
		ctx, c := ivrtest.NewCaller(t.Context(), info, p, func(ivr.Utterance) time.Duration { return 0 })
		o := h.Serve(ctx, c)
		mu.Lock()
		defer mu.Unlock()
		results[o.Result]++
		if p.full() {
			elsewhere++
		}
		return nil
	})
	if results[ivr.Booked] != 50 || results[ivr.HungUp] != 150 || elsewhere != 150 {
		t.Errorf("results %v, and %d were offered the next town", results, elsewhere)
	}
	for what, sql := range map[string]string{
		"appointments in Dortmund": `select count(*) from appointments a join seats s on s.id = a.seat_id where a.state = 'booked' and s.centre_id = $1`,
		"booked seats in Dortmund": `select count(*) from seats where state = 'booked' and centre_id = $1`,
	} {
		if n := f.number(sql, dortmund.ID); n != 50 {
			t.Errorf("%d %s, want 50", n, what)
		}
	}
	if n := f.number(`select count(*) from seats where state = 'held' and centre_id = $1`, bochum.ID); n != 150 {
		t.Errorf("%d seats are held in Bochum, want 150", n)
	}
}
