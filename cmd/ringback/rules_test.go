package main

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"ringback/config"
	"ringback/queue"
)

// TestRulesOfNoSettings: who sets nothing gets the rules package queue has for
// who sets nothing.
func TestRulesOfNoSettings(t *testing.T) {
	t.Parallel()
	c, err := config.Load("")
	if err != nil {
		t.Fatal(err)
	}
	got, err := rulesOf(c)
	if err != nil {
		t.Fatal(err)
	}
	want := queue.NewRules()
	want.Own = []string{c.Number}
	for _, topic := range queue.Topics {
		want.Priority[topic] = 0
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestRulesOfSettings(t *testing.T) {
	t.Parallel()
	c, err := config.Load("")
	if err != nil {
		t.Fatal(err)
	}
	c.Queue.Ring, c.Queue.Hours, c.Queue.PriorityOther = time.Minute, "Mon 08:00-12:00", -3
	r, err := rulesOf(c)
	if err != nil {
		t.Fatal(err)
	}
	monday := time.Date(2027, 2, 1, 9, 0, 0, 0, time.UTC)
	if r.Lease != 150*time.Second || r.Priority[queue.TopicOther] != -3 || !r.Hours.Open(monday) || r.Hours.Open(monday.AddDate(0, 0, 1)) {
		t.Errorf("got %+v", r)
	}

	c.Queue.Ringing = "in the evening"
	if _, err := rulesOf(c); err == nil || !strings.Contains(err.Error(), "queue.ringing") || !strings.Contains(err.Error(), "are no hours") {
		t.Errorf("got %v", err)
	}
}

// TestConfigRefusesWhatTheRulesRefuse: what package queue would refuse is
// refused before, by the name of its key.
func TestConfigRefusesWhatTheRulesRefuse(t *testing.T) {
	t.Parallel()
	base, err := config.Load("")
	if err != nil {
		t.Fatal(err)
	}
	lengths := func(of func(*config.Queue) *time.Duration) (all []func(*config.Config)) {
		for _, d := range []time.Duration{
			-time.Second, 0, 1, time.Second, 5 * time.Second, 10 * time.Second, 31 * time.Second, time.Minute, 2 * time.Minute,
			3 * time.Minute, 5 * time.Minute, 7 * time.Minute, time.Hour, 5 * time.Hour, 12 * time.Hour, 24 * time.Hour, 25 * time.Hour, 1440 * time.Hour,
		} {
			all = append(all, func(c *config.Config) { *of(&c.Queue) = d })
		}
		return all
	}
	counts := func(of func(*config.Config) *int) (all []func(*config.Config)) {
		for _, n := range []int{-1, 0, 1, 1 << 40} {
			all = append(all, func(c *config.Config) { *of(c) = n })
		}
		return all
	}
	places := func(of func(*config.Config, string)) (all []func(*config.Config)) {
		for _, p := range []string{"", "de", "DE", "DEU", "001", "ZZ", "AC", "GB"} {
			all = append(all, func(c *config.Config) { of(c, p) })
		}
		return all
	}
	for key, changes := range map[string][]func(*config.Config){
		"queue.keep_place": lengths(func(q *config.Queue) *time.Duration { return &q.KeepPlace }),
		"queue.long_wait":  lengths(func(q *config.Queue) *time.Duration { return &q.LongWait }),
		"queue.announce":   lengths(func(q *config.Queue) *time.Duration { return &q.Announce }),
		"queue.ring":       lengths(func(q *config.Queue) *time.Duration { return &q.Ring }),
		"queue.retries": lengths(func(q *config.Queue) *time.Duration {
			q.Retries = []time.Duration{time.Minute, 0}
			return &q.Retries[1]
		}),
		"queue.ahead":         lengths(func(q *config.Queue) *time.Duration { return &q.Ahead }),
		"queue.reserve":       lengths(func(q *config.Queue) *time.Duration { return &q.Reserve }),
		"queue.rung_wait":     lengths(func(q *config.Queue) *time.Duration { return &q.RungWait }),
		"queue.agent_ring":    lengths(func(q *config.Queue) *time.Duration { return &q.AgentRing }),
		"queue.wrap_up":       lengths(func(q *config.Queue) *time.Duration { return &q.WrapUp }),
		"queue.away":          lengths(func(q *config.Queue) *time.Duration { return &q.Away }),
		"queue.window":        lengths(func(q *config.Queue) *time.Duration { return &q.Window }),
		"queue.horizon":       lengths(func(q *config.Queue) *time.Duration { return &q.Horizon }),
		"queue.per_hour":      counts(func(c *config.Config) *int { return &c.Queue.PerHour }),
		"queue.per_number":    counts(func(c *config.Config) *int { return &c.Queue.PerNumber }),
		"outgoing.lines":      counts(func(c *config.Config) *int { return &c.Outgoing.Lines }),
		"outgoing.per_day":    counts(func(c *config.Config) *int { return &c.Outgoing.PerDay }),
		"region":              places(func(c *config.Config, p string) { c.Region = p }),
		"queue.regions":       places(func(c *config.Config, p string) { c.Queue.Regions = []string{"DE", p} }),
		"outgoing.per_second": {func(c *config.Config) { c.Outgoing.PerSecond = 0 }, func(c *config.Config) { c.Outgoing.PerSecond = math.NaN() }, func(c *config.Config) { c.Outgoing.PerSecond = 1001 }},
		"queue.hours":         {func(c *config.Config) { c.Queue.Hours = "" }, func(c *config.Config) { c.Queue.Hours = "Mon" }},
		"queue.ringing":       {func(c *config.Config) { c.Queue.Ringing = "always, Mon 8:00-9:00" }},
		"queue.time_zone":     {func(c *config.Config) { c.Queue.TimeZone = "" }, func(c *config.Config) { c.Queue.TimeZone = "Europe/Entenhausen" }},
		"queue.holidays":      {func(c *config.Config) { c.Queue.Holidays = "FR" }, func(c *config.Config) { c.Queue.Holidays = "2026-12-24 open" }},
	} {
		refused := 0
		for i, change := range changes {
			c := base
			change(&c)
			_, wrong := rulesOf(c)
			err := c.Validate()
			if wrong != nil && (err == nil || !strings.Contains(err.Error(), key)) {
				t.Errorf("%s, value %d: config says %v, the rules %v", key, i, err, wrong)
			}
			if err != nil {
				refused++
			}
		}
		if refused == 0 {
			t.Errorf("%s: nothing is refused", key)
		}
	}
}
