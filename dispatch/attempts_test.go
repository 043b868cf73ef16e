package dispatch_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/ivr"
	"ringback/queue"
)

const (
	first  e164.Number = "+4923150010"
	second e164.Number = "+4923150011"
	third  e164.Number = "+4923150012"
)

func TestRingsInTheOrderOfTheLine(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		f.options.Rules.OutLines = 1
		for _, n := range []e164.Number{second, first, third} {
			f.due(n)
		}
		f.run()
		f.pass(4 * time.Second)
		if got := f.trunk.rungInOrder(); !slices.Equal(got, []e164.Number{second}) {
			t.Errorf("with one line for calls out, rung were %v", got)
		}
		f.pass(12 * time.Second)
		if got := f.trunk.rungInOrder(); !slices.Equal(got, []e164.Number{second, first, third}) {
			t.Errorf("rung were %v", got)
		}
		f.wantFates("nobody answered", queue.FateNoAnswer, queue.FateNoAnswer, queue.FateNoAnswer)
	})
}

func TestHowAnAttemptEnds(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		want queue.Fate
	}{
		"busy":        {ivr.ErrBusy, queue.FateBusy},
		"no answer":   {ivr.ErrNoAnswer, queue.FateNoAnswer},
		"unreachable": {ivr.ErrUnreachable, queue.FateFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			virtual(t, func(f *fixture) {
				f.trunk.comes = func(e164.Number, int) fate { return fate{time.Second, tt.err} }
				ticket := f.due(first)
				f.run()
				f.pass(2 * time.Second)
				f.wantFates(name, tt.want)
				f.wantState(name, ticket.ID, queue.StatePromised)
				id, _ := f.trunk.call(first)
				if f.trunk.remembers(id) {
					t.Error("what was dialled is not forgotten")
				}
				// Tried again after 5, 20 and 60 minutes.
				f.pass(90 * time.Minute)
				if got := f.trunk.rang(first); got != 4 {
					t.Errorf("rang %d times, want 4", got)
				}
				if got := f.line.Ticket(ticket.ID); got.State != queue.StatePromised || got.Tries != 4 {
					t.Errorf("the ticket is %+v", got)
				}
				if got := f.metric("ringback_line_attempts_total", string(tt.want)); got != 4 {
					t.Errorf("%v attempts are counted", got)
				}
			})
		})
	}
}

// TestAnsweredIsTheDialogues: how a call ends that was picked up, its dialogue says.
func TestAnsweredIsTheDialogues(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		f.trunk.comes = func(e164.Number, int) fate { return fate{3 * time.Second, nil} }
		f.trunk.led = func(id uuid.UUID) {
			time.Sleep(20 * time.Second) // until 1 is pressed
			if _, err := f.line.Resolve(context.Background(), id, queue.FateReached); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute)
			f.trunk.hangUp(id)
		}
		ticket := f.due(first)
		f.run()
		f.pass(15 * time.Second)
		f.wantFates("before 1 is pressed", "")
		id, _ := f.trunk.call(first)
		if !f.trunk.remembers(id) {
			t.Error("forgotten while it has no fate: a restart would ring again")
		}
		f.pass(20 * time.Second)
		f.wantFates("after it", queue.FateReached)
		f.wantState("after it", ticket.ID, queue.StateTalking)
		if f.trunk.remembers(id) {
			t.Error("what was dialled is not forgotten")
		}
	})
}

// TestDialogueThatDied: a call that was picked up, and whose dialogue says
// nothing, counts as made.
func TestDialogueThatDied(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		f.trunk.comes = func(e164.Number, int) fate { return fate{3 * time.Second, nil} }
		ticket := f.due(first)
		f.run()
		f.pass(30 * time.Second)
		f.wantFates("its dialogue died", queue.FateUnknown)
		if got := f.line.Ticket(ticket.ID); got.State != queue.StatePromised || got.Tries != 1 {
			t.Errorf("the ticket is %+v", got)
		}
	})
}

