package queue

import (
	"errors"
	"strings"
	"testing"

	"ringback/e164"
)

func TestMayRing(t *testing.T) {
	t.Parallel()
	r := NewRules()
	r.Allowed = []string{"DE", "AT"}
	r.Own = []string{"+492315001", "030 223344", "116117", ""}
	for _, n := range []e164.Number{"+49231500223", "+4915112345678", "+4932221234567", "+4316000000", "+4930223345"} {
		if err := r.MayRing(n); err != nil {
			t.Errorf("%s: %v", n, err)
		}
	}
	// Toll fraud by callback: what is given as a number to be rung at.
	for _, c := range []struct{ about, n, reason string }{
		{"none", "", "no telephone number"},
		{"no number", "+49", "no telephone number"},
		{"not in E.164", "0231500223", "no telephone number"},
		{"a number of letters", "+49231FLOWERS", "no telephone number"},
		{"with a service code before it", "*21*+499001234567#", "no telephone number"},
		{"with digits after it", "+49231500223,,1", "no telephone number"},
		{"as a SIP address", "sip:+49231500223@example.org", "no telephone number"},
		{"too long", "+4923150022312345", "no telephone number"},
		{"an emergency", "+49112", "no telephone number"},
		{"directory", "+4911833", "no telephone number"},
		{"another carrier first", "+490101312319001", "no telephone number"},
		{"police with an area code", "+49231110", "short"},
		{"ambulance with an area code", "+4923119222", "short"},
		{"0900", "+499001234567", "premium"},
		{"0137", "+491371234567", "shared_cost"},
		{"0180", "+491801234567", "shared_cost"},
		{"0700", "+4970012345678", "personal"},
		{"0800", "+498001234567", "toll_free"},
		{"018", "+491811234567", "corporate"},
		{"Austrian premium", "+43900123456", "premium"},
		{"international premium", "+979123456789", "premium"},
		{"Inmarsat", "+870773123456", "satellite"},
		{"Iridium", "+881612345678", "satellite"},
		{"networks of no country", "+88213300655", "satellite"},
		{"Jamaica", "+18765551234", `"JM"`},
		{"the Dominican Republic", "+18095551234", `"DO"`},
		{"Somalia", "+25261234567", `"SO"`},
		{"Cuba", "+5354123456", `"CU"`},
		{"Estonia", "+37255123456", `"EE"`},
		{"France", "+33112345678", `"FR"`},
		{"our own number", "+492315001", "our own"},
		{"an extension of it", "+492315001234", "our own"},
		{"our other number", "+4930223344", "our own"},
	} {
		err := r.MayRing(e164.Number(c.n))
		if !errors.Is(err, ErrForbidden) || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want it forbidden: %s", c.about, err, c.reason)
		}
		if err != nil && len(c.n) > 4 && strings.Contains(err.Error(), c.n) {
			t.Errorf("%s: the error tells the number: %v", c.about, err)
		}
	}
	r.Allowed = nil
	if err := r.MayRing("+49231500223"); !errors.Is(err, ErrForbidden) {
		t.Errorf("without an allowed region: %v", err)
	}
}
