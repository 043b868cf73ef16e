// Package queuetest is the promises of a queue.Store as tests, run on every
// implementation.
// It must not know how a Store keeps what it promises.
package queuetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
)

// Line is a Store under test, and what the dispatcher and operators do to it.
type Line interface {
	queue.Store
	// SignIn adds an agent who is ready.
	SignIn(t *testing.T, a queue.Agent)
	// Agent returns an agent as he or she is now.
	Agent(t *testing.T, name string) queue.Agent
	// Ticket returns a ticket as it is now, closed ones too.
	Ticket(t *testing.T, id uuid.UUID) queue.Ticket
	// Match binds the first eligible ticket to a free agent.
	Match(t *testing.T) (queue.Turn, bool)
	// Attempt begins to ring a ticket: ErrNoneDue where it is not to be rung now.
	Attempt(t *testing.T, ticket uuid.UUID) (queue.Attempt, error)
	// Sweep does what comes with time, after the clock has moved: hours that
	// have come, places kept no longer, reservations, wrap-ups and pauses that
	// are over, leases that ended.
	Sweep(t *testing.T)
}

// Fresh returns an empty line with these rules that reads the time from now.
type Fresh func(t *testing.T, rules queue.Rules, now func() time.Time) Line

// Run runs the suite. Each test gets a fresh Line.
func Run(t *testing.T, fresh Fresh) {
	tests := map[string]func(*testing.T, *setting){
		"place kept":              testPlaceKept,
		"place lost":              testPlaceLost,
		"standing":                testStanding,
		"asked twice":             testAskedTwice,
		"what is known":           testKnown,
		"tickets of a number":     testNumber,
		"withheld":                testWithheld,
		"leave":                   testLeave,
		"leave what was promised": testLeavePromised,
		"close":                   testClose,

		"promise":                  testPromise,
		"promise in its hour":      testHour,
		"forbidden numbers":        testForbidden,
		"at night":                 testNight,
		"room":                     testRoom,
		"correct a promise":        testCorrect,
		"a number that waits":      testWaitsAlready,
		"promise while being rung": testPromiseRung,

		"turn":                  testTurn,
		"order":                 testOrder,
		"skills":                testSkills,
		"missed":                testMissed,
		"lost in talk":          testLost,
		"reservation is over":   testReserved,
		"another call":          testAnotherCall,
		"the line breaks":       testBroken,
		"wrapping up is enough": testAhead,

		"reached for the dialogue": testReachedSelf,
		"reached for an agent":     testReachedPerson,
		"not reached":              testNotReached,
		"retries":                  testRetries,
		"never dialled":            testUnmade,
		"the first answer counts":  testFirstAnswer,
		"ring in while being rung": testRingIn,
		"close while being rung":   testCloseRung,
		"lease":                    testLease,
		"attempts of nobody":       testNoAttempt,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &setting{clock: start, rules: Rules()}
			s.Line = fresh(t, s.rules, func() time.Time { return s.clock })
			test(t, s)
		})
	}
}

// Rules are those of the suite: the defaults, with room for two in an hour.
func Rules() queue.Rules {
	r := queue.NewRules()
	r.PerHour = 2
	r.Own = []string{string(own)}
	r.Priority = map[queue.Topic]int{queue.TopicAppointment: 1}
	return r
}

// start is a Monday morning at half past nine in Germany: people are rung then.
var start = time.Date(2027, 2, 1, 8, 30, 0, 0, time.UTC)

const (
	number  = e164.Number("+49231500123")
	another = e164.Number("+49231500124")
	third   = e164.Number("+49231500125")
	own     = e164.Number("+492315009")
)

// setting is a line and its clock.
type setting struct {
	Line
	clock time.Time
	rules queue.Rules
}

// pass lets time pass.
func (s *setting) pass(t *testing.T, d time.Duration) {
	t.Helper()
	s.clock = s.clock.Add(d)
	s.Sweep(t)
}

