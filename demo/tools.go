package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// Tools are the programs of others that Ringback runs on, as absolute paths.
type Tools struct {
	Asterisk string
	Modules  string // Asterisk's modules
	Data     string // Asterisk's documentation and sounds

	Pico   string // pico2wave; the file after -w must be an absolute path
	Espeak string // espeak-ng

	Initdb   string
	Postgres string
}

// The oldest versions that will do.
const (
	leastAsterisk = 20
	leastPostgres = 15
)

// Options say where a demo lives and what it may use. The zero value is the
// demo in .ringback on ports from 8000.
type Options struct {
	Dir      string    // all it writes but the tools; default ".ringback"
	PortBase int       // every port is derived from it; default 8000
	Cache    string    // the tools; default ringback in XDG_CACHE_HOME or ~/.cache
	Binary   string    // the ringback program; default the one that runs
	Out      io.Writer // what a person should read; default none
	// NoController leaves out the controller, for who wants to run one by hand.
	NoController bool
	// Lines is how many calls the trunk carries at once, calls out included; who
	// rings beyond is registered and rung back. 0: as many as Asterisk carries.
	Lines int
	// AgentsAt are telephones that answer as agents, with commas between: SIP
	// addresses, or telephones of the demo. Default none.
	AgentsAt string
	// CallbackTo is where people are rung back: a SIP address with %s for the
	// number, or a telephone of the demo; default the demo's first telephone,
	// where one is registered.
	CallbackTo string
	Trunks     string // file with more trunks for Asterisk: a JSON list of asteriskconf.Trunk; default none
}

func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" {
		o.Dir = ".ringback"
	}
	if o.PortBase == 0 {
		o.PortBase = 8000
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	var err error
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return o, fmt.Errorf("find the folder %s: %w", o.Dir, err)
	}
	if o.Cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return o, fmt.Errorf("there is no folder for what is downloaded: set HOME or XDG_CACHE_HOME (%w)", err)
		}
		o.Cache = filepath.Join(base, "ringback")
	}
	if o.Binary == "" {
		if o.Binary, err = os.Executable(); err != nil {
			return o, fmt.Errorf("find this program: %w", err)
		}
	}
	return o, nil
}

// ownAsterisk finds the machine's Asterisk, if it is new enough and has ARI.
func ownAsterisk(ctx context.Context) (Tools, bool) {
	program := look("asterisk", "/usr/sbin/asterisk", "/usr/local/sbin/asterisk")
	if program == "" || major(ctx, program, "-V") < leastAsterisk {
		return Tools{}, false
	}
	modules := first("/usr/lib/*/asterisk/modules/res_ari.so", "/usr/lib*/asterisk/modules/res_ari.so")
	data := first("/usr/share/asterisk/documentation/core-en_US.xml", "/var/lib/asterisk/documentation/core-en_US.xml")
	if modules == "" || data == "" {
		return Tools{}, false
	}
	return Tools{Asterisk: program, Modules: filepath.Dir(modules), Data: filepath.Dir(filepath.Dir(data))}, true
}

// ownVoices finds the machine's pico2wave and espeak-ng.
func ownVoices() (Tools, bool) {
	t := Tools{Pico: look("pico2wave"), Espeak: look("espeak-ng")}
	return t, t.Pico != "" && t.Espeak != ""
}

// ownPostgres finds the newest Postgres server of the machine. Debian keeps
// several side by side, outside PATH.
func ownPostgres(ctx context.Context) (Tools, bool) {
	var best Tools
	newest := leastPostgres - 1
	candidates, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is well-formed
	if p := look("initdb"); p != "" {
		candidates = append(candidates, p)
	}
	for _, initdb := range candidates {
		server := filepath.Join(filepath.Dir(initdb), "postgres")
		if v := major(ctx, server, "--version"); v > newest {
			newest, best = v, Tools{Initdb: initdb, Postgres: server}
		}
	}
	return best, best.Postgres != ""
}

// look finds a program on PATH or at one of the places.
func look(name string, places ...string) string {
	for _, p := range append([]string{name}, places...) {
		if found, err := exec.LookPath(p); err == nil {
			if abs, err := filepath.Abs(found); err == nil {
				return abs
			}
		}
	}
	return ""
}

// first returns the first file that matches one of the patterns, the last by
// name if several match one.
func first(patterns ...string) string {
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		if err == nil && len(found) > 0 {
			slices.Sort(found)
			return found[len(found)-1]
		}
	}
	return ""
}

var number = regexp.MustCompile(`[0-9]+`)

// major is the first number a program prints about its version; 0 when it does
// not run.
func major(ctx context.Context, program, flag string) int {
	out, err := exec.CommandContext(ctx, program, flag).Output()
	if err != nil {
		return 0
	}
	v, err := strconv.Atoi(string(number.Find(out)))
	if err != nil {
		return 0
	}
	return v
}
