package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"ringback/api"
	"ringback/config"
	"ringback/e164"
	"ringback/postgres"
	"ringback/queue"
)

// desk is what a command about the line works with.
type desk struct {
	api.Line
	rules  queue.Rules
	region string // ISO 3166, of national numbers
	now    func() time.Time
	zone   *time.Location // in which times are shown and read
	// forget removes some of what is kept no longer.
	forget func(context.Context) (postgres.Forgotten, error)
	close  func()
}

func queueCommand(open func(*cobra.Command) (*desk, error)) *cobra.Command {
	c := &cobra.Command{
		Use:   "queue",
		Short: "See who waits in line or is rung back, and change it",
		Long: `See who waits in line or is rung back, and change it.

A ticket is a person's place in the line. It is named by its ID, by its last
digits where they are enough, or by the number spoken to callers who show none.
Telephone numbers are masked, unless --numbers is given. Times are those of this
machine's clocks. Every change is audited with who made it and why.`,
		Example: `  ringback queue list --config /etc/ringback/ringback.yaml
  ringback queue watch --dir .ringback
  ringback queue move 9d0e6a2f --at 14:30 --why "asked for the afternoon"
  ringback queue outgoing off --why "the trunk rings wrong numbers"`,
	}
	databaseFlags(c)
	f := c.PersistentFlags()
	f.String("dir", "", "instead, the folder of a demo, for example .ringback")
	f.Bool("numbers", false, "show telephone numbers whole")
	f.String("by", "", "who makes a change, a `NAME` for the audit (default this user)")
	c.MarkFlagsMutuallyExclusive("config", "dir")
	c.MarkFlagsMutuallyExclusive("database", "dir")
	c.AddCommand(
		queueListCommand(open), queueShowCommand(open), queueAgentsCommand(open), queueWatchCommand(open), queueStatsCommand(open),
		queueRemoveCommand(open), queueMoveCommand(open), queueOutgoingCommand(open), queueDoNotRingCommand(open), queueRingAgainCommand(open),
		queuePruneCommand(open),
	)
	return c
}

// atDesk opens the line for a command.
func atDesk(open func(*cobra.Command) (*desk, error), f func(*cobra.Command, *desk, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		d, err := open(c)
		if err != nil {
			return err
		}
		defer d.close()
		return f(c, d, args)
	}
}

// lineSettings are the settings --config or --dir names.
func lineSettings(c *cobra.Command) (config.Config, error) {
	file, err := c.Flags().GetString("config")
	if err != nil {
		return config.Config{}, err
	}
	dir, err := c.Flags().GetString("dir")
	if err != nil {
		return config.Config{}, err
	}
	if dir != "" {
		if _, err := demoAt(dir); err != nil {
			return config.Config{}, err
		}
		file = filepath.Join(dir, "ringback.yaml")
	}
	return config.Load(file)
}

// signature is who makes a change, and why.
func signature(c *cobra.Command) (by, why string, err error) {
	if by, err = c.Flags().GetString("by"); err != nil {
		return "", "", err
	}
	if why, err = c.Flags().GetString("why"); err != nil {
		return "", "", err
	}
	if why = strings.TrimSpace(why); why == "" {
		return "", "", fmt.Errorf("say why, for the audit: --why \"asked to be removed\"")
	}
	at := "ringback queue"
	if u, err := user.Current(); err == nil {
		at += " of " + u.Username
	}
	if host, err := os.Hostname(); err == nil {
		at += " at " + host
	}
	if by = strings.TrimSpace(by); by != "" {
		return by + " (" + at + ")", why, nil
	}
	return at, why, nil
}

func whyFlag(c *cobra.Command) {
	c.Flags().String("why", "", "the `REASON`, for the audit")
	_ = c.MarkFlagRequired("why") // fails only for a flag that is not there
}

// leastDigits of an ID name a ticket: fewer might name another one tomorrow.
const leastDigits = 6

// ticketNamed finds a ticket by its ID, by the last digits of it, or by its
// spoken number. Closed tickets are only found by their whole ID.
func ticketNamed(c *cobra.Command, d *desk, name string) (queue.Ticket, error) {
	ctx, name := c.Context(), strings.ToLower(strings.TrimSpace(name))
	if id, err := uuid.Parse(name); err == nil {
		return d.Get(ctx, id)
	}
	digits := strings.ReplaceAll(name, "-", "")
	if strings.Trim(digits, "0123456789abcdef") != "" || len(digits) < min(leastDigits, queue.ShortLength) {
		return queue.Ticket{}, fmt.Errorf("%q names no ticket: give an ID as \"ringback queue list\" shows it, or its last %d digits or more", name, leastDigits)
	}
	var found []queue.Ticket
	err := everyTicket(c, d, queue.Filter{}, func(t queue.Ticket) {
		byID := len(digits) >= leastDigits && strings.HasSuffix(strings.ReplaceAll(t.ID.String(), "-", ""), digits)
		if byID || t.Short == name {
			found = append(found, t)
		}
	})
	switch {
	case err != nil:
		return queue.Ticket{}, err
	case len(found) == 0:
		return queue.Ticket{}, fmt.Errorf("no open ticket is called %q: closed ones need the whole ID", name)
	case len(found) > 1:
		return queue.Ticket{}, fmt.Errorf("%d tickets are called %q: give the whole ID", len(found), name)
	}
	return found[0], nil
}

// page is how many tickets are asked for at once.
const page = 500

// everyTicket hands over all tickets of the filter, in the order of the line.
func everyTicket(c *cobra.Command, d *desk, f queue.Filter, each func(queue.Ticket)) error {
	for f.Limit = page; ; {
		found, err := d.List(c.Context(), f)
		if err != nil {
			return err
		}
		for _, t := range found {
			each(t)
		}
		if len(found) < f.Limit {
			return nil
		}
		f.After = found[len(found)-1].Place()
	}
}

// numberGiven reads a telephone number of the command line.
func numberGiven(raw, region string) (e164.Number, error) {
	n, err := e164.Parse(raw, region)
	if err != nil || n == e164.Withheld {
		return "", fmt.Errorf("%q is no telephone number: write it like +4923150012345 or 0231 50012345", raw)
	}
	return n, nil
}

// orDash shows that there is nothing to show.
func orDash[T ~string](s T) T { return cmp.Or(s, "-") }
