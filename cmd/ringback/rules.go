package main

import (
	"fmt"

	"ringback/config"
	"ringback/queue"
)

// rulesOf are the rules of the line as the settings have them.
func rulesOf(c config.Config) (queue.Rules, error) {
	q, o := c.Queue, c.Outgoing
	rules := queue.NewRules()
	for _, h := range []struct {
		key, text string
		into      *queue.Hours
	}{
		{"queue.hours", q.Hours, &rules.Hours},
		{"queue.ringing", q.Ringing, &rules.Ringing},
	} {
		hours, err := queue.ParseHours(h.text, q.TimeZone, q.Holidays)
		if err != nil {
			return queue.Rules{}, config.Faults{{Key: h.key, Value: h.text, Mend: err.Error()}}
		}
		*h.into = hours
	}
	rules.KeepPlace, rules.LongWait, rules.Announce = q.KeepPlace, q.LongWait, q.Announce
	rules.Priority = map[queue.Topic]int{
		queue.TopicBooking: q.PriorityBooking, queue.TopicAppointment: q.PriorityAppointment, queue.TopicOther: q.PriorityOther,
	}
	// A lease outlasts the ringing by the time that is left until somebody
	// pressed 1.
	rules.Ring, rules.Lease = q.Ring, q.Ring+rules.Lease-rules.Ring
	rules.Retries, rules.NextDay = q.Retries, q.NextDay
	rules.Ahead, rules.Reserve, rules.RungWait = q.Ahead, q.Reserve, q.RungWait
	rules.AgentRing, rules.WrapUp, rules.Away = q.AgentRing, q.WrapUp, q.Away
	rules.PerHour, rules.Horizon, rules.Window = q.PerHour, q.Horizon, q.Window
	rules.Region, rules.Allowed, rules.Own, rules.PerNumber = c.Region, q.Regions, q.OwnNumbers, q.PerNumber
	if len(rules.Own) == 0 {
		rules.Own = []string{c.Number}
	}
	rules.OutLines, rules.OutPerSecond, rules.OutPerDay = o.Lines, o.PerSecond, o.PerDay
	if err := rules.Validate(); err != nil {
		return queue.Rules{}, fmt.Errorf("rules of the line: %w", err)
	}
	return rules, nil
}
