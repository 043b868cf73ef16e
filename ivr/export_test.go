package ivr

import (
	"context"
	"errors"
	"slices"
)

// WithoutPersonIn returns the hotline with the way to a person taken out of
// one scene: what the walk through all calls must notice.
func (h *Hotline) WithoutPersonIn(name SceneName) {
	h.scenes = slices.Clone(allScenes)
	for i, sc := range h.scenes {
		if sc.name != name {
			continue
		}
		h.scenes[i].play = func(h *Hotline, ctx context.Context, s *Session) (SceneName, error) {
			next, err := sc.play(h, ctx, s)
			if errors.As(err, new(toPerson)) {
				return name, nil
			}
			return next, err
		}
	}
}

// AskingScenes are the scenes in which a caller is asked something and may
// want a person instead.
func AskingScenes() []SceneName {
	return []SceneName{
		sceneWelcome, sceneMain, sceneBorn, sceneResume, scenePostcode, sceneChoose,
		sceneConfirm, sceneCode, sceneByCode, sceneMine, sceneCancel, sceneAfter,
		sceneTicket, sceneExpress, sceneRung,
	}
}

// AllScenes are the names of all scenes, in the order of a call.
func AllScenes() []SceneName {
	var names []SceneName
	for _, s := range allScenes {
		names = append(names, s.name)
	}
	return names
}

var ParseBorn = parseBorn
