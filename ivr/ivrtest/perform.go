package ivrtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"ringback/prompts"
)

// Heard is one line a telephone made out.
type Heard struct {
	Key  prompts.Key
	Text string // empty where only the key can be told
}

// Telephone is a caller's end of a real line.
type Telephone interface {
	// Hear blocks until the hotline begins to say something new and returns
	// its lines; io.EOF when the hotline hung up.
	Hear(ctx context.Context) ([]Heard, error)
	Press(ctx context.Context, keys string) error
	Speak(ctx context.Context) error
	HangUp(ctx context.Context) error
}

// Stage is a Telephone that also plays the agents and the line of a script.
type Stage interface {
	// Happens plays a step as it stands there: "agent: answers", "line: breaks".
	Happens(ctx context.Context, what string) error
}

// Perform acts a script out on a telephone, and fails with the line of the
// script at which the call went another way. It returns when the call is over.
func Perform(ctx context.Context, s Script, phone Telephone) error {
	var heard []Heard // not yet matched
	hear := func() error {
		h, err := phone.Hear(ctx)
		heard = append(heard, h...)
		return err
	}
	for i, step := range s.Steps {
		at := fmt.Sprintf("%s:%d", s.Name, step.Line)
		switch {
		case step.Hears != "":
			anything := i > 0 && s.Steps[i-1].Any
			for {
				if len(heard) == 0 {
					if err := hear(); err != nil {
						return fmt.Errorf("%s: waiting for %s: %w", at, step.Hears, err)
					}
					continue
				}
				h := heard[0]
				heard = heard[1:]
				if h.Key == step.Hears && strings.Contains(h.Text, step.Words) {
					break
				}
				if !anything {
					return fmt.Errorf("%s: want %s %q, heard %s %q", at, step.Hears, step.Words, h.Key, h.Text)
				}
			}
		case step.Press != "":
			if err := phone.Press(ctx, step.Press); err != nil {
				return fmt.Errorf("%s: press: %w", at, err)
			}
		case step.Speak:
			if err := phone.Speak(ctx); err != nil {
				return fmt.Errorf("%s: speak: %w", at, err)
			}
		case step.Agent != "", step.World != "":
			stage, ok := phone.(Stage)
			if !ok {
				return fmt.Errorf("%s: nobody here can play %q", at, step)
			}
			if err := stage.Happens(ctx, step.String()); err != nil {
				return fmt.Errorf("%s: %w", at, err)
			}
		case step.HangUp:
			if err := phone.HangUp(ctx); err != nil {
				return fmt.Errorf("%s: hang up: %w", at, err)
			}
			return nil
		}
	}
	anything := len(s.Steps) > 0 && s.Steps[len(s.Steps)-1].Any
	for {
		if len(heard) > 0 && !anything {
			return fmt.Errorf("%s: the script is over, but the hotline says %s", s.Name, heard[0].Key)
		}
		heard = nil
		switch err := hear(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%s: waiting for the end of the call: %w", s.Name, err)
		}
	}
}
