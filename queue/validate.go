package queue

import (
	"errors"
	"fmt"
	"time"
)

// resolving is the least time a lease gives, after the ringing, until the one
// who picked up has pressed 1 or has not.
const resolving = 30 * time.Second

// Validate says which settings cannot work, all of them, each with its value
// and what to set instead.
func (r Rules) Validate() error {
	var faults []error
	need := func(ok bool, name string, value any, mend string) {
		if !ok {
			faults = append(faults, fmt.Errorf("%s is %v; %s", name, value, mend))
		}
	}
	day := 24 * time.Hour
	need(r.KeepPlace >= 0, "KeepPlace", r.KeepPlace, "take 0 or longer, for example 10m")
	need(r.LongWait >= 0, "LongWait", r.LongWait, "take 0, to offer at once always, or longer")
	need(r.Announce >= 10*time.Second, "Announce", r.Announce, "take 10s or longer, so that there is music between")

	need(r.Ring >= 5*time.Second && r.Ring <= 2*time.Minute, "Ring", r.Ring, "take 5s to 2m: networks let ring no longer")
	need(r.Lease >= r.Ring+resolving, "Lease", r.Lease, fmt.Sprintf("take %v or longer, Ring and time to answer", r.Ring+resolving))
	for _, wait := range r.Retries {
		need(wait > 0 && wait <= day, "Retries", wait, "take 1s to 24h for each")
	}
	need(r.Ahead >= 0 && r.Ahead <= 5*time.Minute, "Ahead", r.Ahead, "take 0 to 5m")
	need(r.Reserve > 0, "Reserve", r.Reserve, "take the longest an agent may idle, for example 30s")
	need(r.RungWait > 0, "RungWait", r.RungWait, "take the longest who was rung may wait, for example 30s")

	need(r.AgentRing > 0, "AgentRing", r.AgentRing, "take how long agents let it ring, for example 20s")
	need(r.WrapUp >= 0, "WrapUp", r.WrapUp, "take 0 or longer")
	need(r.Away > 0, "Away", r.Away, "take longer than 0: who does not answer would be rung again at once")

	need(r.PerHour >= 1, "PerHour", r.PerHour, "take how many callbacks can be made in an hour, 1 at least")
	need(r.Window >= 5*time.Minute && r.Window%time.Minute == 0 && day%max(r.Window, 1) == 0, "Window", r.Window,
		"take 5m to 24h that divide a day into equal hours, for example 30m, 1h or 2h")
	need(r.Horizon >= r.Window, "Horizon", r.Horizon, "take one Window or longer, for example 168h")
	need(isRegion(r.Region), "Region", r.Region, "take a country of ISO 3166, for example DE")
	need(len(r.Allowed) > 0, "Allowed", r.Allowed, "name the countries whose numbers are rung, for example DE")
	for _, region := range r.Allowed {
		need(isRegion(region), "Allowed", region, "take countries of ISO 3166, for example DE")
	}
	need(r.PerNumber >= 1, "PerNumber", r.PerNumber, "take how often a number is rung in a day, 1 at least")

	need(r.OutLines >= 1, "OutLines", r.OutLines, "take 1 or more; calls out have a switch of their own")
	need(r.OutPerSecond > 0 && r.OutPerSecond <= 1000, "OutPerSecond", r.OutPerSecond, "take a number above 0, at most 1000")
	need(r.OutPerDay >= 1, "OutPerDay", r.OutPerDay, "take 1 or more; calls out have a switch of their own")
	return errors.Join(faults...)
}

func isRegion(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}
