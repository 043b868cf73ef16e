package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"ringback/asterisk"
	"ringback/config"
	"ringback/dispatch"
	"ringback/e164"
	"ringback/ivr"
	"ringback/journal"
	"ringback/prompts"
	"ringback/queue"
)

// lineStore is where the line is kept.
type lineStore interface {
	queue.Store
	dispatch.Store
	dispatch.Registrar
	SetAgents(ctx context.Context, agents []queue.Agent) error
}

// agentsOf are the agents as the settings have them.
func agentsOf(c config.Config, texts interface{ Languages() []prompts.Language }) ([]queue.Agent, error) {
	var faults config.Faults
	agents := []queue.Agent{}
	for _, a := range c.Agents {
		agent := queue.Agent{Name: a.Name, Address: a.Address, Languages: a.Languages}
		for _, l := range a.Languages {
			if !slices.Contains(texts.Languages(), l) {
				faults = append(faults, config.Fault{Key: "agents", Value: a.Name, Mend: fmt.Sprintf("nothing is said in %q: take languages of %v", l, texts.Languages())})
			}
		}
		for _, name := range a.Topics {
			topic := queue.Topic(name)
			if !slices.Contains(queue.Topics, topic) {
				faults = append(faults, config.Fault{Key: "agents", Value: a.Name, Mend: fmt.Sprintf("there is no topic %q: take some of %v", topic, queue.Topics)})
			}
			agent.Topics = append(agent.Topics, topic)
		}
		if len(agent.Languages) == 0 {
			agent.Languages = texts.Languages()
		}
		if len(agent.Topics) == 0 {
			agent.Topics = queue.Topics
		}
		agents = append(agents, agent)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return agents, nil
}

// outOptions say how this node rings people and agents.
func outOptions(o *asterisk.Options, c config.Config) {
	o.OutTrunk = c.Outgoing.Trunk
	switch dial := c.Outgoing.Dial; {
	case strings.Contains(dial, "%s"):
		o.OutDial = "PJSIP/" + o.OutTrunk + "/" + dial
	case dial != "":
		o.OutDial = "PJSIP/" + dial
	}
	o.OutCaller = c.Outgoing.Caller
	if o.OutCaller == "" {
		o.OutCaller = c.Number
	}
	if n, err := e164.Parse(o.OutCaller, c.Region); err == nil {
		o.OutCaller = string(n)
	}
}

// callsOut says whether this node rings people at all.
func callsOut(o config.Outgoing) bool { return o.Enabled && (o.Trunk != "" || o.Dial != "") }

// load is how much of the lines is in use, but for the call that asks.
func load(c config.Lines, inUse func() (total, out int)) queue.Load {
	total, out := inUse()
	return queue.Load{Lines: c.Total, InUse: max(0, total-1), Out: out, Keep: c.KeepOut}
}

// admit is what a caller who rings now is given.
func admit(c config.Lines, inUse func() (total, out int)) queue.Stage {
	if c.Total == 0 {
		return queue.StageFull // as many as Asterisk carries
	}
	return queue.Admit(load(c, inUse))
}

// prepareLine makes what of the line needs no database yet.
func (p *program) prepareLine() error {
	var err error
	if p.rules, err = rulesOf(p.config); err != nil {
		return err
	}
	if p.agents, err = agentsOf(p.config, prompts.Default()); err != nil {
		return err
	}
	if p.lineMetrics, err = dispatch.NewMetrics(p.registry); err != nil {
		return err
	}
	p.intake, err = p.newIntake()
	return err
}

// newIntake is what registers callers beyond the last line.
func (p *program) newIntake() (*asterisk.Intake, error) {
	intake, err := asterisk.NewIntake(p.config.Intake.Listen, p.journal.Register, asterisk.IntakeOptions{
		Node: p.config.Node, Region: p.config.Region, Language: p.config.Call.DefaultLanguage,
		Logger: p.log, Registerer: p.registry,
	})
	if err != nil {
		return nil, fmt.Errorf("intake.listen: %w", err)
	}
	return intake, nil
}

// takeDown registers callers beyond the last line, in the journal, until ctx
// ends. Neither Postgres nor Asterisk is needed for it.
func (p *program) takeDown(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.journal.run(ctx, journal.Options{Logger: p.log, Registerer: p.registry}) })
	g.Go(func() error { return p.intake.Run(ctx) })
	return g.Wait()
}

// newDispatcher is what moves the line of this node.
func (p *program) newDispatcher(s *stores, line *asterisk.Line) (*dispatch.Dispatcher, error) {
	off := !callsOut(p.config.Outgoing)
	if off {
		p.log.Warn("this node rings nobody back: outgoing.enabled is off, or neither outgoing.trunk nor outgoing.dial is set")
	}
	return dispatch.New(dispatch.Options{
		Store: s.Queue, Dialler: line, Bell: p.bell, Rules: p.rules, Node: p.config.Node, Lines: p.config.Lines.Total,
		Off: off, Metrics: p.lineMetrics, Logger: p.log,
	})
}

// bringOver brings the journal into Postgres, until ctx ends.
func (p *program) bringOver(ctx context.Context, s *stores, promises *dispatch.Promises) error {
	f := dispatch.Flusher{
		Journal: p.journal,
		Replay: map[string]dispatch.Replay{
			journal.KindRegistration: dispatch.ReplayRegistrations(s.Queue, p.log),
			dispatch.KindPromise:     promises.Replay,
		},
		Alive: s.Ping, Aside: p.journal.aside, Metrics: p.lineMetrics, Logger: p.log,
	}
	return f.Run(ctx)
}

// setAgents makes the agents of the settings the agents, as soon as Postgres
// answers.
func setAgents(ctx context.Context, s lineStore, agents []queue.Agent, log *slog.Logger) {
	for {
		err := s.SetAgents(ctx, agents)
		if err == nil || ctx.Err() != nil {
			return
		}
		log.Warn("make the agents of the settings the agents", "err", err)
		t := time.NewTimer(tellStores)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
	}
}

// exchange is the line and the dispatcher that rings by it, run as one.
type exchange struct {
	telephone
	dispatcher dispatcher
}

// dispatcher is what is done with a dispatcher once it is made.
type dispatcher interface {
	Run(context.Context) error
	Drain()
	Release()
	Wait(context.Context) error
}

// Run runs both until ctx ends: then the dispatcher first, which ends what
// rings, and the line behind it. When the line ends by itself, another
// controller has it: what rings is left to that one.
func (e exchange) Run(ctx context.Context) error {
	line, endLine := context.WithCancel(context.WithoutCancel(ctx))
	defer endLine()
	moving, endMoving := context.WithCancel(ctx)
	defer endMoving()
	var g errgroup.Group
	g.Go(func() error {
		defer endLine()
		return e.dispatcher.Run(moving)
	})
	err := e.telephone.Run(line)
	if errors.Is(err, ivr.ErrElsewhere) {
		e.dispatcher.Release()
	}
	endMoving()
	return errors.Join(err, g.Wait())
}

// Drain takes and makes no new calls.
func (e exchange) Drain() {
	e.dispatcher.Drain()
	e.telephone.Drain()
}

// Release leaves all calls, and all that rings, to the next controller.
func (e exchange) Release() {
	e.dispatcher.Release()
	e.telephone.Release()
}

// Wait returns as soon as nothing rings and no call runs.
func (e exchange) Wait(ctx context.Context) error {
	if err := e.dispatcher.Wait(ctx); err != nil {
		return err
	}
	return e.telephone.Wait(ctx)
}