// arrival is a new call of a number, for a person. Each is a second later than
// the one before.
func (s *setting) arrival(n e164.Number) queue.Arrival {
	s.clock = s.clock.Add(time.Second)
	return queue.Arrival{
		CallID: uuid.New(), Node: "node1", At: s.clock, Number: n, Topic: queue.TopicBooking,
		Language: prompts.German, Wish: queue.WishPerson, Reason: queue.Asked,
		Scene: "person", Known: []byte(`{"v": 1}`),
	}
}

// join lets a new call of the number wait in line.
func (s *setting) join(t *testing.T, n e164.Number) queue.Ticket {
	t.Helper()
	return s.joined(t, s.arrival(n))
}

func (s *setting) joined(t *testing.T, a queue.Arrival) queue.Ticket {
	t.Helper()
	ticket, err := s.Join(t.Context(), a)
	if err != nil {
		t.Fatalf("join: %v", err)
	}
	return ticket
}

func (s *setting) promised(t *testing.T, a queue.Arrival, w queue.Window) queue.Ticket {
	t.Helper()
	ticket, err := s.Promise(t.Context(), a, w)
	if err != nil {
		t.Fatalf("promise: %v", err)
	}
	return ticket
}

// due is a ticket of the number that is to be rung now, for the wish.
func (s *setting) due(t *testing.T, n e164.Number, w queue.Wish) queue.Ticket {
	t.Helper()
	a := s.arrival(n)
	a.Wish = w
	return s.promised(t, a, queue.Window{})
}

func (s *setting) ring(t *testing.T, ticket queue.Ticket) queue.Attempt {
	t.Helper()
	a, err := s.Attempt(t, ticket.ID)
	if err != nil {
		t.Fatalf("begin an attempt: %v", err)
	}
	return a
}

func (s *setting) resolve(t *testing.T, attempt uuid.UUID, f queue.Fate) queue.Ticket {
	t.Helper()
	ticket, err := s.Resolve(t.Context(), attempt, f)
	if err != nil {
		t.Fatalf("resolve %s: %v", f, err)
	}
	return ticket
}

func (s *setting) windows(t *testing.T, n int) []queue.Window {
	t.Helper()
	ws, err := s.Windows(t.Context(), n)
	if err != nil || len(ws) != n {
		t.Fatalf("%d windows: %v, %v", n, ws, err)
	}
	return ws
}

// anna serves everything in German.
func (s *setting) anna(t *testing.T) {
	t.Helper()
	s.SignIn(t, queue.Agent{
		Name: "anna", Address: "anna", Languages: []prompts.Language{prompts.German}, Topics: queue.Topics,
	})
}

// match binds the next two, and says who it has to be.
func (s *setting) match(t *testing.T, ticket queue.Ticket, agent string) queue.Turn {
	t.Helper()
	turn, ok := s.Match(t)
	if !ok || turn.Ticket != ticket.ID || turn.Agent != agent || turn.Leg == uuid.Nil {
		t.Fatalf("matched %+v, %v; want the ticket %s with %s", turn, ok, ticket.ID, agent)
	}
	return turn
}

func (s *setting) noMatch(t *testing.T, why string) {
	t.Helper()
	if turn, ok := s.Match(t); ok {
		t.Errorf("%s: matched %+v", why, turn)
	}
}

func (s *setting) wantState(t *testing.T, what string, id uuid.UUID, want queue.State) queue.Ticket {
	t.Helper()
	ticket := s.Ticket(t, id)
	if ticket.State != want {
		t.Errorf("%s: the ticket is %s, want %s", what, ticket.State, want)
	}
	return ticket
}

func (s *setting) wantAgent(t *testing.T, what, name string, want queue.AgentState) queue.Agent {
	t.Helper()
	a := s.Agent(t, name)
	if a.State != want {
		t.Errorf("%s: %s is %s, want %s", what, name, a.State, want)
	}
	return a
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantNil(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}
