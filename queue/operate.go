package queue

import (
	"time"

	"github.com/google/uuid"

	"ringback/e164"
)

// Place is a ticket's place in the order of the line, and so the cursor of who
// reads the line in parts.
type Place struct {
	Priority int
	RangAt   time.Time
	ID       uuid.UUID
}

// Place is where the ticket stands in the order of the line.
func (t Ticket) Place() Place { return Place{t.Priority, t.RangAt, t.ID} }

// IsZero says that it is no ticket's place: the head of the line.
func (p Place) IsZero() bool { return p.ID == uuid.Nil }

// Filter says which tickets an operator looks at. The zero Filter is all open
// ones.
type Filter struct {
	State  State       // empty: every open one
	Number e164.Number // Withheld: of any number
	Topic  Topic       // empty: of any topic
	After  Place       // only those behind it; zero: from the head of the line
	Limit  int         // at most so many, more than zero
}

// Move is another place for an open ticket. Nil leaves things as they are.
type Move struct {
	Priority *int
	// Window is when the person is rung; the zero Window is as soon as its turn
	// comes.
	Window *Window
}

// Unwanted is a number that is not to be rung.
type Unwanted struct {
	Number e164.Number
	Since  time.Time
	By     string // who said so, and why
	Why    string
}

// UnwantedFilter says which of those an operator looks at. The zero
// UnwantedFilter is all of them.
type UnwantedFilter struct {
	Number e164.Number // Withheld: any
	After  Unwanted    // only those behind it; zero: from the newest
	Limit  int         // at most so many, more than zero
}

// Ringing is an attempt as it is kept.
type Ringing struct {
	ID     uuid.UUID // of the call too
	Node   string
	Agent  string // who waited for it; empty: nobody
	Began  time.Time
	Ended  time.Time // zero while it is under way
	Fate   Fate      // empty while it is under way
	Ticket uuid.UUID
}

// Deed is what was done to the line.
type Deed string

// The deeds of operators.
const (
	DeedRemove   Deed = "remove"
	DeedMove     Deed = "move"
	DeedOutgoing Deed = "outgoing"
	DeedForbid   Deed = "do_not_ring"
	DeedAllow    Deed = "ring_again" // undoes DeedForbid
)

// The deeds of callers, agents and the dispatcher.
const (
	DeedJoin     Deed = "join"
	DeedPromise  Deed = "promise"
	DeedRegister Deed = "register" // an attempt to ring the hotline was taken down
	DeedLeave    Deed = "leave"
	DeedBreak    Deed = "break" // the line broke
	DeedClose    Deed = "close"
	DeedBind     Deed = "bind" // to an agent
	DeedFree     Deed = "free" // the agent, who was bound for too long
	DeedAnswer   Deed = "answer"
	DeedMiss     Deed = "miss" // the agent did not answer, or was lost
	DeedTalked   Deed = "talked"
	DeedCome     Deed = "come" // the promised hour
	DeedExpire   Deed = "expire"
	DeedRing     Deed = "ring"
	DeedPutOff   Deed = "put_off" // by a limit
	DeedResolve  Deed = "resolve" // an attempt
)

// Change is a deed as the audit keeps it.
type Change struct {
	At     time.Time
	Ticket uuid.UUID // Nil: of no single ticket
	Deed   Deed
	What   string // what changed, in words, never personal: "priority 0 to 5"
	By     string // an operator, an agent, "caller", "dispatcher", or a user of the database
	Why    string
}

// Outgoing is the switch of all calls out.
type Outgoing struct {
	On    bool
	Since time.Time // zero: since ever
	By    string    // who set it last, and why; empty: nobody yet
	Why   string
}

// Depth is how many tickets of a topic are in a state.
type Depth struct {
	Topic   Topic
	State   State
	Tickets int
	// RangAt is when the first of them rang; zero where there is none.
	RangAt time.Time
}
