package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"ringback/postgres/pgtest"
)

// TestStart measures how long the demo takes to be ready, when it was there
// before, and how long a controller takes until it answers callers.
func TestStart(t *testing.T) {
	r := measuring(t)
	program := binary(t)
	demoStarts(t, r, program)
	controllerStarts(t, r, program)
	r.write()
}

func demoStarts(t *testing.T, r *report, program string) {
	dir := filepath.Join(folder(t), "demo")
	var again []float64
	for n := range 4 {
		cmd := exec.Command(program, "demo", "--dir", dir, "--port-base", fmt.Sprint(ports(t)))
		out, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout, cmd.Stderr = write, write
		began := time.Now()
		s := start(t, cmd)
		write.Close()
		late := time.AfterFunc(3*time.Minute, func() { s.stop(syscall.SIGTERM) })
		lines := bufio.NewScanner(out)
		ready := false
		var said []string
		for !ready && lines.Scan() {
			ready = strings.HasPrefix(lines.Text(), "ready")
			said = append(said, lines.Text())
		}
		took := time.Since(began).Seconds()
		late.Stop()
		go func() { // what it says while it stops
			for lines.Scan() {
			}
			out.Close()
		}()
		if !ready {
			t.Fatalf("the demo did not start: %s", strings.Join(said, "\n"))
		}
		s.stop(syscall.SIGTERM)
		if n == 0 {
			r.add("demo, first start in its folder", figure{"ready after", took, "s"})
			continue
		}
		again = append(again, took)
	}
	r.add("demo, second start", figure{"median of 3", median(again), "s"})
}

func controllerStarts(t *testing.T, r *report, program string) {
	e, dir, web := newExchange(t, 1), folder(t), freePort(t, "tcp")
	text, err := yaml.Marshal(map[string]any{
		"node": "bench", "database": map[string]any{"url": pgtest.URL(t)},
		"asterisk": map[string]any{"url": e.url(), "user": ariUser, "password": ariPassword, "app": ariApp},
		"speech":   map[string]any{"dir": filepath.Join(dir, "speech"), "recordings": "", "pico": tools(t).Pico, "espeak": tools(t).Espeak},
		"http":     map[string]any{"listen": web}, "drain": "1s",
	})
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "ringback.yaml")
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	var again []float64
	for n := range 6 {
		cmd := exec.Command(program, "serve", "--config", config)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		began := time.Now()
		s := start(t, cmd)
		until(t, 2*time.Minute, "the controller", func() error {
			select {
			case <-s.over:
				t.Fatalf("the controller ended: %s", said.String())
			default:
			}
			answer, err := http.Get("http://" + web + "/readyz")
			if err != nil {
				return err
			}
			defer answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				return fmt.Errorf("%s", answer.Status)
			}
			return nil
		})
		took := time.Since(began)
		s.stop(syscall.SIGTERM)
		if n == 0 {
			r.add("controller, no line rendered yet", figure{"ready after", took.Seconds(), "s"})
			continue
		}
		again = append(again, float64(took)/float64(time.Millisecond))
	}
	r.add("controller, lines rendered before", figure{"median of 5", median(again), "ms"})
}
