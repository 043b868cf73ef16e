package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ringback/asterisk"
	"ringback/ivr"
	"ringback/postgres"
	"ringback/prompts"
	"ringback/queue"
	"ringback/speech"
)

// leading is the task of a controller.
type leading struct {
	URL, User, Password, App string
	Database                 string
	Speech                   string // folder of rendered lines, kept between controllers
	Pico                     string
	Prompts                  string // what sounds instead: a path without -a and -b; empty: the lines themselves
	Length                   time.Duration
	Stage                    queue.Stage // what every caller is given; empty: the full dialogue
}

// used is what a controller has used so far.
type used struct {
	CPU        int64  // ns
	Live       uint64 // bytes of heap and stacks after a collection
	Resident   uint64 // bytes
	Calls      int
	Goroutines int
}

// controller is `ringback serve` without pages: the line, the dialogue, the
// stores, the log and the voices, all as in service. Only what is played can be
// another file, a tone, and every caller be given one stage.
func controller(t *testing.T, text []byte) {
	var task leading
	if err := json.Unmarshal(text, &task); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	db, err := postgres.Open(ctx, task.Database, postgres.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	calls := postgres.NewCalls(db)
	written := make(chan error, 1)
	go func() { written <- calls.Run(ctx) }()

	rules := queue.NewRules()
	timing := ivr.DefaultTiming()
	timing.FirstKey = time.Hour // they wait as long as we look at them
	hotline := &ivr.Hotline{
		Bookings: postgres.NewBookings(db), Queue: postgres.NewQueue(db, rules), Bell: &queue.Bell{}, Rules: rules, Habits: postgres.NewHabits(db),
		Log: calls, Texts: prompts.Default(), Timing: timing, Language: "de", Region: "DE",
		Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Admit: func() queue.Stage { return cmp.Or(task.Stage, queue.StageFull) },
	}
	var voice asterisk.Voice = renderer(t, task)
	if task.Prompts != "" {
		voice = tones{renderer(t, task), task.Prompts, task.Length}
	}
	line, err := asterisk.New(asterisk.Options{
		URL: task.URL, User: task.User, Password: task.Password, App: task.App, Region: "DE",
		Longest: time.Hour, Logger: log, Registerer: prometheus.NewRegistry(),
	}, voice, func(ctx context.Context, c ivr.Call) {
		hotline.Serve(context.WithValue(ctx, turnKey{}, new(int)), c)
	})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- line.Run(ctx) }()
	until(t, 10*time.Second, "the line", func() error {
		if !line.Ready() {
			return context.DeadlineExceeded
		}
		return nil
	})
	if file := profileFile("controller"); file != "" {
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			t.Fatal(err)
		}
		defer pprof.StopCPUProfile()
	}
	obey(t, used{}, func(context.Context, order) any {
		u := used{CPU: usage(t), Calls: len(line.Calls()), Goroutines: runtime.NumGoroutine()}
		debug.FreeOSMemory() // collects first
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		u.Live, u.Resident = m.HeapAlloc+m.StackInuse, resident(t)
		return u
	})
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	<-written
}

// renderer has the voices of the demo.
func renderer(t *testing.T, task leading) *speech.Renderer {
	t.Helper()
	pico, err := speech.NewPico(t.Context(), task.Pico)
	if err != nil {
		t.Fatal(err)
	}
	r, err := speech.New(speech.Options{Texts: prompts.Default(), Dir: task.Speech, Engines: []speech.Engine{pico}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tones has each line rendered or found as in service, and then plays the two
// tones in turn, each call its own turn.
type tones struct {
	voice  *speech.Renderer
	path   string
	length time.Duration
}

type turnKey struct{}

func (v tones) Clip(ctx context.Context, m prompts.Manner, lines ...prompts.Line) (speech.Clip, error) {
	if _, err := v.voice.Clip(ctx, m, lines...); err != nil {
		return speech.Clip{}, err
	}
	turn := ctx.Value(turnKey{}).(*int)
	*turn++
	name := "-a"
	if *turn%2 == 0 {
		name = "-b"
	}
	return speech.Clip{Path: v.path + name, Duration: v.length}, nil
}

// resident is the memory this process holds, in bytes (proc(5), statm).
func resident(t *testing.T) uint64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages uint64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * uint64(os.Getpagesize())
}

// newController starts a controller for an exchange and returns when it is
// ready. Rendered is the folder of lines that controllers share.
func newController(t *testing.T, e *exchange, database, rendered, set string) *child {
	t.Helper()
	var u used
	return newChild(t, "controller", leading{
		URL: e.url(), User: ariUser, Password: ariPassword, App: ariApp, Database: database,
		Speech: rendered, Pico: tools(t).Pico, Prompts: filepath.Join(e.sounds, set), Length: promptLengths[set],
	}, &u)
}
