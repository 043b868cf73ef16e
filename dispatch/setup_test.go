package dispatch_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"ringback/dispatch"
	"ringback/e164"
	"ringback/ivr"
	"ringback/queue"
	"ringback/queue/memory"
)

const node = "node1"

// line is a dispatch.Store on the line in memory.
type line struct {
	*memory.Store

	mu    sync.Mutex
	away  bool
	limit queue.Limit // holds back whoever is due
	asked e164.Number // not to be rung
	begun map[uuid.UUID]bool

	bound  []queue.Turn
	beats  []time.Time
	dead   []string
	broken []string
}

var errAway = errors.New("connection refused")

func (l *line) there() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return errAway
	}
	return nil
}

func (l *line) Sweep(context.Context, time.Time) (queue.Swept, error) {
	return queue.Swept{}, l.there() // every method does it
}

func (l *line) Match(_ context.Context, _ time.Time, most int) ([]queue.Turn, error) {
	if err := l.there(); err != nil {
		return nil, err
	}
	var turns []queue.Turn
	for len(turns) < most {
		turn, ok := l.Store.Match()
		if !ok {
			break
		}
		turns = append(turns, turn)
	}
	l.mu.Lock()
	l.bound = append(l.bound, turns...)
	l.mu.Unlock()
	return turns, nil
}

func (l *line) Turns(context.Context, string) ([]queue.Turn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.bound), func(t queue.Turn) bool {
		now := l.Ticket(t.Ticket)
		return now.State != queue.StateWaiting || now.Agent != t.Agent
	}), nil
}

func (l *line) Begin(ctx context.Context, _ string, now time.Time) (queue.Attempt, error) {
	if err := l.there(); err != nil {
		return queue.Attempt{}, err
	}
	for _, t := range l.Tickets() {
		if !t.CanBeRung(now) || t.Wish == queue.WishPerson && t.Agent == "" {
			continue
		}
		l.mu.Lock()
		limit, asked := l.limit, l.asked
		l.mu.Unlock()
		if t.Number == asked {
			err := l.Close(ctx, t.ID, queue.EndForbidden)
			return queue.Attempt{}, errors.Join(err, queue.HeldBack{By: queue.LimitUnwanted, Ticket: t.ID})
		}
		if limit != "" {
			return queue.Attempt{}, queue.HeldBack{By: limit}
		}
		a, err := l.Attempt(t.ID)
		if err == nil {
			l.mu.Lock()
			l.begun[a.ID] = true
			l.mu.Unlock()
		}
		return a, err
	}
	return queue.Attempt{}, queue.ErrNoneDue
}

func (l *line) Unresolved(ctx context.Context, _ string) ([]queue.Attempt, error) {
	if err := l.there(); err != nil {
		return nil, err
	}
	var open []queue.Attempt
	for _, id := range l.attempts() {
		if l.Fate(id) == "" {
			a, err := l.Rung(ctx, id)
			if err != nil {
				return nil, err
			}
			open = append(open, a)
		}
	}
	return open, nil
}

func (l *line) attempts() []uuid.UUID {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []uuid.UUID
	for id := range l.begun {
		all = append(all, id)
	}
	return all
}

