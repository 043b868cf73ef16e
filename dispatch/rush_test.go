package dispatch_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"ringback/asterisk"
	"ringback/asterisk/aritest"
	"ringback/booking"
	bookings "ringback/booking/memory"
	"ringback/dispatch"
	"ringback/e164"
	"ringback/ivr"
	"ringback/ivr/ivrtest"
	"ringback/journal"
	"ringback/prompts"
	"ringback/queue"
	"ringback/queue/memory"
	"ringback/speech"
)

var berlin = booking.Centre{TimeZone: "Europe/Berlin"}.Location()

// rush is a morning on which many ring one hotline.
type rush struct {
	seed    uint64
	callers int
	lasts   time.Duration // until the last of them has rung
	lines   int           // calls out included
	out     int           // of those
	agents  int
	until   time.Duration // people are rung back
}

// report is how a rush went.
type report struct {
	record string // the fate of everybody, and the order in which they were served
	faults []string
	count  map[string]int // of what happened
}

// TestRush: ten thousand ring within a minute. All end served or with a promise,
// nobody is passed over, and the morning goes the same way when it is played
// again.
func TestRush(t *testing.T) {
	t.Parallel()
	if raceDetector {
		t.Skip("ten thousand ring without the race detector, and some hundreds with it: go test -run Rush ./dispatch")
	}
	r := rush{seed: 1, callers: 10_000, lasts: time.Minute, lines: 900, out: 90, agents: 40, until: 18 * time.Minute}
	days := playAll(t, r, r)
	days[0].wantSame(t, days[1])
	days[0].wantMost(t)
}

// TestRushOfSome is a smaller one, also for the race detector. Another seed is
// another morning.
func TestRushOfSome(t *testing.T) {
	t.Parallel()
	r := rush{seed: 2, callers: 400, lasts: time.Minute, lines: 60, out: 12, agents: 6, until: 17 * time.Minute}
	other := r
	other.seed = 3
	days := playAll(t, r, r, other)
	days[0].wantSame(t, days[1])
	if days[0].record == days[2].record {
		t.Error("the same happens with another seed")
	}
}

// wantSame wants the same to have happened once more.
func (a report) wantSame(t *testing.T, b report) {
	t.Helper()
	one, other := strings.Split(a.record, "\n"), strings.Split(b.record, "\n")
	told := 0
	for i := range min(len(one), len(other)) {
		if one[i] != other[i] && told < 10 {
			told++
			t.Errorf("the same seed, and what happened differs:\n%s\n%s", one[i], other[i])
		}
	}
	if len(one) != len(other) {
		t.Errorf("the same seed, and what happened takes %d lines, and %d", len(one), len(other))
	}
}

// wantMost wants all to have happened that such a morning is about: else the rest
// proves nothing.
func (a report) wantMost(t *testing.T) {
	t.Helper()
	for _, what := range []string{
		"begins welcome", "begins express", "begins early", "registered", "shows no number", "hung up", "booked", "talked",
		"rung for reached", "rung for busy", "rung for no_answer", "rung for declined", "gets agent waiting", "gets agent due",
		"closed served", "closed self", "closed abandoned", "closed unreached", "promised",
	} {
		if a.count[what] == 0 {
			t.Errorf("%q never happened, of %v", what, a.count)
		}
	}
}

// playAll plays mornings, side by side.
func playAll(t *testing.T, all ...rush) []report {
	reports := make([]report, len(all))
	t.Run("mornings", func(t *testing.T) {
		for i, r := range all {
			t.Run(fmt.Sprintf("%d with seed %d", i, r.seed), func(t *testing.T) {
				t.Parallel()
				reports[i] = r.play(t)
			})
		}
	})
	return reports
}

// play lets the morning happen, in virtual time.
func (r rush) play(t *testing.T) (got report) {
	synctest.Test(t, func(t *testing.T) {
		m := newMorning(t, r)
		m.run()
		got = m.report()
	})
	for _, f := range got.faults[:min(len(got.faults), 20)] {
		t.Error(f)
	}
	return got
}