func TestStopsRingingWhoRingsIn(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		ticket := f.due(first)
		f.run()
		f.pass(2 * time.Second)
		f.wantState("rings", ticket.ID, queue.StateRinging)
		got, err := f.line.Join(f.t.Context(), queue.Arrival{CallID: uuid.New(), At: time.Now(), Number: first, Ticket: ticket.ID, Wish: queue.WishPerson})
		if err != nil || got.ID != ticket.ID {
			t.Fatalf("%+v, %v", got, err)
		}
		f.pass(time.Second)
		if _, c := f.trunk.call(first); !c.hungUp {
			t.Error("the telephone rings on")
		}
		f.wantFates("rang in", queue.FateStopped)
		f.wantState("rang in", ticket.ID, queue.StateWaiting)
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	numbers := []e164.Number{first, second, third, "+4923150013", "+4923150014", "+4923150015"}
	t.Run("lines for calls out", func(t *testing.T) {
		t.Parallel()
		virtual(t, func(f *fixture) {
			f.options.Rules.OutLines = 2
			for _, n := range numbers {
				f.due(n)
			}
			f.run()
			f.pass(16 * time.Second)
			if f.trunk.most != 2 || len(f.trunk.rungInOrder()) != 6 {
				t.Errorf("%d at once, want 2; rung %d", f.trunk.most, len(f.trunk.rungInOrder()))
			}
			if got := f.metric("ringback_callbacks_refused_total", "lines"); got < 1 {
				t.Error("nothing tells that lines are lacking")
			}
		})
	})
	t.Run("lines of the node", func(t *testing.T) {
		t.Parallel()
		virtual(t, func(f *fixture) {
			f.options.Lines, f.trunk.others = 10, 9
			for _, n := range numbers {
				f.due(n)
			}
			f.run()
			f.pass(3 * time.Second)
			if f.trunk.most != 10 {
				t.Errorf("%d lines at once, 10 are permitted and 9 are in use", f.trunk.most)
			}
		})
	})
	t.Run("calls a second", func(t *testing.T) {
		t.Parallel()
		virtual(t, func(f *fixture) {
			f.options.Rules.OutPerSecond = 4
			for _, n := range numbers {
				f.due(n)
			}
			f.run()
			f.pass(3 * time.Second)
			if len(f.trunk.at) != 6 {
				t.Fatalf("%d rung", len(f.trunk.at))
			}
			for i := 1; i < len(f.trunk.at); i++ {
				if gap := f.trunk.at[i].Sub(f.trunk.at[i-1]); gap < 250*time.Millisecond || gap > 510*time.Millisecond {
					t.Errorf("call %d began %v after the one before", i, gap)
				}
			}
		})
	})
	t.Run("of the store", func(t *testing.T) {
		t.Parallel()
		virtual(t, func(f *fixture) {
			f.due(first)
			f.line.set(func() { f.line.limit = queue.LimitPerDay })
			f.run()
			f.pass(5 * time.Second)
			if n := strings.Count(f.log.String(), "limit=per_day"); n != 1 {
				t.Errorf("told %d times\n%s", n, f.log)
			}
			if got := f.metric("ringback_callbacks_refused_total", "per_day"); got != 1 {
				t.Errorf("counted %v times", got)
			}
			f.line.set(func() { f.line.limit = "" })
			f.pass(time.Second)
			if f.trunk.rang(first) != 1 {
				t.Error("not rung when the limit was gone")
			}
		})
	})
	t.Run("of one number", func(t *testing.T) {
		t.Parallel()
		virtual(t, func(f *fixture) {
			ticket := f.due(first)
			f.due(second)
			f.line.set(func() { f.line.asked = first })
			f.run()
			f.pass(100 * time.Millisecond) // the other one does not wait for the next look
			if got := f.trunk.rungInOrder(); !slices.Equal(got, []e164.Number{second}) {
				t.Errorf("rung were %v", got)
			}
			if n := strings.Count(f.log.String(), "limit=unwanted"); n != 1 || !strings.Contains(f.log.String(), ticket.ID.String()) {
				t.Errorf("told %d times\n%s", n, f.log)
			}
			if got := f.metric("ringback_callbacks_refused_total", "unwanted"); got != 1 {
				t.Errorf("counted %v times", got)
			}
		})
	})
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		virtual(t, func(f *fixture) {
			f.options.Off = true
			f.due(first)
			f.run()
			f.pass(5 * time.Second)
			if f.trunk.rang(first) != 0 {
				t.Error("rung")
			}
		})
	})
}

func TestDrainLetsRing(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		f.due(first)
		r := f.run()
		f.pass(time.Second)
		r.Drain()
		r.Drain()
		f.due(second)
		if err := r.Wait(f.t.Context()); err != nil {
			t.Error(err)
		}
		f.pass(time.Second)
		if got := f.trunk.rungInOrder(); !slices.Equal(got, []e164.Number{first}) {
			t.Errorf("rung were %v", got)
		}
		f.wantFates("let ring", queue.FateNoAnswer)
	})
}

func TestStopEndsTheRinging(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		f.due(first)
		r := f.run()
		f.pass(time.Second)
		r.stop()
		r.stop()
		f.wantFates("the controller ended", queue.FateNoAnswer)
		if _, c := f.trunk.call(first); !c.hungUp {
			t.Error("the telephone rings on, and nobody leads the call")
		}
	})
}

// TestHandOver: what rings goes on ringing, and the next controller waits for it.
func TestHandOver(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		f.trunk.comes = func(e164.Number, int) fate { return fate{20 * time.Second, ivr.ErrBusy} }
		f.due(first)
		r := f.run()
		f.pass(time.Second)
		r.Release()
		r.Release()
		<-r.ended
		f.wantFates("handed over", "")
		f.run()
		f.pass(10 * time.Second)
		f.wantFates("rings on", "")
		f.pass(10 * time.Second)
		f.wantFates("ended under the next", queue.FateBusy)
		if f.trunk.rang(first) != 1 {
			t.Errorf("rang %d times", f.trunk.rang(first))
		}
	})
}

