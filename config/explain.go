package config

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"go.yaml.in/yaml/v3"
)

// Explain writes all settings as a table: key, default, unit and meaning.
func Explain(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KEY\tDEFAULT\tUNIT\tMEANING")
	for _, s := range settings {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", s.Key, shown(s.Default), s.Unit, s.About)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	_, err := fmt.Fprintf(w, "\nEach key can be set by an environment variable too: asterisk.url by %s,\n"+
		"a list with commas between, a language's voice by %s.\n", variable("asterisk.url"), variable("speech.voices.de"))
	if err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	return nil
}

// Find returns the setting of a key, those of a section, or all for "". An
// unknown key fails with a Fault that names what may have been meant.
func Find(key string) ([]Setting, error) {
	if key == "" {
		return Settings(), nil
	}
	if s, ok := setting(key); ok {
		return []Setting{s}, nil
	}
	var found []Setting
	for _, s := range settings {
		if within(s.Key, key) {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		mend := "there is no such key: `ringback config explain` lists all"
		if near := nearest(key, append(keyNames(), sections()...)); near != "" {
			mend = fmt.Sprintf("there is no such key: did you mean %s?", near)
		}
		return nil, Faults{{Key: key, Mend: mend}}
	}
	return found, nil
}

// Variable is the environment variable that overrides the setting. That of
// voices is one a language.
func (s Setting) Variable() string {
	if _, ok := s.Default.(map[string]any); ok {
		return variable(s.Key) + "_DE"
	}
	return variable(s.Key)
}

// WriteTable writes settings for people: one line each, or, for a single one,
// a paragraph.
func WriteTable(w io.Writer, settings []Setting) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(settings) == 1 {
		s := settings[0]
		fmt.Fprintf(t, "key\t%s\ndefault\t%s\nunit\t%s\nvariable\t%s\nmeaning\t%s\n", s.Key, shown(s.Default), s.Unit, s.Variable(), s.About)
	} else {
		fmt.Fprintln(t, "KEY\tDEFAULT\tUNIT\tVARIABLE\tMEANING")
		for _, s := range settings {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", s.Key, shown(s.Default), s.Unit, s.Variable(), s.About)
		}
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	return nil
}

// WriteJSON writes settings for programs: a list of objects. Durations are
// written as in the file.
func WriteJSON(w io.Writer, settings []Setting) error {
	type described struct {
		Key      string `json:"key"`
		Default  any    `json:"default"`
		Unit     string `json:"unit"`
		Variable string `json:"variable"`
		Secret   bool   `json:"secret"`
		Meaning  string `json:"meaning"`
	}
	all := []described{}
	for _, s := range settings {
		all = append(all, described{s.Key, plain(s.Default), s.Unit, s.Variable(), s.Secret, s.About})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(all); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	return nil
}

// WriteYAML writes settings as a file to start from: every key at its default,
// with its meaning above.
func WriteYAML(w io.Writer, settings []Setting) error {
	var b strings.Builder
	b.WriteString("# Settings of Ringback, each at its default. Remove what need not differ.\n" +
		"# The environment overrides this file; the variable stands with each key.\n")
	section := ""
	for _, s := range settings {
		indent, name := "", s.Key
		of, rest, nested := strings.Cut(s.Key, ".")
		if nested {
			indent, name = "  ", rest
			if of != section {
				fmt.Fprintf(&b, "\n%s:\n", of)
			}
			section = of
		}
		value, err := flow(s.Default)
		if err != nil {
			return fmt.Errorf("write settings: %s: %w", s.Key, err)
		}
		if !nested {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%[1]s# %[2]s\n%[1]s# %[3]s; %[4]s\n%[1]s%[5]s: %[6]s\n", indent, s.About, s.Unit, s.Variable(), name, value)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	return nil
}

// flow is a value in YAML, in one line.
func flow(v any) (string, error) {
	var n yaml.Node
	if err := n.Encode(plain(v)); err != nil {
		return "", err
	}
	if n.Kind != yaml.ScalarNode {
		n.Style = yaml.FlowStyle
	}
	text, err := yaml.Marshal(&n)
	return strings.TrimSpace(string(text)), err
}

// plain is a default as it would be written down: "5m" instead of a number of
// nanoseconds.
func plain(v any) any {
	switch v := v.(type) {
	case time.Duration:
		return duration(v)
	case []time.Duration:
		return durations(v)
	}
	return v
}

// sections are what keys stand in: "asterisk".
func sections() []string {
	var all []string
	for _, k := range keyNames() {
		if of, _, nested := strings.Cut(k, "."); nested && (len(all) == 0 || all[len(all)-1] != of) {
			all = append(all, of)
		}
	}
	return all
}

// shown writes a default as one would in the file. Defaults hold no secret.
func shown(v any) string {
	switch v := v.(type) {
	case string:
		if strings.Trim(v, "0123456789") == "" { // YAML needs the quotes
			return strconv.Quote(v)
		}
		return v
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, k := range sortedKeys(v) {
			parts = append(parts, k+": "+shown(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case time.Duration:
		return duration(v)
	case []time.Duration:
		return shown(durations(v))
	default:
		return fmt.Sprint(v)
	}
}

func durations(all []time.Duration) []string {
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = duration(d)
	}
	return texts
}

// duration writes 5m0s as 5m.
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
