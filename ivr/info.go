package ivr

import (
	"context"
	"errors"

	"ringback/prompts"
)

// info tells what callers ask most.
func (h *Hotline) info(ctx context.Context, s *Session) (SceneName, error) {
	s.won(Informed)
	return sceneAfter, s.Say(ctx, prompts.Information)
}

// after asks whether there is anything else. Who has what they wanted hangs
// up or keeps silent.
func (h *Hotline) after(ctx context.Context, s *Session) (SceneName, error) {
	_, err := s.MenuOrSilence(ctx, "1", prompts.AfterMenu)
	switch {
	case errors.Is(err, ErrSilence):
		return sceneBye, nil
	case err != nil:
		return "", err
	}
	return sceneMain, nil
}