// morning is a rush with the hotline it falls upon: a controller with all its
// parts on the line, the appointments and the Asterisk of tests.
type morning struct {
	rush
	t        *testing.T
	opens    time.Time
	rules    queue.Rules
	asterisk *aritest.Server
	store    *rushLine
	bookings *bookings.Store
	log      *scenes
	journal  *journal.Journal
	line     *asterisk.Line
	moves    *dispatch.Dispatcher
	promises *dispatch.Promises
	metrics  *dispatch.Metrics
	quiet    *slog.Logger

	people   []*person
	byNumber map[e164.Number]*person
	phones   map[string]*telephone

	mu     sync.Mutex
	in     int                // lines with callers who rang us
	by     map[string]*person // by channel
	calls  map[uuid.UUID]*person
	faults []string
	count  map[string]int
}

func newMorning(t *testing.T, r rush) *morning {
	opens := time.Date(2000, 1, 3, 8, 0, 0, 0, berlin) // virtual time begins two days before
	time.Sleep(time.Until(opens.Add(-time.Minute)))
	m := &morning{
		rush: r, t: t, opens: opens, rules: queue.NewRules(), asterisk: aritest.NewInMemory(t), bookings: bookings.New(),
		log: &scenes{m: map[uuid.UUID][]string{}}, quiet: slog.New(slog.DiscardHandler),
		people: people(r.seed, r.callers, r.lasts), byNumber: map[e164.Number]*person{}, phones: map[string]*telephone{},
		by: map[string]*person{}, calls: map[uuid.UUID]*person{}, count: map[string]int{},
	}
	for _, p := range m.people {
		m.byNumber[p.number] = p
	}
	m.rules.Priority = map[queue.Topic]int{queue.TopicAppointment: 1}
	m.rules.Window, m.rules.PerHour = 15*time.Minute, 4*r.callers/20
	m.rules.Retries, m.rules.NextDay = []time.Duration{time.Minute}, false
	m.rules.OutLines, m.rules.OutPerSecond = r.out, 20
	m.rules.Announce = 2 * time.Minute

	m.asterisk.Length, m.asterisk.Rings = lengthOf, m.rings
	m.stores()
	m.controller()
	return m
}

// stores sets up agents, times to book, and what is taken down.
func (m *morning) stores() {
	m.store = &rushLine{
		line: &line{Store: memory.New(m.rules), begun: map[uuid.UUID]bool{}}, rules: m.rules,
		fault: m.fault, fates: map[e164.Number][]queue.Fate{},
	}
	m.store.Bell, m.store.Node = &queue.Bell{}, node
	for i := range m.agents {
		a := queue.Agent{Name: fmt.Sprintf("agent%02d", i), Languages: []prompts.Language{prompts.German}, Topics: queue.Topics}
		a.Address = a.Name
		if i%3 == 0 {
			a.Languages = append(a.Languages, prompts.English)
		}
		if i%4 == 0 {
			a.Topics = []queue.Topic{queue.TopicBooking}
		}
		m.store.SignIn(a)
		m.store.agents = append(m.store.agents, a.Name)
		m.phones[a.Name] = &telephone{name: a.Name, own: own(m.callers + i)}
	}
	centre := m.bookings.AddCentre(booking.Centre{Name: "Dortmund", Address: "Am Markt", TimeZone: "Europe/Berlin"}, 51.5, 7.4)
	m.bookings.AddPlace("44137", "Dortmund", centre.ID)
	for day := range 10 {
		m.bookings.AddSlot(centre.ID, m.opens.AddDate(0, 0, 1+day), m.callers/40)
	}
	var err error
	if m.journal, err = journal.Open(m.t.TempDir(), journal.Options{Logger: m.quiet}); err != nil {
		m.t.Fatal(err)
	}
}

