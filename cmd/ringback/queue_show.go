package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"ringback/e164"
	"ringback/queue"
)

func queueListCommand(open func(*cobra.Command) (*desk, error)) *cobra.Command {
	var state, topic, of string
	var limit int
	c := &cobra.Command{
		Use:   "list",
		Short: "Show the tickets in the order of the line",
		Args:  cobra.NoArgs,
		RunE: atDesk(open, func(c *cobra.Command, d *desk, _ []string) error {
			f := queue.Filter{State: queue.State(state), Topic: queue.Topic(topic), Limit: limit + 1}
			switch {
			case state != "" && !slices.Contains(queue.States, f.State):
				return fmt.Errorf("%q is no state: take one of %s", state, words(queue.States))
			case topic != "" && !slices.Contains(queue.Topics, f.Topic):
				return fmt.Errorf("%q is no topic: take one of %s", topic, words(queue.Topics))
			case limit < 1:
				return fmt.Errorf("--limit %d shows nothing", limit)
			}
			if of != "" {
				n, err := numberGiven(of, d.region)
				if err != nil {
					return err
				}
				f.Number = n
			}
			found, err := d.List(c.Context(), f)
			if err != nil {
				return err
			}
			more := len(found) > limit
			whole, err := c.Flags().GetBool("numbers")
			if err != nil {
				return err
			}
			out := c.OutOrStdout()
			if len(found) == 0 {
				fmt.Fprintln(out, "Nobody.")
				return nil
			}
			if err := d.table(out, found[:min(len(found), limit)], whole); err != nil {
				return err
			}
			if more {
				fmt.Fprintf(out, "There are more: --limit %d shows as many again.\n", 2*limit)
			}
			return nil
		}),
	}
	f := c.Flags()
	f.StringVar(&state, "state", "", "only tickets in this `STATE`: "+words(queue.States)+" (default all but closed ones)")
	f.StringVar(&topic, "topic", "", "only tickets of this `TOPIC`: "+words(queue.Topics))
	f.StringVar(&of, "number", "", "only tickets of this telephone `NUMBER`")
	f.IntVar(&limit, "limit", 50, "the most tickets to show")
	return c
}

func words[T ~string](list []T) string {
	text := make([]string, len(list))
	for i, w := range list {
		text[i] = string(w)
	}
	return strings.Join(text, ", ")
}

// table writes tickets as lines.
func (d *desk) table(out io.Writer, tickets []queue.Ticket, whole bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RANG FIRST\tNOW\tNUMBER\tTOPIC\tLANGUAGE\tFOR\tWHY\tPRIORITY\tTRIES\tTICKET")
	for _, t := range tickets {
		fmt.Fprintf(w, "%s ago\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", age(d.now().Sub(t.RangAt)), d.doing(t), number(t, whole),
			t.Topic, t.Language, t.Wish, t.Reason, t.Priority, t.Tries, t.ID)
	}
	return w.Flush()
}

func queueShowCommand(open func(*cobra.Command) (*desk, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "show TICKET",
		Short: "Show one ticket: where it stands, how often it was rung, what was done to it",
		Args:  cobra.ExactArgs(1),
		RunE: atDesk(open, func(c *cobra.Command, d *desk, args []string) error {
			t, err := ticketNamed(c, d, args[0])
			if err != nil {
				return noTicket(args[0], err)
			}
			whole, err := c.Flags().GetBool("numbers")
			if err != nil {
				return err
			}
			return d.whole(c.Context(), c.OutOrStdout(), t, whole)
		}),
	}
}

// noTicket says what to do about a ticket that is not there.
func noTicket(name string, err error) error {
	switch {
	case errors.Is(err, queue.ErrNoTicket):
		return fmt.Errorf("there is no ticket %s: \"ringback queue list\" shows those there are", name)
	case errors.Is(err, queue.ErrOver):
		return fmt.Errorf("ticket %s is closed and cannot be changed", name)
	}
	return err
}

