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

// firstPort is where the shared hotline listens. RINGBACK_E2E_PORT_BASE moves
// it, and those of single tests by as much.
const firstPort = 26000

// The port bases of the hotlines of these tests are all within.
const leastPort, beyondPorts = 11000, 61000

// ports is the port base of a hotline of these tests. What would be moved beyond
// the last port comes in again below.
func ports(base int) (int, error) {
	moved := os.Getenv("RINGBACK_E2E_PORT_BASE")
	if moved == "" {
		return base, nil
	}
	n, err := strconv.Atoi(moved)
	if err != nil {
		return 0, fmt.Errorf("RINGBACK_E2E_PORT_BASE: %w", err)
	}
	moving := (n - firstPort) % (beyondPorts - leastPort)
	return leastPort + (base-leastPort+moving+beyondPorts-leastPort)%(beyondPorts-leastPort), nil
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
	base, err := ports(firstPort)
	if err != nil {
		return 0, err
	}
	if outside, err = newNetwork(); err != nil {
		return 0, err
	}
	defer outside.phone.Close()
	if system, err = start(filepath.Join(dir, "demo"), base, nil, "--callback-to", outside.callbackTo()); err != nil {
		return 0, err
	}
	defer system.stop()
	if telephone, err = phone.New(phone.Options{}); err != nil {
		return 0, err
	}
	defer telephone.Close()
	return m.Run(), nil
}
