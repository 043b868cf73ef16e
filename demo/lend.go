package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Loan is what a command gets beside the database, the voices and the compiler.
type Loan struct {
	Asterisk bool // a running one
	Peers    bool // the telephones SIPp and baresip
}

// Lend runs a command, for example the tests, with all programs at hand: a
// private Postgres that is gone afterwards, the voices, a C compiler, and, if
// asked for, an Asterisk whose calls go to the application "ringback", and other
// people's telephones. The command finds them in its environment:
//
//	RINGBACK_TEST_DATABASE_URL   a superuser of the Postgres
//	RINGBACK_PICO RINGBACK_ESPEAK
//	RINGBACK_TEST_ARI            url,user,password
//	RINGBACK_TEST_SIP            host:port
//	RINGBACK_SIPP RINGBACK_BARESIP RINGBACK_BARESIP_MODULES
//	CC CGO_ENABLED
//
// Without a command it only installs. The error holds an *exec.ExitError when the
// command failed.
func Lend(ctx, hurry context.Context, o Options, l Loan, command []string) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	tools, err := Install(ctx, o)
	if err != nil {
		return err
	}
	cc, err := Compiler(ctx, o)
	if err != nil {
		return err
	}
	var telephones []string
	if l.Peers {
		p, err := installPeers(ctx, o)
		if err != nil {
			return err
		}
		telephones = p.env()
	}
	if len(command) == 0 {
		return nil
	}
	dir, err := os.MkdirTemp("", "ringback-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: dir, tools: tools, out: o.Out}
	defer b.end(hurry)
	env := []string{"CC=" + cc, "CGO_ENABLED=1", "RINGBACK_PICO=" + tools.Pico, "RINGBACK_ESPEAK=" + tools.Espeak}
	env = append(env, telephones...)
	url, err := b.database(ctx)
	if err != nil {
		return err
	}
	env = append(env, "RINGBACK_TEST_DATABASE_URL="+url)
	if l.Asterisk {
		more, err := b.exchange(ctx)
		if err != nil {
			return err
		}
		env = append(env, more...)
	}

	// The command stays in this group: a Ctrl-C reaches it from the terminal.
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Env = append(os.Environ(), env...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 30 * time.Second
	if err := c.Run(); err != nil {
		return fmt.Errorf("run %s: %w", filepath.Base(command[0]), err)
	}
	return nil
}

// bench is servers for one command, in a folder that is removed.
type bench struct {
	dir   string
	tools Tools
	out   io.Writer
	parts []*part
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

func (b *bench) start(ctx context.Context, p *part) error {
	p.out = b.out
	b.parts = append(b.parts, p)
	return p.start(ctx)
}

func (b *bench) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	for i := len(b.parts) - 1; i >= 0; i-- {
		b.parts[i].end(ctx)
	}
}

func (b *bench) database(ctx context.Context) (string, error) {
	port, err := freePort("tcp")
	if err != nil {
		return "", err
	}
	c := cluster{
		tools: b.tools, dir: b.path("postgres"), port: port, password: "ringback", careless: true,
		marker: marker + b.dir, pidFile: b.path("postgres.pid"), logFile: b.path("postgres.log"),
	}
	if err := c.create(ctx); err != nil {
		return "", err
	}
	return c.url(), b.start(ctx, c.server())
}

func (b *bench) exchange(ctx context.Context) ([]string, error) {
	sip, err := freePort("udp", "tcp")
	if err != nil {
		return nil, err
	}
	ari, err := freePort("tcp")
	if err != nil {
		return nil, err
	}
	e := exchange{
		tools: b.tools, dir: b.path("asterisk"), secrets: secrets{ARI: "ringback"},
		ports:    ports{base: 20000, sip: sip, ari: ari, rtpFirst: 20000, rtpLast: 22999},
		fallback: b.path("none"), music: b.path("music"), marker: marker + b.dir,
		pidFile: b.path("asterisk.pid"), logFile: b.path("asterisk.log"),
	}
	if err := errors.Join(playMusic(e.music), e.render()); err != nil {
		return nil, err
	}
	return []string{
		"RINGBACK_TEST_ARI=http://" + local(ari) + "/ari," + ariUser + "," + e.secrets.ARI,
		"RINGBACK_TEST_SIP=" + local(sip),
	}, b.start(ctx, e.server())
}

// freePort is one that nobody has at the moment on any of the networks, "tcp"
// and "udp".
func freePort(networks ...string) (int, error) {
	const tries = 20
	for range tries {
		l, err := net.Listen("tcp", local(0))
		if err != nil {
			return 0, err
		}
		port := l.Addr().(*net.TCPAddr).Port
		if err := l.Close(); err != nil {
			return 0, err
		}
		if !slices.ContainsFunc(networks, func(n string) bool { return probe(n, port) != nil }) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no port is free for %s after %d tries", strings.Join(networks, " and "), tries)
}
