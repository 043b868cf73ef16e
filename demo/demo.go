package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"ringback/postgres"
)

// Demo is a running hotline.
type Demo struct {
	Info Info
	Dir  string // absolute; holds demo.json, controller.pid, asterisk.pid, postgres.pid, watchdog.pid and log/

	folder  *folder
	outside outside
	parts   []*part // in the order of their start
	stop    sync.Once
}

// Start brings a hotline up and returns when it takes calls. Ctx bounds the
// start only. When it fails, all that was started has ended.
func Start(ctx context.Context, o Options) (*Demo, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	o.Out = &lines{out: o.Out}
	p, err := portsFrom(o.PortBase)
	if err != nil {
		return nil, err
	}
	f, err := openFolder(ctx, o.Dir)
	if err != nil {
		return nil, err
	}
	d := &Demo{Dir: o.Dir, folder: f}
	if err := d.start(ctx, o, p); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		d.Stop(bounded)
		return nil, err
	}
	return d, nil
}

// stopTime is how long a stop may take before what is left is killed.
const stopTime = 30 * time.Second

func (d *Demo) start(ctx context.Context, o Options, p ports) error {
	if err := p.free(); err != nil {
		return err
	}
	s, err := keptSecrets(d.folder.path("secrets.json"))
	if err != nil {
		return err
	}
	d.outside = outside{agents: splitAddresses(o.AgentsAt), callbacks: o.CallbackTo, phones: s.Phones}
	if err := d.outside.check(); err != nil {
		return err
	}
	tools, err := Install(ctx, o)
	if err != nil {
		return err
	}
	f := d.folder
	mark := marker + o.Dir
	db := cluster{
		tools: tools, dir: f.path("postgres"), port: p.postgres, password: s.Database, marker: mark,
		pidFile: f.path("postgres.pid"), logFile: f.path("log", "postgres.log"),
	}
	ex := exchange{
		tools: tools, dir: f.path("asterisk"), ports: p, secrets: s, marker: mark, music: f.path("music"), trunks: o.Trunks, lines: capacity(o.Lines),
		pidFile: f.path("asterisk.pid"), logFile: f.path("log", "asterisk.log"),
	}
	c := controller{
		binary: o.Binary, dir: f.dir, configFile: f.path("ringback.yaml"), journal: f.path("journal"), ports: p, lines: capacity(o.Lines), outside: d.outside, marker: mark,
		pidFile: f.path("controller.pid"), logFile: f.path("log", "controller.log"),
	}
	if err := c.writeConfig(ex.node(), db.url(), f.path("sounds"), f.path("recordings"), s, tools); err != nil {
		return err
	}

	// The database and the exchange start side by side; the controller needs both.
	database, server := db.server(), ex.server()
	d.parts = []*part{database, server}
	g, begin := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := db.create(begin); err != nil {
			return err
		}
		if err := o.begin(begin, database, "database"); err != nil {
			return err
		}
		return fill(begin, db.url())
	})
	g.Go(func() error {
		var err error
		if ex.fallback, err = announce(begin, f.path("announcements"), tools); err != nil {
			return err
		}
		if err := errors.Join(playMusic(ex.music), ex.render()); err != nil {
			return err
		}
		return o.begin(begin, server, "exchange")
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if !o.NoController {
		serve := c.server()
		d.parts = append(d.parts, serve)
		if err := o.begin(ctx, serve, "controller"); err != nil {
			return err
		}
	}
	watch := c.watchdog(f.path("watchdog.pid"), f.path("log", "watchdog.log"))
	d.parts = append(d.parts, watch)
	if err := o.begin(ctx, watch, "watchdog"); err != nil {
		return err
	}

	web := "http://" + local(p.web)
	d.Info = Info{
		SIP: local(p.sip), Number: hotline, Web: web, API: web + "/api/v1", APIKey: s.APIKey,
		Database: db.url(), Users: []User{}, SIPPhones: s.Phones, Secure: ex.secure(),
	}
	return writeJSON(f.path("demo.json"), d.Info)
}

// begin starts a part and says so, again and again if it takes long.
func (o Options) begin(ctx context.Context, p *part, what string) error {
	p.out = o.Out
	fmt.Fprintf(o.Out, "Starting the %s …\n", what)
	began := time.Now()
	ctx, stop := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("it was not ready after %v; see %s", startTime, p.logFile))
	defer stop()
	go func() {
		t := time.NewTicker(5 * time.Second)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				fmt.Fprintf(o.Out, "  %.0f s; the %s says: %s\n", time.Since(began).Seconds(), what, message(p.lastWords()))
			}
		}
	}()
	return p.start(ctx)
}

