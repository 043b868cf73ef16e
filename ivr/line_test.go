package ivr_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/ivr"
	"ringback/ivr/ivrtest"
	"ringback/prompts"
	"ringback/queue"
)

// world is a World in which these facts are true.
func world(t *testing.T, given ...string) *ivrtest.World {
	t.Helper()
	w := ivrtest.NewWorld()
	w.Open(3)
	for _, g := range given {
		if err := w.Given(t.Context(), ivrtest.Fact{Text: g}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// check says what is not so after a call.
func check(t *testing.T, w *ivrtest.World, o ivr.Outcome, facts ...string) {
	t.Helper()
	for _, f := range facts {
		if err := w.Check(ivrtest.Fact{Text: f}, o); err != nil {
			t.Error(err)
		}
	}
}

// TestFewLinesAreSoonFree: an express intake takes fifteen seconds at most, and
// an announcement before the call is answered twenty, in every language and
// whatever the hour is called.
func TestFewLinesAreSoonFree(t *testing.T) {
	t.Parallel()
	for _, language := range []prompts.Language{prompts.German, prompts.English} {
		for name, hour := range map[string]time.Duration{"today": time.Hour, "tomorrow": 24 * time.Hour, "a weekday": 72 * time.Hour, "a date": 9 * 24 * time.Hour, "no hour": 0} {
			for stage, longest := range map[string]time.Duration{"few lines are left": 15 * time.Second, "hardly a line is left": 20 * time.Second} {
				for _, again := range []bool{false, true} {
					t.Run(fmt.Sprint(language, " ", name, " ", stage, " ", again), virtually(func(t *testing.T) {
						w := world(t, "language "+string(language), stage)
						w.Line.Give()
						if from := time.Now().Truncate(time.Hour).Add(hour); hour > 0 {
							w.Line.Give(queue.Window{From: from, To: from.Add(time.Hour)})
						}
						h := w.Hotline(prompts.Default())
						if again {
							call(t, w, h, nil)
						}
						began := time.Now()
						o, rec := call(t, w, h, nil)
						if took := time.Since(began); took > longest {
							t.Errorf("it took %v: %v", took, rec.Transcript)
						}
						if o.Result != ivr.CalledBack || o.Reason != string(queue.Busy) {
							t.Errorf("ended as %v", o)
						}
						check(t, w, o, "1 tickets")
					}))
				}
			}
		}
	}
}

// TestWhoIsRungIsAskedTwice: in 25 seconds at most, in every language.
func TestWhoIsRungIsAskedTwice(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"we ring", "we ring a telephone without keys"} {
		for _, language := range []prompts.Language{prompts.German, prompts.English} {
			t.Run(who+" "+string(language), virtually(func(t *testing.T) {
				w := world(t, who)
				attempt, err := w.Line.Rung(t.Context(), w.Attempt)
				if err != nil {
					t.Fatal(err)
				}
				a := queue.Arrival{CallID: attempt.Ticket.CallID, Ticket: attempt.Ticket.ID, Number: w.Caller, Language: language, Keyless: attempt.Ticket.Keyless}
				if _, err := w.Line.Promise(t.Context(), a, queue.Window{}); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				o, rec := call(t, w, w.Hotline(prompts.Default()), nil)
				var bye time.Time
				for _, e := range rec.Transcript {
					if e.Line == "rung.later" {
						bye = e.At
					}
				}
				if took := bye.Sub(began); took <= 10*time.Second || took > 25*time.Second {
					t.Errorf("it took %v until the good-bye: %v", took, rec.Transcript)
				}
				check(t, w, o, "the call ends as callback", "the attempt is declined")
			}))
		}
	}
}

// TestTalkOutlastsTheLongestCall: nobody who talks with a person is cut off.
func TestTalkOutlastsTheLongestCall(t *testing.T) {
	virtually(func(t *testing.T) {
		w := world(t, "an agent")
		p := &lineCaller{keys: map[prompts.Key]string{"main.menu": "0"}}
		info := ivr.Info{ID: uuid.New(), Number: w.Caller, Node: "test", Started: time.Now()}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, ivr.ErrTooLong)
		defer cancel()
		ctx, c := ivrtest.NewCaller(ctx, info, p, speaking(prompts.Default()))
		o := w.Hotline(prompts.Default()).Serve(ctx, c.In(w))
		if o != (ivr.Outcome{Result: ivr.Person, Reason: "done"}) || p.last() != "bye" {
			t.Errorf("ended as %v after %v", o, p.heard)
		}
		check(t, w, o, "the ticket is closed as served")
	})(t)
}

// TestTooLongInLine: who waits for half an hour is rung back, in the same place.
func TestTooLongInLine(t *testing.T) {
	virtually(func(t *testing.T) {
		w := world(t, "an agent who is busy", "3 people in line")
		o, rec := call(t, w, w.Hotline(prompts.Default()), []step{"1", "0"})
		if o != (ivr.Outcome{Result: ivr.CalledBack, Reason: "too_long"}) || said(rec, "wait.toolong") != 1 {
			t.Errorf("%v, and told %d times", o, said(rec, "wait.toolong"))
		}
		check(t, w, o, "1 tickets", "the ticket is due")
	})(t)
}

// lineCaller presses the given keys after the lines, and agents answer.
type lineCaller struct {
	keys  map[prompts.Key]string
	heard []prompts.Key
	// at is called with what the caller goes through, each time.
	at func(what string)
}

func (p *lineCaller) last() prompts.Key { return p.heard[len(p.heard)-1] }

func (p *lineCaller) went(what string) {
	if p.at != nil {
		p.at(what)
	}
}

func (p *lineCaller) Hears(u ivr.Utterance) ivrtest.Act {
	for _, l := range u.Lines {
		p.heard = append(p.heard, l.Key)
		p.went(string(l.Key))
	}
	return ivrtest.Act{}
}

func (p *lineCaller) Asked(time.Duration) ivrtest.Act { return ivrtest.Act{Keys: p.keys[p.last()]} }
func (p *lineCaller) Speaks(time.Duration) (time.Duration, ivrtest.Act) {
	return 0, ivrtest.Act{}
}
func (p *lineCaller) Rests(ivr.Rest) ivrtest.Act {
	p.went("rest")
	return ivrtest.Act{Keys: p.keys[p.last()]}
}
func (p *lineCaller) Rings(ivr.Leg) ivrtest.Act {
	p.went("ring")
	return ivrtest.Act{}
}
func (p *lineCaller) Talks(ivr.Leg) ivrtest.Act {
	p.went("talk")
	return ivrtest.Act{}
}

// TestClosedByAnOperator: whoever is on the line gets a person all the same.
func TestClosedByAnOperator(t *testing.T) {
	virtually(func(t *testing.T) {
		w := world(t, "an agent who is busy", "3 people in line")
		rests := 0
		p := &lineCaller{keys: map[prompts.Key]string{"main.menu": "0"}}
		p.at = func(what string) {
			if what == "rest" {
				rests++
			}
			event := map[int]string{4: "line: is closed by an operator", 9: "agent: is free"}[rests]
			if what != "rest" || event == "" {
				return
			}
			if err := w.Line.Happens(event); err != nil {
				t.Error(err)
			}
		}
		ctx, c := ivrtest.NewCaller(t.Context(), ivr.Info{ID: uuid.New(), Number: w.Caller, Started: time.Now()}, p, speaking(prompts.Default()))
		o := w.Hotline(prompts.Default()).Serve(ctx, c.In(w))
		check(t, w, o, "the call ends as person", "2 tickets", "the ticket is closed as served")
	})(t)
}

// TestTakenUpByAnotherCall: two calls of one number hold the same place. The
// agent gets the one that took it up last, and the other is told.
func TestTakenUpByAnotherCall(t *testing.T) {
	virtually(func(t *testing.T) {
		w := world(t, "an agent who is busy")
		h := w.Hotline(prompts.Default())
		talks := 0
		serve := func(p *lineCaller) ivr.Outcome {
			ctx, c := ivrtest.NewCaller(t.Context(), ivr.Info{ID: uuid.New(), Number: w.Caller, Started: time.Now()}, p, speaking(prompts.Default()))
			return h.Serve(ctx, c.In(w))
		}
		first := make(chan ivr.Outcome, 1)
		p := &lineCaller{keys: map[prompts.Key]string{"main.menu": "0", "again.menu": "1", "again.keptmenu": "1"}}
		p.at = func(what string) {
			if what == "talk" {
				t.Error("the first call talks")
			}
		}
		go func() { first <- serve(p) }()
		time.Sleep(2 * time.Minute)
		second := &lineCaller{keys: map[prompts.Key]string{"main.menu": "0", "again.keptmenu": "2"}}
		rests := 0
		second.at = func(what string) {
			switch what {
			case "talk":
				talks++
			case "rest":
				if rests++; rests == 4 {
					if err := w.Line.Happens("agent: is free"); err != nil {
						t.Error(err)
					}
				}
			}
		}
		o := serve(second)
		if o.Result != ivr.Person || talks != 1 {
			t.Errorf("the second call ended as %v after %d talks", o, talks)
		}
		if o := <-first; o.Result != ivr.CalledBack {
			t.Errorf("the first call ended as %v after %v", o, p.heard)
		}
	})(t)
}

// TestToldAcrossCalls: who rings again and stands worse than was said hears why.
func TestToldAcrossCalls(t *testing.T) {
	virtually(func(t *testing.T) {
		w := world(t, "an agent who is busy", "3 people in line")
		h := w.Hotline(prompts.Default())
		call(t, w, h, []step{"1", "0", stepSilence, stepHangUp})
		if err := w.Line.Happens("line: 7 people ahead"); err != nil {
			t.Fatal(err)
		}
		_, rec := call(t, w, h, []step{"1", "0", stepHangUp})
		if said(rec, "wait.placeworse") != 1 || said(rec, "again.kept") != 1 {
			t.Errorf("it was said: %v", rec.Transcript)
		}
	})(t)
}

// TestKnownByTheTicket: what was keyed is in the ticket, for who talks with the
// caller, and is no secret of the transcript only.
func TestKnownByTheTicket(t *testing.T) {
	virtually(func(t *testing.T) {
		w := world(t, "an agent who is busy", "3 people in line")
		call(t, w, w.Hotline(prompts.Default()), []step{"1", "1", ivrtest.Born, "1", ivrtest.Postcode, "1", "0", stepHangUp})
		var known ivr.State
		for _, ticket := range w.Line.Tickets() {
			if ticket.Number == w.Caller {
				if err := json.Unmarshal(ticket.Known, &known); err != nil {
					t.Error(err)
				}
			}
		}
		if !known.Born.Equal(born(ivrtest.Born)) || known.Postcode != ivrtest.Postcode || known.Hold == nil || known.Place != nil {
			t.Errorf("known is %+v", known)
		}
	})(t)
}

// TestEveryStage: what admission says is what a caller gets.
func TestEveryStage(t *testing.T) {
	t.Parallel()
	for stage, first := range map[queue.Stage]prompts.Key{
		queue.StageFull: "welcome.greeting", queue.StageExpress: "express.promise",
		queue.StageEarly: "early.promise", queue.StageRegister: "early.promise",
	} {
		t.Run(string(stage), virtually(func(t *testing.T) {
			w := world(t)
			h := w.Hotline(prompts.Default())
			h.Admit = func() queue.Stage { return stage }
			p := &lineCaller{}
			ctx, c := ivrtest.NewCaller(t.Context(), ivr.Info{ID: uuid.New(), Number: w.Caller, Started: time.Now()}, p, speaking(prompts.Default()))
			if o := h.Serve(ctx, c.In(w)); o.Result != ivr.CalledBack || p.heard[0] != first {
				t.Errorf("ended as %v after %v", o, p.heard)
			}
		}))
	}
}

// TestRungInMeanwhile: the person rang in while their telephone rang.
func TestRungInMeanwhile(t *testing.T) {
	virtually(func(t *testing.T) {
		w := world(t, "we ring")
		attempt, err := w.Line.Rung(t.Context(), w.Attempt)
		if err == nil {
			err = w.Line.Close(t.Context(), attempt.Ticket.ID, queue.EndServed)
		}
		if err != nil {
			t.Fatal(err)
		}
		o, rec := call(t, w, w.Hotline(prompts.Default()), nil)
		if o.Result != ivr.Informed || said(rec, "rung.over") != 1 {
			t.Errorf("ended as %v", o)
		}
		check(t, w, o, "the attempt is stopped")
	})(t)
}
