package watchdog

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// exchange is an Asterisk in virtual time.
type exchange struct {
	began    time.Time
	present  func(since time.Duration) (string, error)
	rounds   []time.Duration // when calls were sent on
	presence string          // as it was given for the last of them
}

func (e *exchange) Presence(context.Context) (string, error) { return e.present(time.Since(e.began)) }

func (e *exchange) SendOn(_ context.Context, presence string) (int, error) {
	e.rounds = append(e.rounds, time.Since(e.began))
	e.presence = presence
	return 1, nil
}

// shown is the presence of a controller that gives a sign every five seconds
// but for the times it is away.
func shown(since time.Duration, away ...[2]time.Duration) string {
	beat := since.Truncate(5 * time.Second)
	for _, a := range away {
		if beat >= a[0] && beat < a[1] {
			beat = a[0].Truncate(5*time.Second) - 5*time.Second
		}
	}
	return beat.String()
}

func TestCallsAreSentOn(t *testing.T) {
	t.Parallel()
	const s = time.Second
	tests := map[string]struct {
		present func(since time.Duration) (string, error)
		runs    time.Duration
		// When the first and the last round may be; zero: none.
		first, last [2]time.Duration
	}{
		"a healthy controller keeps its calls": {
			present: func(since time.Duration) (string, error) { return shown(since), nil },
			runs:    10 * time.Minute,
		},
		"one that misses five of its signs keeps them": {
			present: func(since time.Duration) (string, error) { return shown(since, [2]time.Duration{60 * s, 84 * s}), nil },
			runs:    10 * time.Minute,
		},
		"there never was one": {
			present: func(time.Duration) (string, error) { return "", nil },
			runs:    time.Minute,
			first:   [2]time.Duration{30 * s, 32 * s}, last: [2]time.Duration{58 * s, 60 * s},
		},
		"one that ends and is back after two minutes": {
			present: func(since time.Duration) (string, error) {
				return shown(since, [2]time.Duration{60 * s, 180 * s}), nil
			},
			runs:  5 * time.Minute,
			first: [2]time.Duration{85 * s, 92 * s}, last: [2]time.Duration{176 * s, 180 * s},
		},
		"Asterisk does not answer, and then knows of no sign in the meantime": {
			present: func(since time.Duration) (string, error) {
				if since < 60*s {
					return "x", errors.New("no answer")
				}
				return "x", nil
			},
			runs:  2 * time.Minute,
			first: [2]time.Duration{88 * s, 92 * s}, last: [2]time.Duration{118 * s, 120 * s},
		},
		"Asterisk is started anew while a controller is there": {
			present: func(since time.Duration) (string, error) {
				if 60*s < since && since < 80*s {
					return "", nil
				}
				return shown(since), nil
			},
			runs: 3 * time.Minute,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := &exchange{began: time.Now(), present: test.present}
				w, err := New(Options{Exchange: e, Address: "127.0.0.1:8080", Logger: slog.New(slog.DiscardHandler)})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), test.runs)
				defer cancel()
				w.watchCalls(ctx)
				if test.first == [2]time.Duration{} {
					if len(e.rounds) > 0 {
						t.Fatalf("calls were sent on after %v", e.rounds)
					}
					return
				}
				if len(e.rounds) == 0 {
					t.Fatal("no calls were sent on")
				}
				for what, at := range map[string]struct {
					got  time.Duration
					want [2]time.Duration
				}{"first": {e.rounds[0], test.first}, "last": {e.rounds[len(e.rounds)-1], test.last}} {
					if at.got < at.want[0] || at.got > at.want[1] {
						t.Errorf("the %s round was after %v, want it in %v", what, at.got, at.want)
					}
				}
				if most := int((test.last[1]-test.first[0])/(2*s)) + 1; len(e.rounds) < most-5 || len(e.rounds) > most {
					t.Errorf("%d rounds, want one every 2 s, about %d: %v", len(e.rounds), most, e.rounds)
				}
			})
		})
	}
}

// A watchdog that stood still itself knows nothing about that time.
func TestSilenceOfNobodyWhoLooked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		quiet := newSilence(2 * time.Second)
		look := func(after, want time.Duration) {
			t.Helper()
			<-time.After(after) // virtual
			if got := quiet.lasts(); got != want {
				t.Errorf("silent for %v, want %v", got, want)
			}
		}
		look(2*time.Second, 2*time.Second)
		look(time.Hour, 2*time.Second)
		look(2*time.Second, 4*time.Second)
		quiet.sign()
		look(time.Second, time.Second)
	})
}
