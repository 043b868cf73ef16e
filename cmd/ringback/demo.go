package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"ringback/demo"
)

// errStopped is why a start did not come to its end.
var errStopped = errors.New("stopped before it was ready; nothing is left running")

func demoCommand() *cobra.Command {
	o := demo.Options{Out: os.Stdout}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Bring up the whole hotline on this machine, in one folder",
		Long: `Bring up the whole hotline on this machine, in one folder.

What is missing (Asterisk, Postgres, voices) is fetched once into
~/.cache/ringback; nothing is installed system-wide. All ports are derived from
one number and open on 127.0.0.1 only. Ctrl-C stops all that was started.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, hurry, stop := twoSignals(c.Context(), errStopped)
			defer stop()
			return demo.Run(ctx, hurry, o)
		},
	}
	c.Flags().StringVar(&o.Dir, "dir", ".ringback", "folder for all that the demo writes")
	c.Flags().IntVar(&o.PortBase, "port-base", 8000, "every port is derived from this one: SIP +60, web +80, RTP +1000 to +3999")
	c.Flags().BoolVar(&o.NoController, "no-controller", false, "start all but the controller, and say how to run one; for who works on it")
	c.Flags().IntVar(&o.Lines, "lines", 0, "how many calls its lines carry at once, a tenth of them kept for calls out; who rings beyond is registered and rung back; 0: as many as Asterisk carries")
	c.Flags().StringVar(&o.AgentsAt, "agents-at", "", "telephones that answer as agents, `ADDRESSES` with commas between: sip:1001@127.0.0.1:5070, or phone2")
	c.Flags().StringVar(&o.CallbackTo, "callback-to", "", "where people are rung back, an `ADDRESS` with %s for the number: sip:%s@127.0.0.1:5070; default the demo's own phone1, where it is registered")
	c.Flags().StringVar(&o.Trunks, "trunks", "", "file with more trunks for Asterisk; see docs/OPERATIONS.md")
	c.AddCommand(setupCommand())
	return c
}

// twoSignals returns a context that the first Ctrl-C or SIGTERM ends, with the
// cause, and one that the second ends.
func twoSignals(parent context.Context, cause error) (first, second context.Context, stop func()) {
	first, endFirst := context.WithCancelCause(parent)
	second, endSecond := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	over := make(chan struct{})
	go func() {
		for _, end := range []func(){func() { endFirst(cause) }, endSecond} {
			select {
			case <-signals:
				end()
			case <-over:
				return
			}
		}
	}()
	return first, second, func() {
		signal.Stop(signals)
		close(over)
		endFirst(nil)
		endSecond()
	}
}
