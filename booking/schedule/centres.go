package schedule

import (
	"io"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ringback/booking"
)

// CentreColumns are the columns of a file of centres. The time zone is an IANA
// name; latitude and longitude are in degrees.
var CentreColumns = []string{"centre", "address", "time_zone", "latitude", "longitude"}

// ReadCentres reads centres from CSV, as ReadSlots does slots.
func ReadCentres(r io.Reader) iter.Seq2[Centre, error] {
	return func(yield func(Centre, error) bool) {
		for row, err := range table(r, CentreColumns) {
			if err != nil {
				if !yield(Centre{}, err) {
					return
				}
				continue
			}
			c := Centre{Line: row.line, Centre: booking.Centre{Name: row.values[0], Address: row.values[1], TimeZone: row.values[2]}}
			var latOK, lonOK bool
			c.Latitude, latOK = degrees(row.values[3], 90)
			c.Longitude, lonOK = degrees(row.values[4], 180)
			var faults []Fault
			if c.Name == "" {
				faults = append(faults, faultf(row.line, "the centre has no name"))
			}
			if !zoneExists(c.TimeZone) {
				faults = append(faults, faultf(row.line, "%s is no time zone; write it as Europe/Berlin", quote(c.TimeZone)))
			}
			if !latOK || !lonOK {
				faults = append(faults, faultf(row.line, "latitude %s and longitude %s are no degrees", quote(row.values[3]), quote(row.values[4])))
			}
			if !pass(yield, c, faults) {
				return
			}
		}
	}
}

// PostcodeColumns are the columns of a file of postcodes: the town as read back
// to a caller, and the name of the responsible centre.
var PostcodeColumns = []string{"postcode", "place", "centre"}

var postcodePattern = regexp.MustCompile(`^[0-9]{5}$`)

// ReadPostcodes reads postcodes from CSV, as ReadSlots does slots.
func ReadPostcodes(r io.Reader) iter.Seq2[Postcode, error] {
	return func(yield func(Postcode, error) bool) {
		for row, err := range table(r, PostcodeColumns) {
			if err != nil {
				if !yield(Postcode{}, err) {
					return
				}
				continue
			}
			p := Postcode{row.line, row.values[0], row.values[1], row.values[2]}
			// Excel takes postcodes for numbers and drops the zero of 01067.
			if len(p.Postcode) == 4 {
				p.Postcode = "0" + p.Postcode
			}
			var faults []Fault
			if !postcodePattern.MatchString(p.Postcode) {
				faults = append(faults, faultf(row.line, "%s is no postcode of five digits", quote(row.values[0])))
			}
			if p.Place == "" {
				faults = append(faults, faultf(row.line, "the place has no name"))
			}
			if !pass(yield, p, faults) {
				return
			}
		}
	}
}

// degrees reads a number with a point or, as a German Excel writes it, a comma.
func degrees(s string, most float64) (float64, bool) {
	f, err := strconv.ParseFloat(strings.Replace(s, ",", ".", 1), 64)
	return f, err == nil && f >= -most && f <= most
}

// zoneExists leaves out "" and "Local", which time.LoadLocation takes too.
func zoneExists(name string) bool {
	if name == "" || name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

// pass yields the faults of a line, or else what it says.
func pass[T any](yield func(T, error) bool, value T, faults []Fault) bool {
	if len(faults) == 0 {
		return yield(value, nil)
	}
	var none T
	for _, f := range faults {
		if !yield(none, f) {
			return false
		}
	}
	return true
}
