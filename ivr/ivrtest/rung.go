package ivrtest

import (
	"context"
	"fmt"

	"ringback/ivr"
	"ringback/prompts"
	"ringback/queue"
)

// weRing lets us ring the caller, who was promised it:
//
//	we ring | we ring a telephone without keys | we ring for the last time
//	we ring whose line broke | we ring for the dialogue
func (w *World) weRing(ctx context.Context, f Fact) error {
	a := before(w.Caller)
	last := false
	switch f.Text {
	case "we ring":
	case "we ring a telephone without keys":
		a.Keyless, a.Reason = true, queue.NoKeys
	case "we ring for the last time":
		last = true
	case "we ring for the dialogue":
		a.Wish, a.Reason, a.Scene = queue.WishSelf, queue.Busy, "express"
	case "we ring whose line broke":
		hold, p, err := w.hold(ctx, Born)
		if err == nil {
			err = w.Bookings.KeepHold(ctx, earlier)
		}
		if err != nil {
			return err
		}
		state := ivr.State{Language: prompts.German, Topic: ivr.TopicNew, Number: w.Caller, Born: p.Born, Postcode: p.Postcode,
			Centre: hold.Slot.Centre, Hold: &hold, Back: []ivr.SceneName{"born", "postcode", "choose"}}
		a.Wish, a.Reason, a.Scene, a.Known = queue.WishSelf, queue.Broken, "confirm", state.JSON()
	default:
		return fmt.Errorf("line %d: nobody knows how %q", f.Line, f.Text)
	}
	t, err := w.Line.Promise(ctx, a, queue.Window{})
	for tries := 0; err == nil && last && tries <= len(w.Line.rules.Retries); tries++ {
		var made queue.Attempt
		if made, err = w.Line.Attempt(t.ID); err == nil {
			_, err = w.Line.Resolve(ctx, made.ID, queue.FateNoAnswer)
			w.Line.Due(t.ID)
		}
	}
	if err == nil {
		w.Line.match()
		var made queue.Attempt
		made, err = w.Line.Attempt(t.ID)
		w.Attempt = made.ID
	}
	return err
}
