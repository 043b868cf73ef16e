package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ringback/api"
	"ringback/e164"
	"ringback/queue"
)

func queueRemoveCommand(open func(*cobra.Command) (*desk, error)) *cobra.Command {
	c := &cobra.Command{
		Use:   "remove TICKET",
		Short: "Take a ticket out of the line: its person is not rung any more",
		Long: `Take a ticket out of the line: its person is not rung any more, and an attempt
that rings is stopped. Who holds the line is not cut off, and comes back into it
in the place of that call.`,
		Args: cobra.ExactArgs(1),
		RunE: atDesk(open, func(c *cobra.Command, d *desk, args []string) error {
			by, why, err := signature(c)
			if err != nil {
				return err
			}
			t, err := ticketNamed(c, d, args[0])
			if err == nil {
				err = d.Remove(c.Context(), t.ID, by, why)
			}
			if err != nil {
				return noTicket(args[0], err)
			}
			fmt.Fprintf(c.OutOrStdout(), "Ticket %s is removed.\n", t.ID)
			return nil
		}),
	}
	whyFlag(c)
	return c
}

func queueMoveCommand(open func(*cobra.Command) (*desk, error)) *cobra.Command {
	var priority int
	var when string
	c := &cobra.Command{
		Use:   "move TICKET",
		Short: "Give a ticket another priority, or another hour",
		Long: `Give a ticket another priority, another hour to be rung, or both. Of a greater
priority it goes before all of a lesser one; 0 is usual. The hour is the one of
queue.window that the time lies in, and takes room of it, as if it were promised
by telephone. Who holds the line keeps it: the hour is for when they hang up.`,
		Example: `  ringback queue move 9d0e6a2f --priority 10 --why "a doctor asks for him"
  ringback queue move 9d0e6a2f --at "2027-02-01 14:30" --why "is at work till two"
  ringback queue move 9d0e6a2f --at now --why "rang to say she is home"`,
		Args: cobra.ExactArgs(1),
		RunE: atDesk(open, func(c *cobra.Command, d *desk, args []string) error {
			by, why, err := signature(c)
			if err != nil {
				return err
			}
			var m queue.Move
			if c.Flags().Changed("priority") {
				if priority < -1000 || priority > 1000 {
					return fmt.Errorf("--priority %d: take one from -1000 to 1000", priority)
				}
				m.Priority = &priority
			}
			if when != "" {
				if m.Window, err = d.windowAt(when); err != nil {
					return err
				}
			}
			t, err := ticketNamed(c, d, args[0])
			if err == nil {
				err = d.Move(c.Context(), t.ID, m, by, why)
			}
			if errors.Is(err, queue.ErrWindowFull) {
				return d.full(c.Context(), *m.Window)
			}
			if err == nil {
				t, err = d.Get(c.Context(), t.ID)
			}
			if err != nil {
				return noTicket(args[0], err)
			}
			fmt.Fprintf(c.OutOrStdout(), "Ticket %s has priority %d now: %s.\n", t.ID, t.Priority, d.doing(t))
			return nil
		}),
	}
	f := c.Flags()
	f.IntVar(&priority, "priority", 0, "the new priority; greater goes first")
	f.StringVar(&when, "at", "", "when to ring, a `TIME` such as 14:30 or \"2027-02-01 14:30\", or now")
	c.MarkFlagsOneRequired("priority", "at")
	whyFlag(c)
	return c
}

// windowAt is the promised hour that a time of the command line lies in.
func (d *desk) windowAt(text string) (*queue.Window, error) {
	if strings.EqualFold(strings.TrimSpace(text), "now") {
		return &queue.Window{}, nil
	}
	at, err := d.moment(text)
	if err != nil {
		return nil, err
	}
	if at.After(d.now().Add(d.rules.Horizon)) {
		return nil, fmt.Errorf("%s is too far away: hours are promised %s ahead at most (queue.horizon)", d.hour(at), age(d.rules.Horizon))
	}
	for w := range d.rules.AllWindows(at.Add(-d.rules.Window)) {
		switch {
		case w.From.After(at):
			return nil, fmt.Errorf("nobody is rung at %s; the next hour after it is %s", d.hour(at), d.window(w))
		case !w.To.After(at): // before it
		case !w.To.After(d.now()):
			return nil, fmt.Errorf("%s is in the past: take a time to come, or now", d.hour(at))
		default:
			return &queue.Window{From: w.From.UTC(), To: w.To.UTC()}, nil
		}
	}
	return nil, fmt.Errorf("nobody is rung at %s", d.hour(at))
}

// full says that an hour has no room, and which have.
func (d *desk) full(ctx context.Context, w queue.Window) error {
	text := fmt.Sprintf("as many as can be are promised %s already", d.window(w))
	free, err := d.Windows(ctx, 3)
	if err != nil || len(free) == 0 {
		return fmt.Errorf("%s: take another hour, or --at now", text)
	}
	shown := make([]string, len(free))
	for i, w := range free {
		shown[i] = d.window(w)
	}
	return fmt.Errorf("%s: there is room %s", text, strings.Join(shown, ", "))
}

