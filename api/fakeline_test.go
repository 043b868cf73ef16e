package api

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/queue"
)

// fakeLine is a Line of a few tickets that keeps what it was told.
type fakeLine struct {
	mu       sync.Mutex
	tickets  []queue.Ticket
	tried    []queue.Ringing
	changes  []queue.Change
	staff    []queue.Agent
	outgoing queue.Outgoing
	unwanted []e164.Number
	refuse   error // of every change
	away     error // of everything
	asked    []queue.Filter
}

func (l *fakeLine) find(id uuid.UUID) (*queue.Ticket, error) {
	if l.away != nil {
		return nil, l.away
	}
	for i := range l.tickets {
		if l.tickets[i].ID == id {
			return &l.tickets[i], nil
		}
	}
	return nil, fmt.Errorf("find: %w", queue.ErrNoTicket)
}

func (l *fakeLine) List(_ context.Context, f queue.Filter) ([]queue.Ticket, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, f)
	var found []queue.Ticket
	for _, t := range slices.SortedFunc(slices.Values(l.tickets), queue.Compare) {
		behind := f.After.IsZero() || queue.Less(queue.Ticket{Priority: f.After.Priority, RangAt: f.After.RangAt, ID: f.After.ID}, t)
		if behind && (f.State == t.State || f.State == "" && t.Open()) && (f.Topic == "" || f.Topic == t.Topic) &&
			(f.Number == e164.Withheld || f.Number == t.Number) && len(found) < f.Limit {
			found = append(found, t)
		}
	}
	return found, l.away
}

func (l *fakeLine) Get(_ context.Context, id uuid.UUID) (queue.Ticket, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, err := l.find(id)
	if err != nil {
		return queue.Ticket{}, err
	}
	return *t, nil
}

func (l *fakeLine) Standing(_ context.Context, id uuid.UUID) (queue.Standing, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, err := l.find(id)
	if err != nil || !t.Open() {
		return queue.Standing{}, queue.ErrNoTicket
	}
	if t.State != queue.StateWaiting {
		return queue.Standing{Agents: 1}, nil
	}
	return queue.Standing{Ahead: 2, Low: 4*time.Minute + 600*time.Millisecond, High: 7 * time.Minute, Agents: 1}, nil
}

func (l *fakeLine) Attempts(_ context.Context, id uuid.UUID) ([]queue.Ringing, error) {
	return slices.DeleteFunc(slices.Clone(l.tried), func(r queue.Ringing) bool { return r.Ticket != id }), l.away
}

func (l *fakeLine) Audit(_ context.Context, id uuid.UUID) ([]queue.Change, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.changes), func(c queue.Change) bool { return c.Ticket != id }), l.away
}

func (l *fakeLine) Depth(context.Context) ([]queue.Depth, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var depths []queue.Depth
	for _, t := range l.tickets {
		depths = append(depths, queue.Depth{Topic: t.Topic, State: t.State, Tickets: 1, RangAt: t.RangAt})
	}
	return depths, l.away
}

func (l *fakeLine) Agents(context.Context) ([]queue.Agent, error) { return l.staff, l.away }

func (l *fakeLine) Stats(_ context.Context, from, to time.Time) (queue.Stats, error) {
	return queue.Stats{From: from, To: to, Offered: 12, Answered: 8, Within: 6, Abandoned: 2, AnswerMean: 14500 * time.Millisecond}, l.away
}

func (l *fakeLine) Outgoing(context.Context) (queue.Outgoing, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.outgoing, l.away
}

// change is one to a ticket; the clock stands still.
func (l *fakeLine) change(id uuid.UUID, d queue.Deed, by, why string, do func(*queue.Ticket)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, err := l.find(id)
	switch {
	case err != nil:
		return err
	case l.refuse != nil:
		return fmt.Errorf("change: %w", l.refuse)
	case !t.Open():
		return queue.ErrOver
	}
	do(t)
	l.changes = append(l.changes, queue.Change{At: at, Ticket: id, Deed: d, What: "as told", By: by, Why: why})
	return nil
}

func (l *fakeLine) Remove(_ context.Context, id uuid.UUID, by, why string) error {
	return l.change(id, queue.DeedRemove, by, why, func(t *queue.Ticket) {
		t.State, t.ClosedAt, t.End = queue.StateClosed, at, queue.EndRemoved
	})
}

func (l *fakeLine) Move(_ context.Context, id uuid.UUID, m queue.Move, by, why string) error {
	return l.change(id, queue.DeedMove, by, why, func(t *queue.Ticket) {
		if m.Priority != nil {
			t.Priority = *m.Priority
		}
		if m.Window != nil {
			t.Window = *m.Window
		}
	})
}

func (l *fakeLine) SetOutgoing(_ context.Context, on bool, by, why string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outgoing = queue.Outgoing{On: on, Since: at, By: by, Why: why}
	return l.away
}

func (l *fakeLine) Windows(_ context.Context, n int) ([]queue.Window, error) {
	hour := queue.Window{From: at.Add(time.Hour), To: at.Add(2 * time.Hour)}
	return []queue.Window{hour, {From: hour.To, To: hour.To.Add(time.Hour)}}[:min(n, 2)], l.away
}

func (l *fakeLine) Unwanted(_ context.Context, f queue.UnwantedFilter) ([]queue.Unwanted, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []queue.Unwanted
	for i, n := range l.unwanted {
		u := queue.Unwanted{Number: n, Since: at.Add(-time.Duration(i/2) * time.Hour), By: "Anna", Why: "asked for it"}
		behind := f.After.Since.IsZero() || u.Since.Before(f.After.Since) || u.Since.Equal(f.After.Since) && u.Number > f.After.Number
		if behind && (f.Number == e164.Withheld || f.Number == n) && len(found) < f.Limit {
			found = append(found, u)
		}
	}
	return found, l.away
}

func (l *fakeLine) RingAgain(_ context.Context, n e164.Number, by, why string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unwanted = slices.DeleteFunc(l.unwanted, func(x e164.Number) bool { return x == n })
	l.changes = append(l.changes, queue.Change{At: at, Deed: queue.DeedAllow, By: by, Why: why})
	return l.away
}

func (l *fakeLine) DoNotRing(_ context.Context, n e164.Number, by, why string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unwanted = append(l.unwanted, n)
	l.changes = append(l.changes, queue.Change{At: at, Deed: queue.DeedForbid, By: by, Why: why})
	return l.away
}
