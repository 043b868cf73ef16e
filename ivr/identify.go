package ivr

import (
	"context"
	"errors"
	"time"

	"ringback/booking"
	"ringback/prompts"
)

// born asks for the date of birth and reads it back until it is right.
func (h *Hotline) born(ctx context.Context, s *Session) (SceneName, error) {
	if s.Hold != nil { // it was offered to another date of birth
		if _, err := try(ctx, s, h.release(s)); err != nil {
			return "", err
		}
		s.Hold, s.Trail = nil, booking.Trail{}
	}
	for {
		digits, err := s.digits(ctx, digitEntry{
			ask:    prompts.AskBorn,
			max:    8,
			enough: func(d string) bool { return len(d) == 6 || len(d) == 8 },
			done:   sixSuffice,
			check: func(_ context.Context, d string) (*prompts.Line, error) {
				if _, ok := parseBorn(d, h.Now()); !ok {
					return &prompts.BornImpossible, nil
				}
				return nil, nil
			},
		})
		if err != nil {
			return "", err
		}
		d, _ := parseBorn(digits, h.Now())
		right, err := s.Confirm(ctx, prompts.ReadBorn(d))
		if err != nil && !errors.Is(err, errBack) { // back is the entry again
			return "", err
		}
		if !right {
			continue
		}
		if s.Kept != nil {
			if next, same, err := h.restoreKept(ctx, s, d); same {
				return next, err
			}
		}
		s.Born = d
		return sceneKnown, nil
	}
}

// sixSuffice says that six digits are a whole date, DDMMYY: no four-digit year
// of a living person begins with the last two.
func sixSuffice(d string) bool {
	return len(d) == 6 && d[4:] != "19" && d[4:] != "20"
}

// oldest is the greatest age in years anybody is taken to have; the oldest
// person whose age is proven became 122.
const oldest = 125

// parseBorn reads DDMMYYYY or DDMMYY. Of the two centuries of a short year it
// takes the twentieth, unless that would be the greatest age ever reached.
func parseBorn(digits string, now time.Time) (booking.Born, bool) {
	switch len(digits) {
	case 8:
	case 6:
		century := "19"
		if d, err := time.Parse("02012006", digits[:4]+century+digits[4:]); err == nil && now.Year()-d.Year() > 115 {
			century = "20"
		}
		digits = digits[:4] + century + digits[4:]
	default:
		return time.Time{}, false
	}
	d, err := time.Parse("02012006", digits)
	if err != nil || d.After(now) || now.Year()-d.Year() > oldest {
		return time.Time{}, false
	}
	return d, true
}

// known looks up what the hotline knows of this person: an appointment is
// told, a time left held by a dropped call is offered again.
func (h *Hotline) known(ctx context.Context, s *Session) (SceneName, error) {
	if s.person().Another {
		return scenePostcode, nil
	}
	booked, err := try(ctx, s, func(ctx context.Context) ([]booking.Appointment, error) {
		return h.Bookings.Appointments(ctx, s.Number, s.Born)
	})
	if err != nil {
		return "", err
	}
	if len(booked) > 0 {
		s.Booked = &booked[0]
		return sceneMine, nil
	}
	if s.Topic == TopicMine {
		return sceneByCode, nil
	}
	hold, err := try(ctx, s, func(ctx context.Context) (booking.Hold, error) {
		return h.Bookings.OpenHold(ctx, s.call.Info().ID, s.person())
	})
	switch {
	case errors.Is(err, booking.ErrNoHold):
		return scenePostcode, nil
	case err != nil:
		return "", err
	}
	s.Hold = &hold
	return sceneResume, nil
}

// resume asks a caller whose line dropped whether to go on with the time that
// was held for them.
func (h *Hotline) resume(ctx context.Context, s *Session) (SceneName, error) {
	goOn, err := s.Confirm(ctx, prompts.Resume(s.Hold.Slot.Start, s.Hold.Slot.Centre.Name))
	if err != nil {
		return "", err
	}
	if goOn {
		s.at(s.Hold.Slot.Centre, h.Now())
		return sceneConfirm, nil
	}
	if _, err := try(ctx, s, h.release(s)); err != nil {
		return "", err
	}
	s.Hold = nil
	return scenePostcode, nil
}

// postcode asks for the postcode and reads it back as the place.
func (h *Hotline) postcode(ctx context.Context, s *Session) (SceneName, error) {
	for {
		var place booking.Place
		digits, err := s.digits(ctx, digitEntry{
			ask: prompts.AskPostcode,
			max: 5,
			check: func(ctx context.Context, d string) (*prompts.Line, error) {
				var err error
				place, err = try(ctx, s, func(ctx context.Context) (booking.Place, error) {
					return h.Bookings.Place(ctx, d)
				})
				if errors.Is(err, booking.ErrUnknownPostcode) {
					return &prompts.PostcodeUnknown, nil
				}
				return nil, err
			},
		})
		if err != nil {
			return "", err
		}
		right, err := s.Confirm(ctx, prompts.ReadPlace(place.Name))
		if err != nil && !errors.Is(err, errBack) { // back is the entry again
			return "", err
		}
		if right {
			s.Postcode = digits
			s.Hold = nil
			s.at(place.Centre, h.Now())
			return sceneEligible, s.Say(ctx, prompts.YourCentre(place.Centre.Name))
		}
	}
}

// notice is how long before an appointment it can be offered: an old person
// has to get there.
const notice = 3 * time.Hour

// at looks for times at a centre, from the earliest on.
func (s *Session) at(c booking.Centre, now time.Time) {
	s.Centre = c
	s.Trail.First(c.ID, now.Add(notice))
}

// eligible goes on to the offers, or tells why not yet and from when.
func (h *Hotline) eligible(ctx context.Context, s *Session) (SceneName, error) {
	rule, err := try(ctx, s, h.Bookings.Rule)
	if err != nil {
		return "", err
	}
	if rule.Eligible(s.Born) {
		return sceneChoose, nil
	}
	s.won(Informed)
	return sceneAfter, s.Say(ctx, prompts.NotYet(rule.MinAge, rule.From(s.Born)))
}

// release frees what the call holds.
func (h *Hotline) release(s *Session) func(context.Context) (struct{}, error) {
	return func(ctx context.Context) (struct{}, error) {
		return struct{}{}, h.Bookings.Release(ctx, s.call.Info().ID)
	}
}
