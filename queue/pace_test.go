package queue

import (
	"math"
	"math/rand/v2"
	"testing"
	"testing/quick"
	"time"
)

func TestPace(t *testing.T) {
	t.Parallel()
	r := NewRules() // ten seconds ahead
	soon, later := noon.Add(r.Ahead), noon.Add(r.Ahead+1)
	for _, c := range []struct {
		about string
		o     Outlook
		want  int
	}{
		{"nobody is there", Outlook{}, 0},
		{"one for each who is ready", Outlook{Ready: 3, PickUp: 1}, 3},
		{"nothing is known of who picks up", Outlook{Ready: 3}, 3},
		{"ahead of who is about to be free", Outlook{Ready: 1, Wraps: []time.Time{soon, later}, PickUp: 1}, 2},
		{"wrap-ups that are over", Outlook{Wraps: []time.Time{noon.Add(-time.Hour)}, PickUp: 1}, 1},
		{"who holds the line goes first", Outlook{Ready: 3, Waiting: 2, PickUp: 1}, 1},
		{"and takes who is about to be free too", Outlook{Ready: 1, Waiting: 2, Wraps: []time.Time{soon}, PickUp: 1}, 0},
		{"more hold the line than are there", Outlook{Ready: 1, Waiting: 9, PickUp: 1}, 0},
		{"some are being rung already", Outlook{Ready: 3, Ringing: 2, PickUp: 1}, 1},
		{"too many are", Outlook{Ready: 3, Ringing: 5, PickUp: 1}, 0},
		// Of 21 more than 12 pick up in 3.5 % of the times, of 22 in 5.5 %.
		{"few pick up", Outlook{Ready: 12, PickUp: 0.4}, 21},
		{"one agent, few pick up", Outlook{Ready: 1, PickUp: 0.2}, 2},
		{"one agent, half pick up", Outlook{Ready: 1, PickUp: 0.5}, 1},
		{"almost nobody picks up", Outlook{Ready: 2, PickUp: 0.01}, 2 * busiest},
		{"not a share", Outlook{Ready: 2, PickUp: math.NaN()}, 2},
	} {
		if got := r.Pace(c.o, noon); got != c.want {
			t.Errorf("%s: ring %d, want %d", c.about, got, c.want)
		}
	}
}

// TestPaceIsSafe: in one of twenty times at most, more people pick up than there
// are agents.
func TestPaceIsSafe(t *testing.T) {
	t.Parallel()
	rules := NewRules()
	random := rand.New(rand.NewPCG(1, 3))
	for _, agents := range []int{1, 2, 5, 20, 100} {
		for _, share := range []float64{0.1, 0.35, 0.6, 0.9, 0.99} {
			n := rules.Pace(Outlook{Ready: agents, PickUp: share}, noon)
			const tries = 5000
			over := 0
			for range tries {
				pickedUp := 0
				for range n {
					if random.Float64() < share {
						pickedUp++
					}
				}
				if pickedUp > agents {
					over++
				}
			}
			// Four standard deviations of chance above the limit.
			if limit := overrun + 4*math.Sqrt(overrun*(1-overrun)/tries); float64(over)/tries > limit {
				t.Errorf("%d agents, %.0f %% pick up, %d rung: too many in %.1f %% of the tries",
					agents, 100*share, n, 100*float64(over)/tries)
			}
			if n < agents {
				t.Errorf("%d agents, %.0f %% pick up: only %d rung", agents, 100*share, n)
			}
		}
	}
}

func TestPaceIsMonotone(t *testing.T) {
	t.Parallel()
	r := NewRules()
	monotone := func(ready, waiting, ringing uint8, share uint16) bool {
		o := Outlook{Ready: int(ready), Waiting: int(waiting), Ringing: int(ringing), PickUp: float64(share) / math.MaxUint16}
		n := r.Pace(o, noon)
		more, held, rung := o, o, o
		more.Ready++
		held.Waiting++
		rung.Ringing++
		return n >= 0 && r.Pace(more, noon) >= n && r.Pace(held, noon) <= n && r.Pace(rung, noon) <= n
	}
	if err := quick.Check(monotone, &quick.Config{MaxCount: 200}); err != nil {
		t.Error(err)
	}
}
