package demo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// archive is a private view of a Debian archive: the machine's own apt with
// its state, sources and settings in a folder of ours. Nothing of the
// machine's own apt is written, no package is installed, and it works for any
// user.
type archive struct {
	dir   string
	suite string
}

// Suites that packages are taken from.
const (
	suiteSid  = "sid" // the only one with Asterisk
	suiteHost = ""    // what the machine itself is made of
)

// errNoApt says that this machine is no Debian.
var errNoApt = errors.New("apt-get and dpkg-deb are not here, so nothing can be fetched: " +
	"use Debian 12 or newer, or install Asterisk 20, Postgres 15, pico2wave and espeak-ng by hand")

// deb is a package as apt would fetch it.
type deb struct {
	file string
	size int64
}

// openArchive makes a private view in dir and fetches the list of packages.
func openArchive(ctx context.Context, dir, suite string) (*archive, error) {
	for _, tool := range []string{"apt-get", "apt-config", "dpkg", "dpkg-deb", "tar"} {
		if look(tool) == "" {
			return nil, errNoApt
		}
	}
	for _, d := range []string{
		"etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "var/log",
		"var/lib/apt/lists/partial", "var/cache/apt/archives/partial",
	} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, err
		}
	}
	a := &archive{dir: dir, suite: suite}
	// No package is there yet: dependencies are resolved down to the C library.
	if err := os.WriteFile(a.path("status"), nil, 0o600); err != nil {
		return nil, err
	}
	conf, err := a.conf(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(a.path("apt.conf"), conf, 0o600); err != nil {
		return nil, err
	}
	if suite != suiteHost {
		m, err := findMirror(ctx)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(a.path("etc/apt/sources.list"), []byte(m.line(suite)), 0o600); err != nil {
			return nil, err
		}
	}
	if out, err := a.apt(ctx, "update", "-o", "APT::Update::Error-Mode=any").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("fetch the list of packages: %w", aptError(ctx, out, err))
	}
	return a, nil
}

func (a *archive) path(rel string) string { return filepath.Join(a.dir, rel) }

// conf is the private apt.conf. Dir leads all of apt's own paths here; from
// the machine's settings only what is needed to reach its mirror is taken, in
// particular none of the hooks that clean the machine's cache.
func (a *archive) conf(ctx context.Context) ([]byte, error) {
	dump, err := exec.CommandContext(ctx, "apt-config", "dump").Output()
	if err != nil {
		return nil, fmt.Errorf("read apt's settings: %w", err)
	}
	arch, err := exec.CommandContext(ctx, "dpkg", "--print-architecture").Output()
	if err != nil {
		return nil, fmt.Errorf("ask for this machine's architecture: %w", err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "Dir %q;\n", a.dir)
	fmt.Fprintf(&b, "Dir::State::status %q;\n", a.path("status"))
	fmt.Fprintf(&b, "Dir::Log %q;\n", a.path("var/log"))
	b.WriteString(`Dir::Bin::methods "/usr/lib/apt/methods";
Dir::Etc::netrc "/etc/apt/auth.conf";
Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
Dir::Etc::trusted "/etc/apt/trusted.gpg";
Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Get::Assume-Yes "true";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
`)
	if a.suite == suiteHost {
		b.WriteString("Dir::Etc::sourcelist \"/etc/apt/sources.list\";\nDir::Etc::sourceparts \"/etc/apt/sources.list.d\";\n")
	}
	// apt would fetch as the user _apt, who cannot enter a private folder.
	fmt.Fprintf(&b, "APT::Sandbox::User %q;\n", userName())
	fmt.Fprintf(&b, "APT::Architecture %q;\nAPT::Architectures { %q; };\n",
		bytes.TrimSpace(arch), bytes.TrimSpace(arch))
	lines := bufio.NewScanner(bytes.NewReader(dump))
	for lines.Scan() {
		for _, reach := range []string{"Acquire::http", "Acquire::https", "Acquire::ForceIPv", "Acquire::Check-"} {
			if strings.HasPrefix(lines.Text(), reach) {
				b.WriteString(lines.Text() + "\n")
			}
		}
	}
	// Last, so that it holds: a mirror that lags behind will do.
	b.WriteString("Acquire::Check-Valid-Until \"false\";\n")
	return b.Bytes(), nil
}

func (a *archive) apt(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "apt-get", append([]string{"-q"}, args...)...)
	c.Env = append(os.Environ(), "APT_CONFIG="+a.path("apt.conf"), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	endTogether(c)
	return c
}

// plan says what fetching these packages and all they need takes.
func (a *archive) plan(ctx context.Context, packages []string) ([]deb, error) {
	var failed bytes.Buffer
	c := a.apt(ctx, append([]string{"-q", "--print-uris", "install"}, packages...)...)
	c.Stderr = &failed
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("find %s in Debian: %w", strings.Join(packages, ", "), aptError(ctx, failed.Bytes(), err))
	}
	var debs []deb
	for line := range strings.Lines(string(out)) {
		// 'http://…/x.deb' x.deb 12345 SHA256:…
		f := strings.Fields(line)
		if len(f) < 3 || !strings.HasPrefix(f[0], "'") {
			continue
		}
		size, err := strconv.ParseInt(f[2], 10, 64)
		if err != nil {
			continue
		}
		debs = append(debs, deb{file: f[1], size: size})
	}
	if len(debs) == 0 {
		return nil, fmt.Errorf("find %s in Debian: apt named no package", strings.Join(packages, ", "))
	}
	return debs, nil
}

