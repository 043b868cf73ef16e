// Package memory is a queue.Store in memory, for tests of dialogues and for
// trying them without a database.
// It must not know more than dialogues call, and what a test needs to play the
// dispatcher: what only Postgres can promise is tested on Postgres.
package memory

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
	"ringback/queue"
)

// Store keeps the line in memory and reads the time with time.Now, so it runs in
// virtual time (testing/synctest) too. What comes with time, such as a promised
// hour or the end of a wrap-up, has happened when it is asked. A change of state
// that is not in the tables of package queue panics.
type Store struct {
	// Bell, where there is one, is rung when an agent is bound to a ticket and
	// when a ticket is closed. Set it before use.
	Bell *queue.Bell
	// Node is the Asterisk of the attempts that are begun here.
	Node string

	rules   queue.Rules
	now     func() time.Time
	changed func(what, from, to string) // hears of every change of state; nil: nobody does

	mu        sync.Mutex
	soonest   time.Time // when time changes something next; zero: never
	tickets   map[uuid.UUID]*ticket
	index     index // of the tickets, so that a long line is not searched for each call
	agents    map[string]*agent
	attempts  map[uuid.UUID]*attempt
	forbidden map[e164.Number]bool
	given     []queue.Window
	full      map[int64]bool // by the beginning of the window
	low, high time.Duration
	shorts    int
}

type ticket struct {
	queue.Ticket
	leg     uuid.UUID // of the agent who is bound
	leftAt  time.Time
	firstAt time.Time // when the first attempt began
	attempt *attempt  // under way
	spoken  *booking.Recording
}

type agent struct {
	queue.Agent
	wrapped time.Time // when the wrap-up ends from which the agent was reserved
}

type attempt struct {
	queue.Attempt
	fate queue.Fate // empty while it is under way
}

var _ queue.Store = (*Store)(nil)

// New returns an empty line without agents.
func New(rules queue.Rules) *Store {
	return &Store{
		Node:    "node1",
		rules:   rules,
		now:     time.Now,
		tickets: map[uuid.UUID]*ticket{},
		index: index{
			numbers: map[e164.Number][]*ticket{}, calls: map[uuid.UUID]*ticket{},
			inLine: map[*ticket]struct{}{}, rooms: map[int64]int{},
		},
		agents:    map[string]*agent{},
		attempts:  map[uuid.UUID]*attempt{},
		forbidden: map[e164.Number]bool{},
		full:      map[int64]bool{},
		shorts:    firstShort,
	}
}

// index finds tickets.
type index struct {
	numbers map[e164.Number][]*ticket
	calls   map[uuid.UUID]*ticket // that a call is, or was, on the line for
	inLine  map[*ticket]struct{}  // to be served in their turn, or being rung
	rooms   map[int64]int         // that open ones hold, by the beginning of the window
}

// firstShort is the first spoken number: ShortLength digits, none of them a
// leading zero. They follow each other, so that a transcript can name them.
const firstShort = 10001

// lock is how every method begins: with what came with time.
func (s *Store) lock() (unlock func()) {
	s.mu.Lock()
	s.sweep()
	return s.mu.Unlock
}

// move changes the state of a ticket. To stay in one is no change.
func (s *Store) move(t *ticket, to queue.State) {
	if t.State != to {
		check(s, "ticket", queue.Transitions, t.State, to)
		t.State = to
	}
	if to.InLine() || to == queue.StateRinging {
		s.index.inLine[t] = struct{}{}
	} else {
		delete(s.index.inLine, t)
	}
}

// number gives a ticket its number.
func (s *Store) number(t *ticket, n e164.Number) {
	if n == t.Number {
		return
	}
	s.index.numbers[t.Number] = slices.DeleteFunc(s.index.numbers[t.Number], func(o *ticket) bool { return o == t })
	t.Number = n
	if n != e164.Withheld {
		s.index.numbers[n] = append(s.index.numbers[n], t)
	}
}

// called says which call a ticket's person is on the line with, or was.
func (s *Store) called(t *ticket, call uuid.UUID) {
	t.CallID = call
	s.index.calls[call] = t
}

// hold gives an open ticket room in an hour, and the room of the one before back.
func (s *Store) hold(t *ticket, w queue.Window) {
	s.index.rooms[t.Window.From.Unix()]--
	t.Window = w
	s.index.rooms[w.From.Unix()]++
}