func (l *line) Stopped(context.Context, string) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	for _, id := range l.attempts() {
		if l.Fate(id) == queue.FateStopped {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (l *line) Resolve(ctx context.Context, id uuid.UUID, f queue.Fate) (queue.Ticket, error) {
	if err := l.there(); err != nil {
		return queue.Ticket{}, err
	}
	return l.Store.Resolve(ctx, id, f)
}

func (l *line) Promise(ctx context.Context, a queue.Arrival, w queue.Window) (queue.Ticket, error) {
	if err := l.there(); err != nil {
		return queue.Ticket{}, err
	}
	return l.Store.Promise(ctx, a, w)
}

func (l *line) Windows(ctx context.Context, n int) ([]queue.Window, error) {
	if err := l.there(); err != nil {
		return nil, err
	}
	return l.Store.Windows(ctx, n)
}

func (l *line) Find(ctx context.Context, n e164.Number) ([]queue.Ticket, error) {
	if err := l.there(); err != nil {
		return nil, err
	}
	return l.Store.Find(ctx, n)
}

func (l *line) Beat(_ context.Context, _ string, now time.Time) error {
	if err := l.there(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.beats = append(l.beats, now)
	return nil
}

func (l *line) DeadNodes(context.Context, time.Time, time.Duration) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead, nil
}

func (l *line) Break(_ context.Context, n string, _ time.Time) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = append(l.broken, n)
	l.dead = nil
	return 3, nil
}

func (l *line) Depth(context.Context) ([]queue.Depth, error) {
	if err := l.there(); err != nil {
		return nil, err
	}
	count := map[queue.Depth]int{}
	for _, t := range l.Tickets() {
		count[queue.Depth{Topic: t.Topic, State: t.State}]++
	}
	var all []queue.Depth
	for d, n := range count {
		d.Tickets = n
		all = append(all, d)
	}
	return all, nil
}

func (l *line) Agents(context.Context) ([]queue.Agent, error) {
	return []queue.Agent{l.Agent("anna")}, l.there()
}

func (l *line) Listen(ctx context.Context, _ func()) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func (l *line) set(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// fixture is a dispatcher in virtual time on a line in memory.
type fixture struct {
	t       testing.TB
	line    *line
	trunk   *trunk
	bell    *queue.Bell
	rules   queue.Rules
	log     *bytes.Buffer
	metrics *prometheus.Registry
	options dispatch.Options
}

// virtual runs a test in virtual time. Change may change the options before the
// dispatcher is made.
func virtual(t *testing.T, test func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rules := queue.NewRules()
		rules.OutPerSecond, rules.Ringing = 1000, queue.Hours{}
		bell := &queue.Bell{}
		f := &fixture{
			t: t, bell: bell, rules: rules, log: &bytes.Buffer{}, metrics: prometheus.NewRegistry(),
			line:  &line{Store: memory.New(rules), begun: map[uuid.UUID]bool{}},
			trunk: newTrunk(t, func(e164.Number, int) fate { return fate{5 * time.Second, ivr.ErrNoAnswer} }),
		}
		f.line.Bell, f.line.Node = bell, node
		metrics, err := dispatch.NewMetrics(f.metrics)
		if err != nil {
			t.Fatal(err)
		}
		f.options = dispatch.Options{
			Store: f.line, Dialler: f.trunk, Bell: bell, Rules: rules, Node: node, Metrics: metrics,
			Logger: slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		}
		test(f)
	})
}

// running is a dispatcher that runs.
type running struct {
	*dispatch.Dispatcher
	end   context.CancelFunc
	ended chan struct{}
}

// run starts the dispatcher; it ends with the test.
func (f *fixture) run() *running {
	f.t.Helper()
	d, err := dispatch.New(f.options)
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, end := context.WithCancel(f.t.Context())
	r := &running{d, end, make(chan struct{})}
	go func() {
		defer close(r.ended)
		if err := d.Run(ctx); err != nil {
			f.t.Errorf("run: %v", err)
		}
	}()
	f.t.Cleanup(r.stop)
	return r
}

// stop ends the dispatcher as a second signal does.
func (r *running) stop() {
	r.end()
	<-r.ended
}

// pass lets time pass and everything come to rest.
func (f *fixture) pass(d time.Duration) {
	time.Sleep(d) // in virtual time
	synctest.Wait()
}

// due opens a ticket that is to be rung for the dialogue itself.
func (f *fixture) due(n e164.Number) queue.Ticket {
	f.t.Helper()
	t, err := f.line.Promise(f.t.Context(), queue.Arrival{
		CallID: uuid.New(), At: time.Now(), Number: n, Topic: queue.TopicBooking, Language: "de", Wish: queue.WishSelf, Reason: queue.Asked,
	}, queue.Window{})
	if err != nil {
		f.t.Fatal(err)
	}
	time.Sleep(time.Millisecond) // so that who comes next is behind
	return t
}

func (f *fixture) wantState(what string, ticket uuid.UUID, want queue.State) {
	f.t.Helper()
	if got := f.line.Ticket(ticket).State; got != want {
		f.t.Errorf("%s: the ticket is %s, want %s\n%s", what, got, want, f.log)
	}
}

// fates are how all attempts ended, sorted.
func (f *fixture) fates() []queue.Fate {
	var all []queue.Fate
	for _, id := range f.line.attempts() {
		all = append(all, f.line.Fate(id))
	}
	slices.Sort(all)
	return all
}

func (f *fixture) wantFates(what string, want ...queue.Fate) {
	f.t.Helper()
	if got := f.fates(); !slices.Equal(got, want) {
		f.t.Errorf("%s: fates %q, want %q\n%s", what, got, want, f.log)
	}
}

// metric is the value of a counter or gauge, all of its labels together unless
// one is named.
func (f *fixture) metric(name, label string) float64 {
	f.t.Helper()
	families, err := f.metrics.Gather()
	if err != nil {
		f.t.Fatal(err)
	}
	var sum float64
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			if label != "" && !labelled(m.GetLabel(), label) {
				continue
			}
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

// labelled says whether one of the labels has that value.
func labelled[L interface{ GetValue() string }](labels []L, value string) bool {
	return slices.ContainsFunc(labels, func(l L) bool { return l.GetValue() == value })
}
