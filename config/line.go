package config

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	"ringback/prompts"
	"ringback/queue"
)

// Queue is how the one line is run.
type Queue struct {
	TimeZone string `mapstructure:"time_zone"`
	Hours    string `mapstructure:"hours"`
	Ringing  string `mapstructure:"ringing"`
	Holidays string `mapstructure:"holidays"`

	KeepPlace time.Duration `mapstructure:"keep_place"`
	LongWait  time.Duration `mapstructure:"long_wait"`
	Announce  time.Duration `mapstructure:"announce"`

	PriorityBooking     int `mapstructure:"priority_booking"`
	PriorityAppointment int `mapstructure:"priority_appointment"`
	PriorityOther       int `mapstructure:"priority_other"`

	Ring     time.Duration   `mapstructure:"ring"`
	Retries  []time.Duration `mapstructure:"retries"`
	NextDay  bool            `mapstructure:"next_day"`
	Ahead    time.Duration   `mapstructure:"ahead"`
	Reserve  time.Duration   `mapstructure:"reserve"`
	RungWait time.Duration   `mapstructure:"rung_wait"`

	AgentRing time.Duration `mapstructure:"agent_ring"`
	WrapUp    time.Duration `mapstructure:"wrap_up"`
	Away      time.Duration `mapstructure:"away"`

	PerHour int           `mapstructure:"per_hour"`
	Horizon time.Duration `mapstructure:"horizon"`
	Window  time.Duration `mapstructure:"window"`

	Regions    []string `mapstructure:"regions"`
	OwnNumbers []string `mapstructure:"own_numbers"`
	PerNumber  int      `mapstructure:"per_number"`
}

// Outgoing is how and how much this node calls out.
type Outgoing struct {
	Enabled   bool    `mapstructure:"enabled"`
	Trunk     string  `mapstructure:"trunk"`
	Dial      string  `mapstructure:"dial"`
	Caller    string  `mapstructure:"caller"`
	Lines     int     `mapstructure:"lines"`
	PerSecond float64 `mapstructure:"per_second"`
	PerDay    int     `mapstructure:"per_day"`
}

// Agent is somebody who talks with callers by a telephone. In the file it is a
// section, or as in the environment one text:
// "anna=sip:1001@127.0.0.1:5070 de en booking".
type Agent struct {
	Name      string             `mapstructure:"name"`
	Address   string             `mapstructure:"address"`
	Languages []prompts.Language `mapstructure:"languages"` // empty: all
	Topics    []string           `mapstructure:"topics"`    // empty: all
}

// parseAgent reads "anna=sip:1001@127.0.0.1:5070 de en booking". Words of two
// or three letters are languages, longer ones topics.
func parseAgent(text string) (Agent, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return Agent{}, wrongKind(agentMend)
	}
	var a Agent
	var found bool
	if a.Name, a.Address, found = strings.Cut(words[0], "="); !found {
		return Agent{}, wrongKind(agentMend)
	}
	for _, w := range words[1:] {
		if len(w) <= 3 || strings.Contains(w, "-") {
			a.Languages = append(a.Languages, prompts.Language(w))
		} else {
			a.Topics = append(a.Topics, w)
		}
	}
	return a, nil
}

const agentMend = `write an agent as "anna=sip:1001@127.0.0.1:5070 de en booking": the name, the telephone and, where not all, languages and topics`

// The forms of what is in an agent, and of where numbers are rung.
var (
	addressForm = regexp.MustCompile(`^(?:sips?:[^\s,;@]+@[^\s,@]+|[A-Za-z0-9][A-Za-z0-9._-]{0,63})$`)
	dialForm    = regexp.MustCompile(`^sips?:[^\s,;@%]*%s[^\s,;@%]*@[^\s,@%]+$`)
	topicForm   = regexp.MustCompile(`^[a-z][a-z_]{2,31}$`)
)

// queue checks the settings of the line: no more is allowed than queue.Rules
// allow.
func (f *checker) queue(c Config) {
	q := c.Queue
	f.hours(q)
	f.between("queue.keep_place", q.KeepPlace, 0, 24*time.Hour)
	f.between("queue.long_wait", q.LongWait, 0, 4*time.Hour)
	f.between("queue.announce", q.Announce, 10*time.Second, time.Hour)
	f.within("queue.priority_booking", q.PriorityBooking, -1000, 1000)
	f.within("queue.priority_appointment", q.PriorityAppointment, -1000, 1000)
	f.within("queue.priority_other", q.PriorityOther, -1000, 1000)
	// Two minutes are what telephone networks let ring at most.
	f.between("queue.ring", q.Ring, 5*time.Second, 2*time.Minute)
	if len(q.Retries) > 20 {
		f.fault("queue.retries", fmt.Sprint(len(q.Retries)), "take 20 times at most")
	}
	for _, r := range q.Retries {
		f.between("queue.retries", r, 10*time.Second, 24*time.Hour)
	}
	f.between("queue.ahead", q.Ahead, 0, 5*time.Minute)
	f.between("queue.reserve", q.Reserve, 5*time.Second, 10*time.Minute)
	f.between("queue.rung_wait", q.RungWait, time.Second, 5*time.Minute)
	f.between("queue.agent_ring", q.AgentRing, 2*time.Second, 2*time.Minute)
	f.between("queue.wrap_up", q.WrapUp, 0, time.Hour)
	f.between("queue.away", q.Away, time.Second, 24*time.Hour)
	f.within("queue.per_hour", q.PerHour, 1, 1_000_000)
	f.between("queue.horizon", q.Horizon, q.Window, 60*24*time.Hour)
	if !isWindow(q.Window) {
		f.fault("queue.window", duration(q.Window), "take 5m to 24h that divide a day into equal parts, for example 30m, 1h or 2h")
	}
	if len(q.Regions) == 0 {
		f.fault("queue.regions", "", "name the countries whose numbers may be rung, for example DE")
	}
	for _, r := range q.Regions {
		f.region("queue.regions", r)
	}
	for _, n := range q.OwnNumbers {
		f.form("queue.own_numbers", n, numberForm, `take telephone numbers in quotes, for example "116117" or "+49 231 500123"`)
	}
	f.within("queue.per_number", q.PerNumber, 1, 100)
}

