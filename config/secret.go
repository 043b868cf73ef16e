package config

import (
	"fmt"
	"io"
)

// hidden stands where a secret would.
const hidden = "(hidden)"

// Secret is a value that no log, error or dump may show. Whatever prints it
// prints a mark in its place; Reveal is the one way to the value.
type Secret string

// Reveal returns the value, to hand it to what needs it.
func (s Secret) Reveal() string { return string(s) }

// String returns a mark that tells only whether a value is set.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// Format covers every verb of fmt, %x and %#v among them.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText covers JSON, YAML and slog.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
