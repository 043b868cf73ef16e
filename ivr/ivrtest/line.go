package ivrtest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
	"ringback/queue/memory"
)

// Line is the line of a World: a queue.Store in memory, in which a free agent
// gets the next ticket at once, as by a dispatcher.
type Line struct {
	*memory.Store
	rules  queue.Rules
	agents int
	others []uuid.UUID // tickets of people who are not the caller
	silent bool        // no agent picks up
}

// others ring from here.
const othersFrom = 23150900000

func newLine() *Line {
	return lineWith(alwaysOpen())
}

// alwaysOpen are rules that read no hours: tests make thousands of lines.
var alwaysOpen = sync.OnceValue(func() queue.Rules {
	rules := queue.NewRules()
	rules.Hours = hours("always")
	rules.Ringing = rules.Hours
	rules.Own = []string{"+49231116117"}
	return rules
})

func lineWith(rules queue.Rules) *Line {
	l := &Line{Store: memory.New(rules), rules: rules}
	l.Bell = new(queue.Bell)
	return l
}

// hours are hours in Germany.
func hours(text string) queue.Hours {
	h, err := queue.ParseHours(text, "Europe/Berlin", "")
	if err != nil {
		panic(err)
	}
	return h
}

// match binds whoever can be bound.
func (l *Line) match() {
	for more := true; more; {
		_, more = l.Match()
	}
}

// Join implements queue.Store.
func (l *Line) Join(ctx context.Context, a queue.Arrival) (queue.Ticket, error) {
	defer l.match()
	return l.Store.Join(ctx, a)
}

// Missed implements queue.Store.
func (l *Line) Missed(ctx context.Context, t queue.Turn) error {
	defer l.match()
	return l.Store.Missed(ctx, t)
}

