package ivr

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
	"ringback/prompts"
)

// ErrElsewhere is the cause of a call's context when another process leads the
// call now. Nothing is said, written or hung up here any more.
var ErrElsewhere = errors.New("the call goes on elsewhere")

// Left is a call as the process that led it before left it.
type Left struct {
	Scene    SceneName // empty: nothing was written of it
	Language prompts.Language
	State    []byte // JSON of State
}

// Ledger is what was written of calls, by any process.
type Ledger interface {
	// Left returns the call as it was written last; of a call nothing is known
	// of, the zero Left.
	Left(ctx context.Context, callID uuid.UUID) (Left, error)
}

// Written is a call as it stands in the books of its node.
type Written struct {
	Info
	Ended bool
}

// Lost ends a call in the books whose line dropped while no process led it, and
// for the reason why: ErrHungUp or ErrLineBroke. It comes to the same as when the
// line drops in a dialogue.
func (h *Hotline) Lost(ctx context.Context, i Info, why error) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer stop()
	s := h.session(noCall{info: i})
	left, err := h.Ledger.Left(ctx, i.ID)
	if err != nil {
		s.logger.Error("read how a lost call was left", "err", err)
	}
	if left.Scene != "" {
		s.restore(left)
	}
	scene := cmp.Or(left.Scene, sceneWelcome)
	s.scene = scene
	o := Outcome{Result: HungUp, Reason: "while no controller was there"}
	if errors.Is(why, ErrLineBroke) {
		o = h.lineBroke(ctx, s, scene)
	} else if s.Won != "" {
		o.Result = s.Won
	}
	h.conclude(ctx, s, o)
}

// noCall is the call of a line that is gone.
type noCall struct {
	Call
	info Info
}

func (c noCall) Info() Info { return c.info }

// takeOver goes on with a call another process left: it says that somebody is
// there, and returns the scene the caller was in, to be played again with
// everything keyed and held. A call of which nothing was written begins anew.
func (h *Hotline) takeOver(ctx context.Context, s *Session) (SceneName, error) {
	left, err := try(ctx, s, h.left(s))
	if err != nil {
		return "", err
	}
	if left.Scene == "" {
		h.begin(ctx, s)
		return h.first(s), nil
	}
	understood := s.restore(left)
	s.logger.Info("call taken over", "scene", left.Scene)
	switch left.Scene {
	case sceneTalk, sceneConnect:
		if understood { // a word would come between the caller and the agent
			s.midway = true
			return left.Scene, s.answer(ctx)
		}
	case sceneEarly:
		if understood {
			return left.Scene, nil
		}
	}
	if err := s.answer(ctx); err != nil {
		return "", err
	}
	if err := s.Say(ctx, prompts.StillHere); err != nil {
		return "", err
	}
	// Read once more: at a hand-over the process before may have written its
	// last while this one began to speak.
	if left, err = try(ctx, s, h.left(s)); err != nil {
		return "", err
	}
	if !s.restore(left) || !isScene(left.Scene) {
		return sceneMain, nil
	}
	return h.afterCommit(ctx, s, left.Scene)
}

// isScene says whether this program has such a scene.
func isScene(name SceneName) bool {
	return slices.ContainsFunc(allScenes, func(s scene) bool { return s.name == name })
}

func (h *Hotline) left(s *Session) func(context.Context) (Left, error) {
	return func(ctx context.Context) (Left, error) { return h.Ledger.Left(ctx, s.call.Info().ID) }
}

// restore puts the session where it was left. It reports false where the state
// is one this program does not understand; language and pace hold all the same.
func (s *Session) restore(left Left) bool {
	number, attempt := s.Number, s.Attempt
	kept, ok := decode(left.State)
	if ok {
		s.State = kept
	}
	if s.Number = number; number == e164.Withheld && kept.Attempt != uuid.Nil {
		s.Number = kept.Number // it was rung
	}
	if !ok {
		s.Attempt = attempt
	}
	for _, l := range s.texts.Languages() {
		if l == left.Language {
			s.Language = l
		}
	}
	return ok
}

// afterCommit is the scene to go on with: where the hold was booked already,
// and only the answer was lost, that is what comes after the booking.
func (h *Hotline) afterCommit(ctx context.Context, s *Session, scene SceneName) (SceneName, error) {
	if scene != sceneConfirm || s.Hold == nil {
		return scene, nil
	}
	booked, err := try(ctx, s, func(ctx context.Context) (booking.Appointment, error) {
		return h.Bookings.AppointmentByOperation(ctx, s.Hold.ID)
	})
	switch {
	case errors.Is(err, booking.ErrNoAppointment):
		return scene, nil
	case err != nil:
		return "", err
	}
	s.booked(booked)
	return sceneName, nil
}
