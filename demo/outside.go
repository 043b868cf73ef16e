package demo

import (
	"fmt"
	"regexp"
	"strings"
)

// trunkName is the demo's trunk, by which all of this machine is reached.
const trunkName = "trunk"

// outside is who the demo's callers talk with, and where they are rung back.
type outside struct {
	agents    []string // SIP addresses, or telephones of the demo
	callbacks string   // a SIP address with %s for the number; empty: the demo's own telephone
	phones    []Phone
}

var (
	sipForm      = regexp.MustCompile(`^sips?:[^\s,;@%]+@[^\s,@%]+$`)
	callbackForm = regexp.MustCompile(`^sips?:[^\s,;@%]*%s[^\s,;@%]*@[^\s,@%]+$`)
)

// splitAddresses reads "sip:1001@127.0.0.1:5070, phone2".
func splitAddresses(list string) []string {
	var all []string
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

func (o outside) check() error {
	for _, a := range o.agents {
		if !sipForm.MatchString(a) && !o.ownPhone(a) {
			return fmt.Errorf("AGENTS_AT has %q: take SIP addresses such as sip:1001@127.0.0.1:5070, or telephones of the demo such as %s, with commas between", a, o.phones[len(o.phones)-1].User)
		}
	}
	if c := o.callbacks; c != "" && !callbackForm.MatchString(c) && !o.ownPhone(c) {
		return fmt.Errorf("CALLBACK_TO is %q: take a SIP address with %%s for the number, such as sip:%%s@127.0.0.1:5070, or a telephone of the demo such as %s", c, o.phones[0].User)
	}
	return nil
}

func (o outside) ownPhone(name string) bool {
	for _, p := range o.phones {
		if p.User == name {
			return true
		}
	}
	return false
}

// rings is where people are rung back.
func (o outside) rings() string {
	if o.callbacks == "" {
		return o.phones[0].User
	}
	return o.callbacks
}

// settings are those of the controller. The demo is open and rings at all hours,
// and one number as often as somebody tries things out.
func (o outside) settings() map[string]any {
	agents := []any{}
	for i, a := range o.agents {
		agents = append(agents, map[string]any{"name": fmt.Sprintf("agent%d", i+1), "address": a})
	}
	return map[string]any{
		"queue":    map[string]any{"hours": "always", "ringing": "always", "per_number": 100},
		"agents":   agents,
		"outgoing": map[string]any{"trunk": trunkName, "dial": o.rings()},
	}
}

// tell says who answers and who is rung, in two lines.
func (o outside) tell() string {
	who := "nobody; AGENTS_AT=sip:… names telephones that do"
	if len(o.agents) > 0 {
		who = strings.Join(o.agents, ", ")
	}
	where := o.callbacks
	if where == "" {
		where = o.phones[0].User + ", where a telephone registered as that; CALLBACK_TO=sip:%s@host:port names another place"
	}
	return "Callers talk with:           " + who + "\nPeople are rung back at:      " + where + "\n"
}
