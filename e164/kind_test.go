package e164

import "testing"

func TestKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about  string
		n      Number
		kind   Kind
		region string
	}{
		{"Dortmund", "+49231500123", Fixed, "DE"},
		{"Berlin", "+4930223344", Fixed, "DE"},
		{"German mobile", "+4915112345678", Mobile, "DE"},
		{"German, of no place", "+4932221234567", VoIP, "DE"},
		{"0800", "+498001234567", TollFree, "DE"},
		{"0900", "+499001234567", Premium, "DE"},
		{"0137", "+491371234567", SharedCost, "DE"},
		{"0180", "+491801234567", SharedCost, "DE"},
		{"0700", "+4970012345678", Personal, "DE"},
		{"a pager", "+4916812345678", Pager, "DE"},
		{"018", "+491811234567", Corporate, "DE"},
		{"Dortmund's police", "+49231110", Short, "DE"},
		{"Dortmund's fire brigade", "+49231112", Short, "DE"},
		{"Berlin's fire brigade, and digits after it", "+4930112233", Short, "DE"},
		{"Dortmund's ambulance", "+4923119222", Short, "DE"},
		{"Dortmund's town hall", "+49231115", Short, "DE"},
		{"an emergency alone", "+49112", Unknown, "DE"},
		{"directory", "+4911833", Unknown, "DE"},
		{"call by call", "+49101234567", Unknown, "DE"},
		{"the doctor on call", "+49116117", Unknown, "DE"},
		{"London", "+442071234567", Fixed, "GB"},
		{"led on by an owner in Britain", "+447012345678", Personal, "GB"},
		{"Paris, beginning like 112", "+33112345678", Fixed, "FR"},
		{"French premium", "+33899123456", Premium, "FR"},
		{"Austrian premium", "+43900123456", Premium, "AT"},
		{"New York", "+12125551234", Fixed, "US"},
		{"American premium", "+19005551234", Premium, "US"},
		{"Jamaica, dialled as a number of America", "+18765551234", Mobile, "JM"},
		{"the Dominican Republic, the same", "+18095551234", Fixed, "DO"},
		{"Cuba", "+5354123456", Mobile, "CU"},
		{"Inmarsat", "+870773123456", Satellite, "001"},
		{"Iridium", "+881612345678", Satellite, "001"},
		{"a network of no country", "+88213300655", Satellite, "001"},
		{"another", "+883510012345", Satellite, "001"},
		{"international premium", "+979123456789", Premium, "001"},
		{"withheld", Withheld, Unknown, ""},
		{"no number", "49231500123", Unknown, ""},
		{"not in its one form", "+490231500123", Unknown, "DE"},
		{"words", "+49DOCTOR", Unknown, ""},
	} {
		if got := c.n.Kind(); got != c.kind {
			t.Errorf("%s: %s is %s, want %s", c.about, c.n, got, c.kind)
		}
		if got := c.n.Region(); got != c.region {
			t.Errorf("%s: %s is of %q, want %q", c.about, c.n, got, c.region)
		}
	}
}
