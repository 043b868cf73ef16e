// Package ivr is the calls: dialogues that read like the script of a call.
// It must not know about Asterisk, SQL, sound or HTTP.
package ivr

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
)

// Hotline leads callers to an appointment. All fields must be set but
// Admit.
type Hotline struct {
	Bookings booking.Store
	Queue    queue.Store
	Bell     *queue.Bell // rung when something is new of a ticket
	Rules    queue.Rules
	// Admit is what the next caller is given, by how many lines are left; nil:
	// the whole dialogue.
	Admit    func() queue.Stage
	Habits   Habits
	Log      Log
	Ledger   Ledger
	Texts    Texts
	Timing   Timing
	Language prompts.Language // of callers who are new and choose none
	Region   string           // ISO 3166, whose numbers are keyed without a country code
	Now      func() time.Time
	Logger   *slog.Logger

	scenes []scene // nil: the table below; tests put in others
}

// cleanUp is how long ending a call may take once nobody listens any more.
const cleanUp = 5 * time.Second

// Serve leads one call from its first ring to its end and returns how it
// ended. It returns with the line hung up.
func (h *Hotline) Serve(ctx context.Context, c Call) Outcome {
	info := c.Info()
	s := h.session(c)
	if !info.TakenOver {
		h.begin(ctx, s)
	}
	habit := s.habit()

	o := h.play(ctx, s)
	if o.Result == Elsewhere {
		s.logger.Info("call goes on elsewhere")
		return o
	}

	end, stop := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer stop()
	if err := c.HangUp(end); err != nil {
		s.logger.Error("hang up", "err", err)
	}
	if now := s.habit(); now != habit && info.Number != "" {
		if err := h.Habits.SetHabit(end, info.Number, now); err != nil {
			s.logger.Error("remember habit", "err", err)
		}
	}
	h.conclude(end, s, o)
	return o
}

func (h *Hotline) session(c Call) *Session {
	info := c.Info()
	return &Session{
		State:  State{Language: h.Language, Number: info.Number, Attempt: info.Attempt},
		call:   c,
		log:    h.Log,
		texts:  h.Texts,
		timing: h.Timing,
		now:    h.Now,
		logger: h.Logger.With("call_id", info.ID),
	}
}

// conclude leaves everything in order behind a call that is over.
func (h *Hotline) conclude(ctx context.Context, s *Session, o Outcome) {
	h.settle(ctx, s)
	id := s.call.Info().ID
	if s.Hold != nil {
		if err := h.Bookings.KeepHold(ctx, id); err != nil {
			s.logger.Error("keep hold", "err", err)
		}
	}
	h.Log.Ended(id, s.now(), o)
	s.logger.Info("call ended", "result", o.Result, "reason", o.Reason)
}

// begin enters a new call in the books.
func (h *Hotline) begin(ctx context.Context, s *Session) {
	info := s.call.Info()
	h.Log.Began(info)
	s.logger.Info("call began", "number", info.Number.Masked(), "node", info.Node)
	s.recall(ctx, h.Habits)
}

