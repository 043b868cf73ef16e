package ivr

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
	"ringback/prompts"
)

// Errors of a Call.
var (
	// ErrHungUp is the cause of a call's context when the line dropped.
	ErrHungUp = errors.New("the caller hung up")
	// ErrSilence says that no key came in time.
	ErrSilence = errors.New("no key was pressed")
	// ErrTooManyKeys is the cause of a call's context when its mailbox was
	// full; the line is still up.
	ErrTooManyKeys = errors.New("events came faster than the call could take them")
	// ErrTooLong is the cause of a call's context at its longest duration;
	// the line is still up.
	ErrTooLong = errors.New("the call reached its longest duration")
	// ErrLineBroke is the cause of a call's context when the line dropped and
	// nobody hung up: the network failed, no audio came, or Asterisk died.
	ErrLineBroke = errors.New("the line broke")
	// ErrNews says that Rest was ended by news.
	ErrNews = errors.New("there is news")
	// ErrSpoke says that Rest was ended by a voice.
	ErrSpoke = errors.New("somebody speaks")
	// ErrNoAnswer says that a telephone that was rung was not picked up.
	ErrNoAnswer = errors.New("the telephone was not picked up")
	// ErrBusy says that a telephone that was rung was busy, or refused the call.
	ErrBusy = errors.New("the telephone is busy")
	// ErrUnreachable says that a telephone could not be rung at all.
	ErrUnreachable = errors.New("the telephone cannot be rung")
)

// Key is a key of a telephone: '0' to '9', '*' or '#'.
type Key byte

// Info is what is known of a call when it arrives.
type Info struct {
	ID      uuid.UUID   // our own, everywhere
	Number  e164.Number // who rings; e164.Withheld is a state of its own
	Node    string      // the Asterisk that carries it
	Channel string      // its name there
	Started time.Time
	// TakenOver says that another process led the call before: it is answered,
	// and what it came to stands in the Ledger.
	TakenOver bool
	// Attempt is what we rang for: a queue.Attempt's ID, and this call's. Nil:
	// they rang us.
	Attempt uuid.UUID
}

// Leg is an agent's telephone that is to be joined with a caller.
type Leg struct {
	ID      uuid.UUID     // chosen and kept before it is rung
	Address string        // a user of ours, or a SIP address
	Shown   e164.Number   // the caller's number, shown to the agent
	Ring    time.Duration // for how long
}

// Out is a call that we make.
type Out struct {
	ID     uuid.UUID // of the call: the queue.Attempt's
	Number e164.Number
	Ring   time.Duration // for how long
}

// Rest is how a caller waits.
type Rest struct {
	Wait  time.Duration   // the longest
	News  <-chan struct{} // a token ends it; nil: nothing does
	Voice bool            // a voice ends it too
	Music bool            // sounds meanwhile; else it is quiet
}

// Utterance is one thing said in one go: lines joined into one playback.
type Utterance struct {
	Manner prompts.Manner
	Lines  []prompts.Line
	// Uncut plays to the end whatever is pressed: a code being read.
	Uncut bool
}

// Call is all that a telephone must do. asterisk.Call does it over ARI,
// ivrtest.Caller from a transcript. Every method blocks until it is done or
// ctx ends, and then returns context.Cause(ctx); ctx ends with cause ErrHungUp
// when the line drops. One goroutine uses a Call.
type Call interface {
	Info() Info
	// Ours fails with ErrElsewhere if another process leads the call by now. A
	// process that was frozen may find that out only by asking.
	Ours(ctx context.Context) error
	// Answer takes the call. What was answered stays answered.
	Answer(ctx context.Context) error
	// Say plays the utterance. A key cuts it short and stays to be read by
	// Key; one typed ahead keeps it from starting, unless it is Uncut.
	Say(ctx context.Context, u Utterance) error
	// Key returns the next key, typed-ahead ones first, or ErrSilence.
	Key(ctx context.Context, wait time.Duration) (Key, error)
	// Flush forgets the keys typed ahead.
	Flush()
	// Record plays a tone and records until silence, a key, or the longest
	// time. The key that ended it is not kept.
	Record(ctx context.Context, longest time.Duration) (booking.Recording, error)
	// Rest waits until a key is pressed, typed-ahead ones first, and returns
	// it; or until there is news (ErrNews), somebody speaks (ErrSpoke), or the
	// wait is over (ErrSilence).
	Rest(ctx context.Context, r Rest) (Key, error)
	// Ring rings an agent while music sounds to the caller, and joins the two
	// when it is answered: ErrNoAnswer, ErrBusy, ErrUnreachable. Keys pressed
	// meanwhile are kept.
	Ring(ctx context.Context, l Leg) error
	// Talk returns nil when the agent hung up, and the cause of ctx's end when
	// the caller did; the two are apart then. A leg joined by another process is
	// taken over; where it is gone, the agent has hung up.
	Talk(ctx context.Context, l Leg) error
	// Refuse ends a line that was never answered in a way that no telephone
	// makes a busy tone of (SIP 480).
	Refuse(ctx context.Context) error
	// HangUp ends the line. Hanging up twice is no error.
	HangUp(ctx context.Context) error
}

// Result is how a call ended, for the caller.
type Result string

// The results of a call.
const (
	Booked     Result = "booked"
	Changed    Result = "changed"
	Cancelled  Result = "cancelled"
	Informed   Result = "informed"
	Person     Result = "person"
	CalledBack Result = "callback"
	HungUp     Result = "hung_up"
	Failed     Result = "failed"
	// Elsewhere is no end: another process leads the call now. It is never
	// written.
	Elsewhere Result = "elsewhere"
)

// Outcome is how and why a call ended.
type Outcome struct {
	Result Result
	Reason string // finite: a scene, or what went wrong; never personal
}

// EntryKind is what an entry of a transcript tells.
type EntryKind string

// The kinds of entries.
const (
	EntryScene EntryKind = "scene"
	EntrySay   EntryKind = "say"
	EntryKey   EntryKind = "key"
)

// Entry is one line of a call's transcript. Personal digits are masked before
// an Entry is made.
type Entry struct {
	At   time.Time
	Kind EntryKind
	Line string // prompt key of a say, name of a scene, question of a key
	Text string // what was said
	Keys string // what was pressed; masked as one "•" a digit
}

// Log keeps what happens in calls: their transcript, scene and state. It is
// written behind the caller's back: no method waits for a disk or a network.
type Log interface {
	Began(Info)
	Noted(callID uuid.UUID, e Entry)
	// Entered says which scene is played next, and with what state (JSON of
	// State): enough to play it again elsewhere.
	Entered(callID uuid.UUID, scene SceneName, language prompts.Language, state []byte)
	Ended(callID uuid.UUID, at time.Time, o Outcome)
}

// Habit is what is remembered for a calling number.
type Habit struct {
	Language prompts.Language // empty: unknown
	Pace     prompts.Pace
}

// Habits remembers callers by number. Withheld is never remembered.
type Habits interface {
	// Habit returns the zero Habit for a number never heard of.
	Habit(ctx context.Context, n e164.Number) (Habit, error)
	SetHabit(ctx context.Context, n e164.Number, h Habit) error
}

// SceneName names a scene in transcripts, states and diagrams.
type SceneName string

// Record is a call as it is kept: live while it runs, with EndedAt zero and
// Outcome empty until it ends.
type Record struct {
	Info
	Ticket     uuid.UUID // the place in line it was about; Nil: none
	EndedAt    time.Time
	Language   prompts.Language
	Scene      SceneName
	Outcome    Outcome
	Transcript []Entry
}
