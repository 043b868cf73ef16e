package ivr

import (
	"context"
	"errors"
	"strconv"

	"ringback/prompts"
	"ringback/queue"
)

// welcome greets in the language the number is used to and offers every
// language in its own. Who keeps silent goes on in the language of the
// greeting.
func (h *Hotline) welcome(ctx context.Context, s *Session) (SceneName, error) {
	languages := s.texts.Languages()
	q := question{lines: []prompts.Line{prompts.Greeting}, silence: silenceAnswers}
	for i, l := range languages {
		key := strconv.Itoa(i + 1)
		q.keys += key
		q.tail = append(q.tail, Utterance{
			Manner: prompts.Manner{Language: l, Pace: s.Pace},
			Lines:  []prompts.Line{prompts.OfferLanguage(key)},
		})
	}
	k, err := s.ask(ctx, q)
	switch {
	case errors.Is(err, ErrSilence):
		return sceneMain, nil
	case err != nil:
		return "", err
	}
	s.Language = languages[k-'1']
	return sceneMain, nil
}

// mainMenu says the notice once and offers what the hotline can do. Silence is
// a telephone without keys: a person rings back, and says so within a minute
// of the call's beginning.
func (h *Hotline) mainMenu(ctx context.Context, s *Session) (SceneName, error) {
	s.startOver()
	if !s.Noticed {
		s.Noticed = true
		if err := s.Say(ctx, prompts.Notice); err != nil {
			return "", err
		}
		s.keep()
	}
	keys := "123"
	if s.mayKeyTicket() {
		keys += "4" // told with the ticket number, as nobody else needs it
	}
	k, err := s.MenuOrSilence(ctx, keys, prompts.MainMenu)
	switch {
	case errors.Is(err, ErrSilence):
		return "", toPerson{queue.NoKeys}
	case err != nil:
		return "", err
	}
	switch k {
	case '1':
		s.Topic = TopicNew
	case '2':
		s.Topic = TopicMine
	case '4':
		return sceneTicket, nil
	default:
		return sceneInfo, nil
	}
	return sceneBorn, h.ringsIn(ctx, s)
}
