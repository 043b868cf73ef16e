package config

import (
	"slices"
	"strings"
	"time"
)

// Setting documents one key.
type Setting struct {
	Key     string // as in the file: "asterisk.longest_call"
	Default any    // of the type the key holds
	Unit    string // of the value: "duration", "URL", "path" …
	About   string // what it does, one sentence
	Secret  bool   // never shown
}

// Settings is every key there is: its default is set from here, and help is
// printed from here.
func Settings() []Setting { return slices.Clone(settings) }

var settings = []Setting{
	{"node", "", "name", "This controller and its Asterisk, in logs, metrics and calls. Empty takes the machine's name.", false},
	{"region", "DE", "ISO 3166 country", "The country whose national form of telephone numbers is understood.", false},
	{"number", "116117", "telephone number", "The hotline's own number, as shown to people.", false},
	{"drain", 5 * time.Minute, "duration", "How long running calls may go on after the first signal to stop. 0s ends them at once.", false},

	{"database.url", "postgres:///ringback?host=/var/run/postgresql", "URL", "Where Postgres is.", true},

	{"asterisk.url", "http://127.0.0.1:8088/ari", "URL", "Where this node's Asterisk answers ARI.", false},
	{"asterisk.user", "ringback", "name", "The ARI user, as in ari.conf.", false},
	{"asterisk.password", "", "text", "The ARI user's password.", true},
	{"asterisk.app", "ringback", "name", "The Stasis application the dialplan hands calls to.", false},
	{"asterisk.longest_call", 30 * time.Minute, "duration", "A call ends with a promised callback when it lasts longer.", false},
	{"asterisk.request", 3 * time.Second, "duration", "The longest a request to Asterisk may take.", false},

	{"speech.dir", "/var/lib/ringback/speech", "path", "Where spoken lines are kept for Asterisk to play; it must read the same path.", false},
	{"speech.recordings", "/var/lib/ringback/recordings", "path", "Recordings by human voices, which win over every engine. Empty: none.", false},
	{"speech.pico", "pico2wave", "program", "The program of the engine pico.", false},
	{"speech.espeak", "espeak-ng", "program", "The program of the engine espeak.", false},
	{"speech.command", "", "command line", "The command of the engine command. Empty: no such engine.", false},
	{"speech.http", "", "URL", "The address of the engine http. Empty: no such engine.", false},
	{"speech.voices", map[string]any{
		"de": []string{string(EnginePico), string(EngineEspeak)},
		"en": []string{string(EnginePico), string(EngineEspeak)},
	}, "engines a language", "The engines of each language, the first that works is taken: pico, espeak, command, http.", false},

	{"call.first_key", 8 * time.Second, "duration", "How long a caller may take to press the first key.", false},
	{"call.between_keys", 5 * time.Second, "duration", "How long a caller may take between keys.", false},
	{"call.after_error", 2.0, "factor", "How much longer both become after an error.", false},
	{"call.ready", time.Minute, "duration", "How long a caller may look for pen and paper.", false},
	{"call.name", 10 * time.Second, "duration", "The longest recording of a spoken name.", false},
	{"call.default_language", "de", "language", "What is spoken to a caller who chooses none.", false},

	{"queue.time_zone", "Europe/Berlin", "time zone", "The time zone of the hours below.", false},
	{"queue.hours", "always", "days and hours", "When people are served, for example Mon-Fri 08:00-20:00, Sat 09:00-14:00; outside of it callers are promised an hour.", false},
	{"queue.ringing", "Mon-Sun 08:00-21:00", "days and hours", "When it is lawful and polite to ring somebody; always is an answer too.", false},
	{"queue.holidays", "", "a state of ISO 3166, and days", "Whose public holidays are closed, for serving and for ringing, and days that are otherwise: DE-NW, 2026-12-24, 2026-12-20 10:00-12:00.", false},
	{"queue.keep_place", 10 * time.Minute, "duration", "How long the place in line of a caller who hung up is kept.", false},
	{"queue.long_wait", 5 * time.Minute, "duration", "The expected wait from which being rung back is offered at once.", false},
	{"queue.announce", time.Minute, "duration", "How often a waiting caller is told of the place in line.", false},
	{"queue.priority_booking", 0, "whole number", "The priority of who wants a new appointment; greater goes first.", false},
	{"queue.priority_appointment", 0, "whole number", "The priority of who has an appointment and asks about it.", false},
	{"queue.priority_other", 0, "whole number", "The priority of everybody else.", false},
	{"queue.ring", 30 * time.Second, "duration", "How long a person who is rung back may take to pick up.", false},
	{"queue.retries", []time.Duration{5 * time.Minute, 20 * time.Minute, time.Hour}, "durations", "After what times who was not reached is rung again.", false},
	{"queue.next_day", true, "true, false", "Whether they are rung once more the next day, at the hour of the first time.", false},
	{"queue.ahead", 10 * time.Second, "duration", "How long before an agent will be free the next person is rung already.", false},
	{"queue.reserve", 30 * time.Second, "duration", "The longest an agent idles for somebody who is being rung.", false},
	{"queue.rung_wait", 30 * time.Second, "duration", "The longest somebody who was rung waits for the agent meant; then the next free one talks with them.", false},
	{"queue.agent_ring", 20 * time.Second, "duration", "How long an agent may take to pick up.", false},
	{"queue.wrap_up", 15 * time.Second, "duration", "How long an agent has after a talk.", false},
	{"queue.away", time.Minute, "duration", "How long an agent who did not pick up is given nobody.", false},
	{"queue.per_hour", 60, "whole number", "How many callbacks can be promised for one hour.", false},
	{"queue.horizon", 7 * 24 * time.Hour, "duration", "How far ahead hours are promised.", false},
	{"queue.window", time.Hour, "duration", "The length of a promised hour: 5m to 24h that divide a day into equal parts, and short enough for the hours above.", false},
	{"queue.regions", []string{"DE"}, "ISO 3166 countries", "The countries whose numbers may be rung at all.", false},
	{"queue.own_numbers", []string{}, "telephone numbers", "Our own numbers, which are never rung. None: the hotline's.", false},
	{"queue.per_number", 6, "whole number", "How often one number may be rung a day.", false},

	{"agents", []Agent{}, "agents", "Who talks with callers: sections of name, address, languages, topics, or texts such as anna=sip:1001@127.0.0.1:5070 de en booking. No language or topic: all.", false},

	{"outgoing.enabled", true, "true, false", "Whether this node rings anybody back. All nodes at once: ringback queue outgoing.", false},
	{"outgoing.trunk", "", "name", "The trunk of pjsip.conf that calls out go through, agents at a SIP address included. Empty: only telephones that register here are rung.", false},
	{"outgoing.dial", "", "SIP address or name", "Where a number is rung, with %s for it, for example sip:%s@carrier.example. Empty: at the trunk's own contact. The name of a telephone that registers here: there, whatever the number, to try it out.", false},
	{"outgoing.caller", "", "telephone number", "The number shown to who is rung. Empty: the hotline's.", false},
	{"outgoing.lines", 10, "whole number", "How many calls out this node makes at once, at most.", false},
	{"outgoing.per_second", 2.0, "number", "How many calls out this node begins a second, at most.", false},
	{"outgoing.per_day", 2000, "whole number", "How many calls out all nodes make a day, at most: the bound on cost.", false},

	{"http.listen", "127.0.0.1:8080", "host:port", "Where the pages, the API, health and metrics are served.", false},
	{"api.keys", []string{}, "texts", "The bearer keys that open the API. None keeps it shut.", true},

	{"lines.total", 0, "whole number", "How many calls this node's trunks carry at once; beyond it callers are registered from the INVITE alone. 0: as many as Asterisk carries.", false},
	{"lines.keep_out", 0, "whole number", "How many of those lines are kept for calls out.", false},
	{"intake.listen", "127.0.0.1:4573", "host:port", "Where Asterisk's dialplan registers callers by FastAGI; a loopback address.", false},
	{"journal.dir", "/var/lib/ringback/journal", "path", "Where registered callers, and promises made while the database is away, are kept until it has them.", false},

	{"retention.calls", 30 * 24 * time.Hour, "duration", "How long calls, closed tickets and attempts to ring are kept, with numbers, transcripts and what was keyed and spoken: as long as somebody may ask why nobody rang them back.", false},
	{"retention.history", 90 * 24 * time.Hour, "duration", "How long every change of tickets and agents is kept, which statistics are made of: a quarter. It holds no numbers, but tells what agents did.", false},

	{"watchdog.pid_file", "/run/ringback/controller.pid", "path", "Where who starts the controller writes its process number, so that a frozen one can be ended. Empty: none is.", false},
	{"watchdog.interval", 2 * time.Second, "duration", "How often the watchdog looks.", false},
	{"watchdog.frozen_after", 8 * time.Second, "duration", "A controller that gives no answer for that long is ended.", false},
	{"watchdog.fallback_after", 30 * time.Second, "duration", "Calls that no controller leads for that long hear the announcement of the dialplan.", false},

	{"log.level", "info", "debug, info, warn, error", "The least grave thing that is logged.", false},
	{"log.format", "text", "text, json", "How a line of the log is written.", false},
}

// setting finds the one a key belongs to. "speech.voices.de" belongs to
// "speech.voices".
func setting(key string) (Setting, bool) {
	for _, s := range settings {
		if key == s.Key {
			return s, true
		}
		if _, ok := s.Default.(map[string]any); ok && strings.HasPrefix(key, s.Key+".") {
			return s, true
		}
	}
	return Setting{}, false
}

// variable is the name of the environment variable that overrides a key.
func variable(key string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// prefix begins the name of every environment variable of Ringback.
const prefix = "RINGBACK_"
