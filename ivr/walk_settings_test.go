package ivr_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ringback/ivr/ivrtest"
	"ringback/prompts"
)

// wordless are Texts that cost nothing: a walk is thousands of calls.
type wordless struct{}

func (wordless) Languages() []prompts.Language {
	return []prompts.Language{prompts.German, prompts.English}
}

func (wordless) Text(_ prompts.Manner, l prompts.Line) (prompts.Text, error) {
	return prompts.Text{Spoken: []prompts.Segment{{Rest: 3 * time.Second}}, Written: string(l.Key)}, nil
}

// setting is a world in which calls are walked.
type setting struct {
	name   string
	given  []string
	full   bool
	begin  []step // the walk begins after these
	brief  bool   // it goes no further into the booking, which others walk through
	places int    // that are visited at least
}

var settings = []setting{
	{name: "new caller", places: 40},
	{name: "withheld number", given: []string{"caller withheld"}, places: 40},
	{name: "holds an appointment", given: []string{"an appointment for " + ivrtest.Born}, places: 40},
	{name: "dropped before", given: []string{"a hold for " + ivrtest.Born}, places: 40},
	{name: "nothing free", full: true, places: 40},
	{name: "an agent", given: []string{"an agent"}, begin: []step{"1"}, brief: true, places: 20},
	{name: "nobody answers", given: []string{"an agent", "nobody answers"}, begin: []step{"1", "0"}, brief: true, places: 10},
	{name: "a long line", given: []string{"an agent who is busy", "3 people in line", "the wait is 10 to 15 minutes"}, begin: []step{"1", "0"}, brief: true, places: 60},
	{name: "a long line, withheld", given: []string{"caller withheld", "an agent who is busy", "3 people in line"}, begin: []step{"1", "0"}, brief: true, places: 60},
	{name: "in line already", given: []string{"an agent who is busy", "3 people in line", "the caller is to be rung"}, begin: []step{"1", "0"}, brief: true, places: 10},
	{name: "promised an hour", given: []string{"closed until tomorrow", "an agent", "the caller is promised an hour"}, begin: []step{"1", "0"}, places: 2},
	{name: "closed", given: []string{"closed until tomorrow", "an agent"}, begin: []step{"1", "0"}, places: 5},
	{name: "few lines", given: []string{"few lines are left"}, places: 5},
	{name: "few lines, withheld", given: []string{"caller withheld", "few lines are left"}, places: 5},
	{name: "hardly a line", given: []string{"hardly a line is left"}},
	{name: "we ring", given: []string{"an agent who is busy", "we ring"}, brief: true, places: 10},
	{name: "we ring whose line broke", given: []string{"we ring whose line broke"}, brief: true, places: 30},
	{name: "we ring for the dialogue", given: []string{"we ring for the dialogue"}, brief: true, places: 20},
	{name: "we ring a telephone without keys", given: []string{"an agent", "we ring a telephone without keys"}, places: 1},
}

func settingNamed(name string) setting {
	return settings[slices.IndexFunc(settings, func(s setting) bool { return s.name == name })]
}

// virtually runs a test in virtual time.
func virtually(test func(t *testing.T)) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(untilTuesday)
			test(t)
		})
	}
}

// untilTuesday is how long virtual time, which begins with the year 2000, takes to
// a Tuesday morning at ten past nine in Berlin.
const untilTuesday = 3*24*time.Hour + 8*time.Hour + 10*time.Minute

// virtuallyNow is for what the tests after it build on.
func virtuallyNow(test func(t *testing.T)) func(*testing.T) {
	return func(t *testing.T) { synctest.Test(t, test) }
}
