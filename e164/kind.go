package e164

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Kind is what a number is for, and so what ringing it costs.
type Kind string

// The kinds of numbers.
const (
	Fixed      Kind = "fixed" // where a plan does not tell, as in North America, mobile too
	Mobile     Kind = "mobile"
	VoIP       Kind = "voip" // of no place: 032 in Germany
	TollFree   Kind = "toll_free"
	Premium    Kind = "premium"
	SharedCost Kind = "shared_cost" // 0180 and 0137 in Germany
	Personal   Kind = "personal"    // led on to wherever its owner is: 0700 in Germany
	Pager      Kind = "pager"
	Corporate  Kind = "corporate" // of one user at many places: 018 in Germany
	Satellite  Kind = "satellite"
	Short      Kind = "short"   // emergency and service codes, with an area code before them too
	Unknown    Kind = "unknown" // no number of any plan
)

var kinds = map[phonenumbers.PhoneNumberType]Kind{
	phonenumbers.FIXED_LINE:           Fixed,
	phonenumbers.FIXED_LINE_OR_MOBILE: Fixed,
	phonenumbers.MOBILE:               Mobile,
	phonenumbers.VOIP:                 VoIP,
	phonenumbers.TOLL_FREE:            TollFree,
	phonenumbers.PREMIUM_RATE:         Premium,
	phonenumbers.SHARED_COST:          SharedCost,
	phonenumbers.PERSONAL_NUMBER:      Personal,
	phonenumbers.PAGER:                Pager,
	phonenumbers.UAN:                  Corporate,
	phonenumbers.VOICEMAIL:            Corporate,
}

// satellites are the country codes of satellite and other networks without a
// country (ITU-T E.164 list of assigned codes).
var satellites = map[int32]bool{870: true, 881: true, 882: true, 883: true}

// Kind says what the number is for, by the numbering plan of its country.
func (n Number) Kind() Kind {
	p, err := phonenumbers.Parse(string(n), "ZZ")
	if err != nil || len(n) > longest {
		return Unknown
	}
	switch {
	case satellites[p.GetCountryCode()]:
		return Satellite
	case !phonenumbers.IsValidNumber(p) || phonenumbers.Format(p, phonenumbers.E164) != string(n):
		return Unknown
	case isShort(p):
		return Short
	case p.GetCountryCode() == germany && strings.HasPrefix(phonenumbers.GetNationalSignificantNumber(p), "32"):
		return VoIP // the library takes it for a place
	}
	if k, ok := kinds[phonenumbers.GetNumberType(p)]; ok {
		return k
	}
	return Unknown
}

const germany = 49

// isShort says whether what follows the area code is a code and no subscriber:
// "0231 112" and "0231 19222" ring the fire brigade and the ambulance of
// Dortmund. In Germany no subscriber's number begins with 11 or 19 (numbering
// plan of the Bundesnetzagentur); what is dialled after such a code is ignored
// by some exchanges.
func isShort(p *phonenumbers.PhoneNumber) bool {
	area := phonenumbers.GetLengthOfGeographicalAreaCode(p)
	if area == 0 {
		return false
	}
	subscriber := phonenumbers.GetNationalSignificantNumber(p)[area:]
	if p.GetCountryCode() == germany {
		return strings.HasPrefix(subscriber, "11") || strings.HasPrefix(subscriber, "19")
	}
	return phonenumbers.IsEmergencyNumber(subscriber, phonenumbers.GetRegionCodeForNumber(p))
}

// Region is the ISO 3166 country the number belongs to by its country code, for
// example "DE"; "001" where it belongs to none, and empty where there is no such
// code.
func (n Number) Region() string {
	p, err := phonenumbers.Parse(string(n), "ZZ")
	if err != nil {
		return ""
	}
	if r := phonenumbers.GetRegionCodeForNumber(p); r != "ZZ" {
		return r
	}
	return ""
}
