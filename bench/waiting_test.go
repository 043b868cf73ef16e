package bench

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"ringback/asterisk/aritest"
	"ringback/postgres/pgtest"
)

// TestWaiting measures what calls that wait for a key cost in the controller,
// and how fast it decides while so many wait. Asterisk is the fake one, in a
// process of its own.
func TestWaiting(t *testing.T) {
	r := measuring(t)
	database, rendered := pgtest.URL(t), folder(t)
	var curves []curve
	for n, calls := range []int{scaled(1000), scaled(10000)} {
		var p pretence
		fake := newChild(t, "fake", nil, &p)
		var u used
		c := newChild(t, "controller", leading{
			URL: p.URL, User: aritest.User, Password: aritest.Password, App: aritest.App,
			Database: database, Speech: rendered, Pico: tools(t).Pico, Prompts: "/tones/long", Length: promptLengths[longPrompts],
		}, &u)
		// What comes once, whatever the number of calls, is not a call's.
		fake.ask("dial", 20, &p)
		var none, all, later used
		c.ask("use", 0, &none)
		began := time.Now()
		fake.ask("dial", calls, &p)
		r.say("%d calls wait, after %s", p.Calls, time.Since(began).Round(100*time.Millisecond))
		pause(t.Context(), 3*time.Second)
		c.ask("use", 0, &all)
		c.ask("use", 0, &all) // without the first one's own collection
		window := 10 * time.Second
		pause(t.Context(), window)
		c.ask("use", 0, &later)
		if later.Calls != calls+20 {
			t.Fatalf("%d calls run, want %d", later.Calls, calls+20)
		}
		kb := float64(all.Live-none.Live) / 1024 / float64(calls)
		r.add(fmt.Sprintf("%d calls wait", calls),
			figure{"heap and stacks a call", kb, "KB"},
			figure{"resident a call", (float64(all.Resident) - float64(none.Resident)) / 1024 / float64(calls), "KB"},
			figure{"goroutines a call", float64(all.Goroutines-none.Goroutines) / float64(calls), ""},
			figure{"CPU a call and second", float64(later.CPU-all.CPU) / 1000 / window.Seconds() / float64(calls), "µs"})
		r.atMost(fmt.Sprintf("memory a waiting call, %d calls", calls), kb, 50, "KB")
		var points plotter.XYs
		for _, rate := range []int{50, 200, 400} {
			rate = min(rate, calls) // no call is asked twice in a second
			var before, after used
			c.ask("use", 0, &before)
			fake.ask("press", rate, &p)
			c.ask("use", 0, &after)
			figures := spread(p.Took, "ms")
			r.add(fmt.Sprintf("decision, %d calls, %d keys a second", calls, rate), append(figures,
				figure{"without", float64(p.Unanswered), "keys"},
				figure{"CPU a key", float64(after.CPU-before.CPU) / 1000 / float64(len(p.Took)), "µs"})...)
			r.atMost(fmt.Sprintf("decision p99, %d calls, %d keys a second", calls, rate), figures[2].Value, 10, "ms")
			points = append(points, plotter.XY{X: float64(rate), Y: figures[2].Value})
		}
		curves = append(curves, curve{name: fmt.Sprintf("p99, %d calls wait", calls), colour: sideColours[n], points: points})
		if os.Getenv(envProfile) != "" {
			c.end() // the profile is written at the end
		}
		c.stop(syscall.SIGKILL) // nobody waits for so many calls to be ended
		fake.stop(syscall.SIGKILL)
	}
	r.write()
	r.draw(".png", "Key's event to the controller's next request", "keys a second", "ms", func(p *plot.Plot) {
		p.X.Min, p.Y.Min = 0, 0
		p.Legend.Top, p.Legend.Left, p.Legend.XOffs, p.Legend.YOffs = true, true, vg.Points(10), vg.Points(-10)
		p.Y.Max = max(p.Y.Max*1.4, 12)
	}, curves...)
}
