package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ringback/api"
	"ringback/queue"
)

func queueStatsCommand(open func(*cobra.Command) (*desk, error)) *cobra.Command {
	var from, to string
	var asJSON bool
	c := &cobra.Command{
		Use:   "stats",
		Short: "Show how the line did: each number with its definition",
		Long: `Show how the line did, by default since midnight: each number with its
definition. Waits, talks and attempts count in the span in which they ended.
"-" stands where there is nothing to take a share or a mean of.`,
		Example: `  ringback queue stats
  ringback queue stats --from 08:00 --to 09:00
  ringback queue stats --from 2027-02-01 --to 2027-02-02 --json`,
		Args: cobra.NoArgs,
		RunE: atDesk(open, func(c *cobra.Command, d *desk, _ []string) error {
			first, last, err := d.span(from, to)
			if err != nil {
				return err
			}
			s, err := d.Stats(c.Context(), first, last)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(api.AsStatistics(s))
			}
			return d.figures(c.OutOrStdout(), s)
		}),
	}
	f := c.Flags()
	f.StringVar(&from, "from", "", "the beginning, a `TIME` such as 08:00 or 2027-02-01 (default midnight)")
	f.StringVar(&to, "to", "", "the end, a `TIME` (default now)")
	f.BoolVar(&asJSON, "json", false, "write the figures as JSON, as the API does")
	return c
}

// span is what --from and --to say: an hour alone is one of today.
func (d *desk) span(from, to string) (first, last time.Time, err error) {
	now := d.now().In(d.zone)
	first, last = time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, d.zone), now
	if from != "" {
		if first, err = d.moment(from); err != nil {
			return first, last, err
		}
	}
	if to != "" {
		if last, err = d.moment(to); err != nil {
			return first, last, err
		}
	}
	if !first.Before(last) {
		return first, last, fmt.Errorf("from %s to %s is no span: the end must come after the beginning", d.hour(first), d.hour(last))
	}
	return first.UTC(), last.UTC(), nil
}

// figures writes the numbers as lines.
func (d *desk) figures(out io.Writer, s queue.Stats) error {
	fmt.Fprintf(out, "%s to %s\n\n", d.clock(s.From), d.clock(s.To))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range s.Figures() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Name, value(f), f.Means)
	}
	return w.Flush()
}

// value writes a figure for people: "83.3 %", "1 min 25 s".
func value(f queue.Figure) string {
	switch {
	case !f.Known:
		return "-"
	case f.Unit == queue.UnitShare:
		return strconv.FormatFloat(100*f.Value, 'f', 1, 64) + " %"
	case f.Unit == queue.UnitSeconds:
		return lasting(time.Duration(f.Value * float64(time.Second)))
	}
	return strconv.FormatFloat(f.Value, 'f', -1, 64)
}

// lasting is a measured length of time: more exact than age.
func lasting(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Hour:
		d = d.Round(time.Second)
		if d < time.Minute {
			return fmt.Sprintf("%d s", d/time.Second)
		}
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}
