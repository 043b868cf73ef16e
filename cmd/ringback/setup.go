package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"ringback/demo"
)

// setupCommand is for the Makefile: it fetches what is missing, and runs a
// command with it.
func setupCommand() *cobra.Command {
	o := demo.Options{Out: os.Stderr}
	var loan demo.Loan
	c := &cobra.Command{
		Use:   "setup [-- COMMAND…]",
		Short: "Fetch what the demo and the tests need, and run a command with it",
		Long: `Fetch what the demo and the tests need, once, into ~/.cache/ringback, and run a
command with it: with a private Postgres in RINGBACK_TEST_DATABASE_URL, the
voices in RINGBACK_PICO and RINGBACK_ESPEAK, and a C compiler in CC.`,
		Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			ctx, hurry, stop := twoSignals(c.Context(), errors.New("stopped; nothing is left running"))
			defer stop()
			return demo.Lend(ctx, hurry, o, loan, args)
		},
	}
	c.Flags().BoolVar(&loan.Asterisk, "asterisk", false, "also start an Asterisk, in RINGBACK_TEST_ARI and RINGBACK_TEST_SIP")
	c.Flags().BoolVar(&loan.Peers, "peers", false, "also fetch the telephones SIPp and baresip, for RINGBACK_SIPP, RINGBACK_BARESIP and RINGBACK_BARESIP_MODULES")
	return c
}
