package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"

	"ringback/config"
	"ringback/e164"
)

// unloadable is a finding for each fault of a configuration.
func unloadable(o Options) []Finding {
	var faults config.Faults
	if !errors.As(o.Fault, &faults) {
		return failed(reason(o.Fault), "Name a configuration that this user can read with --config FILE.")
	}
	var all []Finding
	for _, f := range faults {
		all = append(all, failed(f.String(), "Mend this in the configuration; `ringback config explain` tells every key.")...)
	}
	return all
}

func loaded(_ context.Context, s *site) []Finding {
	if s.Config.Asterisk.Password == "" {
		return failed("asterisk.password is not set, and the controller does not start without",
			"Set it, or RINGBACK_ASTERISK_PASSWORD, to what this ARI user has in ari.conf.")
	}
	if s.File == "" {
		return fine("defaults and the environment, without faults")
	}
	return fine("%s, without faults", s.File)
}

// fileMode looks whether others can read the passwords.
func fileMode(_ context.Context, s *site) []Finding {
	if s.File == "" {
		return nil
	}
	info, err := os.Stat(s.File)
	if err != nil {
		return nil // it was just read
	}
	if m := info.Mode().Perm(); m&0o004 != 0 {
		return warned(fmt.Sprintf("%s holds passwords and may be read by everybody (%v)", s.File, m),
			fmt.Sprintf("Run `chmod o-rwx %s`, after making its group the controller's.", s.File))
	}
	return fine("%s may not be read by everybody", s.File)
}

// shortNumber is the longest number that a region need not know: emergency and
// service numbers (116117) are of the network they are rung in.
const shortNumber = 6

func number(_ context.Context, s *site) []Finding {
	n, err := e164.Parse(s.Config.Number, s.Config.Region)
	switch {
	case err == nil && n != e164.Withheld:
		return fine("the hotline's number is one of a telephone in %s", s.Config.Region)
	case len(s.Config.Number) <= shortNumber:
		return fine("the hotline's number is a service number of %d digits", len(s.Config.Number))
	}
	return warned(fmt.Sprintf("the hotline's number is not one of a telephone in %s", s.Config.Region),
		"Look at the settings number and region: people are told this number.")
}

func apiKeys(_ context.Context, s *site) []Finding {
	if n := len(s.Config.API.Keys); n > 0 {
		return fine("%d API keys", n)
	}
	return warned("no API key is set, so the API answers nobody", "Set api.keys if anything but callers should book.")
}
