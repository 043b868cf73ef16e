package ivr

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
)

// arrival is this call as it comes to the line, with everything keyed so far.
// Asked again it is the same arrival, so that an answer may get lost.
func (s *Session) arrival(w queue.Wish) queue.Arrival {
	info := s.call.Info()
	a := queue.Arrival{
		CallID: s.placeID(), Node: info.Node, At: info.Started, Number: s.Number,
		Topic: queue.TopicOther, Language: s.Language, Wish: w, Reason: s.Reason, Keyless: s.Keyless,
	}
	switch s.Topic {
	case TopicNew:
		a.Topic = queue.TopicBooking
	case TopicMine:
		a.Topic = queue.TopicAppointment
	case "":
		if s.Place != nil {
			a.Topic = "" // it stays what it was
		}
	}
	if s.Place != nil {
		a.Ticket = s.Place.Ticket
	}
	a.Scene, a.Known = s.whereabouts()
	return a
}

// placeID stands for this call in the line.
func (s *Session) placeID() uuid.UUID {
	if s.PlaceID != uuid.Nil {
		return s.PlaceID
	}
	return s.call.Info().ID
}

// whereabouts is what another call needs to go on here. While it is not known
// who speaks, that is what stood in the ticket before.
func (s *Session) whereabouts() (scene string, known []byte) {
	if s.Kept != nil {
		return string(s.Kept.Scene), s.Kept.State
	}
	state := s.State
	state.Place = nil
	return string(s.scene), state.JSON()
}

// placed takes over what the line says of the caller's ticket.
func (s *Session) placed(t queue.Ticket) {
	p := Place{Ticket: t.ID, Short: t.Short, State: t.State, Window: t.Window, RangAt: t.RangAt}
	if s.Place != nil && s.Place.Ticket == t.ID {
		p.Told = s.Place.Told
	}
	s.Place = &p
	s.keep()
}

// waits says whether the caller holds the line for a person.
func (s *Session) waits() bool {
	return s.Place != nil && s.Place.State == queue.StateWaiting
}

// parked says whether the caller does something else while the place before a
// person is kept.
func (s *Session) parked() bool {
	return s.waits() && s.Place.Parked && !s.Place.Served && !s.Place.Self
}

// ringsIn takes up the ticket of who is to be rung for the dialogue and is in it
// now, by ringing in: nobody rings them meanwhile. Who hangs up with nothing is
// rung all the same.
func (h *Hotline) ringsIn(ctx context.Context, s *Session) error {
	if s.Place != nil || s.Number == e164.Withheld {
		return nil
	}
	t, err := askOnce(ctx, s, func(ctx context.Context) (queue.Ticket, error) {
		tickets, err := h.Queue.Find(ctx, s.Number)
		for _, t := range tickets {
			if t.Promised && t.Wish == queue.WishSelf && t.State != queue.StateTalking && t.State != queue.StateWaiting {
				a := s.arrival(queue.WishSelf)
				a.Ticket, a.Scene, a.Known = t.ID, "", nil // it is known where it goes on
				return h.Queue.Join(ctx, a)
			}
		}
		return queue.Ticket{}, err
	})
	switch {
	case ending(ctx, err):
		return err
	case err != nil:
		s.logger.Warn("look for a ticket of who rings in", "err", err)
	case t.ID != uuid.Nil:
		s.placed(t)
		s.Place.Parked, s.Place.Self = true, true
		s.keep()
	}
	return nil
}

// enterLine puts the caller into the line, or back to the place they have. A
// ticket that was closed meanwhile, by another call or an operator, is no reason
// to turn somebody away who is on the line: that is a new one, of the same age.
func (h *Hotline) enterLine(ctx context.Context, s *Session) error {
	for {
		a := s.arrival(queue.WishPerson)
		t, err := askOnce(ctx, s, func(ctx context.Context) (queue.Ticket, error) { return h.Queue.Join(ctx, a) })
		if err == nil {
			s.placed(t)
			return nil
		}
		if !s.anew(a, err) {
			return err
		}
	}
}

