package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/journal"
	"ringback/queue"
)

// KindPromise is the journal's kind of a promise.
const KindPromise = "promise"

// Promises is the line's store as dialogues use it, which goes on promising when
// the store behind it does not answer: what is promised is in the journal then,
// and brought over once the store is back. Everything else fails as it does
// there.
type Promises struct {
	queue.Store
	journal Journal
	rules   queue.Rules
	metrics *Metrics
	log     *slog.Logger
	now     func() time.Time

	mu    sync.Mutex
	since time.Time // the store is away; zero: it is there
	// first is when the earliest hour with room began, as last heard: what lies
	// before it counts as full.
	first time.Time
	given map[time.Time]int // promised in each hour since the store is away
	known map[e164.Number]queue.Ticket
}

// How long the store may take to answer before a promise is journaled, and while
// it is known to be away.
const (
	answerLongest = 2 * time.Second
	answerAway    = 500 * time.Millisecond
	refreshEvery  = 10 * time.Second
)

// NewPromises returns the dialogues' store; Run it beside them.
func NewPromises(s queue.Store, j Journal, r queue.Rules, m *Metrics, log *slog.Logger, now func() time.Time) *Promises {
	return &Promises{
		Store: s, journal: j, rules: r, metrics: m, log: log, now: now,
		given: map[time.Time]int{}, known: map[e164.Number]queue.Ticket{},
	}
}

// Run keeps what is known of the hours fresh, and notices when the store is
// back, until ctx ends.
func (p *Promises) Run(ctx context.Context) error {
	for {
		// Whether it failed is kept by Windows.
		_, _ = p.Windows(ctx, 1)
		if !pause(ctx, refreshEvery) {
			return nil
		}
	}
}

// ask asks the store, not for long, and says whether it answered.
func (p *Promises) ask(ctx context.Context, f func(context.Context) error) (answered bool, err error) {
	longest := answerLongest
	p.mu.Lock()
	if !p.since.IsZero() {
		longest = answerAway
	}
	p.mu.Unlock()
	bounded, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	err = f(bounded)
	answered = err == nil || queue.Refused(err)
	if answered || ctx.Err() == nil { // a caller who hung up says nothing about the store
		p.note(answered, err)
	}
	return answered, err
}

// note notes whether the store is there.
func (p *Promises) note(there bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case there && !p.since.IsZero():
		p.log.Info("the line's store is back", "away", p.now().Sub(p.since).Round(time.Second))
		p.since = time.Time{}
		p.metrics.away.Set(0)
	case !there && p.since.IsZero():
		p.log.Warn("the line's store does not answer, promises go to the journal", "err", err)
		p.since = p.now()
		clear(p.given)
		clear(p.known)
		p.metrics.away.Set(1)
	}
}

