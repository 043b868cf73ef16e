package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"ringback/queue"
)

// refresh is how often the live table is drawn.
const refresh = time.Second

func queueWatchCommand(open func(*cobra.Command) (*desk, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "watch",
		Short: "Show the line, live, until Ctrl-C",
		Args:  cobra.NoArgs,
		RunE: atDesk(open, func(c *cobra.Command, d *desk, _ []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			whole, err := c.Flags().GetBool("numbers")
			if err != nil {
				return err
			}
			return d.watch(ctx, c.OutOrStdout(), whole)
		}),
	}
}

// watch draws the line every second until ctx ends. A terminal is drawn over;
// elsewhere one picture follows the other.
func (d *desk) watch(ctx context.Context, out io.Writer, whole bool) error {
	t := time.NewTicker(refresh)
	defer t.Stop()
	for {
		before, rows := "", 50
		if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
			before = "\x1b[H\x1b[J" // to the upper left, and clear what follows
			if _, height, err := term.GetSize(int(file.Fd())); err == nil {
				rows = height
			}
		}
		picture, err := d.picture(ctx, rows, whole)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			picture = fmt.Appendf(nil, "%s  the line cannot be seen at present: %v\n", d.now().In(d.zone).Format(time.TimeOnly), err)
		}
		if _, err := out.Write(append([]byte(before), picture...)); err != nil {
			return err
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// picture is the line at a glance, and as many tickets as have room.
func (d *desk) picture(ctx context.Context, rows int, whole bool) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 5*time.Second, errors.New("no answer in 5 s"))
	defer cancel()
	depths, err := d.Depth(ctx)
	if err != nil {
		return nil, err
	}
	agents, err := d.Agents(ctx)
	if err != nil {
		return nil, err
	}
	o, err := d.Outgoing(ctx)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s  %s\n\n", d.now().In(d.zone).Format(time.TimeOnly), d.outgoing(o))
	if err := d.depths(&b, depths); err != nil {
		return nil, err
	}
	if len(agents) > 0 {
		b.WriteByte('\n')
		if err := d.staff(&b, agents[:min(len(agents), rows/3)]); err != nil {
			return nil, err
		}
	}
	room := max(3, rows-bytes.Count(b.Bytes(), []byte("\n"))-3)
	found, err := d.List(ctx, queue.Filter{Limit: room + 1})
	if err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	if len(found) == 0 {
		b.WriteString("Nobody is in line.\n")
		return b.Bytes(), nil
	}
	if err := d.table(&b, found[:min(len(found), room)], whole); err != nil {
		return nil, err
	}
	if len(found) > room {
		b.WriteString("…\n")
	}
	return b.Bytes(), nil
}

// depths writes how many tickets of each topic are in each state.
func (d *desk) depths(out io.Writer, depths []queue.Depth) error {
	shown := []queue.State{queue.StateWaiting, queue.StateDue, queue.StateRinging, queue.StateTalking, queue.StatePromised, queue.StateLeft}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "TOPIC")
	for _, s := range shown {
		fmt.Fprintf(w, "\t%s", s)
	}
	fmt.Fprintln(w, "\tLONGEST WAIT")
	for _, topic := range queue.Topics {
		fmt.Fprint(w, topic)
		var first time.Time
		for _, s := range shown {
			n := 0
			for _, x := range depths {
				if x.Topic != topic || x.State != s {
					continue
				}
				n += x.Tickets
				if s.InLine() && !x.RangAt.IsZero() && (first.IsZero() || x.RangAt.Before(first)) {
					first = x.RangAt
				}
			}
			fmt.Fprintf(w, "\t%d", n)
		}
		longest := "-"
		if !first.IsZero() {
			longest = age(d.now().Sub(first))
		}
		fmt.Fprintf(w, "\t%s\n", longest)
	}
	return w.Flush()
}
