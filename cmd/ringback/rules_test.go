package main

import (
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
