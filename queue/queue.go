// Package queue is the one line in which people wait for a person or are rung
// back: tickets, agents, promised hours and admission. Rules and states; it
// declares the Store that keeps them.
// It must not know about telephones, prompts or SQL.
//
// # The line
//
// A person's place is a Ticket. Who holds the line (StateWaiting) and who is to
// be rung (StateDue) stand in one line: first the greater priority, then who
// rang first (Less). An agent who is free takes the first ticket that is
// Eligible: its language, its topic, its hour. Who was promised an hour comes into
// the line when it begins, at the place of the day they rang; ringing again finds
// the same place.
//
// The dispatcher binds ticket and agent; Turn tells the call of it, Joined that
// the agent answered, Talked that it is over. Somebody who is to be rung is rung
// when an agent is bound, or for the dialogue alone (WishSelf): an Attempt, which
// ends once, with a Fate.
//
// A promise holds until the person is reached: hanging up in line, or an attempt
// that failed, does not end it. What becomes of it are Rules: Again says when the
// next attempt is made, Windows which hours have room, MayRing which numbers are
// rung at all. Admit says what a caller is given when lines are short, Expect and
// Retell what is said of the wait.
package queue

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
	"ringback/prompts"
)

// Errors a caller of the Store branches on.
var (
	ErrNoTicket   = errors.New("no such place in line")
	ErrNotYet     = errors.New("it is not this ticket's turn")
	ErrWindowFull = errors.New("this hour is promised to others already")
	ErrTooMany    = errors.New("too many tickets for this number")
	ErrForbidden  = errors.New("this number is not to be rung")
	ErrNoneDue    = errors.New("nobody is to be rung now")
	ErrOver       = errors.New("the ticket is closed")
)

// Refused says whether err is an answer of the Store, one of the errors above,
// rather than a failure to ask it.
func Refused(err error) bool {
	for _, r := range []error{ErrNoTicket, ErrNotYet, ErrWindowFull, ErrTooMany, ErrForbidden, ErrNoneDue, ErrOver} {
		if errors.Is(err, r) {
			return true
		}
	}
	return false
}

// MaxPerNumber is how many open tickets one number may have: numbers are
// shared, in a home or a family.
const MaxPerNumber = 4

// Reason is why somebody is to speak with a person.
type Reason string

// The reasons.
const (
	Asked     Reason = "asked"         // pressed 0
	NoKeys    Reason = "no_keys"       // kept silent: a telephone without keys
	Errors    Reason = "errors"        // could not be understood twice in a row
	Full      Reason = "full"          // nothing is free
	Trouble   Reason = "trouble"       // something of ours failed
	TooLong   Reason = "too_long"      // the call reached its longest duration
	Overheard Reason = "too_many_keys" // keys came faster than they could be taken
	Busy      Reason = "busy"          // too few lines for a whole dialogue
	Broken    Reason = "broken"        // the line broke in the middle
)

// Reasons are all reasons, for tables and constraints.
var Reasons = []Reason{Asked, NoKeys, Errors, Full, Trouble, TooLong, Overheard, Busy, Broken}

// Topic is what a call is about. Agents serve some topics, and each has a
// priority.
type Topic string

// The topics.
const (
	TopicBooking     Topic = "booking"     // a new appointment
	TopicAppointment Topic = "appointment" // one the caller has
	TopicOther       Topic = "other"
)

// Topics are all topics.
var Topics = []Topic{TopicBooking, TopicAppointment, TopicOther}

// Wish is what a ticket waits for.
type Wish string

// The wishes.
const (
	WishPerson Wish = "person" // an agent
	WishSelf   Wish = "self"   // the booking dialogue
)

// Window is a span in which somebody is promised to be rung. The zero Window
// is "as soon as it is your turn".
type Window struct{ From, To time.Time }

// IsZero says that no hour was promised.
func (w Window) IsZero() bool { return w.From.IsZero() }

// Equal says that the two are the same span, in whatever time zones.
func (w Window) Equal(o Window) bool { return w.From.Equal(o.From) && w.To.Equal(o.To) }

