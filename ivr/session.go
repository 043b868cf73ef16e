package ivr

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"ringback/booking"
	"ringback/prompts"
	"ringback/queue"
)

// Texts is the words of the hotline. *prompts.Catalogue is one.
type Texts interface {
	Languages() []prompts.Language
	Text(m prompts.Manner, l prompts.Line) (prompts.Text, error)
}

// Timing is how long a caller is given.
type Timing struct {
	FirstKey    time.Duration // for the first key of an answer
	BetweenKeys time.Duration // between the digits of one
	AfterError  float64       // both grow by this factor after an error
	Grasp       time.Duration // a question that commits must have sounded to be answered
	Ready       time.Duration // to fetch paper and pen
	Name        time.Duration // to speak a name
	Patience    time.Duration // for a store of ours that does not answer

	Pause   time.Duration // after each thing that is offered to a waiting caller
	Closing time.Duration // before the hours end nobody joins the line any more
	Express time.Duration // for a key where few lines are left
	Early   time.Duration // the longest announcement before a call is answered
	Rung    time.Duration // for the key of somebody we rang
}

// DefaultTiming is for callers over eighty. There is no published time-out for
// this age; these are twice the eight and five seconds other hotlines halve.
func DefaultTiming() Timing {
	return Timing{
		FirstKey:    8 * time.Second,
		BetweenKeys: 5 * time.Second,
		AfterError:  2,
		Grasp:       600 * time.Millisecond,
		Ready:       time.Minute,
		Name:        10 * time.Second,
		Patience:    30 * time.Second,
		Pause:       600 * time.Millisecond,
		Closing:     5 * time.Minute,
		Express:     1500 * time.Millisecond,
		Early:       20 * time.Second,
		Rung:        4500 * time.Millisecond,
	}
}

// errBack is the caller's wish to go back one scene.
var errBack = errors.New("back")

// toPerson is the caller's way to a person: asked for, or because keys do not
// work for them.
type toPerson struct{ reason queue.Reason }

func (p toPerson) Error() string { return "to a person: " + string(p.reason) }

// Session is a Call with manners: it repeats, slows down, and hands over to a
// person rather than giving up. Dialogues speak through it and never see keys
// that are not an answer.
type Session struct {
	State
	call   Call
	log    Log
	texts  Texts
	timing Timing
	now    func() time.Time
	logger *slog.Logger
	scene  SceneName // that is played

	answered bool     // the call
	resumed  bool     // the last promise found what was promised before
	midway   bool     // taken over where no word is in place
	outcome  *Outcome // of a call that ends otherwise than its results say; nil: as they do
}

// Say speaks in the session's language and pace; a key cuts it short.
func (s *Session) Say(ctx context.Context, lines ...prompts.Line) error {
	return s.utter(ctx, Utterance{Manner: s.manner(), Lines: lines})
}

// SayWhole speaks to the end whatever is pressed meanwhile.
func (s *Session) SayWhole(ctx context.Context, lines ...prompts.Line) error {
	return s.utter(ctx, Utterance{Manner: s.manner(), Lines: lines, Uncut: true})
}

// Slowly speaks to the end and slower than the rest: what is written down.
func (s *Session) Slowly(ctx context.Context, lines ...prompts.Line) error {
	m := s.manner()
	m.Pace = m.Pace.Slower()
	return s.utter(ctx, Utterance{Manner: m, Lines: lines, Uncut: true})
}

// Menu asks and returns one of the keys. In every menu 0 is a person, * back
// and 9 the same again, slower.
func (s *Session) Menu(ctx context.Context, keys string, lines ...prompts.Line) (Key, error) {
	return s.ask(ctx, question{keys: keys, lines: lines})
}

// MenuOrSilence is a Menu in which silence is an answer too: ErrSilence.
func (s *Session) MenuOrSilence(ctx context.Context, keys string, lines ...prompts.Line) (Key, error) {
	return s.ask(ctx, question{keys: keys, lines: lines, silence: silenceAnswers})
}

