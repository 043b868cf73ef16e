package asteriskconf

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// Params is what differs between machines.
type Params struct {
	Node     string // the name of this Asterisk, unique in a fleet
	EntityID string // unique too, in the form of a MAC address

	Modules string // folder of Asterisk's modules
	Data    string // folder of Asterisk's own sounds and documentation
	State   string // folder of its database and keys
	Spool   string // folder that gets recording/
	Run     string // folder of its control socket: at most 94 bytes long; made if it is absolute
	Log     string // folder of its logs

	SIP netip.AddrPort // UDP and TCP
	TLS TLS            // the zero value: no TLS
	// Behind address translation: Public is the address the outside knows this
	// machine by, and Inside are the networks that reach it without.
	Public netip.Addr
	Inside []netip.Prefix
	// Permit are the networks from which SIP is taken at all; empty: any.
	Permit []netip.Prefix
	ARI    ARI
	App    string // the Stasis application of the controller
	RTP    Ports
	Trunks []Trunk
	Phones []Phone
	// Lines is how many calls in the trunks carry at once; who comes beyond is
	// registered from the INVITE alone. Calls out, made by ARI, are not counted
	// here: their lines must be left out of it. 0: no cap.
	Lines   int
	Intake  netip.AddrPort // where the controller registers callers, on the loopback
	NoAudio time.Duration  // a line that brings no audio for so long is ended
	// LongestCall is the controller's own limit; the dialplan ends a call five
	// minutes after it.
	LongestCall time.Duration
	Fallback    string // announcement without a controller: a path without extension
	Music       string // folder of the music on hold
}

// ARI is where the controller finds Asterisk.
type ARI struct {
	netip.AddrPort
	User, Password string
}

// Ports is a range, both ends included.
type Ports struct{ First, Last int }

// MostCalls is how many calls in there may be at once, answered or not.
func (p Params) MostCalls() int { return (p.RTP.Last - p.RTP.First + 1) / 2 * 3 / 4 }

// MostFiles is how many descriptors those calls need, at most.
func (p Params) MostFiles() int { return 1024 + 8*p.MostCalls() }

// Spare is how many callers without a number may be answered beyond the cap,
// having waited for long.
func (p Params) Spare() int { return (p.Lines + 9) / 10 }

// files are the templates' names without ".tmpl": the files Render writes.
func files() ([]string, error) {
	names, err := fs.Glob(templates, "*.conf.tmpl")
	if err != nil {
		return nil, err
	}
	for i, n := range names {
		names[i] = strings.TrimSuffix(n, ".tmpl")
	}
	return names, nil
}

// Render writes the configuration into dir. It makes dir and the folders that
// Asterisk writes to where they are missing. Every file is readable by its owner only, since some hold passwords, and is
// replaced in one step, so that a reload never reads half of one.
func Render(dir string, p Params) error {
	if err := p.check(); err != nil {
		return fmt.Errorf("render Asterisk's configuration: %w", err)
	}
	folders := []string{
		dir, p.Log, filepath.Join(p.Spool, "recording"),
		filepath.Join(p.State, "keys"), filepath.Join(p.State, "cache"),
	}
	// A relative one is meant from where Asterisk will be started.
	if filepath.IsAbs(p.Run) {
		folders = append(folders, p.Run)
	}
	for _, d := range folders {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	names, err := files()
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := render(name, dir, p)
		if err != nil {
			return err
		}
		if err := replace(filepath.Join(dir, name), text); err != nil {
			return err
		}
	}
	return nil
}

func render(name, dir string, p Params) ([]byte, error) {
	t, err := template.New(name+".tmpl").Option("missingkey=error").Funcs(template.FuncMap{
		"join":     strings.Join,
		"seconds":  seconds,
		"backstop": func(d time.Duration) string { return seconds(d + 5*time.Minute) },
		"load":     p.load,
	}).ParseFS(templates, name+".tmpl")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, page{p, dir}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// page is what a template sees.
type page struct {
	Params
	Etc string
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// load writes a line for each module that this Asterisk has: versions 20 to 23
// and distributions differ, and a missing one is an error in the log.
func (p Params) load(modules ...string) string {
	var lines []string
	for _, m := range modules {
		if _, err := os.Stat(filepath.Join(p.Modules, m+".so")); err == nil {
			lines = append(lines, "load = "+m+".so")
		}
	}
	return strings.Join(lines, "\n")
}

// check finds what would break a file of the configuration or open a door.
func (p Params) check() error {
	var errs []error
	line := func(what, value string) { errs = append(errs, checkLine(what, value)) }
	line("node", p.Node)
	line("entity id", p.EntityID)
	line("ARI user", p.ARI.User)
	line("ARI password", p.ARI.Password)
	line("application", p.App)
	for _, f := range []struct{ what, path string }{
		{"modules", p.Modules}, {"data", p.Data}, {"state", p.State}, {"spool", p.Spool},
		{"log", p.Log}, {"fallback", p.Fallback}, {"music", p.Music},
	} {
		line(f.what, f.path)
		if !filepath.IsAbs(f.path) {
			errs = append(errs, fmt.Errorf("%s %q: must be an absolute path", f.what, f.path))
		}
	}
	line("run", p.Run)
	// Playback takes several files joined by &, and options after a comma.
	if strings.ContainsAny(p.Fallback, "&,()$") {
		errs = append(errs, fmt.Errorf("fallback %q: must not contain & , ( ) $", p.Fallback))
	}
	if p.RTP.First < 1024 || p.RTP.Last > 65535 || p.RTP.Last-p.RTP.First < 3 {
		errs = append(errs, fmt.Errorf("RTP ports %d to %d: must be a range within 1024 to 65535", p.RTP.First, p.RTP.Last))
	}
	if p.NoAudio < time.Second || p.LongestCall < time.Minute {
		errs = append(errs, fmt.Errorf("no audio %v, longest call %v: must be at least a second, and a minute", p.NoAudio, p.LongestCall))
	}
	if len(p.Inside) > 0 && !p.Public.IsValid() {
		errs = append(errs, errors.New("networks inside are named, but not the public address"))
	}
	if p.Lines < 0 {
		errs = append(errs, fmt.Errorf("lines %d: must be 0 or more", p.Lines))
	}
	if p.Lines > 0 && !p.Intake.Addr().IsLoopback() {
		errs = append(errs, fmt.Errorf("intake %v: must be on the loopback, where only this machine can register callers", p.Intake))
	}
	errs = append(errs, p.TLS.check(), p.checkTrunks(), p.checkPhones())
	return errors.Join(errs...)
}

// checkLine refuses what would begin a line, a comment or a section.
func checkLine(what, value string) error {
	if value == "" || strings.ContainsAny(value, "\n\r;[]") {
		return fmt.Errorf("%s %q: must be one line without ; [ ]", what, value)
	}
	return nil
}

// replace writes a file beside the old one and renames it over it.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
