package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ringback/asterisk"
	asteriskconf "ringback/asterisk-conf"
)

func asteriskReached(_ context.Context, s *site) []Finding {
	_, err := s.asterisk()
	switch {
	case err == nil:
		return fine("ARI answers at %s and takes the user %s", s.Config.Asterisk.URL, s.Config.Asterisk.User)
	case errors.Is(err, asterisk.ErrCredentials):
		return failed(fmt.Sprintf("Asterisk answers, and does not take the user %s with this password", s.Config.Asterisk.User),
			"Set asterisk.user and asterisk.password as in Asterisk's ari.conf, and run `asterisk -rx \"module reload res_ari\"` if you change that.")
	case errors.Is(err, asterisk.ErrNoARI):
		return failed(fmt.Sprintf("what answers at %s is not ARI", s.Config.Asterisk.URL),
			"Correct asterisk.url (it ends in /ari), and look whether res_ari is loaded and enabled in ari.conf.")
	}
	return failed(fmt.Sprintf("Asterisk is not reached at %s: %s", s.Config.Asterisk.URL, reason(err)),
		"Start Asterisk, or correct asterisk.url, or look at bindaddr and bindport in its http.conf.")
}

// oldestAsterisk has all that is asked of ARI.
const oldestAsterisk = 20

func asteriskVersion(_ context.Context, s *site) []Finding {
	i, err := s.asterisk()
	switch {
	case err != nil:
		return nil
	case i.Major() == 0:
		return warned(fmt.Sprintf("Asterisk calls itself %q, which tells no release", i.Version),
			fmt.Sprintf("See yourself that it is %d or newer.", oldestAsterisk))
	case i.Major() < oldestAsterisk:
		return failed(fmt.Sprintf("Asterisk is %s, and %d is the oldest that works", i.Version, oldestAsterisk),
			fmt.Sprintf("Upgrade Asterisk to %d or newer.", oldestAsterisk))
	}
	return fine("%s, at least %d", i.Version, oldestAsterisk)
}

// dispensable are the modules of modules.conf that calls can do without, and
// what is lost; nothing where Asterisk has them only in some releases. All
// others are needed.
var dispensable = map[string]string{
	"codec_opus":                      "", // one of the two does
	"codec_opus_open_source":          "opus for telephones of agents",
	"res_format_attr_opus":            "opus for telephones of agents",
	"res_srtp":                        "encrypted audio, which browsers want",
	"res_pjsip_transport_websocket":   "telephones in browsers",
	"res_pjsip_outbound_registration": "trunks that want a registration",
	"res_pjsip_diversion":             "who diverted a call",
	"res_pjsip_path":                  "telephones behind a SIP proxy",
	"res_pjsip_logger":                "the log of SIP messages",
	"res_security_log":                "the log of failed log-ins",
	"res_websocket_client":            "",
	"res_statsd":                      "",
	"res_geolocation":                 "",
}

func modules(_ context.Context, s *site) []Finding {
	i, err := s.asterisk()
	if err != nil {
		return nil
	}
	listed, err := asteriskconf.Modules()
	if err != nil {
		return failed(reason(err), "This is a fault of Ringback: please report it.")
	}
	running := 0
	var missing, lost []string
	for _, m := range listed {
		loses, optional := dispensable[m]
		switch {
		case i.Modules[m]:
			running++
		case !optional:
			missing = append(missing, m)
		case loses != "" && !(m == "codec_opus_open_source" && i.Modules["codec_opus"]):
			lost = append(lost, fmt.Sprintf("%s (%s)", m, loses))
		}
	}
	var all []Finding
	if len(missing) > 0 {
		all = append(all, failed("Asterisk does not run what calls need: "+strings.Join(missing, ", "),
			fmt.Sprintf("Take modules.conf from asterisk-conf, or run `asterisk -rx \"module load %s\"` and read why it fails.", missing[0]))...)
	}
	if len(lost) > 0 {
		slices.Sort(lost)
		all = append(all, warned("without these modules something is missing: "+strings.Join(lost, ", "),
			"Load them by modules.conf, or leave it so if you do not need that.")...)
	}
	if all == nil {
		return fine("all that calls need, %d modules", running)
	}
	return all
}

func ariUser(_ context.Context, s *site) []Finding {
	i, err := s.asterisk()
	if err != nil {
		return nil
	}
	if !i.Writable {
		return failed(fmt.Sprintf("the ARI user %s may only read", s.Config.Asterisk.User), "Set read_only = no for it in ari.conf, and run `asterisk -rx \"module reload res_ari\"`.")
	}
	return fine("the ARI user %s may lead calls", s.Config.Asterisk.User)
}

func node(_ context.Context, s *site) []Finding {
	i, err := s.asterisk()
	switch {
	case err != nil:
		return nil
	case i.Node == "":
		return failed("Asterisk has no name, so ids of channels of several Asterisks can meet",
			fmt.Sprintf("Set systemname = %s under [options] in asterisk.conf and start Asterisk anew.", s.Config.Node))
	case i.Node != s.Config.Node:
		return warned(fmt.Sprintf("Asterisk is called %s and the controller %s: logs, metrics and calls of one node bear two names", i.Node, s.Config.Node),
			fmt.Sprintf("Set node: %s, or systemname in asterisk.conf.", i.Node))
	}
	return fine("Asterisk and controller are both called %s", i.Node)
}

func application(_ context.Context, s *site) []Finding {
	i, err := s.asterisk()
	if err != nil {
		return nil
	}
	if !i.Controller {
		return warned(fmt.Sprintf("no controller is connected to Asterisk as %s: callers hear the announcement of the fallback", s.Config.Asterisk.App),
			"Start `ringback serve`, and see that Stasis() in the dialplan names the same application as asterisk.app.")
	}
	return fine("a controller is connected as %s", s.Config.Asterisk.App)
}

func asteriskClock(_ context.Context, s *site) []Finding {
	i, err := s.asterisk()
	switch {
	case err != nil:
		return nil
	case !i.Clock:
		return fine("Asterisk does not tell its time")
	}
	return clockFinding("Asterisk's", i.Ahead)
}
