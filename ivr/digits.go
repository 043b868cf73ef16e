package ivr

import (
	"context"
	"errors"
	"strings"
	"time"

	"ringback/prompts"
	"ringback/queue"
)

// digitEntry asks for digits by keys: all of them personal, so none is ever shown in a
// transcript. In it all ten digits are digits; * clears them, * on nothing is
// back, # ends early and is never required, and a single 0 followed by silence
// is the person.
type digitEntry struct {
	ask prompts.Line
	max int // ends the entry by itself
	// enough says whether the digits can stand as they are; done whether no
	// more are to come. Either may be nil: then max digits are enough.
	enough func(digits string) bool
	done   func(digits string) bool
	// check returns the line that says what is wrong, or nil.
	check func(ctx context.Context, digits string) (*prompts.Line, error)
}

// digits asks for digits until they are right, back is wished, or two errors
// in a row bring in a person.
func (s *Session) digits(ctx context.Context, e digitEntry) (string, error) {
	manner, first, between := s.manner(), s.timing.FirstKey, s.timing.BetweenKeys
	for faults := 0; ; {
		if err := s.utter(ctx, Utterance{Manner: manner, Lines: []prompts.Line{e.ask}}); err != nil {
			return "", err
		}
		digits, err := s.collect(ctx, e, waits{first, between})
		if err != nil {
			return "", err
		}
		wrong := &prompts.TooShort
		switch {
		case digits == "":
			wrong = &prompts.NoKey
		case digits == "0":
			return "", toPerson{queue.Asked}
		case e.isEnough(digits):
			if wrong, err = e.check(ctx, digits); wrong == nil || err != nil {
				return digits, err
			}
		}
		if faults++; faults == 2 {
			if digits == "" {
				return "", toPerson{queue.NoKeys}
			}
			return "", toPerson{queue.Errors}
		}
		if err := s.apologise(ctx, *wrong); err != nil {
			return "", err
		}
		manner, first, between = s.patient(), s.longer(first), s.longer(between)
	}
}

func (e digitEntry) isEnough(digits string) bool {
	if e.enough == nil {
		return len(digits) == e.max
	}
	return e.enough(digits)
}

func (e digitEntry) isDone(digits string) bool {
	return len(digits) >= e.max || e.done != nil && e.done(digits)
}

// waits is how long a caller is given for the first digit and for each further.
type waits struct{ first, between time.Duration }

// collect takes keys until the entry is complete or the caller pauses.
func (s *Session) collect(ctx context.Context, e digitEntry, wait waits) (string, error) {
	var digits []byte
	note := func() {
		if len(digits) > 0 {
			s.Keyless = false
			s.note(Entry{Kind: EntryKey, Line: string(e.ask.Key), Keys: strings.Repeat("•", len(digits))})
		}
	}
	for {
		patience := wait.between
		if len(digits) == 0 {
			patience = wait.first
		}
		k, err := s.call.Key(ctx, patience)
		switch {
		case errors.Is(err, ErrSilence), k == '#':
			note()
			return string(digits), nil
		case err != nil:
			note()
			return "", err
		case k == '*' && len(digits) == 0:
			s.note(Entry{Kind: EntryKey, Line: string(e.ask.Key), Keys: "*"})
			return "", errBack
		case k == '*':
			note()
			digits = digits[:0]
			if err := s.Say(ctx, prompts.Cleared); err != nil {
				return "", err
			}
		default:
			digits = append(digits, byte(k))
		}
		if e.isDone(string(digits)) {
			note()
			return string(digits), nil
		}
	}
}