// controller puts together what serves a hotline.
func (m *morning) controller() {
	var err error
	must := func() {
		if err != nil {
			m.t.Fatal(err)
		}
	}
	m.metrics, err = dispatch.NewMetrics(prometheus.NewRegistry())
	must()
	m.promises = dispatch.NewPromises(m.store, m.journal, m.rules, m.metrics, m.quiet, time.Now)
	hotline := &ivr.Hotline{
		Bookings: m.bookings, Queue: m.promises, Bell: m.store.Bell, Rules: m.rules, Habits: &ivrtest.Habits{},
		Log: m.log, Ledger: m.log, Texts: wordless{}, Timing: ivr.DefaultTiming(), Language: prompts.German, Region: "DE",
		Now: time.Now, Logger: m.quiet,
	}
	m.line, err = asterisk.New(asterisk.Options{
		URL: m.asterisk.URL(), Dial: m.asterisk.Connect, User: aritest.User, Password: aritest.Password, App: aritest.App,
		Region: "DE", OutTrunk: "trunk", OutCaller: "+49231116117", Logger: m.quiet,
	}, voice{}, func(ctx context.Context, c ivr.Call) { m.ended(c.Info(), hotline.Serve(ctx, c)) })
	must()
	hotline.Admit = func() queue.Stage {
		total, out := m.line.InUse()
		return queue.Admit(queue.Load{Lines: m.lines, InUse: max(0, total-1), Out: out, Keep: m.out})
	}
	m.moves, err = dispatch.New(dispatch.Options{
		Store: m.store, Dialler: m.line, Bell: m.store.Bell, Rules: m.rules, Node: node, Lines: m.lines,
		Metrics: m.metrics, Logger: m.quiet,
	})
	must()
}

// run lets all ring, rings back until it is time to stop, and ends when nobody is
// on the line any more.
func (m *morning) run() {
	ctx, end := context.WithCancel(m.t.Context())
	defer end()
	flusher := &dispatch.Flusher{
		Journal: m.journal, Replay: map[string]dispatch.Replay{journal.KindRegistration: dispatch.ReplayRegistrations(m.store, m.quiet)},
		Alive: func(context.Context) error { return nil }, Aside: func(r journal.Record) error {
			m.fault("record %d of the journal is set aside", r.Number)
			return nil
		},
		Metrics: m.metrics, Logger: m.quiet,
	}
	lineEnds, endLine := context.WithCancel(m.t.Context())
	defer endLine()
	var g, calls errgroup.Group
	g.Go(func() error { return flusher.Run(ctx) })
	g.Go(func() error { return m.promises.Run(ctx) })
	g.Go(func() error { return m.moves.Run(ctx) })
	g.Go(func() error { return m.line.Run(lineEnds) })
	for _, p := range m.people {
		calls.Go(func() error {
			time.Sleep(time.Until(m.opens.Add(p.rings)))
			m.dials(ctx, p)
			return nil
		})
	}
	time.Sleep(time.Until(m.opens.Add(m.until)))
	m.moves.Drain()
	patience, stop := context.WithTimeout(ctx, time.Hour)
	defer stop()
	if err := m.moves.Wait(patience); err != nil {
		m.fault("somebody is still rung: %v", err)
	}
	if err := m.line.Wait(patience); err != nil {
		m.fault("somebody is still on the line: %v", err)
	}
	end()
	_ = calls.Wait() // they return nil
	endLine()
	if err := g.Wait(); err != nil {
		m.fault("the controller: %v", err)
	}
	if n, b := m.asterisk.Channels(), m.asterisk.Bridges(); n > 0 || b > 0 {
		m.fault("%d channels and %d bridges are left in Asterisk", n, b)
	}
	if err := m.journal.Close(); err != nil {
		m.fault("close the journal: %v", err)
	}
}

// dials is the dialplan: a line while there is one, else the attempt is taken
// down, of who shows no number when a line comes free.
func (m *morning) dials(ctx context.Context, p *person) {
	presentation := "allowed_not_screened"
	if p.hides {
		presentation = "prohib"
	}
	for !m.takesLine() {
		if !p.hides {
			id := uuid.NewSHA1(uuid.Nil, []byte(p.number))
			err := m.journal.Register(ctx, queue.Registration{
				ID: id, Dialog: fmt.Sprintf("call-%d", p.index), Number: p.number, Node: node, At: time.Now(), Language: prompts.German,
			})
			if err != nil {
				m.fault("register %s: %v", p.number, err)
			}
			p.taken = true
			return
		}
		time.Sleep(time.Second)
	}
	c := m.asterisk.DialArgs(string(p.number), "in", string(p.number), presentation, "trunk")
	m.mu.Lock()
	m.by[c.Channel()] = p
	m.mu.Unlock()
	p.calls(ctx, c)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.in--
}

