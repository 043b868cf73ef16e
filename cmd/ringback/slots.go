package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ringback/booking/schedule"
	"ringback/postgres"
)

func slotsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "slots",
		Short: "Plan what can be booked: centres, postcodes and times",
		Long: `Plan what can be booked: centres, postcodes and times.

Files are CSV with a header line, as editors and Excel write it: separated by
comma, semicolon or tab, in UTF-8 or Windows-1252. Columns come in any order.
A file is taken over as a whole or not at all, and all its faults are listed by
line, twenty at most. "-" reads from standard input.`,
	}
	databaseFlags(c)
	c.AddCommand(importCommand(), generateCommand(), listCommand(), centresCommand(), postcodesCommand())
	return c
}

func importCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE.csv",
		Short: "Add slots from a file",
		Long: `Add slots from a file with the columns ` + strings.Join(schedule.SlotColumns, ",") + `:

  centre,date,from,to,every,seats
  Dortmund,2027-02-01,08:00,12:00,10,3
  Dortmund,2027-02-01,14:00,,,5

The first line gives a slot with three seats every ten minutes from eight until
before noon, the second one slot at two. Dates are ISO 8601, times are those of
the centre's clocks. When clocks go back an hour comes twice; then the offset
says which is meant: 02:30+01:00.

Imported again, a file changes nothing. A slot that is there already gets the
number of seats the file says, but never fewer than are taken.`,
		Args: cobra.ExactArgs(1),
		RunE: withFile(func(ctx context.Context, s *postgres.Schedule, r io.Reader, out io.Writer) error {
			zones, err := s.Zones(ctx)
			if err != nil {
				return err
			}
			added, err := s.AddSlots(ctx, schedule.ReadSlots(r, zones))
			if err != nil {
				return err
			}
			return tell(out, added)
		}),
	}
}

func generateCommand() *cobra.Command {
	var centre, from, to string
	var openings []string
	var every, seats int
	c := &cobra.Command{
		Use:   "generate",
		Short: "Add slots from opening times",
		Example: `  ringback slots generate --centre Dortmund --from 2027-02-01 --to 2027-02-28 \
    --open "Mon-Fri 08:00-18:00" --open "Sat 09:00-13:00" --every 10 --seats 3`,
		Args: cobra.NoArgs,
		RunE: withSchedule(func(c *cobra.Command, s *postgres.Schedule) error {
			zones, err := s.Zones(c.Context())
			if err != nil {
				return err
			}
			p := schedule.Plan{Centre: centre, Zone: zones[centre], Every: every, Seats: seats}
			if p.Zone == nil {
				return fmt.Errorf("no centre is called %q; \"ringback slots centres\" adds one", centre)
			}
			if p.From, p.To, err = days(from, to); err != nil {
				return err
			}
			for _, text := range openings {
				o, err := schedule.ParseOpening(text)
				if err != nil {
					return err
				}
				p.Openings = append(p.Openings, o)
			}
			added, err := s.AddSlots(c.Context(), p.Slots())
			if err != nil {
				return err
			}
			return tell(c.OutOrStdout(), added)
		}),
	}
	f := c.Flags()
	f.StringVar(&centre, "centre", "", "the centre's `NAME`")
	f.StringVar(&from, "from", "", "the first `DAY`, as 2027-02-01")
	f.StringVar(&to, "to", "", "the last `DAY`")
	f.StringArrayVar(&openings, "open", nil, "when it is open, as \"Mon-Fri 08:00-18:00\"; may be given more than once")
	f.IntVar(&every, "every", 10, "`MINUTES` from one slot to the next")
	f.IntVar(&seats, "seats", 1, "how many `PERSONS` a slot is for")
	for _, name := range []string{"centre", "from", "to", "open"} {
		_ = c.MarkFlagRequired(name) // fails only for a flag that is not there
	}
	return c
}

