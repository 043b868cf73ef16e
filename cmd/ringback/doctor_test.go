package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// output is what a command without a database says.
func output(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := &cobra.Command{SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(configCommand(), doctorCommand())
	root.SetArgs(args)
	root.SetOut(&out)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestConfigCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	yaml, err := output(t, "config", "explain", "--yaml")
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{good: yaml, bad: "drain: 8\ncolour: red\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args         []string
		want, failed string
	}{
		{[]string{"config", "explain"}, "RINGBACK_ASTERISK_LONGEST_CALL", ""},
		{[]string{"config", "explain", "log"}, "log.format", ""},
		{[]string{"config", "explain", "--json", "drain"}, `"default": "5m"`, ""},
		{[]string{"config", "explain", "log.levle"}, "", "did you mean log.level?"},
		{[]string{"config", "explain", "--json", "--yaml"}, "", "none of the others"},
		{[]string{"config", "check", "--config", good}, "without faults", ""},
		{[]string{"config", "check", "--config", bad}, "", "colour: there is no such key"},
		{[]string{"config", "check"}, "", "--config FILE"},
		{[]string{"doctor", "--dir", dir}, "", "no demo was started in"},
		{[]string{"doctor", "--config", bad}, `drain is "8"`, "2 findings"},
		{[]string{"doctor", "--config", filepath.Join(dir, "none.yaml")}, "does not exist", "1 finding"},
	} {
		out, err := output(t, c.args...)
		if !strings.Contains(out, c.want) || (err == nil) != (c.failed == "") || err != nil && !strings.Contains(err.Error(), c.failed) {
			t.Errorf("%s: %v, want %q; wrote %q, want %q", c.args, err, c.failed, out, c.want)
		}
	}
}

// TestDoctorOfNothing: where nothing runs at all, there is still a report, and
// the status tells.
func TestDoctorOfNothing(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ringback.yaml")
	text := "asterisk: {url: 'http://127.0.0.1:1/ari', password: hunter2}\ndatabase: {url: 'postgres://u:hunter2@127.0.0.1:1/x'}\nhttp: {listen: '127.0.0.1:0'}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := output(t, "doctor", "--config", file, "--json", "--sip", "127.0.0.1:1")
	if err == nil || strings.Contains(out, "hunter2") {
		t.Errorf("got %v, and\n%s", err, out)
	}
	var report struct {
		OK       bool
		Findings []struct{ Check, State string }
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	failed := map[string]bool{}
	for _, f := range report.Findings {
		failed[f.Check] = failed[f.Check] || f.State == "failure"
	}
	if report.OK || !failed["postgres"] || !failed["asterisk"] || !failed["asterisk.sip"] || failed["prompts"] {
		t.Errorf("got %+v", report)
	}
}
