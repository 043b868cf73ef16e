package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// part is one process of the demo: it is started again whenever it ends.
type part struct {
	name    string
	command func() *exec.Cmd // a new one for each start
	// ready returns when the part serves, or fails. It is asked once.
	ready func(context.Context) error
	// stop are the signals that end it, each after patience with the one
	// before; SIGKILL follows.
	stop     []syscall.Signal
	patience time.Duration
	pidFile  string
	logFile  string
	out      io.Writer

	quitOnce, hurryOnce sync.Once

	quit  chan struct{} // closed: end it
	hurry chan struct{} // closed: end it at once
	ended chan struct{} // closed: it has ended and is not started again
}

// Waits between starts of a part that keeps ending.
const (
	firstWait   = 200 * time.Millisecond
	longestWait = 10 * time.Second
	// steady is how long a part has to live for the waits to begin anew.
	steady = time.Minute
)

// start begins the part and returns when it is ready. One that ends before is
// not started again: start fails with the last it wrote.
func (p *part) start(ctx context.Context) error {
	p.quit, p.hurry, p.ended = make(chan struct{}), make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ready := make(chan struct{})
	if err := os.Rename(p.logFile, p.logFile+".old"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	go func() {
		defer close(p.ended)
		if err := p.run(ready); err != nil {
			cancel(err)
		}
	}()
	if err := p.ready(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.patience)
		defer cancel()
		p.end(bounded)
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	close(ready)
	return nil
}

// run keeps the process going until quit.
func (p *part) run(ready <-chan struct{}) error {
	wait := firstWait
	for {
		began := time.Now()
		why, err := p.life()
		select {
		case <-p.quit:
			return nil
		default:
		}
		select {
		case <-ready:
		default:
			if err != nil {
				return err
			}
			return fmt.Errorf("it ended (%s): %s; see %s", why, p.lastWords(), p.logFile)
		}
		if err != nil {
			why = err.Error()
		}
		if time.Since(began) > steady {
			wait = firstWait
		}
		fmt.Fprintf(p.out, "%s ended (%s), it is started again\n", p.name, why)
		select {
		case <-p.quit:
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, longestWait)
	}
}

// life runs the process once, until it ends by itself or by quit.
func (p *part) life() (why string, err error) {
	log, err := os.OpenFile(p.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	defer log.Close()
	c := p.command()
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		return "", err
	}
	if err := writeFile(p.pidFile, []byte(strconv.Itoa(c.Process.Pid)+"\n")); err != nil {
		return "", errors.Join(err, c.Process.Kill(), c.Wait())
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Wait() // how it ended is in ProcessState
	}()
	select {
	case <-done:
	case <-p.quit:
		p.stopProcess(c, done)
	}
	return c.ProcessState.String(), os.Remove(p.pidFile)
}

// stopProcess ends the process: politely, then firmly.
func (p *part) stopProcess(c *exec.Cmd, done <-chan struct{}) {
	for _, s := range p.stop {
		_ = c.Process.Signal(s) // fails only when it has ended
		select {
		case <-done:
			return
		case <-p.hurry:
		case <-time.After(p.patience):
			continue
		}
		break
	}
	// With its whole group: what it started does not outlive it.
	_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
	<-done
}

// end stops the part and returns when it has ended; when ctx ends it is killed.
// Ending it twice, or before it began, is safe.
func (p *part) end(ctx context.Context) {
	if p.quit == nil {
		return
	}
	p.quitOnce.Do(func() { close(p.quit) })
	select {
	case <-p.ended:
		return
	case <-ctx.Done():
	}
	p.hurryOnce.Do(func() { close(p.hurry) })
	<-p.ended
}

// lastWords is the last line of the part's log that says something.
func (p *part) lastWords() string {
	text, err := os.ReadFile(p.logFile)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if last == "" {
		return "it wrote nothing"
	}
	return last
}