// download fetches the packages, checked against the signed list, and returns
// their files. Done is called with the number of bytes there so far.
func (a *archive) download(ctx context.Context, packages []string, debs []deb, done func(int64)) ([]string, error) {
	dir := a.path("var/cache/apt/archives")
	watched, stop := context.WithCancel(ctx)
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		every(watched, func() { done(folderSize(dir)) })
	}()
	out, err := a.apt(ctx, append([]string{"--download-only", "install"}, packages...)...).CombinedOutput()
	stop()
	<-idle
	if err != nil {
		return nil, fmt.Errorf("download %d packages: %w", len(debs), aptError(ctx, out, err))
	}
	var files []string
	for _, d := range debs {
		f := filepath.Join(dir, d.file)
		s, err := os.Stat(f)
		if err != nil || s.Size() != d.size {
			return nil, fmt.Errorf("the download of %s is incomplete: try again", d.file)
		}
		files = append(files, f)
	}
	return files, nil
}

// aptError puts apt's own reason, in one line, before the mend.
func aptError(ctx context.Context, out []byte, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var reasons []string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if r, ok := strings.CutPrefix(line, "E: "); ok {
			reasons = append(reasons, r)
		}
	}
	if len(reasons) == 0 {
		return fmt.Errorf("apt-get: %w", err)
	}
	return fmt.Errorf("%s: see that this machine reaches its Debian mirror and has room on its disk, and try again", reasons[0])
}

// mirror is where this machine takes Debian from.
type mirror struct {
	uri      string
	signedBy string // a key ring's file; empty: apt's own trust
}

func (m mirror) line(suite string) string {
	option := ""
	if m.signedBy != "" {
		option = "[signed-by=" + m.signedBy + "] "
	}
	// non-free only here, for the voices of pico2wave.
	return fmt.Sprintf("deb %s%s %s main non-free\n", option, m.uri, suite)
}

const debianKeys = "/usr/share/keyrings/debian-archive-keyring.gpg"

// findMirror takes the mirror from the machine's own apt.
func findMirror(ctx context.Context) (mirror, error) {
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format",
		"$(REPO_URI)\t$(ORIGIN)\t$(RELEASE)\t$(COMPONENT)\t$(SIGNED_BY)", "Created-By: Packages").Output()
	if err != nil {
		return mirror{}, fmt.Errorf("ask apt for this machine's Debian mirror: %w", err)
	}
	m, ok := chooseMirror(string(out))
	if !ok {
		return mirror{}, errors.New("apt knows no Debian mirror: add one to /etc/apt/sources.list and try again")
	}
	if m.signedBy == "" {
		if _, err := os.Stat(debianKeys); err == nil {
			m.signedBy = debianKeys
		}
	}
	return m, nil
}

// chooseMirror picks Debian itself: not its updates, and nobody else's.
// Before the first `apt-get update` apt does not know an origin.
func chooseMirror(targets string) (mirror, bool) {
	for line := range strings.Lines(targets) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(f) != 5 || f[3] != "main" || strings.Contains(f[2], "-") {
			continue
		}
		u, err := url.Parse(f[0])
		if err != nil {
			continue
		}
		named := strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/debian")
		if f[1] != "Debian" && (known(f[1]) || !named) {
			continue
		}
		m := mirror{uri: f[0]}
		// A key may stand in the source itself, or by its number.
		if k := known(f[4]); k && filepath.IsAbs(f[4]) && !strings.Contains(f[4], " ") {
			m.signedBy = f[4]
		}
		return m, true
	}
	return mirror{}, false
}

// known says whether apt filled in a field of its format.
func known(field string) bool { return field != "" && !strings.HasPrefix(field, "$(") }

// folderSize sums the files below dir, also while they come and go.
func folderSize(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // a file that was just renamed is counted next time
		}
		if i, err := e.Info(); err == nil && i.Mode().IsRegular() {
			n += i.Size()
		}
		return nil
	})
	return n
}
