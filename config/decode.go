package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

// decode fills a Config. It goes on after a fault to find the rest.
func decode(v *viper.Viper) (Config, Faults) {
	var c Config
	err := v.UnmarshalExact(&c, viper.DecodeHook(value), func(d *mapstructure.DecoderConfig) {
		d.WeaklyTypedInput = false
	})
	var faults Faults
	for _, e := range decodeErrors(err) {
		key, _, _ := strings.Cut(e.Name(), "[") // "api.keys[0]"
		s, ok := setting(key)
		if !ok {
			continue // unknown keys have been named already, with a suggestion
		}
		f := Fault{Key: s.Key, Mend: mend(e)}
		if !s.Secret {
			f.Value = fmt.Sprint(v.Get(s.Key))
		}
		if !slices.Contains(faults, f) { // the elements of one list share their mend
			faults = append(faults, f)
		}
	}
	if err != nil && len(faults) == 0 && len(unknownKeys(v)) == 0 {
		faults = append(faults, Fault{Key: "the configuration", Mend: err.Error()})
	}
	return c, faults
}

// decodeErrors are the leaves of a decoder's error, each with its key.
func decodeErrors(err error) []*mapstructure.DecodeError {
	switch e := err.(type) { //nolint:errorlint // it walks the tree of errors itself
	case nil:
		return nil
	case *mapstructure.DecodeError:
		if deeper := decodeErrors(e.Unwrap()); len(deeper) > 0 {
			return deeper
		}
		return []*mapstructure.DecodeError{e}
	case interface{ Unwrap() []error }:
		var all []*mapstructure.DecodeError
		for _, one := range e.Unwrap() {
			all = append(all, decodeErrors(one)...)
		}
		return all
	}
	return decodeErrors(errors.Unwrap(err))
}

// mend is what is said of a value of the wrong kind.
func mend(e *mapstructure.DecodeError) string {
	var own wrongKind
	if errors.As(e, &own) {
		return string(own)
	}
	return "this is a value of the wrong kind: " + e.Unwrap().Error()
}

// wrongKind says of a value what it should be.
type wrongKind string

func (w wrongKind) Error() string { return string(w) }

var (
	durationType = reflect.TypeFor[time.Duration]()
	floatType    = reflect.TypeFor[float64]()
	timeType     = reflect.TypeFor[time.Time]()
	agentType    = reflect.TypeFor[Agent]()
)

// value reads one value, strictly: YAML takes a number with leading zeros for
// an octal one, and 8 for eight nanoseconds, so texts must be quoted where they
// look like numbers and durations need their unit.
func value(from, to reflect.Type, data any) (any, error) {
	s, isText := data.(string)
	switch {
	case to == durationType && from != durationType:
		d, err := time.ParseDuration(strings.TrimSpace(s))
		if err != nil {
			return nil, wrongKind("this is a length of time: give it its unit, for example 8s, 5m or 1h30m")
		}
		return d, nil
	case to == floatType && isText:
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil {
			return nil, wrongKind("this is a number, for example 1.5")
		}
		return f, nil
	case to == floatType && from.Kind() != reflect.Int && from.Kind() != reflect.Float64:
		return nil, wrongKind("this is a number, for example 1.5")
	case to.Kind() == reflect.Int && isText:
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return nil, wrongKind(wholeMend)
		}
		return n, nil
	case to.Kind() == reflect.Int && from.Kind() != reflect.Int:
		return nil, wrongKind(wholeMend)
	case to.Kind() == reflect.Bool && isText:
		b, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(s)))
		if err != nil {
			return nil, wrongKind("this is true or false")
		}
		return b, nil
	case to.Kind() == reflect.Bool && from.Kind() != reflect.Bool:
		return nil, wrongKind("this is true or false")
	case to == agentType && isText:
		return parseAgent(s)
	case to.Kind() == reflect.String && from == timeType:
		return data.(time.Time).Format(time.DateOnly), nil // YAML knows days
	case to.Kind() == reflect.String && !isText:
		if from.Kind() == reflect.Map || from.Kind() == reflect.Slice {
			return nil, wrongKind("this is one text, no list and no section")
		}
		return nil, wrongKind("this is a text: write it in quotes, or YAML reads it as something else")
	case to.Kind() == reflect.Slice && isText:
		return list(s), nil
	}
	return data, nil
}

const wholeMend = "this is a whole number, for example 20"

// list reads "pico, espeak".
func list(s string) []string {
	var all []string
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}
