package demo

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// pace is how often a person sees that something moves, and how often a state
// outside this program is looked at.
const pace = 100 * time.Millisecond

// every calls f at pace until ctx ends.
func every(ctx context.Context, f func()) {
	t := time.NewTicker(pace)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			f()
		}
	}
}

// progress shows how far something is: a bar in a terminal, a line at each
// tenth elsewhere.
type progress struct {
	out      io.Writer
	terminal bool
}

func newProgress(out io.Writer) progress {
	f, ok := out.(interface{ Fd() uintptr })
	return progress{out: out, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

// bar starts one and returns what moves it.
func (p progress) bar(label string, total int64, unit string) func(int64) {
	if p.terminal {
		b := progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription("  "+label),
			progressbar.OptionShowBytes(unit == "MB"), progressbar.OptionFullWidth(),
			progressbar.OptionOnCompletion(func() { fmt.Fprintln(p.out) }))
		return func(n int64) { _ = b.Set64(min(n, total)) } // a terminal that is gone hides nothing else
	}
	scale := int64(1)
	if unit == "MB" {
		scale = 1 << 20
	}
	shown := int64(0)
	return func(n int64) {
		if tenth := min(n, total) * 10 / max(total, 1); tenth > shown {
			shown = tenth
			fmt.Fprintf(p.out, "  %s: %d of %d %s\n", label, min(n, total)/scale, total/scale, unit)
		}
	}
}
