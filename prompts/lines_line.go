package prompts

import (
	"time"

	"ringback/e164"
)

// PromiseCallback promises a callback as soon as it is the caller's turn, which
// is expected in low to high; both zero: nobody knows. It reads the number back.
func PromiseCallback(n e164.Number, low, high time.Duration) Line {
	if high == 0 {
		return Line{"person.promise", []Arg{{"number", Phone(n)}}}
	}
	return Line{"person.promisein", []Arg{{"wait", Wait{low, high}}, {"number", Phone(n)}}}
}

// PromiseHour promises a callback in an hour and reads the number back.
func PromiseHour(n e164.Number, w Window) Line {
	return Line{"person.promiseat", []Arg{{"window", w}, {"number", Phone(n)}}}
}

// OfferHour offers an hour under a key.
func OfferHour(w Window, key string) Line {
	return Line{"person.hour", []Arg{{"window", w}, {"key", Digits(key)}}}
}

// AgainPlace tells who rings again how many people are ahead, and that they are
// rung.
func AgainPlace(ahead int) Line { return Line{"again.place", []Arg{{"ahead", People(ahead)}}} }

// AgainHour tells who rings again the hour that was promised.
func AgainHour(w Window) Line { return Line{"again.hour", []Arg{{"window", w}}} }

// AgainKept tells who rings again that the place is kept.
func AgainKept(ahead int) Line { return Line{"again.kept", []Arg{{"ahead", People(ahead)}}} }

// WaitPlace tells how many people are ahead.
func WaitPlace(ahead int) Line {
	if ahead == 0 {
		return YouAreNext
	}
	return Line{"wait.place", []Arg{{"ahead", People(ahead)}}}
}

// WaitTime tells how long the wait is expected to be.
func WaitTime(w Wait) Line { return Line{"wait.time", []Arg{{"wait", w}}} }

// TicketNumber tells who shows no number how to find the place again.
func TicketNumber(short string) Line { return Line{"wait.ticket", []Arg{{"ticket", Code(short)}}} }

// ExpressPromise promises to ring back in an hour; nil: as soon as it is the
// caller's turn.
func ExpressPromise(n e164.Number, w *Window) Line {
	if w == nil {
		return Line{"express.soon", []Arg{{"number", Phone(n)}}}
	}
	return Line{"express.promise", []Arg{{"number", Phone(n)}, {"window", *w}}}
}

// ExpressOther tells the hour that was chosen instead of the promised one.
func ExpressOther(w Window) Line { return Line{"express.hour", []Arg{{"window", w}}} }

// ExpressHour tells who is registered already the hour that was promised.
func ExpressHour(w Window) Line { return Line{"express.again", []Arg{{"window", w}}} }

// EarlyPromise is ExpressPromise before the call is answered.
func EarlyPromise(n e164.Number, w *Window) Line {
	if w == nil {
		return Line{"early.soon", []Arg{{"number", Phone(n)}}}
	}
	return Line{"early.promise", []Arg{{"number", Phone(n)}, {"window", *w}}}
}
