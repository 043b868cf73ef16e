// Package prompts is what the hotline can say: every line in every language,
// and how dates, numbers and names are spoken.
// It does no I/O and must not know how a line becomes sound or who hears it.
package prompts

import (
	"time"

	"ringback/e164"
)

// Language is a BCP 47 tag, for example "de".
type Language string

// The languages that come with Ringback.
const (
	German  Language = "de"
	English Language = "en"
)

// Key names a line in the catalogue, for example "menu.main". What stands
// before the dot is the part of the call it belongs to.
type Key string

// Pace is how fast a line is spoken.
type Pace int

// Normal is 150 to 180 words a minute; each further pace is slower.
const (
	Normal Pace = iota
	Slow
	Slowest
)

// Slower returns the next slower pace.
func (p Pace) Slower() Pace { return min(p+1, Slowest) }

// Manner is how a line is said: in which language, how fast, and whether in
// the simpler words kept for a caller who did not understand at first.
type Manner struct {
	Language Language
	Pace     Pace
	Simple   bool
}

// Line is one thing the hotline says: a key of the catalogue and the values of
// its placeholders. Make one with the functions of lines.go.
type Line struct {
	Key  Key
	Args []Arg
}

// Arg is the value of one placeholder.
type Arg struct {
	Name  string // the placeholder without its braces
	Value Value
}

// Value is what can stand in a placeholder: one of the types below. How each
// is spoken is written once a language.
type Value interface{ kind() Kind }

// Kind is the type of a placeholder.
type Kind string

// The kinds of placeholders.
const (
	KindDate   Kind = "date"
	KindTime   Kind = "time"
	KindName   Kind = "name"
	KindCode   Kind = "code"
	KindPhone  Kind = "phone"
	KindDigits Kind = "digits"
	KindCount  Kind = "count"
	KindWindow Kind = "window"
	KindWait   Kind = "wait"
	KindPeople Kind = "people"
)

type (
	// Date is spoken as weekday, ordinal day and month, and the year too when
	// the catalogue asks for the form "year". It is shown in the time zone it
	// was given in.
	Date time.Time
	// Time is a time of day, spoken to the minute, in the zone it was given in.
	Time time.Time
	// Name is the name of a place or a centre, spoken by the pronunciation
	// list of the language where it stands there, else as it is written.
	Name string
	// Code is a code of digits, spoken in groups of three with rests between.
	Code string
	// Phone is a telephone number, spoken digit by digit in pairs.
	Phone e164.Number
	// Digits are spoken one by one.
	Digits string
	// Count is a whole number, spoken as a cardinal.
	Count int
	// Window is a span of one day in which somebody is rung: "am Dienstag
	// zwischen zehn und elf Uhr", with the date too where the day is not within a
	// week of Now. All three are in the zone in which they are spoken.
	Window struct{ From, To, Now time.Time }
	// Wait is how long something is expected to take, spoken as a range that is
	// rounded outwards: "etwa zehn bis fünfzehn Minuten".
	Wait struct{ Low, High time.Duration }
	// People is how many people there are, more than ten of them as a round
	// number: "etwa vierzig Menschen".
	People int
)

func (Date) kind() Kind   { return KindDate }
func (Time) kind() Kind   { return KindTime }
func (Name) kind() Kind   { return KindName }
func (Code) kind() Kind   { return KindCode }
func (Phone) kind() Kind  { return KindPhone }
func (Digits) kind() Kind { return KindDigits }
func (Count) kind() Kind  { return KindCount }
func (Window) kind() Kind { return KindWindow }
func (Wait) kind() Kind   { return KindWait }
func (People) kind() Kind { return KindPeople }

// Placeholder declares one placeholder of a line.
type Placeholder struct {
	Name string
	Kind Kind
	// Personal values are hidden in transcripts: who reads one need not know
	// a date of birth, a code or a telephone number.
	Personal bool
}

// Declaration is a line the dialogues say: its key, when it is heard, and the
// placeholders that every language's text must use.
type Declaration struct {
	Key          Key
	About        string
	Placeholders []Placeholder
}

// Segment is a stretch of speech or of silence. Exactly one field is set.
type Segment struct {
	Speech string // words as the voice should read them, numbers spelled out
	Rest   time.Duration
}

// Text is a line in a language, its placeholders filled.
type Text struct {
	Spoken  []Segment // what a voice says
	Written string    // the same for the eye: "Montag, 1. Februar, 10:20 Uhr"
	Masked  string    // Written with personal values as "•••"
}
