package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/postgres"
	"ringback/prompts"
	"ringback/queue"
	"ringback/queue/queuetest"
)

// line is the line of a fresh database, with a clock.
type line struct {
	*postgres.Queue
	fixture
	now func() time.Time
}

func newLine(t *testing.T, rules queue.Rules, now func() time.Time) line {
	t.Helper()
	f := setup(t)
	l := line{postgres.NewQueue(f.db, rules), f, now}
	l.SetNow(now)
	return l
}

func TestQueueStore(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, func(t *testing.T, rules queue.Rules, now func() time.Time) queuetest.Line {
		l := newLine(t, rules, now)
		t.Cleanup(func() { l.lawful(t) })
		return onTheLine{l}
	})
}

// onTheLine is a line whose callers are all still there.
type onTheLine struct{ line }

// Sweep implements queuetest.Line. Before, the calls of all who wait or talk are
// written down, as their controllers would have.
func (l onTheLine) Sweep(t *testing.T) {
	t.Helper()
	l.exec(`insert into calls (id, number, node, channel, started_at)
		select call_id, number, 'node1', call_id::text, rang_at from tickets where state in ('waiting', 'talking')
		on conflict do nothing`)
	l.line.Sweep(t)
}

// SignIn implements queuetest.Line.
func (l line) SignIn(t *testing.T, a queue.Agent) {
	t.Helper()
	agents, err := l.Agents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.SetAgents(t.Context(), append(agents, a)); err != nil {
		t.Fatal(err)
	}
}

// Agent implements queuetest.Line.
func (l line) Agent(t *testing.T, name string) queue.Agent {
	t.Helper()
	agents, err := l.Agents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range agents {
		if a.Name == name {
			return a
		}
	}
	return queue.Agent{}
}

// Ticket implements queuetest.Line.
func (l line) Ticket(t *testing.T, id uuid.UUID) queue.Ticket {
	t.Helper()
	ticket, err := l.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

// Match implements queuetest.Line.
func (l line) Match(t *testing.T) (queue.Turn, bool) {
	t.Helper()
	turns, err := l.Queue.Match(t.Context(), l.now(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(turns) == 0 {
		return queue.Turn{}, false
	}
	return turns[0], true
}

// Attempt implements queuetest.Line.
func (l line) Attempt(t *testing.T, id uuid.UUID) (queue.Attempt, error) {
	return l.Queue.Attempt(t.Context(), id, "node1")
}

// Sweep implements queuetest.Line.
func (l line) Sweep(t *testing.T) {
	t.Helper()
	if _, err := l.Queue.Sweep(t.Context(), l.now()); err != nil {
		t.Fatal(err)
	}
}

// everything is an agent who serves everybody.
func everything(name string) queue.Agent {
	return queue.Agent{
		Name: name, Address: name + "@example.org", Topics: queue.Topics,
		Languages: []prompts.Language{prompts.German, prompts.English},
	}
}

// arrival is a new call of a number, for a person.
func (l line) arrival(n e164.Number) queue.Arrival {
	return queue.Arrival{
		CallID: uuid.New(), Node: "node1", At: l.now(), Number: n, Topic: queue.TopicBooking,
		Language: prompts.German, Wish: queue.WishPerson, Reason: queue.Asked, Scene: "wait", Known: []byte(`{"v": 1}`),
	}
}

func (l line) join(t *testing.T, n e164.Number) queue.Ticket {
	t.Helper()
	ticket, err := l.Join(t.Context(), l.arrival(n))
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

// due is a ticket of the number that is to be rung now.
func (l line) due(t *testing.T, n e164.Number, w queue.Wish) queue.Ticket {
	t.Helper()
	a := l.arrival(n)
	a.Wish = w
	ticket, err := l.Promise(t.Context(), a, queue.Window{})
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

func (l line) audit(t *testing.T, id uuid.UUID) []queue.Change {
	t.Helper()
	changes, err := l.Audit(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// clock is a clock that a test moves, from a Monday morning when people are rung.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2027, 2, 1, 8, 30, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func parseID(t *testing.T, s string) uuid.UUID {
	t.Helper()
	id, err := uuid.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