// Confirm reads something back: 1 right, 2 wrong. Silence is asked once more
// and then taken as right.
func (s *Session) Confirm(ctx context.Context, lines ...prompts.Line) (bool, error) {
	k, err := s.ask(ctx, question{keys: "12", lines: lines, silence: silenceAgrees})
	return k == '1', err
}

// Commit asks before something is booked or cancelled: 1 yes, 2 no. Only a key
// pressed after the line began, by the timing's Grasp, counts: one pressed twice
// by a trembling hand books nothing. Silence is never taken as a yes.
func (s *Session) Commit(ctx context.Context, lines ...prompts.Line) (bool, error) {
	k, err := s.ask(ctx, question{keys: "12", lines: lines, fresh: true})
	return k == '1', err
}

// Ready waits up to the timing's Ready for any key; silence is fine.
func (s *Session) Ready(ctx context.Context, line prompts.Line) error {
	k, err := s.ask(ctx, question{keys: "1", lines: []prompts.Line{line}, silence: silenceAnswers, wait: s.timing.Ready, any: true})
	if errors.Is(err, ErrSilence) || k == '1' {
		return nil
	}
	return err
}

// Record takes down what the caller says after the tone.
func (s *Session) Record(ctx context.Context, longest time.Duration, line prompts.Line) (booking.Recording, error) {
	if err := s.SayWhole(ctx, line); err != nil {
		return booking.Recording{}, err
	}
	s.call.Flush()
	return s.call.Record(ctx, longest)
}

// silence is what no key means to a question.
type silence int

const (
	silenceErrs    silence = iota // an error, like a wrong key
	silenceAgrees                 // asked once more, then the same as 1
	silenceAnswers                // an answer of its own
)

// question is one menu.
type question struct {
	keys    string // the choices besides 0, 9 and *
	lines   []prompts.Line
	tail    []Utterance // said after the lines, in manners of their own
	silence silence
	fresh   bool          // counts only keys pressed after the line began
	any     bool          // any key is the first choice
	wait    time.Duration // for the key; zero: the timing's
}

// ask is every menu of the hotline. After one error it speaks slower and in
// simpler words and waits longer; after the second in a row it brings in a
// person.
func (s *Session) ask(ctx context.Context, q question) (Key, error) {
	manner, wait := s.manner(), q.wait
	if wait == 0 {
		wait = s.timing.FirstKey
	}
	for faults := 0; ; {
		if q.fresh {
			s.call.Flush()
		}
		began := s.now()
		if err := s.utter(ctx, Utterance{Manner: manner, Lines: q.lines}); err != nil {
			return 0, err
		}
		if q.fresh && s.now().Sub(began) < s.timing.Grasp {
			continue // the second stroke of a trembling hand, not an answer
		}
		for _, u := range q.tail {
			if err := s.utter(ctx, u); err != nil {
				return 0, err
			}
		}
		k, err := s.call.Key(ctx, wait)
		if err == nil {
			s.pressed(prompts.Line{Key: prompts.Key(q.name())}, k)
		}
		switch {
		case errors.Is(err, ErrSilence) && q.silence == silenceAnswers:
			return 0, err
		case errors.Is(err, ErrSilence) && q.silence == silenceAgrees && faults > 0:
			return '1', nil
		case errors.Is(err, ErrSilence):
		case err != nil:
			return 0, err
		case strings.IndexByte(q.keys, byte(k)) >= 0:
			return k, nil
		case k == '0':
			return 0, toPerson{queue.Asked}
		case k == '*':
			return 0, errBack
		case k == '9':
			s.slower()
			manner.Pace = max(manner.Pace.Slower(), s.Pace)
			continue
		case q.any:
			return Key(q.keys[0]), nil
		}
		if faults++; faults == 2 {
			return 0, toPerson{unheard(err)}
		}
		if err := s.apologise(ctx, faultLine(err)); err != nil {
			return 0, err
		}
		manner, wait = s.patient(), s.longer(wait)
	}
}

