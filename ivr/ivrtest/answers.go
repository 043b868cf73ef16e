package ivrtest

import (
	"time"

	"ringback/ivr"
	"ringback/prompts"
)

// Answers is what a caller who wants an appointment presses when asked. It
// does not depend on what was said before, so it fits a call that goes on
// after an interruption.
var Answers = map[prompts.Key]string{
	"main.menu":     "1",
	"born.ask":      Born,
	"born.read":     "1",
	"resume.ask":    "1",
	"postcode.ask":  Postcode,
	"postcode.read": "1",
	"choose.offer":  "1",
	"confirm.ask":   "1",
	"code.ready":    "1",
}

// Booker is a Person who goes by Answers. Interrupt, if set, is called before
// each line with its number, counted from 1.
type Booker struct {
	Interrupt func(n int)
	Lines     []prompts.Key // heard so far
}

// Hears implements Person.
func (b *Booker) Hears(u ivr.Utterance) Act {
	for _, l := range u.Lines {
		b.Lines = append(b.Lines, l.Key)
	}
	if b.Interrupt != nil {
		b.Interrupt(len(b.Lines))
	}
	return Act{}
}

// Asked implements Person.
func (b *Booker) Asked(time.Duration) Act { return Act{Keys: Answers[b.Lines[len(b.Lines)-1]]} }

// Speaks implements Person.
func (b *Booker) Speaks(time.Duration) (time.Duration, Act) { return 2 * time.Second, Act{} }
