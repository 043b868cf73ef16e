package dispatch_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/queue"
)

// rushLine is the line in memory as all of a controller uses it, in a rush. Its
// answers take a moment, another one for each question, so that what is asked at
// the same time is answered in the same order whenever the rush is played.
type rushLine struct {
	*line
	rules  queue.Rules
	agents []string
	fault  func(format string, args ...any)

	bound []bound                      // in that order
	hours []hour                       // promised to who was taken down at once, in that order
	fates map[e164.Number][]queue.Fate // of the calls to each, in that order
}

// bound is an agent given to somebody.
type bound struct {
	at     time.Time
	ticket queue.Ticket
	agent  string
}

// hour is one that was promised.
type hour struct {
	number e164.Number // the ticket's
	rang   time.Time
	window queue.Window
}

// How long the store takes to answer.
const (
	matchTakes = time.Millisecond
	beginTakes = 2 * time.Millisecond
)

// Match binds as the line does, and looks whether anybody was passed over: nobody
// is left without an agent who could have been given one that somebody got who
// rang later, with the same priority, topic and language.
func (l *rushLine) Match(ctx context.Context, now time.Time, most int) ([]queue.Turn, error) {
	time.Sleep(matchTakes)
	agents, free := map[string]queue.Agent{}, false
	for _, name := range l.agents {
		agents[name] = l.Agent(name)
		free = free || agents[name].State == queue.AgentReady || agents[name].State == queue.AgentWrapUp
	}
	if !free {
		return nil, nil
	}
	before := l.InLine(func(t queue.Ticket) bool { return t.Wish == queue.WishPerson && t.Agent == "" })
	turns, err := l.line.Match(ctx, now, most)
	if len(turns) == 0 {
		return turns, err
	}
	var left []queue.Ticket
	for _, t := range before {
		if t = l.Ticket(t.ID); t.State.InLine() && t.Agent == "" {
			left = append(left, t)
		}
	}
	for _, turn := range turns {
		got, agent := l.Ticket(turn.Ticket), agents[turn.Agent]
		l.set(func() { l.bound = append(l.bound, bound{time.Now(), got, turn.Agent}) })
		for _, t := range left {
			if sameLine(t, got) && t.RangAt.Before(got.RangAt) &&
				queue.Eligible(t, agent, time.Now()) && l.rules.FreeFor(agent, t, time.Now()) {
				l.fault("%s is given to %s, who rang at %s, and not to %s, who rang at %s",
					turn.Agent, got.Number, clock(got.RangAt), t.Number, clock(t.RangAt))
			}
		}
	}
	return turns, err
}

// sameLine says that of two people the one is served first who rang first.
func sameLine(a, b queue.Ticket) bool {
	return a.Priority == b.Priority && a.Topic == b.Topic && a.Language == b.Language
}

// Turns implements dispatch.Store.
func (l *rushLine) Turns(context.Context, string) ([]queue.Turn, error) {
	var turns []queue.Turn
	for _, t := range l.InLine(func(t queue.Ticket) bool { return t.Agent != "" }) {
		if turn, err := l.Turn(context.Background(), t.ID); err == nil {
			turns = append(turns, turn)
		}
	}
	return turns, nil
}

// Begin implements dispatch.Store.
func (l *rushLine) Begin(ctx context.Context, _ string, now time.Time) (queue.Attempt, error) {
	time.Sleep(beginTakes)
	mayBe := func(t queue.Ticket) bool { return t.CanBeRung(now) && (t.Wish == queue.WishSelf || t.Agent != "") }
	due := l.InLine(mayBe)
	if len(due) == 0 {
		return queue.Attempt{}, queue.ErrNoneDue
	}
	a, err := l.Attempt(due[0].ID)
	if err == nil {
		l.set(func() { l.begun[a.ID] = true })
	}
	return a, err
}

// Unresolved implements dispatch.Store.
func (l *rushLine) Unresolved(ctx context.Context, node string) ([]queue.Attempt, error) {
	open, err := l.line.Unresolved(ctx, node)
	slices.SortFunc(open, func(a, b queue.Attempt) int { return queue.Compare(a.Ticket, b.Ticket) })
	return open, err
}

// Depth implements dispatch.Store.
func (l *rushLine) Depth(context.Context) ([]queue.Depth, error) { return nil, nil }

// Resolve implements queue.Store.
func (l *rushLine) Resolve(ctx context.Context, id uuid.UUID, f queue.Fate) (queue.Ticket, error) {
	before := l.Fate(id)
	t, err := l.line.Resolve(ctx, id, f)
	if err == nil && before == "" {
		l.set(func() { l.fates[t.Number] = append(l.fates[t.Number], f) })
	}
	return t, err
}

// Promise implements queue.Store.
func (l *rushLine) Promise(ctx context.Context, a queue.Arrival, w queue.Window) (queue.Ticket, error) {
	t, err := l.line.Promise(ctx, a, w)
	if err == nil && a.Reason == queue.Busy && !t.Resumed {
		l.set(func() { l.hours = append(l.hours, hour{t.Number, t.RangAt, t.Window}) })
	}
	return t, err
}

// Register implements dispatch.Registrar, as far as the first attempt of a number
// goes.
func (l *rushLine) Register(ctx context.Context, all []queue.Registration) (int, error) {
	for _, r := range all {
		ws, err := l.Windows(ctx, 1)
		if err != nil {
			return 0, err
		}
		var w queue.Window
		if len(ws) > 0 {
			w = ws[0]
		}
		_, err = l.Promise(ctx, queue.Arrival{
			CallID: r.ID, Node: r.Node, At: r.At, Number: r.Number, Topic: queue.TopicOther, Language: r.Language,
			Wish: queue.WishSelf, Reason: queue.Busy,
		}, w)
		if err != nil {
			return 0, errors.Join(errors.New("register "+string(r.Number)), err)
		}
	}
	return len(all), nil
}

// clock is a moment of the rush as it is written down.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(berlin).Format("15:04:05.000000000")
}