func (m *morning) takesLine() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.in >= m.lines-m.out {
		return false
	}
	m.in++
	return true
}

// rings is the far end of whom Asterisk rings: an agent, or somebody who is rung
// back.
func (m *morning) rings(c *aritest.Caller) {
	to := strings.TrimPrefix(c.Endpoint(), "PJSIP/")
	if a := m.phones[to]; a != nil {
		a.rings(m.t.Context(), m.seed, c, func(channel string, from, to time.Time) {
			m.mu.Lock()
			defer m.mu.Unlock()
			if p := m.by[channel]; p != nil {
				p.notes("talks with %s from %s to %s", a.name, clock(from), clock(to))
				p.talked = true
			}
		})
		return
	}
	p := m.byNumber[e164.Number(strings.TrimSuffix(to, "@trunk"))]
	if p == nil {
		m.fault("%s is rung, who never rang", to)
		return
	}
	m.mu.Lock()
	m.by[c.Channel()] = p
	m.mu.Unlock()
	p.isRung(m.t.Context(), m.seed, c)
}

// ended notes how a call ended.
func (m *morning) ended(i ivr.Info, o ivr.Outcome) {
	scenes := m.log.of(i.ID)
	m.mu.Lock()
	p := m.by[i.Channel]
	m.calls[i.ID] = p
	if p == nil {
		m.mu.Unlock()
		m.fault("nobody knows whose call %s was", i.Channel)
		return
	}
	p.booked = p.booked || o.Result == ivr.Booked
	m.count["begins "+scenes[0]]++
	m.mu.Unlock()
	p.notes("%s to %s: %s, %s (%s)", clock(i.Started), clock(time.Now()), o.Result, o.Reason, strings.Join(scenes, " "))
}

func (m *morning) fault(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = append(m.faults, fmt.Sprintf(format, args...))
}

// report says how it went.
func (m *morning) report() report {
	tickets := map[*person][]queue.Ticket{}
	for _, t := range m.store.Tickets() {
		p := m.byNumber[t.Number]
		if p == nil {
			p = m.calls[t.ID]
		}
		if p == nil {
			m.fault("nobody knows whose ticket that is: %+v", t)
			continue
		}
		tickets[p] = append(tickets[p], t)
	}
	var b strings.Builder
	for _, p := range m.people {
		fmt.Fprintf(&b, "%s %s rings at %s", p.number, p.manner, clock(m.opens.Add(p.rings)))
		for _, l := range p.life {
			fmt.Fprintf(&b, "; %s", l)
		}
		for _, f := range m.store.fates[p.number] {
			fmt.Fprintf(&b, "; rung for %s", f)
			m.count["rung for "+string(f)]++
		}
		for _, t := range tickets[p] {
			fmt.Fprintf(&b, "; %s %s %s: %s %s after %d tries, hour %s, next %s, closed %s",
				t.Topic, t.Language, t.Wish, t.State, t.End, t.Tries, clock(t.Window.From), clock(t.DueAt), clock(t.ClosedAt))
			m.count[strings.TrimSpace(fmt.Sprint(t.State, " ", t.End))]++
		}
		b.WriteString("\n")
		m.counts(p)
		if fault := m.judge(p, tickets[p]); fault != "" {
			m.fault("%s %s: %s; %s; %+v", p.number, p.manner, fault, strings.Join(p.life, "; "), tickets[p])
		}
	}
	for _, g := range m.store.bound {
		fmt.Fprintf(&b, "%s %s is given to %s, who rang at %s\n", clock(g.at), g.agent, g.ticket.Number, clock(g.ticket.RangAt))
		m.count["gets agent "+string(g.ticket.State)]++
	}
	m.hoursInOrder()
	slices.Sort(m.faults)
	return report{b.String(), m.faults, m.count}
}

