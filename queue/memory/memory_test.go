package memory

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ringback/prompts"
	"ringback/queue"
	"ringback/queue/queuetest"
)

// line is a Store as the suite drives it.
type line struct{ *Store }

func (l line) SignIn(_ *testing.T, a queue.Agent)             { l.Store.SignIn(a) }
func (l line) Agent(_ *testing.T, name string) queue.Agent    { return l.Store.Agent(name) }
func (l line) Ticket(_ *testing.T, id uuid.UUID) queue.Ticket { return l.Store.Ticket(id) }
func (l line) Match(*testing.T) (queue.Turn, bool)            { return l.Store.Match() }
func (l line) Sweep(*testing.T)                               {}
func (l line) Attempt(_ *testing.T, id uuid.UUID) (queue.Attempt, error) {
	return l.Store.Attempt(id)
}

func TestStore(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, func(_ *testing.T, rules queue.Rules, now func() time.Time) queuetest.Line {
		s := New(rules)
		s.now = now
		return line{s}
	})
}

// TestVirtualTime: a call waits in virtual time until an agent who wraps up is
// bound to it.
func TestVirtualTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		s := New(queue.NewRules())
		s.Bell = new(queue.Bell)
		s.SignIn(queue.Agent{Name: "anna", Languages: []prompts.Language{prompts.German}, Topics: queue.Topics})
		join := func() queue.Ticket {
			ticket, err := s.Join(ctx, queue.Arrival{
				CallID: uuid.New(), At: time.Now(), Topic: queue.TopicOther, Language: prompts.German, Wish: queue.WishPerson,
			})
			if err != nil {
				t.Fatal(err)
			}
			return ticket
		}
		join()
		turn, _ := s.Match()
		if err := errors.Join(s.Joined(ctx, turn), s.Talked(ctx, turn)); err != nil {
			t.Fatal(err)
		}
		second := join()
		rung, stop := s.Bell.Listen(second.ID)
		defer stop()
		wrapped := time.Now().Add(queue.NewRules().WrapUp)
		go func() {
			for range time.Tick(time.Second) { // virtual time
				if _, ok := s.Match(); ok {
					return
				}
			}
		}()
		<-rung
		if time.Now().Before(wrapped) {
			t.Errorf("bound %v before she had wrapped up", time.Until(wrapped))
		}
		if turn, err := s.Turn(ctx, second.ID); err != nil || turn.Agent != "anna" {
			t.Errorf("turn %+v, %v", turn, err)
		}
	})
}

func TestGivenHours(t *testing.T) {
	t.Parallel()
	s := New(queue.NewRules())
	from := time.Now().Add(time.Hour)
	first := queue.Window{From: from, To: from.Add(time.Hour)}
	second := queue.Window{From: first.To, To: first.To.Add(time.Hour)}
	s.Give(first, second)
	s.Fill(first)
	if ws, err := s.Windows(t.Context(), 5); err != nil || len(ws) != 1 || ws[0] != second {
		t.Errorf("windows %v, %v", ws, err)
	}
	a := queue.Arrival{CallID: uuid.New(), At: time.Now(), Number: "+49231500123"}
	if _, err := s.Promise(t.Context(), a, first); !errors.Is(err, queue.ErrWindowFull) {
		t.Errorf("promise in the full one: %v", err)
	}
	s.Forbid(a.Number)
	if _, err := s.Promise(t.Context(), a, second); !errors.Is(err, queue.ErrForbidden) {
		t.Errorf("promise to ring who asked not to be rung: %v", err)
	}
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := New(queue.NewRules())
	anna := queue.Agent{Name: "anna", Languages: []prompts.Language{prompts.German}, Topics: queue.Topics}
	s.SignIn(anna)
	ticket, err := s.Join(ctx, queue.Arrival{
		CallID: uuid.New(), At: time.Now(), Topic: queue.TopicOther, Language: prompts.German, Wish: queue.WishPerson,
	})
	if err != nil {
		t.Fatal(err)
	}
	turn, _ := s.Match()
	if err := s.Joined(ctx, turn); err != nil {
		t.Fatal(err)
	}
	s.SignOut("anna")
	if got := s.Ticket(ticket.ID); got.State != queue.StateWaiting || got.Agent != "" {
		t.Errorf("whose agent went: %+v", got)
	}
	if st, err := s.Standing(ctx, ticket.ID); err != nil || st.Agents != 0 {
		t.Errorf("%d agents are there, %v", st.Agents, err)
	}
	s.SignIn(anna)
	if turn, ok := s.Match(); !ok || turn.Ticket != ticket.ID {
		t.Errorf("matched %+v, %v", turn, ok)
	}
}
