package memory

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
)

// TestWalk does what callers, agents and the dispatcher may do, in any order, and
// looks after every step whether the line is still lawful. All changes of state
// in the tables come about, and no others.
func TestWalk(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for seed := range uint64(20) {
		w := newWalk(seed, seen)
		for step := range 600 {
			did, err := w.step(t.Context())
			if err != nil && !queue.Refused(err) {
				t.Fatalf("seed %d, step %d, %s: %v", seed, step, did, err)
			}
			if err := w.lawful(); err != nil {
				t.Fatalf("seed %d, step %d, after %s: %v", seed, step, did, err)
			}
		}
	}
	wantAll(t, "ticket", queue.Transitions, seen)
	wantAll(t, "agent", queue.AgentTransitions, seen)
}

// wantAll: check in move sees to it that there are no others.
func wantAll[S ~string](t *testing.T, what string, table []booking.Transition[S], seen map[string]bool) {
	t.Helper()
	for _, tr := range table {
		if !seen[change(what, string(tr.From), string(tr.To))] {
			t.Errorf("no %s ever went from %q to %q (%s)", what, tr.From, tr.To, tr.By)
		}
	}
}

func change(what, from, to string) string { return fmt.Sprintf("%s: %s to %s", what, from, to) }

type walk struct {
	*Store
	random *rand.Rand
	clock  time.Time
	calls  []uuid.UUID
	turns  []queue.Turn
	rang   map[uuid.UUID]queue.Place // the place each ticket had first
	closed map[uuid.UUID]queue.End
}

func newWalk(seed uint64, seen map[string]bool) *walk {
	rules := queue.NewRules()
	rules.PerHour = 2
	w := &walk{
		Store: New(rules), random: rand.New(rand.NewPCG(seed, 0)),
		clock: time.Date(2027, 2, 1, 9, 0, 0, 0, time.UTC),
		rang:  map[uuid.UUID]queue.Place{}, closed: map[uuid.UUID]queue.End{},
	}
	w.now = func() time.Time { return w.clock }
	w.changed = func(what, from, to string) { seen[change(what, from, to)] = true }
	return w
}

func (w *walk) agent() queue.Agent {
	return queue.Agent{
		Name:      []string{"anna", "bob", "carl"}[w.random.IntN(3)],
		Languages: []prompts.Language{prompts.German}, Topics: queue.Topics,
	}
}

// id is a new one, the same for the same seed.
func (w *walk) id() (id uuid.UUID) {
	for i := range id {
		id[i] = byte(w.random.Uint32())
	}
	return id
}

// pick picks one; the zero value where there is none.
func pick[T any](w *walk, all []T) (one T) {
	if len(all) > 0 {
		one = all[w.random.IntN(len(all))]
	}
	return one
}

func (w *walk) arrival() queue.Arrival {
	a := queue.Arrival{
		CallID: w.id(), Node: "node1", At: w.clock, Topic: pick(w, queue.Topics),
		Number:   pick(w, []e164.Number{e164.Withheld, "+49231500121", "+49231500122", "+49231500123", "+33123456789"}),
		Language: prompts.German, Wish: pick(w, []queue.Wish{queue.WishPerson, queue.WishPerson, queue.WishSelf}),
		Reason: queue.Asked, Keyless: w.random.IntN(4) == 0,
	}
	switch w.random.IntN(4) {
	case 0: // a call asks again
		a.CallID = pick(w, w.calls)
		if a.CallID == uuid.Nil {
			a.CallID = w.id()
		}
	case 1:
		if a.Ticket = pick(w, w.open()).ID; w.random.IntN(20) == 0 {
			a.Ticket = pick(w, w.Tickets()).ID
		}
	}
	w.calls = append(w.calls, a.CallID)
	return a
}

func (w *walk) open() []queue.Ticket {
	var open []queue.Ticket
	for _, t := range w.Tickets() {
		if t.Open() {
			open = append(open, t)
		}
	}
	return open
}