// turnTo changes the state of an agent, until it ends by itself.
func (s *Store) turnTo(a *agent, to queue.AgentState, until time.Time) {
	if a.State != to {
		check(s, "agent", queue.AgentTransitions, a.State, to)
	}
	a.State, a.Since, a.Until = to, s.now(), until
	s.comes(until)
}

// check panics where a change is not in the table: then this package is wrong.
func check[S ~string](s *Store, what string, table []booking.Transition[S], from, to S) {
	if !slices.ContainsFunc(table, func(tr booking.Transition[S]) bool { return tr.From == from && tr.To == to }) {
		panic(fmt.Sprintf("%s went from %q to %q, which is no transition", what, from, to))
	}
	if s.changed != nil {
		s.changed(what, string(from), string(to))
	}
}

// byPlace returns the tickets that pass, in the order of the line.
func (s *Store) byPlace(pass func(*ticket) bool) []*ticket {
	return sorted(maps.Values(s.tickets), pass)
}

// inLine returns those that are to be served in their turn, and pass, in the
// order of the line.
func (s *Store) inLine(pass func(*ticket) bool) []*ticket {
	return sorted(maps.Keys(s.index.inLine), func(t *ticket) bool { return t.State.InLine() && pass(t) })
}

func sorted(all iter.Seq[*ticket], pass func(*ticket) bool) []*ticket {
	var found []*ticket
	for t := range all {
		if pass(t) {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b *ticket) int { return queue.Compare(a.Ticket, b.Ticket) })
	return found
}

// open returns the open tickets of a number, in the order of the line.
func (s *Store) open(n e164.Number) []*ticket {
	return sorted(slices.Values(s.index.numbers[n]), func(t *ticket) bool { return t.Open() })
}

func (s *Store) short() string {
	n := strconv.Itoa(s.shorts)
	s.shorts++
	return n
}

// Find implements queue.Store.
func (s *Store) Find(_ context.Context, n e164.Number) ([]queue.Ticket, error) {
	defer s.lock()()
	return plain(s.open(n)), nil
}

// FindShort implements queue.Store.
func (s *Store) FindShort(_ context.Context, short string) (queue.Ticket, error) {
	defer s.lock()()
	for _, t := range s.tickets {
		if t.Open() && t.Short != "" && t.Short == short {
			return t.Ticket, nil
		}
	}
	return queue.Ticket{}, queue.ErrNoTicket
}

// Standing implements queue.Store. The expected wait is what SetWait said.
func (s *Store) Standing(_ context.Context, id uuid.UUID) (queue.Standing, error) {
	defer s.lock()()
	t := s.tickets[id]
	if t == nil || !t.Open() {
		return queue.Standing{}, queue.ErrNoTicket
	}
	st := queue.Standing{Low: s.low, High: s.high}
	for other := range s.index.inLine {
		if queue.Ahead(other.Ticket, t.Ticket) {
			st.Ahead++
		}
	}
	for _, a := range s.agents {
		if a.SignedIn() && a.Serves(t.Ticket) {
			st.Agents++
		}
	}
	return st, nil
}

// Windows implements queue.Store.
func (s *Store) Windows(_ context.Context, n int) ([]queue.Window, error) {
	defer s.lock()()
	if s.given == nil {
		return s.rules.Windows(s.now(), n, s.taken), nil
	}
	var free []queue.Window
	for _, w := range s.given {
		if len(free) < n && w.From.After(s.now()) && s.taken(w) < s.rules.Room() {
			free = append(free, w)
		}
	}
	return free, nil
}

// taken is how many open tickets hold room in the hour.
func (s *Store) taken(w queue.Window) int {
	if s.full[w.From.Unix()] {
		return s.rules.Room()
	}
	return s.index.rooms[w.From.Unix()]
}

func (s *Store) isWindow(w queue.Window) bool {
	if s.given == nil {
		return s.rules.IsWindow(w, s.now())
	}
	return slices.ContainsFunc(s.given, func(g queue.Window) bool {
		return g.Equal(w) && g.To.After(s.now())
	})
}

func plain(ts []*ticket) []queue.Ticket {
	var all []queue.Ticket
	for _, t := range ts {
		all = append(all, t.Ticket)
	}
	return all
}
