// Package doctor looks a configured or running installation over, and says of
// each thing whether it is right, what was seen, and what to do about it.
// It must not know how a call is led, and it changes nothing.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"ringback/asterisk"
	"ringback/config"
	"ringback/postgres"
	"ringback/prompts"
	"ringback/speech"
)

// Options say what is looked over. All but SIP, File and Fault are needed.
type Options struct {
	Config config.Config
	// Fault is why there is no Config; nothing but that is reported then.
	Fault error
	// File is where the settings came from; empty: defaults and environment.
	File string
	// SIP is the host:port where Asterisk answers SIP; empty: as it says
	// itself.
	SIP string
	// Texts are what the hotline can say, and Lines all that it must be able to.
	Texts *prompts.Catalogue
	Lines []prompts.Declaration
	// Engine makes a voice, as the controller makes it.
	Engine func(context.Context, config.Engine, config.Speech) (speech.Engine, error)
}

// How long things may take. All checks run side by side, and none waits for
// more than one inspection and one answer of its own, so that a report is there
// after ten seconds whatever is down.
const (
	inspecting = 4 * time.Second // Postgres, Asterisk
	answering  = 3 * time.Second // SIP, pages
	speaking   = 6 * time.Second // voices, each a program or two
	longest    = 8 * time.Second // one check, all in all
)

// site is what the checks look at.
type site struct {
	Options
	// What several checks need is asked for once.
	postgres func() (postgres.Inspection, error)
	asterisk func() (asterisk.Inspection, error)
	// listener is the user whose program listens at an address of this machine.
	listener func(address string) (uid int, ok bool)
}

// check is one thing to look at. It returns nothing where there is nothing to
// be said, as of the version of a database that is not reached: that it is not
// reached is another check's finding.
type check struct {
	name string
	look func(context.Context, *site) []Finding
}

// checks are in the order in which they are reported.
var checks = []check{
	{"config", loaded},
	{"config.file", fileMode},
	{"config.number", number},
	{"config.api", apiKeys},

	{"postgres", databaseReached},
	{"postgres.version", databaseVersion},
	{"postgres.schema", schema},
	{"postgres.writable", databaseWritable},
	{"postgres.connections", connections},
	{"postgres.durability", durability},
	{"postgres.clock", databaseClock},
	{"postgres.disk", databaseDisk},

	{"asterisk", asteriskReached},
	{"asterisk.version", asteriskVersion},
	{"asterisk.modules", modules},
	{"asterisk.user", ariUser},
	{"asterisk.node", node},
	{"asterisk.application", application},
	{"asterisk.clock", asteriskClock},
	{"asterisk.sip", sipAnswers},
	{"asterisk.certificate", certificate},

	{"controller", controller},

	{"prompts", texts},
	{"speech.voices", voices},
	{"speech.clips", clips},
	{"speech.access", clipsReadable},
	{"speech.recordings", recordings},
	{"speech.disk", speechDisk},

	{"host.name", hostName},
	{"host.clock", hostClock},
	{"host.timezones", timeZones},
}

// Run looks everything over. It takes at most ten seconds, or until ctx ends.
func Run(ctx context.Context, o Options) Report {
	if o.Fault != nil {
		return Report{Findings: named("config", unloadable(o))}
	}
	s := &site{
		Options: o, listener: listener,
		postgres: sync.OnceValues(func() (postgres.Inspection, error) {
			ctx, cancel := context.WithTimeout(ctx, inspecting)
			defer cancel()
			return postgres.Inspect(ctx, o.Config.Database.URL.Reveal())
		}),
		asterisk: sync.OnceValues(func() (asterisk.Inspection, error) {
			ctx, cancel := context.WithTimeout(ctx, inspecting)
			defer cancel()
			a := o.Config.Asterisk
			return asterisk.Inspect(ctx, asterisk.Options{
				URL: a.URL, User: a.User, Password: a.Password.Reveal(), App: a.App, Request: min(a.Request, inspecting),
			})
		}),
	}
	return examine(ctx, s, checks, longest)
}

// examine runs the checks side by side. One that does not end in time is a
// finding of its own, and is left behind: it may hang in a file system or a
// name look-up that no context ends.
func examine(ctx context.Context, s *site, checks []check, bound time.Duration) Report {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	found := make([]chan []Finding, len(checks))
	for i, c := range checks {
		found[i] = make(chan []Finding, 1)
		go func() { found[i] <- c.look(ctx, s) }()
	}
	// Those that keep to ctx get a moment to say so themselves.
	late, stop := context.WithTimeout(context.WithoutCancel(ctx), bound+bound/8)
	defer stop()
	var r Report
	for i, c := range checks {
		r.Findings = append(r.Findings, named(c.name, awaited(late, found[i], bound))...)
	}
	return r
}

// awaited is what a check found, or that it found nothing in time.
func awaited(late context.Context, found <-chan []Finding, bound time.Duration) []Finding {
	select {
	case f := <-found:
		return f
	case <-late.Done():
	}
	select {
	case f := <-found: // while another one was waited for
		return f
	default:
		return failed(fmt.Sprintf("this was not known after %v", bound),
			"Look whether a disk (a network share?) or the name service hangs on this machine.")
	}
}

func named(check string, findings []Finding) []Finding {
	for i := range findings {
		findings[i].Check = check
	}
	return findings
}

// reason is an error in one line, without the address that was asked, which may
// hold a key.
func reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' })
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return strings.Join(lines, "; ")
}
