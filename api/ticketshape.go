package api

import (
	"time"

	"github.com/google/uuid"

	"ringback/queue"
)

// Ticket is a place in the line as the API shows it. What the person keyed and
// said is not shown.
type Ticket struct {
	ID       string  `json:"id" format:"uuid" doc:"The id of the call that opened it."`
	Short    string  `json:"short" doc:"The spoken number of a ticket without a telephone number; else empty."`
	Number   string  `json:"number" doc:"Who is to be rung, in E.164; empty where it was withheld, or only spoken."`
	Topic    string  `json:"topic" enum:"booking,appointment,other"`
	Language string  `json:"language" doc:"BCP 47."`
	Wish     string  `json:"wish" enum:"person,self" doc:"What it waits for: an agent, or the booking dialogue."`
	Reason   string  `json:"reason" enum:"asked,no_keys,errors,full,trouble,too_long,too_many_keys,busy,broken" doc:"Why the person is in line."`
	Keyless  bool    `json:"keyless" doc:"The telephone has no keys: the person is connected when somebody speaks."`
	Priority int     `json:"priority" doc:"Greater goes first."`
	RangAt   string  `json:"rang_at" format:"date-time" doc:"When the person first rang: the place within a priority."`
	State    string  `json:"state" enum:"waiting,left,promised,due,ringing,talking,closed"`
	Window   *Window `json:"window" doc:"The hour that was promised; null: as soon as the turn comes."`
	DueAt    *string `json:"due_at" format:"date-time" doc:"When it is rung; null while the caller holds the line."`
	Tries    int     `json:"tries" doc:"Attempts to ring it so far."`
	CallID   *string `json:"call_id" format:"uuid" doc:"The call that is, or was last, on the line for it."`
	Node     string  `json:"node" doc:"The Asterisk of that call."`
	Agent    string  `json:"agent" doc:"Bound to it now; empty: none."`
	Scene    string  `json:"scene" doc:"The scene in which the person goes on."`
	ClosedAt *string `json:"closed_at" format:"date-time" doc:"Null while it is open."`
	End      string  `json:"end" enum:",served,self,abandoned,unreached,removed,forbidden" doc:"Why it was closed; empty while it is open."`
}

// Window is a promised hour.
type Window struct {
	_    struct{} `nullable:"true"`
	From string   `json:"from" format:"date-time"`
	To   string   `json:"to" format:"date-time"`
}

// WholeTicket is a ticket and all that happened to it.
type WholeTicket struct {
	Ticket
	Standing *Standing `json:"standing" doc:"Where it stands; null for a closed ticket."`
	Attempts []Attempt `json:"attempts" nullable:"false" doc:"To ring its number, oldest first."`
	History  []Change  `json:"history" nullable:"false" doc:"Every change of it, by whomever, oldest first."`
}

// Standing is where a ticket stands.
type Standing struct {
	_           struct{} `nullable:"true"`
	Ahead       int      `json:"ahead" doc:"Tickets served before it."`
	LowSeconds  *int     `json:"low_seconds" doc:"The least it is expected to wait; null: not known."`
	HighSeconds *int     `json:"high_seconds" doc:"The most it is expected to wait; null: not known."`
	Agents      int      `json:"agents" doc:"Signed-in agents who serve such tickets, busy or not."`
}

// Attempt is one ringing of a ticket's number.
type Attempt struct {
	ID      string  `json:"id" format:"uuid" doc:"Of the call too."`
	BeganAt string  `json:"began_at" format:"date-time"`
	EndedAt *string `json:"ended_at" format:"date-time" doc:"Null while it is under way."`
	Fate    string  `json:"fate" enum:",reached,declined,no_answer,busy,failed,stopped,unmade,unknown" doc:"How it ended; empty while it is under way."`
	Node    string  `json:"node"`
	Agent   string  `json:"agent" doc:"Who waited for it; empty: nobody."`
}

// Change is what was done to a ticket, by whomever.
type Change struct {
	At   string `json:"at" format:"date-time"`
	Deed string `json:"deed" doc:"By callers join, promise, register, leave, close; by agents answer, miss, talked; by the dispatcher break, bind, free, come, expire, ring, put_off, resolve; by operators remove, move, do_not_ring; insert and update by hand in the database."`
	What string `json:"what" doc:"What changed."`
	By   string `json:"by" doc:"An operator, an agent, caller, dispatcher, or a user of the database."`
	Why  string `json:"why"`
}

func asTicket(t queue.Ticket) Ticket {
	shown := Ticket{
		ID: t.ID.String(), Short: t.Short, Number: string(t.Number), Topic: string(t.Topic), Language: string(t.Language),
		Wish: string(t.Wish), Reason: string(t.Reason), Keyless: t.Keyless, Priority: t.Priority,
		RangAt: stamp(t.RangAt), State: string(t.State), DueAt: stampOrNull(t.DueAt), Tries: t.Tries, Node: t.Node,
		Agent: t.Agent, Scene: t.Scene, ClosedAt: stampOrNull(t.ClosedAt), End: string(t.End),
	}
	if !t.Window.IsZero() {
		w := asWindow(t.Window)
		shown.Window = &w
	}
	if t.CallID != uuid.Nil {
		id := t.CallID.String()
		shown.CallID = &id
	}
	return shown
}

func asWindow(w queue.Window) Window { return Window{From: stamp(w.From), To: stamp(w.To)} }

func asStanding(s queue.Standing) *Standing {
	shown := &Standing{Ahead: s.Ahead, Agents: s.Agents}
	if s.High > 0 {
		low, high := seconds(s.Low), seconds(s.High)
		shown.LowSeconds, shown.HighSeconds = &low, &high
	}
	return shown
}

func asAttempt(r queue.Ringing) Attempt {
	return Attempt{ID: r.ID.String(), BeganAt: stamp(r.Began), EndedAt: stampOrNull(r.Ended), Fate: string(r.Fate), Node: r.Node, Agent: r.Agent}
}

func asChange(c queue.Change) Change {
	return Change{At: stamp(c.At), Deed: string(c.Deed), What: c.What, By: c.By, Why: c.Why}
}

// seconds are whole ones, rounded.
func seconds(d time.Duration) int { return int(d.Round(time.Second) / time.Second) }

func stampOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}

// each shows all of a list; never null.
func each[T, S any](list []T, show func(T) S) []S {
	shown := make([]S, len(list))
	for i, x := range list {
		shown[i] = show(x)
	}
	return shown
}
