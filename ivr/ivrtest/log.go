package ivrtest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/ivr"
	"ringback/prompts"
)

// Habits is an ivr.Habits in memory.
type Habits struct{ m sync.Map }

// Habit implements ivr.Habits.
func (h *Habits) Habit(_ context.Context, n e164.Number) (ivr.Habit, error) {
	v, _ := h.m.Load(n)
	habit, _ := v.(ivr.Habit)
	return habit, nil
}

// SetHabit implements ivr.Habits.
func (h *Habits) SetHabit(_ context.Context, n e164.Number, habit ivr.Habit) error {
	h.m.Store(n, habit)
	return nil
}

// Log is an ivr.Log in memory.
type Log struct {
	mu    sync.Mutex
	calls map[uuid.UUID]*ivr.Record
	state map[uuid.UUID][]byte
}

// Began implements ivr.Log.
func (l *Log) Began(i ivr.Info) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls == nil {
		l.calls, l.state = map[uuid.UUID]*ivr.Record{}, map[uuid.UUID][]byte{}
	}
	l.calls[i.ID] = &ivr.Record{Info: i}
}

// Noted implements ivr.Log.
func (l *Log) Noted(id uuid.UUID, e ivr.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[id].Transcript = append(l.calls[id].Transcript, e)
}

// Entered implements ivr.Log.
func (l *Log) Entered(id uuid.UUID, s ivr.SceneName, lang prompts.Language, state []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[id].Scene, l.calls[id].Language = s, lang
	l.state[id] = state
}

// Left implements ivr.Ledger.
func (l *Log) Left(_ context.Context, id uuid.UUID) (ivr.Left, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.calls[id]; r != nil {
		return ivr.Left{Scene: r.Scene, Language: r.Language, State: l.state[id]}, nil
	}
	return ivr.Left{}, nil
}

// Ended implements ivr.Log.
func (l *Log) Ended(id uuid.UUID, at time.Time, o ivr.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[id].EndedAt, l.calls[id].Outcome = at, o
}

// Record is what is known of a call so far, with the state of its scene.
func (l *Log) Record(id uuid.UUID) (ivr.Record, []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := *l.calls[id]
	r.Transcript = slices.Clone(r.Transcript)
	return r, l.state[id]
}

// Only is the record of the only call, with the state of its scene.
func (l *Log) Only() (ivr.Record, []byte) {
	l.mu.Lock()
	var id uuid.UUID
	for id = range l.calls {
		break
	}
	l.mu.Unlock()
	return l.Record(id)
}
