// Package e2e tests the whole system: the demo with its real Asterisk, real
// Postgres and real SIP calls, as a user starts it.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"ringback/phone"
)

var (
	binary    string       // of ringback
	system    *hotline     // that all tests share which do no harm to it
	telephone *phone.Phone // that all callers use
	outside   *network     // where the shared hotline rings people back
)

// The hotlines of these tests listen at firstPort and above: beside a demo at its
// usual place, and below the ports that Linux lends to whoever connects (from
// 32768 on), one of which is taken now and then.
const firstPort, portsEach, hotlines = 12000, 4000, 6

// freeBases are the port bases that no hotline has.
var freeBases = make(chan int, hotlines)

// spreadPorts fills freeBases. RINGBACK_E2E_PORT_BASE moves them, for tests that
// run beside others.
func spreadPorts() error {
	first := firstPort
	if moved := os.Getenv("RINGBACK_E2E_PORT_BASE"); moved != "" {
		var err error
		if first, err = strconv.Atoi(moved); err != nil {
			return fmt.Errorf("RINGBACK_E2E_PORT_BASE: %w", err)
		}
	}
	for i := range hotlines {
		freeBases <- first + i*portsEach
	}
	return nil
}

func TestMain(m *testing.M) {
	// The demo downloads what is missing, which nobody expects of go test.
	if os.Getenv("RINGBACK_E2E") == "" && os.Getenv("CI") == "" {
		fmt.Println("e2e: skipped; run make e2e")
		return
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "ringback-e2e-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return 0, err
	}
	binary = os.Getenv("RINGBACK_BIN")
	if binary == "" {
		binary = filepath.Join(dir, "ringback")
		build := exec.Command("go", "build", "-o", binary, "ringback/cmd/ringback")
		build.Stdout, build.Stderr = os.Stdout, os.Stderr
		if err := build.Run(); err != nil {
			return 0, fmt.Errorf("build: %w", err)
		}
	}
	if err := spreadPorts(); err != nil {
		return 0, err
	}
	if outside, err = newNetwork(); err != nil {
		return 0, err
	}
	defer outside.phone.Close()
	if system, err = start(filepath.Join(dir, "demo"), <-freeBases, nil, "--callback-to", outside.callbackTo()); err != nil {
		return 0, err
	}
	defer system.stop()
	if telephone, err = phone.New(phone.Options{}); err != nil {
		return 0, err
	}
	defer telephone.Close()
	return m.Run(), nil
}
