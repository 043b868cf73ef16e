package api

import (
	"context"
	"strings"
)

// Signature is who changes something, and why: the audit keeps both. Brackets
// are left to the key's name, which the API adds.
type Signature struct {
	Why string `json:"why" minLength:"1" maxLength:"200" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"a line of text" example:"asked to be removed" doc:"For the audit."`
	By  string `json:"by,omitempty" maxLength:"80" pattern:"^[^()\\x00-\\x1f\\x7f]*$" patternDescription:"a name, without brackets" example:"Anna Schmidt" doc:"Who wants it, for the audit; the name of the API key is added."`
}

// read returns the two as the audit keeps them. Where says what a refusal
// blames, "body" or "query".
func (s Signature) read(ctx context.Context, where string) (by, why string, err error) {
	why = strings.TrimSpace(strings.ToValidUTF8(s.Why, "\uFFFD"))
	if why == "" {
		return "", "", invalid(where+".why", s.Why, "say why, for the audit")
	}
	return signed(ctx, strings.TrimSpace(strings.ToValidUTF8(s.By, "\uFFFD"))), why, nil
}

// SignedQuery is a Signature where a request has no body.
type SignedQuery struct {
	Why string `query:"why" required:"true" minLength:"1" maxLength:"200" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"a line of text" example:"asked to be removed" doc:"For the audit."`
	By  string `query:"by" maxLength:"80" pattern:"^[^()\\x00-\\x1f\\x7f]*$" patternDescription:"a name, without brackets" example:"Anna Schmidt" doc:"Who wants it, for the audit; the name of the API key is added."`
}

func (q SignedQuery) signature() Signature { return Signature(q) }
