package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"ringback/api"
	"ringback/asterisk"
	"ringback/config"
	"ringback/dispatch"
	"ringback/e164"
	"ringback/ivr"
	"ringback/prompts"
	"ringback/queue"
	"ringback/web"
)

// program is a controller and all that it runs on. Make one with newProgram
// and Run it once; Drain may be called at any time and more than once.
type program struct {
	config   config.Config
	log      *slog.Logger
	registry *prometheus.Registry
	ended    *prometheus.CounterVec
	server   *web.Server
	rules    queue.Rules
	agents   []queue.Agent
	bell     *queue.Bell
	journal  *lateJournal
	intake   *asterisk.Intake
	// lineMetrics are what is counted of the line by all who work on it.
	lineMetrics *dispatch.Metrics
	open        func(context.Context, config.Config, *slog.Logger) (*stores, error) // openStores

	drained context.Context // ends with the first Drain
	Drain   context.CancelFunc
	handed  context.Context // ends with the first HandOver
	// HandOver stops at once and leaves the running calls, where they are, to
	// the controller that is started next.
	HandOver context.CancelFunc

	stores atomic.Pointer[stores]        // nil until Postgres answers
	line   atomic.Pointer[asterisk.Line] // nil until there is something to say
}

// newProgram checks what can be checked at once and takes the address of the
// pages. What it waits for, it waits for in Run.
func newProgram(c config.Config, log *slog.Logger) (*program, error) {
	if c.Asterisk.Password == "" {
		return nil, config.Faults{{Key: "asterisk.password", Mend: "give the password this ARI user has in ari.conf"}}
	}
	if err := spoken(c.Call.DefaultLanguage, prompts.Default().Languages()); err != nil {
		return nil, err
	}
	p := &program{config: c, log: log, registry: newRegistry(), bell: &queue.Bell{}, journal: newLateJournal(c.Journal.Dir), open: openStores}
	p.ended = newEnded(p.registry)
	if err := p.prepareLine(); err != nil {
		return nil, err
	}
	p.drained, p.Drain = context.WithCancel(context.Background())
	p.handed, p.HandOver = context.WithCancel(context.Background())

	keys := make([]string, len(c.API.Keys))
	for i, k := range c.API.Keys {
		keys[i] = k.Reveal()
	}
	rest, err := api.New(api.Options{
		Store: p, NotFound: errNoCall, Line: p.theLine, Keys: keys, Region: c.Region, Version: buildVersion(), Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("API: %w", err)
	}
	p.server, err = web.Listen(c.HTTP.Listen, web.New(web.Options{
		Number: c.Number, Version: buildVersion(), API: rest,
		Metrics: promhttp.HandlerFor(p.registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError)}),
		Checks:  []web.Check{{Name: "postgres", Ready: p.postgres}, {Name: "asterisk", Ready: p.asterisk}, {Name: "calls", Ready: p.calls}},
	}), log)
	if err != nil {
		return nil, fmt.Errorf("http.listen: %w", err)
	}
	return p, nil
}

// Run leads calls until it has drained, or until ctx ends and the running
// calls have been ended. The pages stay up until the last call is over.
func (p *program) Run(ctx context.Context) error {
	pages, closePages := context.WithCancel(context.WithoutCancel(ctx))
	defer closePages()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		p.log.Info("pages are up", "node", p.config.Node, "version", buildVersion(), "address", "http://"+p.server.Address())
		return p.server.Run(pages)
	})
	g.Go(func() error { return p.takeDown(pages) })
	g.Go(func() error {
		defer closePages()
		return p.lead(ctx)
	})
	err := g.Wait()
	p.log.Info("stopped")
	return err
}

// lead waits for what calls need, and then leads them.
func (p *program) lead(ctx context.Context) error {
	// Who drains before a call could come in need not wait for one.
	starting, started := context.WithCancel(ctx)
	defer started()
	defer context.AfterFunc(p.drained, started)()
	defer context.AfterFunc(p.handed, started)()

	s, err := p.waitForStores(starting)
	if err != nil {
		return unlessStopped(starting, err)
	}
	defer s.Close()
	p.stores.Store(s)

	texts := prompts.Default()
	voice, err := newRenderer(starting, p.config.Speech, texts, p.log)
	if err != nil {
		return unlessStopped(starting, err)
	}
	prepare(starting, voice, p.log)

	watchCalls(p.registry, s.Calls)
	watched := newScenes(s.Calls)
	promises := dispatch.NewPromises(s.Queue, p.journal, p.rules, p.lineMetrics, p.log, time.Now)
	c := p.config.Call
	timing := ivr.DefaultTiming()
	timing.FirstKey, timing.BetweenKeys, timing.AfterError = c.FirstKey, c.BetweenKeys, c.AfterError
	timing.Ready, timing.Name = c.Ready, c.Name
	hotline := &ivr.Hotline{
		Bookings: s.Bookings, Queue: promises, Bell: p.bell, Rules: p.rules, Habits: s.Habits, Log: watched, Ledger: s.Calls,
		Texts: texts, Timing: timing, Language: c.DefaultLanguage, Region: p.config.Region,
		Now: time.Now, Logger: p.log,
	}
	a := p.config.Asterisk
	options := asterisk.Options{
		URL: a.URL, User: a.User, Password: a.Password.Reveal(), App: a.App, Region: p.config.Region,
		Ledger: s.Calls, Lost: func(i ivr.Info, why error) { hotline.Lost(ctx, i, why) },
		Longest: a.LongestCall, Request: a.Request, Logger: p.log, Registerer: p.registry,
	}
	outOptions(&options, p.config)
	line, err := asterisk.New(options, voice, func(ctx context.Context, c ivr.Call) {
		if o := hotline.Serve(ctx, c); o.Result != ivr.Elsewhere {
			p.ended.WithLabelValues(string(o.Result)).Inc()
		}
	})
	if err != nil {
		return fmt.Errorf("line: %w", err)
	}
	hotline.Admit = func() queue.Stage { return admit(p.config.Lines, line.InUse) }
	dispatcher, err := p.newDispatcher(s, line)
	if err != nil {
		return err
	}
	if starting.Err() != nil {
		return nil
	}
	p.line.Store(line)

	// The transcripts are written until the last call is over.
	writing, written := context.WithCancel(context.WithoutCancel(ctx))
	defer written()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.Calls.Run(writing) })
	g.Go(func() error {
		defer written()
		return p.take(ctx, exchange{line, dispatcher}, watched)
	})
	g.Go(func() error {
		setAgents(writing, s.Queue, p.agents, p.log)
		return nil
	})
	g.Go(func() error { return promises.Run(writing) })
	g.Go(func() error { return p.bringOver(writing, s, promises) })
	g.Go(func() error {
		prune(writing, voice, p.log)
		return nil
	})
	g.Go(func() error {
		forget(writing, s.Forget, p.log)
		return nil
	})
	return g.Wait()
}