func TestReleasedBeforeItRan(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		f.due(first)
		r := f.run()
		r.Release()
		<-r.ended
		if err := r.Run(f.t.Context()); err == nil {
			t.Error("ran twice")
		}
	})
}

// TestRestart: what the process before left is put right, whatever became of it.
func TestRestart(t *testing.T) {
	t.Parallel()
	lead := func(f *fixture, id uuid.UUID) { // a dialogue that resolves late
		time.Sleep(12 * time.Second)
		if _, err := f.line.Resolve(context.Background(), id, queue.FateReached); err != nil {
			f.t.Error(err)
		}
		f.trunk.hangUp(id)
	}
	for name, tt := range map[string]struct {
		comes fate
		dial  bool          // the process before had dialled
		pause time.Duration // until the next process is there
		want  queue.Fate    // of the first attempt
		rings int           // by 25 s later
	}{
		"died before it dialled": {fate{5 * time.Second, ivr.ErrBusy}, false, time.Second, queue.FateUnmade, 1},
		"died while it rang":     {fate{5 * time.Second, ivr.ErrBusy}, true, time.Second, queue.FateBusy, 1},
		"died, and it was busy":  {fate{time.Second, ivr.ErrBusy}, true, 5 * time.Second, queue.FateUnknown, 1},
		"died in the call":       {fate{time.Second, nil}, true, 3 * time.Second, queue.FateReached, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			virtual(t, func(f *fixture) {
				f.trunk.comes = func(e164.Number, int) fate { return tt.comes }
				f.trunk.led = func(id uuid.UUID) { lead(f, id) }
				f.due(first)
				a, err := f.line.Begin(f.t.Context(), node, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				if tt.dial {
					if _, err := f.trunk.originate(ivr.Out{ID: a.ID, Number: first, Ring: f.rules.Ring}); err != nil {
						t.Fatal(err)
					}
				}
				f.pass(tt.pause)
				f.run()
				f.pass(25 * time.Second)
				if got := f.line.Fate(a.ID); got != tt.want {
					t.Errorf("fate %q, want %q\n%s", got, tt.want, f.log)
				}
				if got := f.trunk.rang(first); got != tt.rings {
					t.Errorf("rang %d times, want %d", got, tt.rings)
				}
			})
		})
	}
}

// TestAsteriskAway: nobody is rung, nothing is decided, and it goes on by itself.
func TestAsteriskAway(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		f.trunk.down = true
		f.due(first)
		f.run()
		f.pass(20 * time.Second)
		f.wantFates("nothing was begun")
		f.trunk.mu.Lock()
		f.trunk.down = false
		f.trunk.mu.Unlock()
		f.pass(2 * time.Second)
		if f.trunk.rang(first) != 1 {
			t.Error("not rung when it was back")
		}
	})
}

// TestStoreAway: what ended meanwhile is told once the store is back.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	virtual(t, func(f *fixture) {
		f.due(first)
		f.run()
		f.pass(2 * time.Second)
		f.line.set(func() { f.line.away = true })
		f.pass(10 * time.Second)
		f.line.set(func() { f.line.away = false })
		f.pass(15 * time.Second)
		f.wantFates("told late", queue.FateNoAnswer)
		if n := strings.Count(f.log.String(), `msg="move the line" err=`); n != 1 {
			t.Errorf("said %d times in 10 s\n%s", n, f.log)
		}
		if !strings.Contains(f.log.String(), `msg="move the line works again"`) {
			t.Errorf("nothing says that it works again\n%s", f.log)
		}
		if f.metric("ringback_line_errors_total", "match") == 0 {
			t.Error("errors are not counted")
		}
	})
}

// TestDialFailsStrangely: of an attempt that may have been dialled, Asterisk is
// asked.
func TestDialFailsStrangely(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		dialled bool
		want    queue.Fate
	}{"not dialled": {false, queue.FateUnmade}, "dialled": {true, queue.FateBusy}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			virtual(t, func(f *fixture) {
				f.trunk.comes = func(e164.Number, int) fate { return fate{20 * time.Second, ivr.ErrBusy} }
				f.options.Dialler = &strange{trunk: f.trunk, dials: tt.dialled}
				ticket := f.due(first)
				f.run()
				f.pass(25 * time.Second)
				if fates := f.fates(); !slices.Contains(fates, tt.want) {
					t.Errorf("fates %q, want %q\n%s", fates, tt.want, f.log)
				}
				if got := f.line.Ticket(ticket.ID).Tries + len(f.fates()); f.trunk.rang(first) > got {
					t.Errorf("rang %d times, known are %d", f.trunk.rang(first), got)
				}
			})
		})
	}
}

// strange is a trunk whose first answer is lost.
type strange struct {
	*trunk
	dials bool
	once  bool
}

func (s *strange) Dial(ctx context.Context, o ivr.Out) error {
	if s.once {
		return s.trunk.Dial(ctx, o)
	}
	s.once = true
	if s.dials {
		if _, err := s.originate(o); err != nil {
			return err
		}
	}
	return errors.New("the answer was lost")
}
