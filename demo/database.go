package demo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cluster is where a Postgres keeps its data, and how it is reached.
type cluster struct {
	tools    Tools
	dir      string // the data; made when missing
	port     int
	password string
	pidFile  string
	logFile  string
	marker   string // stands in the environment of its processes
	// careless gives up surviving a power cut: for tests only.
	careless bool
}

func (c cluster) url() string {
	u := url.URL{
		Scheme: "postgres", Host: local(c.port), Path: "/ringback",
		User: url.UserPassword("ringback", c.password), RawQuery: "sslmode=disable",
	}
	return u.String()
}

// command runs a program of Postgres, which gets the signal end when this
// program is killed.
func (c cluster) command(ctx context.Context, end syscall.Signal, program string, args ...string) *exec.Cmd {
	argv := append([]string{program}, args...)
	if os.Geteuid() == 0 {
		argv = append(notAsRoot(end), argv...)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = filepath.Dir(c.dir)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", c.marker)
	endTogether(cmd)
	endWith(cmd, end)
	return cmd
}

// create makes the data the first time. Until it is complete it has another
// name, so that one interrupted in the middle begins anew.
func (c cluster) create(ctx context.Context) error {
	made, err := os.ReadFile(filepath.Join(c.dir, "PG_VERSION"))
	if err == nil {
		return c.fits(ctx, strings.TrimSpace(string(made)))
	}
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	unfinished := c.dir + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := c.fill(ctx, unfinished); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return errors.Join(fmt.Errorf("make the database in %s: %w", c.dir, err), os.RemoveAll(unfinished))
	}
	return os.Rename(unfinished, c.dir)
}

// fits refuses data of another Postgres, before the server does in more words.
func (c cluster) fits(ctx context.Context, made string) error {
	have := strconv.Itoa(major(ctx, c.tools.Postgres, "--version"))
	if have == made {
		return nil
	}
	return fmt.Errorf("the database in %s was made by Postgres %s and this machine's is %s: remove %s to begin anew",
		c.dir, made, have, c.dir)
}

func (c cluster) fill(ctx context.Context, dir string) error {
	password := dir + ".password"
	if err := os.WriteFile(password, []byte(c.password+"\n"), 0o600); err != nil {
		return err
	}
	defer os.Remove(password)
	initdb := c.command(ctx, syscall.SIGKILL, c.tools.Initdb, "--pgdata="+dir, "--username=ringback", "--pwfile="+password,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLine(string(out)))
	}
	single := c.command(ctx, syscall.SIGKILL, c.tools.Postgres, "--single", "-D", dir, "postgres")
	single.Stdin = strings.NewReader("CREATE DATABASE ringback\n")
	if out, err := single.CombinedOutput(); err != nil {
		return fmt.Errorf("create the database: %w: %s", err, lastLine(string(out)))
	}
	return nil
}

// server is the running Postgres. Fast shutdown, also when this program was
// killed: no recovery at the next start.
func (c cluster) server() *part {
	args := []string{
		"-D", c.dir,
		"-c", "port=" + strconv.Itoa(c.port),
		"-c", "listen_addresses=127.0.0.1",
		// A socket's path may have 107 characters; the folder's may have more.
		"-c", "unix_socket_directories=",
		"-c", "shared_buffers=64MB",
		"-c", "max_connections=200",
		"-c", "jit=off",
		"-c", "timezone=UTC",
		"-c", "log_timezone=UTC",
		"-c", "log_line_prefix=%m [%p] ",
	}
	if c.careless {
		for _, setting := range []string{
			"fsync=off", "synchronous_commit=off", "full_page_writes=off",
			"wal_level=minimal", "max_wal_senders=0", "shared_buffers=256MB",
		} {
			args = append(args, "-c", setting)
		}
	}
	return &part{
		name: "postgres",
		command: func() *exec.Cmd {
			return c.command(context.Background(), syscall.SIGINT, c.tools.Postgres, args...)
		},
		ready:    func(ctx context.Context) error { return until(ctx, c.serves) },
		stop:     []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT},
		patience: 10 * time.Second,
		pidFile:  c.pidFile,
		logFile:  c.logFile,
	}
}

// serves reads what the server writes about itself, as pg_ctl does: the eighth
// line of postmaster.pid.
func (c cluster) serves(context.Context) error {
	text, err := os.ReadFile(filepath.Join(c.dir, "postmaster.pid"))
	if err != nil {
		return err
	}
	pid, err := os.ReadFile(c.pidFile)
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 8 || lines[0] != strings.TrimSpace(string(pid)) || strings.TrimSpace(lines[7]) != "ready" {
		return errors.New("not ready yet")
	}
	return nil
}

// until asks again and again, until the answer is no error or ctx ends.
func until(ctx context.Context, ask func(context.Context) error) error {
	t := time.NewTicker(pace)
	defer t.Stop()
	for {
		if err := ask(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.C:
		}
	}
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndex(text, "\n")+1:]
}