func queueOutgoingCommand(open func(*cobra.Command) (*desk, error)) *cobra.Command {
	c := &cobra.Command{
		Use:   "outgoing [on|off]",
		Short: "Allow all calls out, or none; or show which",
		Long: `Allow all calls out, or none, of every node, from now on. Calls that ring or talk
already go on. Tickets keep their places meanwhile. Without on or off: show how
the switch stands.`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"on", "off"},
		RunE: atDesk(open, func(c *cobra.Command, d *desk, args []string) error {
			if len(args) == 1 {
				by, why, err := signature(c)
				if err != nil {
					return err
				}
				if err := d.SetOutgoing(c.Context(), args[0] == "on", by, why); err != nil {
					return err
				}
			}
			o, err := d.Outgoing(c.Context())
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), d.outgoing(o))
			return nil
		}),
	}
	c.Flags().String("why", "", "the `REASON`, for the audit")
	return c
}

// outgoing says how the switch of all calls out stands.
func (d *desk) outgoing(o queue.Outgoing) string {
	text := "Calls out are OFF: nobody is rung"
	if o.On {
		text = "Calls out are on"
	}
	if o.Since.IsZero() {
		return text + "."
	}
	return fmt.Sprintf("%s, since %s, by %s: %s", text, d.clock(o.Since), o.By, o.Why)
}

func queueDoNotRingCommand(open func(*cobra.Command) (*desk, error)) *cobra.Command {
	c := numberCommand(open, "do-not-ring", "Keep a number from ever being rung; what was promised to it is closed",
		"is not rung any more", api.Line.DoNotRing)
	c.AddCommand(queueUnwantedCommand(open))
	return c
}

func queueUnwantedCommand(open func(*cobra.Command) (*desk, error)) *cobra.Command {
	var of string
	c := &cobra.Command{
		Use:   "list",
		Short: "Show the numbers that are not to be rung, the newest first",
		Args:  cobra.NoArgs,
		RunE: atDesk(open, func(c *cobra.Command, d *desk, _ []string) error {
			f := queue.UnwantedFilter{Limit: page}
			if of != "" {
				n, err := numberGiven(of, d.region)
				if err != nil {
					return err
				}
				f.Number = n
			}
			whole, err := c.Flags().GetBool("numbers")
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for shown := 0; ; {
				found, err := d.Unwanted(c.Context(), f)
				if err != nil {
					return err
				}
				if shown == 0 && len(found) == 0 {
					fmt.Fprintln(w, "None.")
				} else if shown == 0 {
					fmt.Fprintln(w, "NUMBER\tSINCE\tBY\tWHY")
				}
				for _, u := range found {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", masked(u.Number, whole), d.clock(u.Since), u.By, u.Why)
				}
				if shown += len(found); len(found) < f.Limit {
					return w.Flush()
				}
				f.After = found[len(found)-1]
			}
		}),
	}
	c.Flags().StringVar(&of, "number", "", "only this telephone `NUMBER`")
	return c
}

func queueRingAgainCommand(open func(*cobra.Command) (*desk, error)) *cobra.Command {
	return numberCommand(open, "ring-again", "Take back do-not-ring: the number may be rung when it asks for it",
		"may be rung again", api.Line.RingAgain)
}

// numberCommand does something about a number rather than a ticket.
func numberCommand(
	open func(*cobra.Command) (*desk, error), name, short, done string,
	do func(l api.Line, ctx context.Context, n e164.Number, by, why string) error,
) *cobra.Command {
	c := &cobra.Command{
		Use:   name + " NUMBER",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: atDesk(open, func(c *cobra.Command, d *desk, args []string) error {
			by, why, err := signature(c)
			if err != nil {
				return err
			}
			n, err := numberGiven(args[0], d.region)
			if err != nil {
				return err
			}
			if err := do(d.Line, c.Context(), n, by, why); err != nil {
				return err
			}
			whole, err := c.Flags().GetBool("numbers")
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s %s.\n", masked(n, whole), done)
			return nil
		}),
	}
	whyFlag(c)
	return c
}

func queuePruneCommand(open func(*cobra.Command) (*desk, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "prune",
		Short: "Remove what is kept no longer, now",
		Long: `Remove what is kept no longer by retention.calls and retention.history: calls,
closed tickets, attempts to ring and old changes. Controllers do the same every
minute; this is for when a shorter time was set, or none runs. It is done in small
parts and may be done while calls run.`,
		Args: cobra.NoArgs,
		RunE: atDesk(open, func(c *cobra.Command, d *desk, _ []string) error {
			gone, err := forgetAll(c.Context(), d.forget)
			fmt.Fprintf(c.OutOrStdout(), "Removed %s, %s, %s and %s.\n", many(gone.Tickets, "ticket"), many(gone.Calls, "call"),
				many(gone.Registrations, "registration"), many(gone.History, "change"))
			return err
		}),
	}
}
