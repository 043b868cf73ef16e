package queue

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestNewRules(t *testing.T) {
	t.Parallel()
	r := NewRules()
	if err := r.Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	v := reflect.ValueOf(r)
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if v.Field(i).IsZero() && name != "Own" {
			t.Errorf("%s has no default", name)
		}
	}
	if r.Ringing.Open(at(t, "2027-02-07 07:59")) || !r.Ringing.Open(at(t, "2027-02-07 20:59")) || r.Ringing.Open(at(t, "2027-02-07 21:00")) {
		t.Error("by default people are rung from 8 to 21 o'clock, on Sundays too")
	}
	if night := at(t, "2027-02-07 03:00"); !r.Hours.Open(night) {
		t.Error("by default people are not served at night")
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(*Rules)
		fault  string
	}{
		{func(r *Rules) { r.KeepPlace = -1 }, "KeepPlace is -1ns"},
		{func(r *Rules) { r.LongWait = -1 }, "LongWait is -1ns"},
		{func(r *Rules) { r.Announce = time.Second }, "Announce is 1s"},
		{func(r *Rules) { r.Ring = time.Second }, "Ring is 1s"},
		{func(r *Rules) { r.Ring, r.Lease = 3*time.Minute, time.Hour }, "Ring is 3m0s"},
		{func(r *Rules) { r.Lease = 59 * time.Second }, "Lease is 59s; take 1m0s or longer"},
		{func(r *Rules) { r.Retries = []time.Duration{time.Minute, 0} }, "Retries is 0s"},
		{func(r *Rules) { r.Retries = []time.Duration{25 * time.Hour} }, "Retries is 25h0m0s"},
		{func(r *Rules) { r.Ahead = 6 * time.Minute }, "Ahead is 6m0s"},
		{func(r *Rules) { r.Reserve = 0 }, "Reserve is 0s"},
		{func(r *Rules) { r.RungWait = 0 }, "RungWait is 0s"},
		{func(r *Rules) { r.AgentRing = 0 }, "AgentRing is 0s"},
		{func(r *Rules) { r.WrapUp = -1 }, "WrapUp is -1ns"},
		{func(r *Rules) { r.Away = 0 }, "Away is 0s"},
		{func(r *Rules) { r.PerHour = 0 }, "PerHour is 0"},
		{func(r *Rules) { r.Window = 0 }, "Window is 0s"},
		{func(r *Rules) { r.Window = 7 * time.Hour }, "Window is 7h0m0s"},
		{func(r *Rules) { r.Window = 25 * time.Hour }, "Window is 25h0m0s"},
		{func(r *Rules) { r.Window = 6*time.Minute + 40*time.Second }, "Window is 6m40s"},
		{func(r *Rules) { r.Horizon = 59 * time.Minute }, "Horizon is 59m0s"},
		{func(r *Rules) { r.Region = "Germany" }, "Region is Germany"},
		{func(r *Rules) { r.Allowed = nil }, "Allowed is []"},
		{func(r *Rules) { r.Allowed = []string{"DE", "at"} }, "Allowed is at"},
		{func(r *Rules) { r.PerNumber = 0 }, "PerNumber is 0"},
		{func(r *Rules) { r.OutLines = 0 }, "OutLines is 0"},
		{func(r *Rules) { r.OutPerSecond = 0 }, "OutPerSecond is 0"},
		{func(r *Rules) { r.OutPerSecond = math.NaN() }, "OutPerSecond is NaN"},
		{func(r *Rules) { r.OutPerSecond = math.Inf(1) }, "OutPerSecond is +Inf"},
		{func(r *Rules) { r.OutPerDay = 0 }, "OutPerDay is 0"},
	} {
		r := NewRules()
		c.change(&r)
		err := r.Validate()
		if err == nil || !strings.Contains(err.Error(), c.fault) || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("want the fault %q alone, with what to do: %v", c.fault, err)
		}
	}
	err := Rules{}.Validate()
	if err == nil || strings.Count(err.Error(), "\n") < 10 {
		t.Errorf("the zero Rules: %v", err)
	}
}
