package queue

import (
	"fmt"
	"slices"
	"strings"

	"ringback/e164"
)

// MayRing says whether a number may be rung at all, by us and by these Rules:
// ErrForbidden with the reason, in words that never name the number. Who gives
// a number to be rung at may want us to pay for it (toll fraud by callback), to
// ring somebody else's emergency, or to ring ourselves in circles. So what may
// be rung is listed, and not what may not: people's own telephones, in allowed
// countries.
func (r Rules) MayRing(n e164.Number) error {
	forbid := func(reason string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrForbidden, fmt.Sprintf(reason, args...))
	}
	switch k := n.Kind(); k {
	case e164.Fixed, e164.Mobile, e164.VoIP:
	case e164.Unknown:
		return forbid("it is no telephone number")
	default:
		return forbid("it is a number of the kind %q", k)
	}
	if region := n.Region(); !slices.Contains(r.Allowed, region) {
		return forbid("numbers of %q are not rung", region)
	}
	for _, own := range r.Own {
		if isOurs(n, own, r.Region) {
			return forbid("it is our own")
		}
	}
	return nil
}

// isOurs says whether n is our own number, or an extension of it: no subscriber's
// number begins with the whole of another's.
func isOurs(n e164.Number, own, region string) bool {
	if parsed, err := e164.Parse(own, region); err == nil && parsed != e164.Withheld {
		own = string(parsed)
	}
	return own != "" && strings.HasPrefix(string(n), own)
}