// hours checks when people are served and rung, and that there are hours in
// which they can be promised to be.
func (f *checker) hours(q Queue) {
	before := len(f.faults)
	const always, anywhere = "always", "UTC"
	read := func(key, value, hours, zone, holidays string) {
		if _, err := queue.ParseHours(hours, zone, holidays); err != nil {
			f.fault(key, value, err.Error())
		}
	}
	read("queue.time_zone", q.TimeZone, always, q.TimeZone, "")
	read("queue.hours", q.Hours, q.Hours, anywhere, "")
	read("queue.ringing", q.Ringing, q.Ringing, anywhere, "")
	read("queue.holidays", q.Holidays, always, anywhere, q.Holidays)
	if len(f.faults) > before || !isWindow(q.Window) {
		return
	}
	// A year has every kind of day.
	rules := queue.Rules{Window: q.Window, Horizon: 366 * 24 * time.Hour}
	var errs [2]error
	rules.Hours, errs[0] = queue.ParseHours(q.Hours, q.TimeZone, q.Holidays)
	rules.Ringing, errs[1] = queue.ParseHours(q.Ringing, q.TimeZone, q.Holidays)
	if err := cmp.Or(errs[:]...); err != nil {
		f.fault("queue.holidays", q.Holidays, err.Error())
		return
	}
	for range rules.AllWindows(time.Now()) {
		return
	}
	f.fault("queue.window", duration(q.Window), "no hour of this length lies within queue.hours and queue.ringing, so nobody could be promised one: take a shorter one, or more hours")
}

// isWindow says whether a day can be cut into hours of that length.
func isWindow(w time.Duration) bool {
	return w >= 5*time.Minute && w%time.Minute == 0 && 24*time.Hour%w == 0
}

// agents checks who talks with callers.
func (f *checker) agents(agents []Agent) {
	seen := map[string]bool{}
	for _, a := range agents {
		if a.Name == "" || a.Address == "" {
			f.fault("agents", a.Name, agentMend)
			continue
		}
		f.form("agents", a.Name, nameForm, "take a name of letters, digits, dot, dash and underscore, at most 64")
		if seen[a.Name] {
			f.fault("agents", a.Name, "there are two of this name: an agent has one telephone")
		}
		seen[a.Name] = true
		f.form("agents", a.Address, addressForm, "take the name of a telephone that registers here, or an address such as sip:1001@127.0.0.1:5070")
		for _, l := range a.Languages {
			f.form("agents", string(l), languageForm, "name a language such as de or en")
		}
		for _, t := range a.Topics {
			f.form("agents", t, topicForm, "take topics of small letters, such as booking")
		}
	}
}

// outgoing checks how this node calls out.
func (f *checker) outgoing(o Outgoing) {
	if o.Trunk != "" {
		f.form("outgoing.trunk", o.Trunk, nameForm, "take the name of a trunk in pjsip.conf: letters, digits, dot, dash and underscore")
	}
	address := dialForm.MatchString(o.Dial)
	if o.Dial != "" && !address && !nameForm.MatchString(o.Dial) {
		f.fault("outgoing.dial", o.Dial, "take a SIP address with %s once for the number, for example sip:%s@carrier.example, or the name of a telephone that registers here")
	}
	if address && o.Trunk == "" {
		f.fault("outgoing.dial", o.Dial, "name the trunk these calls go through in outgoing.trunk")
	}
	if o.Caller != "" {
		f.form("outgoing.caller", o.Caller, numberForm, `take a telephone number in quotes, for example "+49 231 500123"`)
	}
	f.within("outgoing.lines", o.Lines, 1, 10_000)
	if !(o.PerSecond > 0 && o.PerSecond <= 1000) { // so that NaN fails
		f.fault("outgoing.per_second", fmt.Sprint(o.PerSecond), "take a number above 0, at most 1000")
	}
	f.within("outgoing.per_day", o.PerDay, 1, 10_000_000)
}
