package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"ringback/e164"
	"ringback/ivr"
)

// Habits remembers callers by number: an ivr.Habits.
type Habits struct{ db *DB }

var _ ivr.Habits = (*Habits)(nil)

// NewHabits returns the ivr.Habits of a database.
func NewHabits(db *DB) *Habits { return &Habits{db: db} }

const (
	habitSQL    = `select language, pace from habits where number = $1`
	setHabitSQL = `
insert into habits (number, language, pace) values ($1, $2, $3)
on conflict (number) do update set language = excluded.language, pace = excluded.pace, updated_at = now()`
)

// Habit implements ivr.Habits.
func (s *Habits) Habit(ctx context.Context, n e164.Number) (ivr.Habit, error) {
	if n == e164.Withheld {
		return ivr.Habit{}, nil
	}
	var h ivr.Habit
	err := s.db.query(ctx, func(q querier) error {
		return q.QueryRow(ctx, habitSQL, n).Scan(&h.Language, &h.Pace)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return ivr.Habit{}, nil
	}
	if err != nil {
		return ivr.Habit{}, fmt.Errorf("habit of a number: %w", err)
	}
	return h, nil
}

// SetHabit implements ivr.Habits.
func (s *Habits) SetHabit(ctx context.Context, n e164.Number, h ivr.Habit) error {
	if n == e164.Withheld {
		return nil
	}
	err := s.db.query(ctx, func(q querier) error {
		_, err := q.Exec(ctx, setHabitSQL, n, h.Language, h.Pace)
		return err
	})
	if err != nil {
		return fmt.Errorf("remember habit of a number: %w", err)
	}
	return nil
}
