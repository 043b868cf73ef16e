package ivr

import (
	"context"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/queue"
)

// lineBroke is the outcome of a call whose line dropped though nobody hung up.
// Unless they have what they wanted, the person is rung as soon as can be, and
// goes on where they were: in the same scene with what was held, or in the line.
func (h *Hotline) lineBroke(ctx context.Context, s *Session, name SceneName) Outcome {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	if s.Attempt != uuid.Nil { // it dropped before anybody was reached
		h.resolve(ctx, s, queue.FateFailed)
		return Outcome{CalledBack, lineBroke}
	}
	if wish, ring := s.afterBreak(name); ring {
		h.ringAgain(ctx, s, name, wish)
	}
	if s.Won == "" {
		s.Won = HungUp
	}
	return Outcome{s.Won, lineBroke}
}

// lineBroke is the reason of such an outcome.
const lineBroke = "line broke"

// AfterBreak says whether somebody whose call broke in a scene, with its state
// as it was written, is to be rung, and what for. Who had what they wanted, or
// was promised to be rung already, is not.
func AfterBreak(name SceneName, state []byte) (wish queue.Wish, ring bool) {
	left, _ := decode(state) // of another version: the scene alone says it
	return left.afterBreak(name)
}

func (s *State) afterBreak(name SceneName) (wish queue.Wish, ring bool) {
	for _, sc := range allScenes {
		if sc.name != name {
			continue
		}
		wish = queue.WishSelf
		if sc.inLine {
			wish = queue.WishPerson
		}
		return wish, !sc.done && !s.promisedNow()
	}
	return queue.WishSelf, true
}

// ringAgain promises to ring the number of a line that broke at once.
func (h *Hotline) ringAgain(ctx context.Context, s *Session, name SceneName, wish queue.Wish) {
	if s.Number == e164.Withheld || h.Rules.MayRing(s.Number) != nil {
		return // a place in line is kept, as for who hung up
	}
	s.scene, s.Reason = name, queue.Broken
	if err := h.promiseOnce(ctx, s, wish); err != nil {
		s.logger.Error("promise to ring whose line broke", "err", err)
	}
}

// promiseOnce promises, for a call that is over, to ring as soon as it is the
// person's turn. There is nobody to ask for a moment.
func (h *Hotline) promiseOnce(ctx context.Context, s *Session, wish queue.Wish) error {
	for {
		a := s.arrival(wish)
		a.Node = ""
		t, err := h.Queue.Promise(ctx, a, queue.Window{})
		switch {
		case err == nil:
			s.won(CalledBack)
			s.placed(t)
			return nil
		case !s.anew(a, err):
			return err
		}
	}
}