// startTime is how long a part may take to be ready: the controller speaks all
// lines that never change first.
const startTime = 5 * time.Minute

// message is what a line of a log says, without its time and level.
func message(line string) string {
	_, said, found := strings.Cut(line, " msg=")
	if !found {
		return line
	}
	return said
}

// fill brings the schema up to date and loads the demo's centres and slots.
func fill(ctx context.Context, url string) error {
	db, err := postgres.Open(ctx, url, postgres.Options{Name: "ringback demo", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	return postgres.LoadDemo(ctx, db, time.Now())
}

// Stop ends what was started, the last first, and only that; it returns
// when all has ended. When ctx ends, what is left is killed. Stopping twice is
// safe.
func (d *Demo) Stop(ctx context.Context) {
	d.stop.Do(func() {
		for i := len(d.parts) - 1; i >= 0; i-- {
			d.parts[i].end(ctx)
		}
		_ = os.Remove(d.folder.path("demo.json")) // it would name a hotline that is gone; a start that failed has none
		d.folder.close()
	})
}

// Run is a demo in a terminal: it installs, starts, says how to ring, and
// stops when ctx ends; when hurry ends as well, at once.
func Run(ctx, hurry context.Context, o Options) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	d, err := Start(ctx, o)
	if err != nil {
		return err
	}
	tell(o, d)
	<-ctx.Done()
	fmt.Fprintln(o.Out, "Stopping; calls that run have a few seconds left. Ctrl-C again stops at once.")
	bounded, cancel := context.WithTimeout(hurry, stopTime)
	defer cancel()
	d.Stop(bounded)
	fmt.Fprintln(o.Out, "Stopped.")
	return nil
}

func tell(o Options, d *Demo) {
	if o.NoController {
		fmt.Fprintf(o.Out, "\nNo controller leads calls yet. Run one:  %s serve --config %s\n",
			near(o.Binary), near(filepath.Join(d.Dir, "ringback.yaml")))
	}
	ring := near(o.Binary) + " call"
	if near(d.Dir) != ".ringback" {
		ring += " --dir " + near(d.Dir)
	}
	phone := d.Info.SIPPhones[0]
	fmt.Fprintf(o.Out, `
Ring it from this terminal:  %[1]s
or book in one go:           %[1]s --keys "1 1 24121935 1 44137 1 1 1"
or with any SIP telephone:   sip:%[2]s@%[3]s, or registered there as %[4]s, password %[5]s
%[9]sWeb pages:                   %[6]s
For scripts:                 %[7]s
What happens:                %[8]s
Ctrl-C stops it.

ready sip:%[2]s@%[3]s %[6]s
`, ring, d.Info.Number, d.Info.SIP, phone.User, phone.Password, d.Info.Web,
		near(filepath.Join(d.Dir, "demo.json")), near(filepath.Join(d.Dir, "log")), d.outside.tell())
}

// near is a path as one would type it here.
func near(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(here, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		return path
	}
	return rel
}

// lines lets several write whole lines to one place.
type lines struct {
	mu  sync.Mutex
	out io.Writer
}

// Fd is the terminal's, if out is one; else of no file.
func (l *lines) Fd() uintptr {
	if f, ok := l.out.(interface{ Fd() uintptr }); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(b)
}
