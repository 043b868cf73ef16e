package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"ringback/phone/terminal"
)

// callCommand is a telephone in the terminal.
func callCommand() *cobra.Command {
	o := terminal.Options{In: os.Stdin, Out: os.Stdout}
	answer := false
	c := &cobra.Command{
		Use:   "call",
		Short: "Ring the hotline from this terminal, or be rung",
		Long: `Ring the hotline from this terminal, and read what it says.

Without --to it rings the demo in the folder --dir. Groups of keys are pressed
one after another, each when the hotline waits for it; afterwards the telephone
stays on the line until the hotline hangs up. Without --keys, type keys as on a
telephone, and q to hang up; or send them to standard input.

The exit status is 0 when the call ended as booked, changed, cancelled,
informed, person or callback, and 1 otherwise.

With --answer it waits to be rung instead, at the port --port of the address
from where the demo sees this machine: as an agent, or as somebody who is rung
back. Enter answers, q refuses, and in a call the keys are those of a telephone
and q hangs up. With --keys, or where nobody is at a terminal, it answers by
itself after two seconds and presses the keys, in each call anew. It goes on
waiting until q or Ctrl-C. With --user it is that user's telephone only; with
the name of a telephone of the demo, as in demo.json, it logs in as that one.`,
		Example: `  ringback call
  ringback call --keys "1 1 24121935 1 44137 1 1 1"
  ringback call --from anonymous --keys 0 --save heard.wav
  ringback call --to sip:100@192.0.2.7
  ringback call --answer --port 9070
  ringback call --answer --port 9070 --keys 1`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
			defer stop()
			if answer {
				return terminal.Answer(ctx, o)
			}
			return terminal.Run(ctx, o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.To, "to", "", "SIP address to ring (default: the demo)")
	f.StringVar(&o.From, "from", terminal.DefaultFrom, `number to ring from, or "anonymous"`)
	f.StringVar(&o.Keys, "keys", "", `groups of keys, for example "1 1 24121935"`)
	f.StringVar(&o.Save, "save", "", "write what is heard to this WAV file")
	f.StringVar(&o.Dir, "dir", ".ringback", "folder of the demo")
	f.BoolVar(&answer, "answer", false, "wait to be rung, instead of ringing")
	f.IntVar(&o.Port, "port", 0, "SIP port to be rung at, with --answer (default: any that is free)")
	f.StringVar(&o.User, "user", "", "whose telephone it is, with --answer (default: whoever is rung)")
	for _, flag := range []string{"to", "from"} {
		c.MarkFlagsMutuallyExclusive("answer", flag)
	}
	return c
}
