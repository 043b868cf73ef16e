package queue

import "time"

// Rules are the settings of the line. Make them with NewRules or fill all
// fields.
type Rules struct {
	Hours   Hours // when people are served; outside of them callers are promised an hour
	Ringing Hours // when it is lawful and polite to ring somebody

	KeepPlace time.Duration // for who hung up in line
	Priority  map[Topic]int // greater goes first; absent is 0

	// LongWait is the expected wait from which being rung back is offered at
	// once; the offer is always on a key.
	LongWait time.Duration
	// Announce is how often a waiting caller hears where the ticket stands.
	Announce time.Duration

	Ring    time.Duration   // how long a number is let ring
	Lease   time.Duration   // of an attempt; longer than Ring and the talk until it is resolved
	Retries []time.Duration // after the first attempt that did not reach, the second …
	NextDay bool            // and once more the next day, at the hour of the first
	// Ahead is how long before an agent will be free the next ticket to be rung
	// is rung already.
	Ahead time.Duration
	// Reserve is the longest an agent idles for somebody who is being rung.
	Reserve time.Duration
	// RungWait is the longest somebody who was rung waits for the agent bound
	// to the ticket; then the next free one of all takes it.
	RungWait time.Duration

	AgentRing time.Duration // how long an agent's telephone is let ring
	WrapUp    time.Duration // after a talk
	Away      time.Duration // of an agent who did not answer

	PerHour   int           // callbacks that can be promised for an hour
	Horizon   time.Duration // how far ahead hours are promised
	Window    time.Duration // the length of a promised hour
	Region    string        // ISO 3166, of national numbers
	Allowed   []string      // ISO 3166, the regions that are rung at all
	Own       []string      // our own numbers, in E.164: never rung
	PerNumber int           // attempts a day to one number, whatever its tickets

	OutLines     int     // simultaneous calls out at most, of one node
	OutPerSecond float64 // calls out begun a second at most, of one node
	OutPerDay    int     // calls out a day at most, of all nodes: the bound on cost
}

// NewRules are the rules an operator gets who sets none: people are served at
// all hours, and rung from 8 to 21 o'clock in Germany.
func NewRules() Rules {
	return Rules{
		Hours:     germanHours(always),
		Ringing:   germanHours("Mon-Sun 08:00-21:00"),
		KeepPlace: 10 * time.Minute,
		Priority:  map[Topic]int{},
		LongWait:  5 * time.Minute,
		Announce:  time.Minute,
		Ring:      30 * time.Second,
		Lease:     2 * time.Minute,
		Retries:   []time.Duration{5 * time.Minute, 20 * time.Minute, time.Hour},
		NextDay:   true,
		Ahead:     10 * time.Second,
		Reserve:   30 * time.Second,
		RungWait:  30 * time.Second,
		AgentRing: 20 * time.Second,
		WrapUp:    15 * time.Second,
		Away:      time.Minute,

		PerHour:   60,
		Horizon:   7 * 24 * time.Hour,
		Window:    time.Hour,
		Region:    "DE",
		Allowed:   []string{"DE"},
		PerNumber: 6,

		OutLines:     10,
		OutPerSecond: 2,
		OutPerDay:    2000,
	}
}

// germanHours are hours in Germany that are known to be well written. Without
// the data of that time zone nothing of the line can be right.
func germanHours(text string) Hours {
	h, err := ParseHours(text, "Europe/Berlin", "")
	if err != nil {
		panic("queue: " + err.Error())
	}
	return h
}
