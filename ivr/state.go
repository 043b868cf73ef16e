package ivr

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
)

// StateVersion is the version of State's JSON. Raise it when a field changes
// its meaning; a new controller starts calls of another version anew.
const StateVersion = 1

// State is everything a scene needs to be played again from its first line, by
// this process or another. Fields are set by dialogues only.
type State struct {
	Version  int
	Language prompts.Language
	Pace     prompts.Pace

	Topic   Topic
	Noticed bool // the notice before the main menu was heard
	Number  e164.Number

	Born      booking.Born // of the person the appointment is for
	OtherThan booking.Born // the caller has just been told of this person's appointment
	Postcode  string
	Centre    booking.Centre       // the responsible one
	Trail     booking.Trail        // which times were offered and refused
	Hold      *booking.Hold        // the time offered last
	Booked    *booking.Appointment // the appointment told or booked last

	Won     Result       // the best the caller has by now
	Reason  queue.Reason // why a person is wanted, or to be rung
	Wish    queue.Wish   // what for, if it is to be rung; empty: a person
	Keyless bool         // kept silent when asked for keys, and has pressed none since
	Back    []SceneName  // the scenes * leads back to, last one nearest

	Place   *Place    // in line; nil: none
	Guesses int       // ticket numbers keyed that nobody left
	Another bool      // wants a place beside those the number has
	Brief   bool      // few lines are left: nobody is to hold this one for long
	Later   bool      // does not want to be rung now, or cannot be served now
	PlaceID uuid.UUID // opens the next place instead of the call's id, which was used up; Nil: that one
	Attempt uuid.UUID // what we rang for; Nil: they rang us
	Kept    *Kept     // where the dialogue goes on, once it is known who speaks
}

// Place is the caller's ticket as this call left it.
type Place struct {
	Ticket uuid.UUID
	Short  string      // the number to say, of who shows none
	State  queue.State // that this call brought it into
	Window queue.Window
	RangAt time.Time
	// Parked says that the caller books or hears something meanwhile: nobody is
	// bound to the ticket, and the place stays.
	Parked bool
	Served bool // what the caller waited for is booked
	Self   bool // it waits for this very dialogue, into which the caller rang
	Rung   bool // was rung, for an agent who is about to be there
	Told   Told
	Turn   queue.Turn // who is rung or talked with
}

// Told is what a waiting caller has heard, as it was said.
type Told struct {
	Once     bool // of the place at all
	Ahead    int
	Low      time.Duration
	High     time.Duration
	Short    bool // the ticket number
	LongWait bool // that it takes long, and nobody has to hold the line
}

// Kept is a call that broke, until the date of birth is heard again.
type Kept struct {
	Scene SceneName
	State json.RawMessage // of State
}

// Topic is what the caller chose in the main menu.
type Topic string

// The topics of the main menu.
const (
	TopicNew  Topic = "new"
	TopicMine Topic = "mine"
)

// JSON is the state as it is stored.
func (s State) JSON() []byte {
	s.Version = StateVersion
	b, err := json.Marshal(s)
	if err != nil { // State holds nothing that JSON cannot
		return []byte("{}")
	}
	return b
}

// person is whom the appointment is for.
func (s State) person() booking.Person {
	return booking.Person{
		Number:   s.Number,
		Born:     s.Born,
		Postcode: s.Postcode,
		Another:  !s.Born.IsZero() && s.Born.Equal(s.OtherThan),
	}
}

// startOver forgets the person and what was chosen for them.
func (s *State) startOver() {
	s.Topic, s.Born, s.OtherThan, s.Postcode = "", time.Time{}, time.Time{}, ""
	s.Centre, s.Trail, s.Hold, s.Booked = booking.Centre{}, booking.Trail{}, nil, nil
	s.Back = nil
}