// recall lets the call begin as the number is used to. Not worth waiting for.
func (s *Session) recall(ctx context.Context, habits Habits) {
	if s.Number == "" {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	known, err := habits.Habit(bounded, s.Number)
	if err != nil {
		s.logger.Warn("recall habit", "err", err)
		return
	}
	for _, l := range s.texts.Languages() {
		if l == known.Language {
			s.Language = l
		}
	}
	s.Pace = min(known.Pace, prompts.Slow)
}

func (s *Session) habit() Habit {
	return Habit{Language: s.Language, Pace: min(s.Pace, prompts.Slow)}
}

// first is the scene a call begins with: by who rang whom, and how many lines
// are left.
func (h *Hotline) first(s *Session) SceneName {
	switch {
	case s.Attempt != uuid.Nil:
		return sceneRung
	case h.Admit == nil:
		return sceneWelcome
	}
	switch h.Admit() {
	case queue.StageExpress:
		return sceneExpress
	case queue.StageEarly, queue.StageRegister:
		return sceneEarly
	}
	return sceneWelcome
}

// play goes from scene to scene until the call is over.
func (h *Hotline) play(ctx context.Context, s *Session) Outcome {
	overran := false
	name := sceneTakeOver
	if !s.call.Info().TakenOver {
		name = h.first(s)
	}
	for name != sceneEnd {
		next, err := h.playScene(ctx, s, name)
		if err == nil {
			name = next
			continue
		}
		var p toPerson
		switch overdue := context.Cause(ctx); {
		case errors.Is(err, ErrElsewhere), errors.Is(overdue, ErrElsewhere):
			return Outcome{Result: Elsewhere, Reason: string(name)}
		case errors.Is(err, ErrHungUp), errors.Is(overdue, ErrHungUp):
			return h.broken(ctx, s, name, ErrHungUp)
		case errors.Is(err, ErrLineBroke), errors.Is(overdue, ErrLineBroke):
			return h.lineBroke(ctx, s, name)
		case overdue != nil && !errors.Is(overdue, ErrTooLong) && !errors.Is(overdue, ErrTooManyKeys):
			return h.stopped(ctx, s, name)
		case errors.Is(err, errBack):
			name = s.back(name)
		case overdue != nil && !overran:
			// The line is still up: what is left to say gets its own time.
			overran = true
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
			defer cancel()
			name = s.handOver(reasonFor(overdue))
		case errors.As(err, &p):
			name = s.handOver(p.reason)
		case name == scenePerson || name == sceneCallback || name == sceneBye || !s.answered:
			return h.broken(ctx, s, name, err)
		default:
			s.logger.Error("scene failed", "scene", name, "err", err)
			name = s.handOver(queue.Trouble)
		}
	}
	if s.outcome != nil {
		return *s.outcome
	}
	if s.Won == "" {
		s.won(Informed)
	}
	return Outcome{Result: s.Won, Reason: h.reason(s)}
}

// playScene plays a scene and returns the next one. Who did something else while
// the place in line was kept is led back there instead of being dismissed.
func (h *Hotline) playScene(ctx context.Context, s *Session, name SceneName) (SceneName, error) {
	sc := h.scene(name)
	if !sc.early {
		if err := s.answer(ctx); err != nil {
			return "", err
		}
	}
	if name != sceneTakeOver {
		s.enter(name)
	}
	next, err := sc.play(h, ctx, s)
	if err != nil {
		return "", err
	}
	if next == sceneBye && s.parked() {
		next = sceneJoin
	}
	s.cameFrom(sc, next)
	return next, nil
}

// answer takes the call, once.
func (s *Session) answer(ctx context.Context) error {
	if s.answered {
		return nil
	}
	err := s.call.Answer(ctx)
	s.answered = err == nil
	return err
}

// reason explains a result that ended in the ordinary way.
func (h *Hotline) reason(s *Session) string {
	if s.Won == CalledBack {
		return string(s.Reason)
	}
	return "done"
}

// broken is the outcome of a call that did not reach its last scene. A caller
// who hangs up after the booking has booked.
func (h *Hotline) broken(ctx context.Context, s *Session, name SceneName, err error) Outcome {
	if errors.Is(err, ErrHungUp) {
		if s.Won != "" {
			return Outcome{Result: s.Won, Reason: "hung up in " + string(name)}
		}
		return Outcome{Result: HungUp, Reason: string(name)}
	}
	s.logger.Error("call failed", "scene", name, "err", err)
	if s.Won != "" {
		return Outcome{Result: s.Won, Reason: "failed in " + string(name)}
	}
	_ = s.SayWhole(context.WithoutCancel(ctx), prompts.TroubleLater) // nothing is left to try
	return Outcome{Result: Failed, Reason: string(name)}
}

// stopped is the outcome of a call that ends because its controller does. There
// is no time to speak; who shows a number and has nothing yet, or holds the line,
// is rung back.
func (h *Hotline) stopped(ctx context.Context, s *Session, name SceneName) Outcome {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	if s.Attempt != uuid.Nil {
		h.resolve(bounded, s, queue.FateFailed)
		return Outcome{Result: CalledBack, Reason: "stopped in " + string(name)}
	}
	before := s.Won
	needs := s.Won == "" || s.Place != nil && !s.Place.Served && !s.promisedNow()
	if needs && s.Number != e164.Withheld && h.Rules.MayRing(s.Number) == nil {
		s.Reason = queue.Trouble
		if err := h.promiseOnce(bounded, s, queue.WishPerson); err != nil {
			s.logger.Error("promise to ring who was in a stopped call", "err", err)
		}
	}
	switch {
	case before != "":
		return Outcome{Result: s.Won, Reason: h.reason(s)}
	case s.Won == "":
		s.Won = Failed
	}
	return Outcome{Result: s.Won, Reason: "stopped in " + string(name)}
}

// handOver goes to the person; there is no way back from there.
func (s *Session) handOver(r queue.Reason) SceneName {
	s.Reason, s.Wish = r, ""
	s.Back = nil
	s.Keyless = s.Keyless || r == queue.NoKeys
	return scenePerson
}

func reasonFor(cause error) queue.Reason {
	switch {
	case errors.Is(cause, ErrTooLong):
		return queue.TooLong
	case errors.Is(cause, ErrTooManyKeys):
		return queue.Overheard
	}
	return queue.Trouble
}