func (m *morning) counts(p *person) {
	for what, is := range map[string]bool{
		"registered": p.taken, "shows no number": p.hides, "hung up": p.left, "booked": p.booked, "talked": p.talked,
	} {
		if is {
			m.count[what]++
		}
	}
}

// judge says what is wrong with how somebody ended; empty: nothing.
func (m *morning) judge(p *person, tickets []queue.Ticket) string {
	switch {
	case p.lost != "":
		return p.lost
	case p.taken: // ended with 480, once that was written down
	case p.heard == 0 && !p.left:
		return "heard nothing"
	case p.ended == "" && !p.left:
		return "was cut off"
	case p.up && p.ended != "" && p.ended != "normal", !p.up && p.ended != "" && p.ended != "no_answer":
		return "was refused: " + p.ended
	}
	if len(tickets) == 0 && !p.booked && !p.talked && !p.left {
		return "has nothing"
	}
	for _, t := range tickets {
		switch {
		case t.State == queue.StatePromised && t.Promised && t.DueAt.After(time.Now()), // is rung then
			t.State == queue.StateDue && t.Promised && !t.DueAt.IsZero(), // the next to be rung
			t.End == queue.EndServed && p.talked,
			t.End == queue.EndSelf && p.booked,
			t.End == queue.EndUnreached && t.Tries == 1+len(m.rules.Retries),
			t.End == queue.EndAbandoned && p.left:
		default:
			return "has a ticket that promises nothing"
		}
	}
	return ""
}

// hoursInOrder looks whether those who were taken down as they rang were promised
// their hours in that order. Who shows no number is asked for one first.
func (m *morning) hoursInOrder() {
	hours := slices.DeleteFunc(m.store.hours, func(h hour) bool {
		p := m.byNumber[h.number]
		return p == nil || p.hides
	})
	slices.SortFunc(hours, func(a, b hour) int { return a.rang.Compare(b.rang) })
	for i := 1; i < len(hours); i++ {
		if before := hours[i-1]; hours[i].window.From.Before(before.window.From) {
			m.fault("%s rang at %s and is rung from %s on, %s rang before, at %s, and is rung from %s on",
				hours[i].number, clock(hours[i].rang), clock(hours[i].window.From), before.number, clock(before.rang), clock(before.window.From))
		}
	}
	if len(hours) < m.callers/10 {
		m.fault("only %d were taken down as they rang", len(hours))
	}
}

// wordless are texts that cost nothing.
type wordless struct{}

func (wordless) Languages() []prompts.Language {
	return []prompts.Language{prompts.German, prompts.English}
}

func (wordless) Text(_ prompts.Manner, l prompts.Line) (prompts.Text, error) {
	return prompts.Text{Written: string(l.Key), Masked: string(l.Key)}, nil
}

// voice speaks all lines at once, each for as long as always.
type voice struct{}

func (voice) Clip(_ context.Context, _ prompts.Manner, lines ...prompts.Line) (speech.Clip, error) {
	media := mediaOf(lines)
	return speech.Clip{Path: media, Duration: lengthOf(media)}, nil
}

// scenes are an ivr.Log of the scenes of calls, and an ivr.Ledger of no call.
type scenes struct {
	mu sync.Mutex
	m  map[uuid.UUID][]string
}

func (*scenes) Began(ivr.Info)                          {}
func (*scenes) Ended(uuid.UUID, time.Time, ivr.Outcome) {}

func (*scenes) Entered(uuid.UUID, ivr.SceneName, prompts.Language, []byte) {}

func (*scenes) Left(context.Context, uuid.UUID) (ivr.Left, error) { return ivr.Left{}, nil }

func (s *scenes) Noted(call uuid.UUID, e ivr.Entry) {
	if e.Kind == ivr.EntryScene {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.m[call] = append(s.m[call], e.Line)
	}
}

func (s *scenes) of(call uuid.UUID) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m[call]
}