// Ticket is a person's place in the line.
type Ticket struct {
	ID       uuid.UUID
	Short    string      // of withheld numbers: the number to say, ShortLength digits; else empty
	Number   e164.Number // to ring; Withheld where it is only spoken or unknown
	Topic    Topic
	Language prompts.Language
	Wish     Wish
	Reason   Reason
	Keyless  bool // a telephone without keys: connected when somebody speaks
	Priority int  // greater goes first
	// RangAt is when the person first rang: the place within a priority.
	RangAt time.Time
	State  State
	Window Window    // that was promised
	DueAt  time.Time // when to ring; zero while the caller holds the line
	// Promised says that being rung was promised and the person was not reached
	// yet. It outlives ringing in: who then hangs up in line is rung all the same.
	Promised bool
	Tries    int       // attempts made so far, those of unknown fate included
	CallID   uuid.UUID // the call that is, or was last, on the line for it
	Node     string    // the Asterisk of that call
	Agent    string    // bound to it now; empty: none
	// Scene and Known are where the person goes on, as the dialogue left it:
	// the name of a scene, and JSON.
	Scene string
	Known []byte
	// ClosedAt and End are of a closed ticket.
	ClosedAt time.Time
	End      End
	// Resumed says that Join or Promise found it: another call opened it, and
	// the person was in line before.
	Resumed bool
}

// ShortLength is how many digits a spoken ticket number has.
const ShortLength = 5

// Arrival is a caller who comes into the line, or comes back to it. Of a ticket
// that is open already, what an Arrival leaves empty stays as it was.
type Arrival struct {
	CallID uuid.UUID // the call; the ID of a ticket it opens
	Node   string    // its Asterisk; empty for a call that is over
	At     time.Time // when the call came in
	Number e164.Number
	// Ticket is the one the caller has already, which keeps its place; Nil opens
	// a new one, and finds the one this very call opened before.
	Ticket   uuid.UUID
	Topic    Topic
	Language prompts.Language
	Wish     Wish
	Reason   Reason
	Keyless  bool
	Scene    string
	Known    []byte
	// Spoken is name and number as spoken, for who has neither a shown number
	// nor keys. Nil where there is none.
	Spoken *booking.Recording
	// Kept says that the caller was told this hour already, while the Store could
	// not be asked: it holds whether or not it is full. One that is over by now is
	// due at once.
	Kept bool
}

// Standing is where a ticket stands in the line.
type Standing struct {
	Ahead int // tickets served before it
	// Low and High are the expected wait as an honest range; both zero: unknown.
	Low, High time.Duration
	Agents    int // who serve such tickets and are signed in, busy or not
}

// Turn is a ticket whose turn has come, and the agent bound to it.
type Turn struct {
	Ticket  uuid.UUID
	Agent   string    // the agent's name
	Address string    // of the agent's telephone
	Leg     uuid.UUID // the id of the agent's leg, chosen when the two were bound
}

// Attempt is one ringing of a ticket's number. It is committed before the
// number is dialled.
type Attempt struct {
	ID     uuid.UUID // of the call and its channel too
	Ticket Ticket
	Node   string
	// Until is the end of its lease: whose fate is unknown by then counts as
	// made.
	Until time.Time
	Turn  Turn // the agent who waits for it; zero: none
}

// Fate is how an attempt ended.
type Fate string

// The fates of an attempt.
const (
	FateReached  Fate = "reached"   // the person pressed 1, or spoke
	FateDeclined Fate = "declined"  // picked up, and nobody pressed 1: a mailbox, or another person
	FateNoAnswer Fate = "no_answer" // it rang
	FateBusy     Fate = "busy"
	FateFailed   Fate = "failed"  // the network could not ring it
	FateStopped  Fate = "stopped" // the person rang in meanwhile, or the ticket was closed
	FateUnmade   Fate = "unmade"  // known never to have been dialled: counts for nothing
	FateUnknown  Fate = "unknown" // its controller died; counts as made
)

// Fates are all fates.
var Fates = []Fate{FateReached, FateDeclined, FateNoAnswer, FateBusy, FateFailed, FateStopped, FateUnmade, FateUnknown}

// Agent is somebody who talks with callers.
type Agent struct {
	Name      string
	Address   string // of the telephone: a user of ours, or a SIP address
	Languages []prompts.Language
	Topics    []Topic
	State     AgentState
	Since     time.Time // of the state
	Until     time.Time // when a wrap-up, a reservation or a pause ends by itself; zero: never
	Ticket    uuid.UUID // bound to the agent; Nil: none
}

// Registration is an attempt to ring the hotline that was taken down without a
// dialogue, from the INVITE alone or while Postgres was away.
type Registration struct {
	ID       uuid.UUID   // of the call
	Dialog   string      // Call-ID of the INVITE; the same again is the same attempt
	Number   e164.Number // never Withheld
	Node     string
	At       time.Time
	Language prompts.Language // the number's, or the default
}
