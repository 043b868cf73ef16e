package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// report is the result of one measurement: a JSON file beside its plots.
type report struct {
	t     *testing.T
	began time.Time

	Name       string  `json:"name"`
	Taken      string  `json:"taken"` // day
	Machine    string  `json:"machine"`
	LoadBefore string  `json:"load_before"` // of 1, 5 and 15 minutes
	LoadAfter  string  `json:"load_after"`
	Took       float64 `json:"took_s"`
	Scale      float64 `json:"scale"` // below 1: a quick try
	Rows       []row   `json:"rows"`
	Aims       []aim   `json:"aims,omitempty"`
}

// row is one line of the result: a subject and its figures.
type row struct {
	Of      string   `json:"of"`
	Figures []figure `json:"figures"`
}

type figure struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// aim is what was aimed at, and whether it was reached.
type aim struct {
	What string  `json:"what"`
	Got  float64 `json:"got"`
	Want float64 `json:"want"`
	Unit string  `json:"unit"`
	Met  bool    `json:"met"`
}

func (r *report) add(of string, figures ...figure) {
	for i := range figures { // a quick try may divide by nothing
		if math.IsNaN(figures[i].Value) || math.IsInf(figures[i].Value, 0) {
			figures[i].Value = -1
		}
	}
	r.Rows = append(r.Rows, row{of, figures})
	var texts []string
	for _, f := range figures {
		texts = append(texts, fmt.Sprintf("%s %s %s", f.What, short(f.Value), f.Unit))
	}
	r.say("%s: %s", of, strings.Join(texts, ", "))
}

func (r *report) atMost(what string, got, want float64, unit string) {
	r.Aims = append(r.Aims, aim{what, got, want, unit, got <= want})
}

func (r *report) atLeast(what string, got, want float64, unit string) {
	r.Aims = append(r.Aims, aim{what, got, want, unit, got >= want})
}

// write ends the measurement: the file, and the aims for who watches.
func (r *report) write() {
	r.t.Helper()
	r.Taken, r.LoadAfter = r.began.Format(time.DateOnly), load()
	r.Took = math.Round(time.Since(r.began).Seconds()*10) / 10
	for _, a := range r.Aims {
		verdict := "met"
		if !a.Met {
			verdict = "MISSED"
		}
		r.say("aim %s: %s %s, wanted %s: %s", a.What, short(a.Got), a.Unit, short(a.Want), verdict)
	}
	r.say("load %s before, %s after", r.LoadBefore, r.LoadAfter)
	text, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = os.WriteFile(r.file(".json"), append(text, '\n'), 0o644)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// file is where a result of this measurement goes.
func (r *report) file(suffix string) string {
	r.t.Helper()
	dir := os.Getenv(envOut)
	if dir == "" {
		dir = filepath.Join("..", "docs", "measurements")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		r.t.Fatal(err)
	}
	return filepath.Join(dir, r.Name+suffix)
}

func short(v float64) string {
	switch a := math.Abs(v); {
	case a >= 1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// quantile is the smallest value that is not below a share q of the sorted ones.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return quantile(s, 0.5)
}

// spread is median, 99th percentile and longest.
func spread(values []float64, unit string) []figure {
	s := slices.Sorted(slices.Values(values))
	return []figure{
		{"n", float64(len(s)), ""},
		{"p50", quantile(s, 0.5), unit}, {"p99", quantile(s, 0.99), unit}, {"max", quantile(s, 1), unit},
	}
}

func machine() string {
	model := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d cores, %s, %s", runtime.NumCPU(), model, runtime.Version())
}

// load is how busy the machine was: the means of 1, 5 and 15 minutes.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

// cpuTime is what a process has used so far, in the kernel and outside (proc(5)).
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	// The second field is the program's name in brackets and may hold blanks.
	after := string(text[strings.LastIndexByte(string(text), ')')+2:])
	fields := strings.Fields(after)
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	return time.Duration(ticks) * tick
}
