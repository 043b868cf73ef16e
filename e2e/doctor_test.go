package e2e

import (
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// finding is one of `ringback doctor --json`.
type finding struct {
	Check, State, Seen, Do string
}

// doctor looks the shared demo over, with settings of the environment.
func doctor(t *testing.T, env ...string) (ok bool, findings []finding, text string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), binary, "doctor", "--dir", system.dir, "--json")
	c.Env = append(os.Environ(), env...)
	out, err := c.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var report struct {
		OK       bool
		Findings []finding
	}
	if jsonErr := json.Unmarshal(out, &report); jsonErr != nil {
		t.Fatalf("%v: %v\n%s", err, jsonErr, out)
	}
	if report.OK != (err == nil) {
		t.Errorf("the report says ok: %v, and the status %v", report.OK, err)
	}
	return report.OK, report.Findings, string(out)
}

// TestDoctorOnTheDemo: all that a running demo consists of is found in order,
// and quickly; what is wrong is found where it is.
func TestDoctorOnTheDemo(t *testing.T) {
	t.Parallel()
	began := time.Now()
	ok, findings, text := doctor(t)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if !ok {
		t.Errorf("not in order:\n%s", text)
	}
	// What depends on the machine this runs on, or on how old its kernel's clock is.
	machine := []string{"host.name", "host.clock", "speech.disk", "postgres.disk"}
	checked := map[string]bool{}
	for _, f := range findings {
		checked[f.Check] = true
		if f.State != "ok" && !slices.Contains(machine, f.Check) {
			t.Errorf("%+v", f)
		}
	}
	for _, c := range []string{"postgres.schema", "asterisk.modules", "asterisk.application", "asterisk.sip", "controller", "speech.voices", "speech.clips", "speech.access"} {
		if !checked[c] {
			t.Errorf("%s is not looked at", c)
		}
	}
	database, err := url.Parse(system.info.Database)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := database.User.Password()
	elsewhere := *database
	elsewhere.Path = "/nowhere"
	for _, broken := range []struct{ variable, check, seen string }{
		{"RINGBACK_ASTERISK_PASSWORD=hunter2hunter2", "asterisk", "does not take the user"},
		{"RINGBACK_ASTERISK_APP=another", "asterisk.application", "no controller is connected"},
		{"RINGBACK_DATABASE_URL=" + elsewhere.String(), "postgres", "no database of the name"},
		{"RINGBACK_NODE=another", "asterisk.node", "two names"},
		{"RINGBACK_HTTP_LISTEN=" + strings.TrimPrefix(system.info.SIP, "sip:"), "controller", "http.listen"},
		{"RINGBACK_SPEECH_DIR=" + system.dir + "/none", "speech.clips", "no line is spoken beforehand"},
		{"RINGBACK_DRAIN=8", "config", "drain"},
	} {
		_, findings, text := doctor(t, broken.variable)
		if !slices.ContainsFunc(findings, func(f finding) bool {
			return f.Check == broken.check && f.State != "ok" && strings.Contains(f.Seen, broken.seen) && f.Do != ""
		}) {
			name, _, _ := strings.Cut(broken.variable, "=")
			t.Errorf("%s: nothing of %s says %q:\n%s", name, broken.check, broken.seen, text)
		}
		if strings.Contains(text, "hunter2") || strings.Contains(text, password) || strings.Contains(text, system.info.APIKey) {
			t.Errorf("a secret is shown:\n%s", text)
		}
	}
}