func listCommand() *cobra.Command {
	var centre, from, to string
	c := &cobra.Command{
		Use:   "list",
		Short: "Show days, seats and how many are free",
		Args:  cobra.NoArgs,
		RunE: withSchedule(func(c *cobra.Command, s *postgres.Schedule) error {
			today := time.Now()
			if from == "" {
				from = today.Format(time.DateOnly)
			}
			if to == "" {
				to = today.AddDate(0, 0, 13).Format(time.DateOnly)
			}
			first, last, err := days(from, to)
			if err != nil {
				return err
			}
			list, err := s.Days(c.Context(), centre, first, last)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "CENTRE\tDAY\tFIRST\tLAST\tSLOTS\tSEATS\tFREE\tHELD\tBOOKED")
			for _, d := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\n", d.Centre, d.Date.Format("Mon "+time.DateOnly),
					d.First, d.Last, d.Slots, d.Seats, d.Free, d.Held, d.Booked)
			}
			return w.Flush()
		}),
	}
	c.Flags().StringVar(&centre, "centre", "", "only the centre of this `NAME`")
	c.Flags().StringVar(&from, "from", "", "the first `DAY` (default today)")
	c.Flags().StringVar(&to, "to", "", "the last `DAY` (default two weeks from today)")
	return c
}

func centresCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "centres FILE.csv",
		Short: "Add centres, or bring them up to date",
		Long: `Add centres from a file, or bring those of the same name up to date:

  centre,address,time_zone,latitude,longitude
  Dortmund,"Phoenixseestraße 4, 44263 Dortmund",Europe/Berlin,51.5136,7.4653

The name is spoken in a sentence: "in Dortmund". Where a centre lies decides
which others are offered to a caller first.`,
		Args: cobra.ExactArgs(1),
		RunE: withFile(func(ctx context.Context, s *postgres.Schedule, r io.Reader, out io.Writer) error {
			n, err := s.SetCentres(ctx, schedule.ReadCentres(r))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(out, "%d centres.\n", n)
			return err
		}),
	}
}

func postcodesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "postcodes FILE.csv",
		Short: "Say which centre is responsible for which postcode",
		Long: `Say which centre is responsible for which postcode:

  postcode,place,centre
  44137,Dortmund,Dortmund

The place is what callers hear when their postcode is read back.`,
		Args: cobra.ExactArgs(1),
		RunE: withFile(func(ctx context.Context, s *postgres.Schedule, r io.Reader, out io.Writer) error {
			n, err := s.SetPostcodes(ctx, schedule.ReadPostcodes(r))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(out, "%d postcodes.\n", n)
			return err
		}),
	}
}

// withSchedule opens the database for a command.
func withSchedule(f func(*cobra.Command, *postgres.Schedule) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, _ []string) error {
		db, err := openDatabase(c)
		if err != nil {
			return err
		}
		defer db.Close()
		if err := migrated(c.Context(), db); err != nil {
			return err
		}
		return f(c, postgres.NewSchedule(db))
	}
}

// withFile opens the database and the file a command is given.
func withFile(f func(context.Context, *postgres.Schedule, io.Reader, io.Writer) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		file := c.InOrStdin()
		if args[0] != "-" {
			opened, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = opened.Close() }()
			file = opened
		}
		return withSchedule(func(c *cobra.Command, s *postgres.Schedule) error {
			if err := f(c.Context(), s, file, c.OutOrStdout()); err != nil {
				return fmt.Errorf("%s was not taken over:\n%w", args[0], err)
			}
			return nil
		})(c, args)
	}
}

func days(from, to string) (first, last time.Time, err error) {
	if first, err = time.Parse(time.DateOnly, from); err != nil {
		return first, last, fmt.Errorf("%q is no date; write it as 2027-02-01", from)
	}
	if last, err = time.Parse(time.DateOnly, to); err != nil {
		return first, last, fmt.Errorf("%q is no date; write it as 2027-02-01", to)
	}
	if last.Before(first) {
		return first, last, fmt.Errorf("%s is after %s", from, to)
	}
	return first, last, nil
}

func tell(out io.Writer, a postgres.Added) error {
	_, err := fmt.Fprintf(out, "%d new slots, %d new seats, %d seats removed, %d slots unchanged.\n",
		a.Slots, a.Seats, a.Removed, a.Unchanged)
	return err
}
