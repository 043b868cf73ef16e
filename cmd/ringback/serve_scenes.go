package main

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"ringback/ivr"
	"ringback/prompts"
)

// scenes passes on what happens in calls and remembers where each of the
// running ones is.
type scenes struct {
	ivr.Log

	mu  sync.Mutex
	now map[uuid.UUID]ivr.SceneName
}

func newScenes(l ivr.Log) *scenes { return &scenes{Log: l, now: map[uuid.UUID]ivr.SceneName{}} }

// Entered is told by the call.
func (s *scenes) Entered(callID uuid.UUID, scene ivr.SceneName, language prompts.Language, state []byte) {
	s.mu.Lock()
	s.now[callID] = scene
	s.mu.Unlock()
	s.Log.Entered(callID, scene, language, state)
}

// Ended is told by the call.
func (s *scenes) Ended(callID uuid.UUID, at time.Time, o ivr.Outcome) {
	s.mu.Lock()
	delete(s.now, callID)
	s.mu.Unlock()
	s.Log.Ended(callID, at, o)
}

// of returns the scene a running call is in.
func (s *scenes) of(callID uuid.UUID) ivr.SceneName {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now[callID]
}