// whole writes all that is known of a ticket but what its person keyed.
func (d *desk) whole(ctx context.Context, out io.Writer, t queue.Ticket, numbers bool) error {
	tried, err := d.Attempts(ctx, t.ID)
	if err != nil {
		return err
	}
	changes, err := d.Audit(ctx, t.ID)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(w, name+"\t"+format+"\n", args...) }
	line("ticket", "%s", t.ID)
	line("number", "%s", number(t, numbers))
	line("now", "%s", d.doing(t))
	line("rang first", "%s, %s ago", d.clock(t.RangAt), age(d.now().Sub(t.RangAt)))
	line("for", "%s, %s in %s, because: %s", t.Wish, t.Topic, orDash(t.Language), t.Reason)
	if t.Keyless {
		line("telephone", "without keys: connected when somebody speaks")
	}
	if t.Open() {
		if err := d.standing(ctx, t, line); err != nil {
			return err
		}
		line("priority", "%d", t.Priority)
		line("promised", "%s", d.window(t.Window))
		line("due", "%s", d.clock(t.DueAt))
	} else {
		line("closed", "%s", d.clock(t.ClosedAt))
	}
	if t.CallID == uuid.Nil {
		line("call", "-")
	} else {
		line("call", "%s on %s, scene %s", t.CallID, orDash(t.Node), orDash(t.Scene))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nRung: %s\n", many(len(tried), "time"))
	if len(tried) > 0 {
		fmt.Fprintln(w, "AT\tCAME TO\tAFTER\tAGENT\tNODE\tCALL")
		for _, r := range tried {
			fate, after := r.Fate, age(r.Ended.Sub(r.Began))
			if r.Ended.IsZero() {
				fate, after = "under way", age(d.now().Sub(r.Began))
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", d.clock(r.Began), fate, after, orDash(r.Agent), r.Node, r.ID)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nChanged: %s\n", many(len(changes), "time"))
	if len(changes) > 0 {
		fmt.Fprintln(w, "AT\tWHAT\tWHY\tBY")
		for _, c := range changes {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", d.clock(c.At), deed(c), c.Why, c.By)
		}
	}
	return w.Flush()
}

// standing says where a ticket stands that nobody talks with yet.
func (d *desk) standing(ctx context.Context, t queue.Ticket, line func(name, format string, args ...any)) error {
	if t.State == queue.StateTalking {
		return nil
	}
	s, err := d.Standing(ctx, t.ID)
	switch {
	case queue.Refused(err): // closed meanwhile
		return nil
	case err != nil:
		return err
	}
	line("ahead", "%s; expected wait %s; agents at work for such tickets: %d", many(s.Ahead, "ticket"), wait(s), s.Agents)
	return nil
}

func deed(c queue.Change) string {
	if c.What == "" {
		return string(c.Deed)
	}
	return string(c.Deed) + ": " + c.What
}

func queueAgentsCommand(open func(*cobra.Command) (*desk, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "agents",
		Short: "Show agents, and what each does",
		Args:  cobra.NoArgs,
		RunE: atDesk(open, func(c *cobra.Command, d *desk, _ []string) error {
			agents, err := d.Agents(c.Context())
			if err != nil {
				return err
			}
			if len(agents) == 0 {
				fmt.Fprintln(c.OutOrStdout(), "No agents: name them in the configuration, agents.")
				return nil
			}
			return d.staff(c.OutOrStdout(), agents)
		}),
	}
}

// staff writes agents as lines.
func (d *desk) staff(out io.Writer, agents []queue.Agent) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AGENT\tDOES\tFOR\tFREE IN\tLANGUAGES\tTOPICS\tTELEPHONE\tTICKET")
	for _, a := range agents {
		free, ticket := "-", "-"
		if !a.Until.IsZero() {
			free = age(a.Until.Sub(d.now()))
		}
		if a.Ticket != uuid.Nil {
			ticket = a.Ticket.String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.Name, a.State, age(d.now().Sub(a.Since)), free,
			words(a.Languages), words(a.Topics), a.Address, ticket)
	}
	return w.Flush()
}

// masked shows a number of the command line in an answer.
func masked(n e164.Number, whole bool) string {
	if whole {
		return string(n)
	}
	return n.Masked()
}