func (w *walk) step(ctx context.Context) (did string, err error) {
	one := pick(w, w.open())
	turn := pick(w, w.turns)
	if len(w.turns) > 0 && w.random.IntN(2) == 0 {
		turn = w.turns[len(w.turns)-1]
	}
	switch w.random.IntN(13) {
	case 0:
		_, err = w.Join(ctx, w.arrival())
		return "join", err
	case 1:
		var window queue.Window
		if w.random.IntN(2) == 0 {
			ws, err := w.Windows(ctx, 10)
			if err != nil {
				return "windows", err
			}
			window = pick(w, ws)
		}
		_, err = w.Promise(ctx, w.arrival(), window)
		return "promise", err
	case 2:
		return "leave", w.Leave(ctx, one.ID, one.CallID)
	case 3:
		if w.random.IntN(4) > 0 {
			return "nothing", nil
		}
		return "close", w.Close(ctx, one.ID, pick(w, queue.Ends))
	case 4, 5:
		if turn, ok := w.Match(); ok {
			w.turns = append(w.turns, turn)
		}
		return "match", nil
	case 6:
		return "joined", w.Joined(ctx, turn)
	case 7:
		return "missed", w.Missed(ctx, turn)
	case 8:
		return "talked", w.Talked(ctx, turn)
	case 9:
		_, err = w.Attempt(one.ID)
		return "attempt", err
	case 10:
		ringing := w.byPlace(func(t *ticket) bool { return t.attempt != nil })
		if len(ringing) == 0 {
			return "nothing", nil
		}
		_, err = w.Resolve(ctx, pick(w, ringing).attempt.ID, pick(w, queue.Fates))
		return "resolve", err
	case 11:
		if a := w.agent(); w.random.IntN(3) == 0 {
			w.SignOut(a.Name)
		} else {
			w.SignIn(a)
		}
		return "sign in or out", nil
	}
	w.clock = w.clock.Add(time.Duration(w.random.ExpFloat64() * float64(pick(w, []time.Duration{
		time.Second, 10 * time.Second, time.Minute, 10 * time.Minute,
	}))))
	return "wait", nil
}

// lawful says what is wrong with the line as it is.
func (w *walk) lawful() error {
	defer w.lock()()
	numbers, rooms := map[e164.Number]int{}, map[int64]int{}
	for _, t := range w.tickets {
		first, known := w.rang[t.ID]
		if !known {
			first = t.Place()
			w.rang[t.ID] = first
		}
		bound := w.agents[t.Agent]
		end, wasClosed := w.closed[t.ID]
		switch {
		case !t.RangAt.Equal(first.RangAt) || t.Priority < first.Priority:
			return fmt.Errorf("%s lost its place: %+v, it was %+v", t.State, t.Place(), first)
		case wasClosed && (t.Open() || t.End != end):
			return errors.New("a closed ticket changed")
		case (t.State == queue.StateRinging) != (t.attempt != nil):
			return fmt.Errorf("%s with the attempt %v", t.State, t.attempt)
		case (t.Agent != "") != (bound != nil):
			return fmt.Errorf("bound to nobody known: %q", t.Agent)
		case bound != nil && (bound.Ticket != t.ID || t.leg == uuid.Nil):
			return fmt.Errorf("%s is bound to another ticket, or without a leg", t.Agent)
		case bound != nil && (bound.State == queue.AgentTalking) != (t.State == queue.StateTalking):
			return fmt.Errorf("the ticket is %s, its agent %s", t.State, bound.State)
		case t.State == queue.StateTalking && t.Agent == "" && t.Wish != queue.WishSelf:
			return errors.New("it talks with nobody")
		case t.State == queue.StatePromised && t.DueAt.IsZero(), t.State == queue.StateDue && t.DueAt.After(w.clock):
			return fmt.Errorf("%s, due at %v", t.State, t.DueAt)
		case (t.State == queue.StateLeft || t.State == queue.StateClosed) && t.Agent != "":
			return fmt.Errorf("%s with an agent", t.State)
		case t.State == queue.StateClosed && (t.End == "" || t.ClosedAt.IsZero()):
			return errors.New("closed without an end")
		}
		if !t.Open() {
			w.closed[t.ID] = t.End
			continue
		}
		if numbers[t.Number]++; t.Number != e164.Withheld && numbers[t.Number] > queue.MaxPerNumber {
			return fmt.Errorf("%d tickets of one number", numbers[t.Number])
		}
		if rooms[t.Window.From.Unix()]++; !t.Window.IsZero() && rooms[t.Window.From.Unix()] > w.rules.Room() {
			return fmt.Errorf("%d in an hour for %d", rooms[t.Window.From.Unix()], w.rules.Room())
		}
		if made := w.made(t.ID); made != t.Tries {
			return fmt.Errorf("tried %d times, with %d attempts made", t.Tries, made)
		}
	}
	for _, a := range w.agents {
		t := w.tickets[a.Ticket]
		if busy := a.State == queue.AgentReserved || a.State == queue.AgentTalking; busy != (t != nil) || busy && t.Agent != a.Name {
			return fmt.Errorf("%s is %s and bound to %v", a.Name, a.State, a.Ticket)
		}
	}
	return nil
}

// made is how many attempts of a ticket were made, by their fates.
func (w *walk) made(ticket uuid.UUID) int {
	n := 0
	for _, a := range w.attempts {
		if a.Ticket.ID == ticket && a.fate != "" && a.fate != queue.FateUnmade {
			n++
		}
	}
	return n
}