// anew says whether an arrival that was refused can come once more, without the
// ticket that is over.
func (s *Session) anew(a queue.Arrival, err error) bool {
	if !errors.Is(err, queue.ErrOver) && !errors.Is(err, queue.ErrNoTicket) {
		return false
	}
	switch {
	case a.Ticket != uuid.Nil:
		s.Place = nil
	case s.PlaceID == uuid.Nil:
		s.PlaceID = uuid.New() // the ticket this call opened is closed
	default:
		return false
	}
	return true
}

// promise commits that the person is rung, also for a caller who hangs up this
// moment; a later promise corrects it. What the line then says counts: a number
// that is promised an hour already keeps it.
func (h *Hotline) promise(ctx context.Context, s *Session, number e164.Number, w queue.Window, spoken *booking.Recording) error {
	for {
		a := s.arrival(s.wish())
		a.Number, a.Spoken = number, spoken
		t, err := try(context.WithoutCancel(ctx), s, func(ctx context.Context) (queue.Ticket, error) {
			return h.Queue.Promise(ctx, a, w)
		})
		switch {
		case err == nil:
			s.resumed = t.Resumed
			s.won(CalledBack)
			s.placed(t)
			return nil
		case !s.anew(a, err):
			return err
		}
	}
}

// wish is what the caller is rung for.
func (s *Session) wish() queue.Wish { return cmp.Or(s.Wish, queue.WishPerson) }

// serving says whether somebody who joins the line now may reach a person
// before the hours end.
func (h *Hotline) serving(now time.Time) bool {
	if !h.Rules.Hours.Open(now) {
		return false
	}
	closes := h.Rules.Hours.Closes(now)
	return closes.IsZero() || closes.Sub(now) > h.Timing.Closing
}

// window is an hour as it is spoken.
func (h *Hotline) window(w queue.Window) prompts.Window {
	zone := h.Rules.Hours.Zone()
	return prompts.Window{From: w.From.In(zone), To: w.To.In(zone), Now: h.Now().In(zone)}
}

// settle leaves the line in order when the call is over and nobody is rung on
// its account: who hung up in line keeps the place for a while, and who is
// served needs none.
func (h *Hotline) settle(ctx context.Context, s *Session) {
	if s.Attempt != uuid.Nil {
		h.resolve(ctx, s, queue.FateDeclined)
	}
	p := s.Place
	if p == nil {
		return
	}
	var err error
	switch {
	case p.State == queue.StateTalking && p.Turn.Leg != uuid.Nil:
		h.talked(ctx, s)
	case p.Served, (p.State == queue.StateTalking || p.Self) && s.Won != "":
		err = h.Queue.Close(ctx, p.Ticket, queue.EndSelf)
	case p.State == queue.StateTalking:
		err = h.Queue.Close(ctx, p.Ticket, queue.EndAbandoned)
	case p.State == queue.StateWaiting:
		if p.Parked && !p.Self { // what is kept is the place before a person
			if _, err := h.Queue.Join(ctx, s.arrival(queue.WishPerson)); err != nil {
				s.logger.Error("leave the dialogue for the line", "err", err)
			}
		}
		err = h.Queue.Leave(ctx, p.Ticket, s.placeID())
	}
	if err != nil && !queue.Refused(err) {
		s.logger.Error("leave the line", "ticket", p.Ticket, "err", err)
	}
}

// ending says whether an error of a question to the line ends the scene: the
// call is over here, or led by another process.
func ending(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || errors.Is(err, ErrElsewhere) || errors.Is(err, ErrHungUp) || errors.Is(err, ErrLineBroke))
}

// decode reads a state of this program's version.
func decode(b []byte) (State, bool) {
	var s State
	err := json.Unmarshal(b, &s)
	return s, err == nil && s.Version == StateVersion
}