func (q question) name() string { return string(q.lines[len(q.lines)-1].Key) }

// unheard is why a person is brought in after two errors, of which the last
// was err: silence, or nil for a wrong key.
func unheard(err error) queue.Reason {
	if errors.Is(err, ErrSilence) {
		return queue.NoKeys
	}
	return queue.Errors
}

func faultLine(err error) prompts.Line {
	if errors.Is(err, ErrSilence) {
		return prompts.NoKey
	}
	return prompts.WrongKey
}

// apologise says what went wrong, to the end. Keys pressed meanwhile belonged
// to the misunderstanding and are forgotten.
func (s *Session) apologise(ctx context.Context, l prompts.Line) error {
	if err := s.SayWhole(ctx, l); err != nil {
		return err
	}
	s.call.Flush()
	return nil
}

// manner is how the session speaks.
func (s *Session) manner() prompts.Manner {
	return prompts.Manner{Language: s.Language, Pace: s.Pace}
}

// patient is how it speaks after an error.
func (s *Session) patient() prompts.Manner {
	return prompts.Manner{Language: s.Language, Pace: s.Pace.Slower(), Simple: true}
}

// slower is the caller's wish; it is remembered for the number.
func (s *Session) slower() { s.Pace = max(s.Pace, prompts.Slow) }

func (s *Session) longer(d time.Duration) time.Duration {
	return time.Duration(float64(d) * s.timing.AfterError)
}

func (s *Session) utter(ctx context.Context, u Utterance) error {
	at := s.now()
	for _, l := range u.Lines {
		t, err := s.texts.Text(u.Manner, l)
		if err != nil {
			return err
		}
		s.note(Entry{At: at, Kind: EntrySay, Line: string(l.Key), Text: t.Masked})
	}
	return s.call.Say(ctx, u)
}

// enter begins a scene.
func (s *Session) enter(name SceneName) {
	s.scene = name
	s.keep()
	s.note(Entry{Kind: EntryScene, Line: string(name)})
}

// keep lets another process play the scene again with what has changed since
// it was entered: what is held for the caller is spoken to the caller.
func (s *Session) keep() { s.log.Entered(s.call.Info().ID, s.scene, s.Language, s.JSON()) }

// pressed notes a key that answers a line. This telephone has keys.
func (s *Session) pressed(l prompts.Line, k Key) {
	s.Keyless = false
	s.note(Entry{Kind: EntryKey, Line: string(l.Key), Keys: string(rune(k))})
}

func (s *Session) note(e Entry) {
	if e.At.IsZero() {
		e.At = s.now()
	}
	s.log.Noted(s.call.Info().ID, e)
}

// won keeps the best of what the caller has got: who booked and then asks
// something has still booked.
func (s *Session) won(r Result) {
	if rank[r] > rank[s.Won] {
		s.Won = r
	}
}

var rank = map[Result]int{Informed: 1, CalledBack: 2, Person: 3, Cancelled: 4, Changed: 5, Booked: 6}

// try asks one of our stores, and while it does not answer asks the caller for
// a moment, up to the timing's Patience. What the store refuses is an answer.
func try[T any](ctx context.Context, s *Session, ask func(context.Context) (T, error)) (T, error) {
	for began := s.now(); ; {
		v, err := askOnce(ctx, s, ask)
		if err == nil || booking.Refused(err) || queue.Refused(err) || errors.Is(err, ErrElsewhere) || ctx.Err() != nil || s.now().Sub(began) > s.timing.Patience {
			return v, err
		}
		s.logger.Warn("asking the store again", "err", err)
		if err := s.SayWhole(ctx, prompts.OneMoment); err != nil {
			return v, err
		}
	}
}

func askOnce[T any](ctx context.Context, s *Session, ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if err := s.call.Ours(ctx); err != nil {
		var none T
		return none, err
	}
	return ask(ctx)
}
