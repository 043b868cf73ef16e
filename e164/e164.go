// Package e164 is telephone numbers in the form of ITU-T E.164.
// It must not know who the numbers belong to or how calls are made.
package e164

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Number is a telephone number in E.164 form with its plus sign, for example
// "+4923150012345". The zero value is Withheld.
type Number string

// Withheld is the number of a caller who does not show one. It is a state of
// its own and equals no telephone's number.
const Withheld Number = ""

// ErrInvalid says that the digits are no telephone number of the region or of
// any country.
var ErrInvalid = errors.New("not a telephone number")

// anonymous are the user parts that networks send when a number is withheld
// (RFC 3323 section 4.1.1.3, and what Asterisk and gateways put in its place).
var anonymous = map[string]bool{
	"": true, "anonymous": true, "unknown": true, "unavailable": true,
	"restricted": true, "private": true, "withheld": true, "asterisk": true,
}

// Parse reads a number as a network signals it or a person keys it: national
// ("0231 500123"), international ("0049…", "+49…"), international as trunks
// often leave it ("49231…"), or a word that stands for a withheld number, which
// gives Withheld. Region is the ISO 3166 country whose national form is
// understood, for example "DE". It fails with ErrInvalid.
func Parse(raw, region string) (Number, error) {
	s := strings.ToLower(strings.TrimSpace(raw))
	if anonymous[s] {
		return Withheld, nil
	}
	for _, c := range readings(separators.Replace(s), region) {
		p, err := phonenumbers.Parse(c, region)
		if err != nil || !phonenumbers.IsValidNumber(p) {
			continue
		}
		if n := phonenumbers.Format(p, phonenumbers.E164); len(n) <= longest {
			return Number(n), nil
		}
	}
	return Withheld, fmt.Errorf("%w: %d characters, region %s", ErrInvalid, len(s), region)
}

// longest is the plus sign and 15 digits (ITU-T E.164 section 6.2.1).
const longest = 1 + 15

// separators are how people space a number. Anything else beside digits is
// refused: the library below would take letters for keys and cut extensions off.
var separators = strings.NewReplacer(" ", "", "-", "", "/", "", "(", "", ")", "", ".", "")

// readings are what a string of digits may mean, the likeliest first. Where
// national numbers begin with 0, one without it is international with the plus
// left away; read as national, "49231…" would be a valid number too, a wrong
// one. Elsewhere, as in North America, national comes first.
func readings(digits, region string) []string {
	bare := strings.TrimPrefix(digits, "+")
	if strings.Trim(bare, "0123456789") != "" {
		return nil
	}
	country := strconv.Itoa(phonenumbers.GetCountryCodeForRegion(region))
	switch {
	case strings.HasPrefix(digits, "+"), strings.HasPrefix(digits, "0"):
		return []string{digits}
	case phonenumbers.GetNddPrefixForRegion(region, true) != "0":
		return []string{digits, "+" + digits}
	case strings.HasPrefix(digits, country):
		return []string{"+" + digits}
	}
	return []string{"+" + digits, digits}
}

// National returns the number as a person of its own country would dial it,
// digits only: "+4923150012345" is "023150012345".
func (n Number) National() string {
	p, err := phonenumbers.Parse(string(n), "ZZ")
	if err != nil {
		return onlyDigits(string(n))
	}
	return onlyDigits(phonenumbers.Format(p, phonenumbers.NATIONAL))
}

// DialledFrom returns the number as a person in that region (ISO 3166) would
// dial it, digits only: from "DE", "+4923150012345" is "023150012345" and
// "+33123456789" is "0033123456789".
func (n Number) DialledFrom(region string) string {
	p, err := phonenumbers.Parse(string(n), "ZZ")
	if err != nil {
		return onlyDigits(string(n))
	}
	return onlyDigits(phonenumbers.FormatOutOfCountryCallingNumber(p, region))
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// Masked returns the number for logs: all but the last two digits hidden.
func (n Number) Masked() string {
	if n == Withheld {
		return "withheld"
	}
	if len(n) <= 2 {
		return "••"
	}
	return strings.Repeat("•", len(n)-2) + string(n[len(n)-2:])
}
