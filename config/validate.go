package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"
)

// Validate returns Faults that name each key, its value and the mend, or nil.
func (c Config) Validate() error {
	if faults := c.check(); len(faults) > 0 {
		return faults
	}
	return nil
}

var (
	nameForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	numberForm   = regexp.MustCompile(`^\+?[0-9](?:[0-9 ()/-]{0,30}[0-9])?$`)
	languageForm = regexp.MustCompile(`^[a-z]{2,3}(?:-[a-z0-9]{2,8})*$`)
)

// shortestKey keeps an API key from being guessed: 16 letters of base64 hold
// 96 bits.
const shortestKey = 16

func (c Config) check() Faults {
	var f checker
	f.form("node", c.Node, nameForm, "take letters, digits, dot, dash and underscore, at most 64")
	f.region("region", c.Region)
	f.form("number", c.Number, numberForm, `take a telephone number in quotes, for example "116117" or "+49 231 500123"`)
	f.between("drain", c.Drain, 0, time.Hour)

	f.database(c.Database.URL)

	f.web("asterisk.url", c.Asterisk.URL)
	if u, err := url.Parse(c.Asterisk.URL); err == nil && u.RawQuery != "" {
		f.fault("asterisk.url", c.Asterisk.URL, "take away what follows the question mark")
	}
	f.form("asterisk.user", c.Asterisk.User, nameForm, "take the name of the user in ari.conf: letters, digits, dot, dash and underscore")
	f.form("asterisk.app", c.Asterisk.App, nameForm, "take the name that Stasis() has in the dialplan: letters, digits, dot, dash and underscore")
	f.between("asterisk.longest_call", c.Asterisk.LongestCall, time.Minute, 4*time.Hour)
	f.between("asterisk.request", c.Asterisk.Request, 100*time.Millisecond, time.Minute)

	f.filled("speech.dir", c.Speech.Dir, "name a folder that Asterisk can read")
	if c.Speech.HTTP != "" {
		f.web("speech.http", c.Speech.HTTP)
	}
	f.voices(c)

	f.between("call.first_key", c.Call.FirstKey, time.Second, time.Minute)
	f.between("call.between_keys", c.Call.BetweenKeys, time.Second, time.Minute)
	if !(c.Call.AfterError >= 1 && c.Call.AfterError <= 4) { // so that NaN fails
		f.fault("call.after_error", fmt.Sprint(c.Call.AfterError), "take a factor from 1 to 4")
	}
	f.between("call.ready", c.Call.Ready, 5*time.Second, 5*time.Minute)
	f.between("call.name", c.Call.Name, 2*time.Second, time.Minute)

	f.queue(c)
	f.agents(c.Agents)
	f.outgoing(c.Outgoing)
	f.lines(c)
	// No call or callback takes a week, so that nothing goes that is in use.
	f.between("retention.calls", c.Retention.Calls, 7*24*time.Hour, 10*366*24*time.Hour)
	if h := c.Retention.History; h < c.Retention.Calls || h > 10*366*24*time.Hour {
		f.fault("retention.history", duration(h), "take a length of time from that of retention.calls to 87840h: a ticket is kept with its history")
	}

	f.listen("http.listen", c.HTTP.Listen)
	for i, k := range c.API.Keys {
		if len(k) < shortestKey {
			f.fault("api.keys", "", fmt.Sprintf("key %d of %d is too short: take %d characters or more", i+1, len(c.API.Keys), shortestKey))
		}
	}
	f.between("watchdog.interval", c.Watchdog.Interval, 100*time.Millisecond, 10*time.Second)
	f.between("watchdog.frozen_after", c.Watchdog.FrozenAfter, 2*c.Watchdog.Interval, time.Minute)
	// A controller shows every 5 s that it is there; two of them may be lost.
	f.between("watchdog.fallback_after", c.Watchdog.FallbackAfter, 15*time.Second, 10*time.Minute)
	f.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	f.oneOf("log.format", c.Log.Format, "text", "json")
	return f.faults
}

// checker gathers faults.
type checker struct{ faults Faults }

func (f *checker) fault(key, value, mend string) {
	f.faults = append(f.faults, Fault{Key: key, Value: value, Mend: mend})
}

func (f *checker) form(key, value string, form *regexp.Regexp, mend string) {
	if !form.MatchString(value) {
		f.fault(key, value, mend)
	}
}

func (f *checker) filled(key, value, mend string) {
	if strings.TrimSpace(value) == "" || strings.ContainsRune(value, 0) {
		f.fault(key, value, mend)
	}
}

func (f *checker) between(key string, d, least, most time.Duration) {
	if d < least || d > most {
		f.fault(key, duration(d), fmt.Sprintf("take a length of time from %s to %s", duration(least), duration(most)))
	}
}

func (f *checker) within(key string, n, least, most int) {
	if n < least || n > most {
		f.fault(key, strconv.Itoa(n), fmt.Sprintf("take a whole number from %d to %d", least, most))
	}
}

func (f *checker) region(key, value string) {
	if phonenumbers.GetCountryCodeForRegion(value) == 0 {
		f.fault(key, value, "take a country of ISO 3166 in capitals, for example DE")
	}
}

func (f *checker) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		f.fault(key, value, "take one of "+strings.Join(allowed, ", "))
	}
}

// web checks the address of an HTTP server. One with a password in it would
// end up in a log.
func (f *checker) web(key, value string) {
	u, err := url.Parse(value)
	switch {
	case err == nil && u.User != nil:
		f.fault(key, "", "take user and password out of the address")
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.Fragment != "":
		f.fault(key, value, "take an address such as http://127.0.0.1:8088/ari")
	}
}

// database checks only what can be checked without the driver, which reports
// the rest when it connects.
func (f *checker) database(s Secret) {
	u, err := url.Parse(s.Reveal())
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		f.fault("database.url", "", "take an address such as postgres://user:password@host:5432/ringback")
	}
}

func (f *checker) listen(key, value string) {
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		f.fault(key, value, "take an address and a port such as 127.0.0.1:8080, or :8080 for every address")
	}
}

func (f *checker) voices(c Config) {
	const key = "speech.voices"
	given := map[Engine]string{EnginePico: c.Speech.Pico, EngineEspeak: c.Speech.Espeak, EngineCommand: c.Speech.Command, EngineHTTP: c.Speech.HTTP}
	if len(c.Speech.Voices) == 0 {
		f.fault(key, "", "name the engines of each language, for example de: [pico, espeak]")
		return
	}
	languages := slices.Sorted(maps.Keys(c.Speech.Voices))
	for _, language := range languages {
		l, engines := string(language), c.Speech.Voices[language]
		if !languageForm.MatchString(l) {
			f.fault(key, l, "name a language such as de or en")
		}
		if len(engines) == 0 {
			f.fault(key+"."+l, "", "name at least one engine: pico, espeak, command or http")
		}
		for _, e := range engines {
			switch set, known := given[e]; {
			case !known:
				f.fault(key+"."+l, string(e), "take one of pico, espeak, command, http")
			case set == "":
				f.fault(key+"."+l, string(e), fmt.Sprintf("this engine needs speech.%s", e))
			}
		}
	}
	if _, ok := c.Speech.Voices[c.Call.DefaultLanguage]; !ok {
		f.fault("call.default_language", string(c.Call.DefaultLanguage), fmt.Sprintf("take one of the languages of speech.voices: %v", languages))
	}
}
