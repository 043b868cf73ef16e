package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"ringback/config"
)

func serveCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Lead the calls of this node's Asterisk",
		Long:  serveHelp(),
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			settings, err := config.Load(file)
			if err != nil {
				return err
			}
			signals := make(chan os.Signal, 2)
			signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGUSR2)
			defer signal.Stop(signals)
			p, err := newProgram(settings, newLogger(settings.Log, c.ErrOrStderr()))
			if err != nil {
				return err
			}
			return untilStopped(c.Context(), p, signals, func() { signal.Stop(signals) })
		},
	}
	c.Flags().StringVar(&file, "config", "", "the configuration, a YAML `FILE`; without it the defaults and the environment count")
	return c
}

func serveHelp() string {
	var b strings.Builder
	b.WriteString("Leads the calls that this node's Asterisk hands over, until it is stopped. The\n" +
		"first SIGINT or SIGTERM takes no new calls and lets the running ones finish, the\n" +
		"second ends them. SIGUSR2 stops it at once and leaves the running calls to the\n" +
		"controller that is started next, as a crash or a second controller does: their\n" +
		"callers hear that somebody is there, and go on where they were.\n\nSettings:\n\n")
	if err := config.Explain(&b); err != nil {
		return err.Error()
	}
	return b.String()
}

// untilStopped runs the program: the first signal drains it, the second ends
// it, and from then on signals do what the system does with them.
func untilStopped(ctx context.Context, p *program, signals <-chan os.Signal, release func()) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	go func() {
		stops := []func(){p.Drain, func() { release(); end() }}
		for len(stops) > 0 {
			select {
			case s := <-signals:
				p.log.Info("signal", "signal", s.String())
				if s == syscall.SIGUSR2 {
					p.HandOver()
					continue
				}
				stops[0]()
				stops = stops[1:]
			case <-ctx.Done():
				return
			}
		}
	}()
	return p.Run(ctx)
}
