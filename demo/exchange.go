package demo

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	asteriskconf "ringback/asterisk-conf"
)

// The settings that the controller and Asterisk must agree on.
const (
	ariUser     = "ringback"
	ariApp      = "ringback"
	longestCall = 30 * time.Minute
	noAudio     = time.Minute
)

// tonesAddress is the loopback address of the trunk whose keys are tones.
const tonesAddress = "127.0.0.3"

// longestSocket is how long the path of a Unix socket may be (unix(7), less
// its closing zero byte).
const longestSocket = 107

// exchange is the demo's Asterisk, in a folder of its own.
type exchange struct {
	tools    Tools
	dir      string
	ports    ports
	secrets  secrets
	fallback string
	music    string
	trunks   string // file with more trunks; empty: none
	lines    capacity
	marker   string
	pidFile  string
	logFile  string
}

func (e exchange) conf() string { return filepath.Join(e.dir, "conf", "asterisk.conf") }

// run is the folder of the control socket: relative to Asterisk's own when the
// whole path would be too long for a socket.
func (e exchange) run() string {
	run := filepath.Join(e.dir, "run")
	if len(filepath.Join(run, "asterisk.ctl")) > longestSocket {
		return "run"
	}
	return run
}

func (e exchange) render() error {
	p := asteriskconf.Params{
		Node:     e.node(),
		EntityID: fmt.Sprintf("02:00:00:00:%02x:%02x", e.ports.base>>8, e.ports.base&0xff),
		Modules:  e.tools.Modules, Data: e.tools.Data,
		State: filepath.Join(e.dir, "state"), Spool: filepath.Join(e.dir, "spool"),
		Run: e.run(), Log: filepath.Join(e.dir, "log"),
		SIP: localAddr(e.ports.sip),
		ARI: asteriskconf.ARI{AddrPort: localAddr(e.ports.ari), User: ariUser, Password: e.secrets.ARI},
		App: ariApp,
		RTP: asteriskconf.Ports{First: e.ports.rtpFirst, Last: e.ports.rtpLast},
		// Whoever rings from this machine is the public network; from its other
		// address, a network that sends keys as tones.
		Trunks: []asteriskconf.Trunk{
			{Name: trunkName, Addresses: []string{"127.0.0.1"}, Trust: asteriskconf.TrustFrom},
			{Name: "tones", Addresses: []string{tonesAddress}, Trust: asteriskconf.TrustFrom, DTMF: asteriskconf.DTMFInband},
		},
		Lines: e.lines.in(), Intake: localAddr(e.ports.intake),
		NoAudio: noAudio, LongestCall: longestCall,
		Fallback: e.fallback, Music: e.music,
	}
	for _, ph := range e.secrets.Phones {
		p.Phones = append(p.Phones, asteriskconf.Phone{User: ph.User, Password: ph.Password})
	}
	more, err := e.moreTrunks()
	if err != nil {
		return err
	}
	p.Trunks = append(p.Trunks, more...)
	if err := e.beSecure(&p); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(e.dir, "run"), 0o700); err != nil {
		return err
	}
	return asteriskconf.Render(filepath.Join(e.dir, "conf"), p)
}

func (e exchange) node() string { return fmt.Sprintf("demo-%d", e.ports.base) }

func (e exchange) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, e.tools.Asterisk, append([]string{"-C", e.conf()}, args...)...)
	c.Dir = e.dir
	c.Env = append(os.Environ(), e.marker)
	endTogether(c)
	return c
}

func (e exchange) server() *part {
	return &part{
		name: "asterisk",
		// -f: in the foreground. Without colours and a console.
		command: func() *exec.Cmd { return e.command(context.Background(), "-f") },
		ready: func(ctx context.Context) error {
			return until(ctx, func(ctx context.Context) error {
				return e.command(ctx, "-rx", "core waitfullybooted").Run()
			})
		},
		stop:     []syscall.Signal{syscall.SIGTERM},
		patience: 5 * time.Second,
		pidFile:  e.pidFile,
		logFile:  e.logFile,
	}
}