// given makes a fact of the line true:
//
//	an agent | two agents | an agent who is busy | nobody answers
//	40 people in line | the wait is 10 to 15 minutes
//	closed until tomorrow | it closes in 10 minutes | no hour is free
//	the caller is to be rung | the caller is to be rung for the dialogue | the caller is promised an hour
//	the caller hung up in line | four places in line for the caller
//	the caller asked not to be rung | somebody withheld hung up in line
//	somebody withheld is in line | somebody withheld is to be rung
func (l *Line) given(ctx context.Context, f Fact, caller e164.Number) error {
	words := strings.Fields(f.Text)
	n, _ := strconv.Atoi(words[0])
	switch {
	case f.Text == "an agent":
		l.signIn()
	case f.Text == "two agents":
		l.signIn()
		l.signIn()
	case f.Text == "an agent who is busy":
		l.signIn()
		return l.occupy(ctx)
	case f.Text == "nobody answers":
		l.silent = true
	case n > 0 && strings.HasSuffix(f.Text, "people in line"):
		return l.crowd(ctx, n)
	case strings.HasPrefix(f.Text, "the wait is"):
		return l.takes(words[3:])
	case f.Text == "closed until tomorrow":
		l.open("")
	case strings.HasPrefix(f.Text, "it closes in"):
		m, err := strconv.Atoi(words[3])
		if err != nil {
			return fmt.Errorf("line %d: %w", f.Line, err)
		}
		l.open(time.Now().In(berlin).Add(time.Duration(m) * time.Minute).Format("00:00-15:04"))
	case f.Text == "no hour is free":
		l.Give()
	case f.Text == "the caller asked not to be rung":
		l.Forbid(caller)
	case f.Text == "the caller is to be rung":
		_, err := l.promise(ctx, caller, queue.Window{})
		return err
	case f.Text == "the caller is to be rung for the dialogue":
		a := before(caller)
		a.Wish, a.Reason = queue.WishSelf, queue.Busy
		_, err := l.Promise(ctx, a, queue.Window{})
		return err
	case f.Text == "the caller is promised an hour":
		ws, err := l.Windows(ctx, 1)
		if err == nil {
			_, err = l.promise(ctx, caller, ws[0])
		}
		return err
	case f.Text == "the caller hung up in line", f.Text == "somebody withheld hung up in line":
		if words[0] == "somebody" {
			caller = e164.Withheld
		}
		t, err := l.Store.Join(ctx, before(caller))
		if err == nil {
			err = l.Leave(ctx, t.ID, t.CallID)
		}
		return err
	case f.Text == "somebody withheld is in line":
		_, err := l.Store.Join(ctx, before(e164.Withheld))
		return err
	case f.Text == "somebody withheld is to be rung":
		t, err := l.Store.Join(ctx, before(e164.Withheld))
		if err == nil {
			a := before("+49231500124")
			a.CallID, a.Ticket = t.CallID, t.ID
			_, err = l.Promise(ctx, a, queue.Window{})
		}
		return err
	case f.Text == "four places in line for the caller":
		for range queue.MaxPerNumber {
			if _, err := l.Store.Join(ctx, before(caller)); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("line %d: nobody knows how to make %q true", f.Line, f.Text)
	}
	return nil
}

// before is somebody who rang twenty minutes ago: before those in line.
func before(n e164.Number) queue.Arrival {
	return queue.Arrival{
		CallID: uuid.New(), Node: "test", At: time.Now().Add(-20 * time.Minute), Number: n,
		Topic: queue.TopicOther, Language: prompts.German, Wish: queue.WishPerson, Reason: queue.Asked,
	}
}

func (l *Line) promise(ctx context.Context, n e164.Number, w queue.Window) (queue.Ticket, error) {
	return l.Promise(ctx, before(n), w)
}

func (l *Line) signIn() {
	l.agents++
	l.SignIn(queue.Agent{
		Name: fmt.Sprintf("agent%d", l.agents), Address: strconv.Itoa(1000 + l.agents),
		Languages: []prompts.Language{prompts.German, prompts.English}, Topics: queue.Topics,
	})
}

// occupy lets the free agent talk with somebody.
func (l *Line) occupy(ctx context.Context) error {
	if err := l.crowd(ctx, 1); err != nil {
		return err
	}
	turn, ok := l.Match()
	if !ok {
		return fmt.Errorf("no agent is free to be busy")
	}
	return l.Joined(ctx, turn)
}

// crowd lets so many people be in line before the caller.
func (l *Line) crowd(ctx context.Context, n int) error {
	for range n {
		a := before(e164.Number(fmt.Sprintf("+49%d", othersFrom+len(l.others))))
		a.At = a.At.Add(5 * time.Minute)
		t, err := l.Store.Join(ctx, a)
		if err != nil {
			return err
		}
		l.others = append(l.others, t.ID)
	}
	return nil
}

// takes sets the expected wait: "10 to 15 minutes".
func (l *Line) takes(words []string) error {
	if len(words) != 4 {
		return fmt.Errorf("a wait is \"10 to 15 minutes\", not %q", strings.Join(words, " "))
	}
	low, err := strconv.Atoi(words[0])
	high, wrong := strconv.Atoi(words[2])
	l.SetWait(time.Duration(low)*time.Minute, time.Duration(high)*time.Minute)
	if err != nil {
		return err
	}
	return wrong
}

// open lets the line be open today within a span, if any, and on all other days
// from eight to six. It is another line: hours are given before all else.
func (l *Line) open(today string) {
	now := time.Now().In(berlin)
	text := fmt.Sprintf("%s-%s 08:00-18:00", now.AddDate(0, 0, 1).Format("Mon"), now.AddDate(0, 0, -1).Format("Mon"))
	if today != "" {
		text += ", " + now.Format("Mon") + " " + today
	}
	rules := l.rules
	rules.Hours = hours(text)
	*l = *lineWith(rules)
}

var berlin = booking.Centre{TimeZone: "Europe/Berlin"}.Location()

// Happens plays a step of a script that is not the caller's:
//
//	agent: is free | agent: signs out
//	line: 12 people ahead | line: takes 20 to 30 minutes | line: is closed by an operator
func (l *Line) Happens(what string) error {
	ctx := context.Background()
	who, does, _ := strings.Cut(what, ": ")
	words := strings.Fields(does)
	n, _ := strconv.Atoi(words[0])
	switch {
	case who == "agent" && does == AgentFree:
		l.serveOthers(ctx)
		l.SignOut("agent1")
		l.SignIn(l.Agent("agent1"))
		l.match()
	case who == "agent" && does == AgentGoes:
		for i := range l.agents {
			l.SignOut(fmt.Sprintf("agent%d", i+1))
		}
	case who == "line" && strings.HasSuffix(does, "people ahead"):
		l.serveOthers(ctx)
		return l.crowd(ctx, n)
	case who == "line" && words[0] == "takes":
		return l.takes(words[1:])
	case who == "line" && does == "is closed by an operator":
		return l.Close(ctx, l.own().ID, queue.EndRemoved)
	default:
		return fmt.Errorf("nobody knows how %q happens", what)
	}
	return nil
}

// serveOthers lets everybody else be served.
func (l *Line) serveOthers(ctx context.Context) {
	for _, id := range l.others {
		_ = l.Close(ctx, id, queue.EndServed) // a ticket in memory
	}
}