// telephone is what is done with a line once it is made.
type telephone interface {
	Run(context.Context) error
	Drain()
	Release()
	Calls() []ivr.Info
	Wait(context.Context) error
}

// take runs the line until ctx ends or it has drained.
func (p *program) take(ctx context.Context, line telephone, watched *scenes) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	var drain errgroup.Group
	drain.Go(func() error {
		select {
		case <-p.handed.Done():
			p.log.Info("the calls are left to the next controller", "running", len(line.Calls()))
			line.Release()
		case <-p.drained.Done():
			p.finish(ctx, line, watched)
			end()
		case <-ctx.Done():
			p.left(line, watched, slog.LevelWarn, "call is ended by the stop")
		}
		return nil
	})
	err := line.Run(ctx)
	end()
	_ = drain.Wait() // returns nil
	if errors.Is(err, asterisk.ErrReplaced) {
		// Meant so at a hand-over. Not an error: a supervisor that starts this
		// one again would take the line back.
		p.log.Warn("another controller took over the line, this one stops")
		return nil
	}
	if err != nil {
		return fmt.Errorf("line: %w", err)
	}
	return nil
}

// finish takes no new calls and gives the running ones their time.
func (p *program) finish(ctx context.Context, line telephone, watched *scenes) {
	line.Drain()
	p.log.Info("no new calls are taken", "running", len(line.Calls()), "longest", p.config.Drain)
	p.left(line, watched, slog.LevelInfo, "call is let finish")
	ctx, cancel := context.WithTimeout(ctx, p.config.Drain)
	defer cancel()
	if err := line.Wait(ctx); err != nil {
		p.left(line, watched, slog.LevelWarn, "call is ended by the stop")
	}
}

// left logs every call that still runs.
func (p *program) left(line telephone, watched *scenes, level slog.Level, message string) {
	for _, c := range line.Calls() {
		p.log.Log(context.Background(), level, message, "call_id", c.ID, "scene", watched.of(c.ID))
	}
}

// unlessStopped makes no error of a stop while starting.
func unlessStopped(starting context.Context, err error) error {
	if starting.Err() != nil {
		return nil
	}
	return err
}

// What keeps calls from being taken, as /readyz and the API tell it.
var (
	errNoStores = errors.New("not connected to Postgres yet")
	errAway     = errors.New("Postgres does not answer")
	errNoLine   = errors.New("the line is not up yet")
	errNoEvents = errors.New("not connected to Asterisk")
	errDraining = errors.New("draining: running calls are finished, no new ones are taken")
)

func (p *program) postgres(ctx context.Context) error {
	s := p.stores.Load()
	if s == nil {
		return errNoStores
	}
	if s.Ping(ctx) != nil {
		return errAway // the reason holds addresses, which the log has too
	}
	return nil
}

func (p *program) asterisk(context.Context) error {
	switch line := p.line.Load(); {
	case line == nil:
		return errNoLine
	case !line.Connected():
		return errNoEvents
	}
	return nil
}

func (p *program) calls(context.Context) error {
	if p.drained.Err() != nil || p.handed.Err() != nil {
		return errDraining
	}
	return nil
}

// Calls lets the API answer before Postgres is there.
func (p *program) Calls(ctx context.Context, number e164.Number, limit int) ([]ivr.Record, error) {
	if s := p.stores.Load(); s != nil {
		return s.Calls.Calls(ctx, number, limit)
	}
	return nil, errNoStores
}

// Call is one of Calls.
func (p *program) Call(ctx context.Context, id uuid.UUID) (ivr.Record, error) {
	if s := p.stores.Load(); s != nil {
		return s.Calls.Call(ctx, id)
	}
	return ivr.Record{}, errNoStores
}
