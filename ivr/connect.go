package ivr

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
)

// connect rings the agent whose turn it is to talk with the caller, who hears
// music meanwhile. Who is not answered is next in line still.
func (h *Hotline) connect(ctx context.Context, s *Session) (SceneName, error) {
	p := s.Place
	if p == nil || p.Turn.Leg == uuid.Nil {
		return sceneJoin, nil
	}
	if !s.midway { // else the agent's telephone rings already
		ours, err := h.stillOurs(ctx, s)
		switch {
		case err != nil:
			return "", err
		case !ours:
			s.Place = nil
			return scenePerson, nil
		}
		if err := s.SayWhole(ctx, prompts.Connecting); err != nil {
			return "", err
		}
	}
	s.midway = false
	err := s.call.Ring(ctx, h.leg(s))
	switch {
	case err == nil:
	case ending(ctx, err):
		return "", err
	default:
		if !errors.Is(err, ErrNoAnswer) && !errors.Is(err, ErrBusy) {
			s.logger.Warn("ring an agent", "agent", p.Turn.Agent, "err", err)
		}
		return h.missed(ctx, s, prompts.MomentMore)
	}
	p.State = queue.StateTalking
	s.won(Person)
	s.keep()
	_, err = askOnce(ctx, s, func(ctx context.Context) (struct{}, error) { return struct{}{}, h.Queue.Joined(ctx, p.Turn) })
	switch {
	case ending(ctx, err):
		return "", err
	case err != nil: // they talk, whatever the line holds of it
		s.logger.Error("enter a talk in the line", "agent", p.Turn.Agent, "err", err)
	}
	return sceneTalk, nil
}

// stillOurs says whether this call holds the ticket: another one of the same
// number may have taken it up.
func (h *Hotline) stillOurs(ctx context.Context, s *Session) (bool, error) {
	t, err := askOnce(ctx, s, func(ctx context.Context) (queue.Ticket, error) {
		if s.Number == e164.Withheld {
			return h.Queue.FindShort(ctx, s.Place.Short)
		}
		tickets, err := h.Queue.Find(ctx, s.Number)
		for _, t := range tickets {
			if t.ID == s.Place.Ticket {
				return t, err
			}
		}
		return queue.Ticket{}, err
	})
	if ending(ctx, err) {
		return false, err
	}
	return err != nil || t.CallID == uuid.Nil || t.CallID == s.placeID(), nil
}

func (h *Hotline) leg(s *Session) Leg {
	turn := s.Place.Turn
	return Leg{ID: turn.Leg, Address: turn.Address, Shown: s.Number, Ring: h.Rules.AgentRing}
}

// missed takes the caller back into the line, whose head they are.
func (h *Hotline) missed(ctx context.Context, s *Session, why prompts.Line) (SceneName, error) {
	p := s.Place
	_, err := askOnce(ctx, s, func(ctx context.Context) (struct{}, error) { return struct{}{}, h.Queue.Missed(ctx, p.Turn) })
	switch {
	case ending(ctx, err):
		return "", err
	case err != nil:
		s.logger.Error("miss an agent", "agent", p.Turn.Agent, "err", err)
	}
	p.Turn, p.State = queue.Turn{}, queue.StateWaiting
	return sceneWait, s.Say(ctx, why)
}

// talk joins caller and agent until one of them hangs up. No longest duration
// ends a talk.
func (h *Hotline) talk(ctx context.Context, s *Session) (SceneName, error) {
	if s.Place == nil || s.Place.Turn.Leg == uuid.Nil {
		return sceneJoin, nil
	}
	talking, stop := unhurried(ctx)
	err := s.call.Talk(talking, h.leg(s))
	over := talking.Err() != nil
	stop()
	switch {
	case err == nil:
		h.talked(ctx, s)
		if ctx.Err() == nil {
			return sceneBye, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return sceneEnd, s.SayWhole(ctx, prompts.Bye)
	case errors.Is(err, ErrHungUp):
		h.talked(ctx, s)
		return "", err
	case over, errors.Is(err, ErrLineBroke), errors.Is(err, ErrElsewhere):
		return "", err
	}
	s.logger.Warn("an agent was lost in a talk", "agent", s.Place.Turn.Agent, "err", err)
	return h.missed(ctx, s, prompts.TalkCutOff)
}

// talked closes the ticket of a talk that is over. Nobody waits for that, and it
// is tried twice, because no call comes to mend it.
func (h *Hotline) talked(ctx context.Context, s *Session) {
	turn := s.Place.Turn
	s.Place = nil
	for try := range 2 {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp/2)
		err := h.Queue.Talked(bounded, turn)
		cancel()
		if err == nil || queue.Refused(err) {
			return
		}
		s.logger.Error("end a talk in the line", "agent", turn.Agent, "try", try+1, "err", err)
	}
}

// unhurried is ctx without the ends that leave the line up: a call that reached
// its longest duration, or in which keys are pressed all the time, still talks.
func unhurried(ctx context.Context) (context.Context, func()) {
	talking, end := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if cause := context.Cause(ctx); !errors.Is(cause, ErrTooLong) && !errors.Is(cause, ErrTooManyKeys) {
			end(cause)
		}
	})
	return talking, func() {
		stop()
		end(nil)
	}
}
