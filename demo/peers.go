package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// peers are other people's telephones, for tests only: SIPp, which acts out
// scripts of SIP messages, and baresip, a telephone with a voice, codecs and
// keys of its own. The machine's own are not used: their versions differ, and
// a test is to fail for our reasons only.
type peers struct {
	SIPp    string
	Baresip string
	Modules string // baresip's, which its configuration must name
}

var peersSet = set{
	name: "peers", suite: suiteSid,
	why:      "the telephones SIPp and baresip, with which the tests ring",
	packages: []string{"sip-tester", "baresip-core"},
	build: onOwnLibraries(func(t tree) error {
		return errors.Join(t.wrap("sipp", "usr/bin/sipp", ""), t.wrap("baresip", "usr/bin/baresip", ""))
	}),
	try: func(ctx context.Context, bin, scratch string) error {
		p := foundPeers(filepath.Dir(bin))
		return errors.Join(p.trySIPp(ctx), p.tryBaresip(ctx, scratch))
	},
}

func foundPeers(dir string) peers {
	return peers{
		SIPp: filepath.Join(dir, "bin", "sipp"), Baresip: filepath.Join(dir, "bin", "baresip"),
		Modules: filepath.Join(dir, "root", "usr", "lib", "baresip", "modules"),
	}
}

// installPeers finds them, or fetches them as Install does.
func installPeers(ctx context.Context, o Options) (peers, error) {
	if !peersSet.there(o.Cache) {
		if err := fetch(ctx, o, []set{peersSet}); err != nil {
			return peers{}, err
		}
	}
	return foundPeers(peersSet.dir(o.Cache)), nil
}

// env is how a command finds them.
func (p peers) env() []string {
	return []string{"RINGBACK_SIPP=" + p.SIPp, "RINGBACK_BARESIP=" + p.Baresip, "RINGBACK_BARESIP_MODULES=" + p.Modules}
}

// trySIPp asks for its version, after which it exits with 99 ("exit without
// calls processed", its manual page).
func (p peers) trySIPp(ctx context.Context) error {
	err := runs(ctx, p.SIPp, "-v")
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 99 {
		return nil
	}
	if err == nil {
		err = errors.New("sipp: its version is no version")
	}
	return err
}

// tryBaresip turns it on for a second. A module that does not load is no
// error to it, so the last of its codecs must be told.
func (p peers) tryBaresip(ctx context.Context, scratch string) error {
	dir := filepath.Join(scratch, "baresip")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	config := "sip_listen 127.0.0.1:0\nmodule_path " + p.Modules + "\nmodule g711.so\nmodule srtp.so\nmodule opus.so\n"
	for name, text := range map[string]string{"config": config, "accounts": "", "contacts": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	c := exec.CommandContext(ctx, p.Baresip, "-f", dir, "-t", "1")
	endTogether(c)
	out, err := c.CombinedOutput()
	if err == nil && !strings.Contains(string(out), "opus/48000") {
		err = errors.New("its codecs do not load")
	}
	if err != nil {
		return fmt.Errorf("baresip: %w: %s", err, out)
	}
	return nil
}
