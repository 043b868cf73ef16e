package api

import (
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"ringback/e164"
)

// noStore keeps what people said and pressed out of caches.
const noStore = "no-store"

// queryFaults are a value left empty or given twice, and a query that cannot
// be read: what was asked for would not be what is answered.
func queryFaults(ctx huma.Context) []error {
	u := ctx.URL()
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return []error{&huma.ErrorDetail{Location: "query", Message: "the query cannot be read: escape its values"}}
	}
	var faults []error
	for name, values := range q {
		if len(values) > 1 {
			faults = append(faults, &huma.ErrorDetail{Location: "query." + name, Message: "give this once"})
		} else if values[0] == "" {
			faults = append(faults, &huma.ErrorDetail{Location: "query." + name, Message: "give this a value, or leave it out"})
		}
	}
	return faults
}

// numberAsked reads the number of a query; Withheld asks for all.
func numberAsked(raw, region string) (e164.Number, error) {
	if raw == "" {
		return e164.Withheld, nil
	}
	n, err := e164.Parse(raw, region)
	switch {
	case err != nil:
		return "", invalid("query.number", raw, badNumber)
	case n == e164.Withheld:
		return "", invalid("query.number", raw, "withheld numbers cannot be told apart: leave number out to list all")
	}
	return n, nil
}

// badNumber is what to do about a number that is none.
const badNumber = "this is no telephone number: write it like +4923150012345 or 0231 50012345"
