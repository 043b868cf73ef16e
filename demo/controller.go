package demo

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"
)

// The demo's own number: the German number for vaccination appointments.
const hotline = "116117"

// drain is how long the controller lets calls go on after the first signal.
const drain = 10 * time.Second

// controller is the demo's `ringback serve`.
type controller struct {
	binary     string
	dir        string
	configFile string
	journal    string
	ports      ports
	lines      capacity
	outside    outside
	marker     string
	pidFile    string
	logFile    string
}

// writeConfig writes the controller's settings; the rest is its default.
func (c controller) writeConfig(node, database, sounds, recordings string, s secrets, t Tools) error {
	settings := map[string]any{
		"node":     node,
		"region":   "DE",
		"number":   hotline,
		"drain":    drain.String(),
		"database": map[string]any{"url": database},
		"asterisk": map[string]any{
			"url":  "http://" + local(c.ports.ari) + "/ari",
			"user": ariUser, "password": s.ARI, "app": ariApp,
			"longest_call": longestCall.String(),
		},
		"speech":   map[string]any{"dir": sounds, "recordings": recordings, "pico": t.Pico, "espeak": t.Espeak},
		"lines":    map[string]any{"total": int(c.lines), "keep_out": c.lines.keepOut()},
		"intake":   map[string]any{"listen": local(c.ports.intake)},
		"journal":  map[string]any{"dir": c.journal},
		"http":     map[string]any{"listen": local(c.ports.web)},
		"api":      map[string]any{"keys": []string{s.APIKey}},
		"watchdog": map[string]any{"pid_file": c.pidFile},
		"log":      map[string]any{"level": "info", "format": "text"},
	}
	maps.Copy(settings, c.outside.settings())
	text, err := yaml.Marshal(settings)
	if err != nil {
		return err
	}
	return writeFile(c.configFile, append([]byte("# Written at every start of the demo.\n"), text...))
}

// command is a program of Ringback with the controller's settings.
func (c controller) command(name string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), c.binary, name, "--config", c.configFile)
	cmd.Dir = c.dir
	cmd.Env = append(withoutSettings(os.Environ()), c.marker)
	endTogether(cmd)
	return cmd
}

// server is the controller's process. It may drain a little longer than its
// own limit before it is told again.
func (c controller) server() *part {
	return &part{
		name:     "controller",
		command:  func() *exec.Cmd { return c.command("serve") },
		ready:    func(ctx context.Context) error { return until(ctx, c.answers) },
		stop:     []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM},
		patience: drain + 2*time.Second,
		pidFile:  c.pidFile,
		logFile:  c.logFile,
	}
}

// watchdog is the process that watches over the controller. Calls can be taken
// without it.
func (c controller) watchdog(pidFile, logFile string) *part {
	return &part{
		name:     "watchdog",
		command:  func() *exec.Cmd { return c.command("watch") },
		ready:    func(context.Context) error { return nil },
		stop:     []syscall.Signal{syscall.SIGTERM},
		patience: 2 * time.Second,
		pidFile:  pidFile,
		logFile:  logFile,
	}
}

// answers asks whether the controller is ready: it is when it holds its
// connection to Asterisk and its database.
func (c controller) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+local(c.ports.web)+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", res.Status)
	}
	return nil
}

// withoutSettings takes away what would override the demo's own configuration
// in the environment: where things are is decided here.
func withoutSettings(environ []string) []string {
	var kept []string
	for _, e := range environ {
		decided := false
		for _, key := range []string{"NODE", "DATABASE_", "ASTERISK_", "SPEECH_DIR", "HTTP_", "API_", "LINES_", "INTAKE_", "JOURNAL_", "WATCHDOG_PID_FILE"} {
			decided = decided || strings.HasPrefix(e, "RINGBACK_"+key)
		}
		if !decided {
			kept = append(kept, e)
		}
	}
	return kept
}