// Windows implements queue.Store. While the store is away they are reckoned from
// the rules, from the last hour on that is known to have room.
func (p *Promises) Windows(ctx context.Context, n int) ([]queue.Window, error) {
	var w []queue.Window
	answered, err := p.ask(ctx, func(ctx context.Context) (err error) {
		w, err = p.Store.Windows(ctx, n)
		return err
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil && len(w) > 0:
		p.first = w[0].From
		return w, nil
	case answered || ctx.Err() != nil:
		return w, err
	}
	return p.rules.Windows(p.now(), n, p.taken), nil
}

// taken is how many were promised an hour, as far as is known here.
func (p *Promises) taken(w queue.Window) int {
	if w.From.Before(p.first) {
		return p.rules.Room()
	}
	return p.given[w.From]
}

// Find implements queue.Store. While the store is away, only what was promised
// since is known.
func (p *Promises) Find(ctx context.Context, number e164.Number) ([]queue.Ticket, error) {
	var found []queue.Ticket
	answered, err := p.ask(ctx, func(ctx context.Context) (err error) {
		found, err = p.Store.Find(ctx, number)
		return err
	})
	if answered || ctx.Err() != nil {
		return found, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if t, ok := p.known[number]; ok {
		return []queue.Ticket{t}, nil
	}
	return nil, nil
}

// promise is what the journal keeps.
type promise struct {
	Arrival queue.Arrival
	Window  queue.Window
}

// Promise implements queue.Store. While the store is away the promise is
// journaled: it is on the disk when this returns.
func (p *Promises) Promise(ctx context.Context, a queue.Arrival, w queue.Window) (queue.Ticket, error) {
	var t queue.Ticket
	answered, err := p.ask(ctx, func(ctx context.Context) (err error) {
		t, err = p.Store.Promise(ctx, a, w)
		return err
	})
	if answered || ctx.Err() != nil {
		p.refused(a, err)
		return t, err
	}
	if a.Number != e164.Withheld {
		if errForbidden := p.rules.MayRing(a.Number); errForbidden != nil {
			p.refused(a, errForbidden)
			return queue.Ticket{}, errForbidden
		}
	}
	payload, errJSON := json.Marshal(promise{a, w})
	if errJSON != nil {
		return queue.Ticket{}, errors.Join(err, errJSON)
	}
	if errKept := p.journal.Append(ctx, KindPromise, payload); errKept != nil {
		return queue.Ticket{}, fmt.Errorf("promise a callback for call %s: %w", a.CallID, errors.Join(err, errKept))
	}
	p.metrics.kept.Inc()
	p.log.Info("promise is kept in the journal", "call_id", a.CallID)
	return p.remember(a, w), nil
}

// refused counts and logs the limits of a promise.
func (p *Promises) refused(a queue.Arrival, err error) {
	var by queue.Limit
	switch {
	case errors.Is(err, queue.ErrForbidden) && p.rules.MayRing(a.Number) == nil:
		by = queue.LimitUnwanted
	case errors.Is(err, queue.ErrForbidden):
		by = queue.LimitRegion
	case errors.Is(err, queue.ErrTooMany):
		by = queue.LimitOpen
	default:
		return
	}
	p.metrics.refused.WithLabelValues(string(by)).Inc()
	p.log.Warn("a callback is not promised", "call_id", a.CallID, "limit", by, "err", err)
}

// remember notes what was promised while the store is away, and returns the
// ticket as it will be.
func (p *Promises) remember(a queue.Arrival, w queue.Window) queue.Ticket {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := queue.Ticket{
		ID: a.Ticket, Number: a.Number, Topic: a.Topic, Language: a.Language, Wish: a.Wish, Reason: a.Reason,
		Keyless: a.Keyless, RangAt: a.At, State: queue.StateDue, Window: w, DueAt: w.From,
		CallID: a.CallID, Node: a.Node, Scene: a.Scene, Known: a.Known, Promised: true,
	}
	if t.ID == uuid.Nil {
		t.ID = a.CallID
	}
	if !w.IsZero() {
		t.State = queue.StatePromised
		p.given[w.From]++
	}
	if a.Number != e164.Withheld {
		if before, ok := p.known[a.Number]; ok && before.CallID != a.CallID {
			before.Resumed = true
			return before // as the store would: the first promise stands
		}
		p.known[a.Number] = t
	}
	return t
}

// Resolve implements queue.Store; how attempts end is counted.
func (p *Promises) Resolve(ctx context.Context, attempt uuid.UUID, f queue.Fate) (queue.Ticket, error) {
	t, err := p.Store.Resolve(ctx, attempt, f)
	if err == nil {
		p.metrics.Resolved(f)
	}
	return t, err
}

// Replay brings promises over. They were made already: an hour that is full, or
// past, by now is kept as well as it can be.
func (p *Promises) Replay(ctx context.Context, records []journal.Record) error {
	for _, r := range records {
		var one promise
		if err := json.Unmarshal(r.Payload, &one); err != nil {
			return fmt.Errorf("read a promise: %w", err)
		}
		one.Arrival.Kept = true
		_, err := p.Store.Promise(ctx, one.Arrival, one.Window)
		if errors.Is(err, queue.ErrWindowFull) {
			_, err = p.Store.Promise(ctx, one.Arrival, queue.Window{})
		}
		switch {
		case queue.Refused(err):
			p.refused(one.Arrival, err)
			p.log.Warn("a promise made while the store was away is refused by it", "call_id", one.Arrival.CallID, "err", err)
		case err != nil:
			return err
		}
	}
	return nil
}
