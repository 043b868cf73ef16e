package ivr_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/ivr"
	"ringback/ivr/ivrtest"
	"ringback/prompts"
)

// speaking is how long an utterance takes at 150 words a minute.
func speaking(texts ivr.Texts) func(ivr.Utterance) time.Duration {
	return func(u ivr.Utterance) time.Duration {
		var d time.Duration
		for _, l := range u.Lines {
			t, err := texts.Text(u.Manner, l)
			if err != nil {
				panic(err)
			}
			for _, s := range t.Spoken {
				d += s.Rest + time.Duration(len(strings.Fields(s.Speech)))*time.Minute/150
			}
		}
		return d
	}
}

func ring(t *testing.T, w *ivrtest.World, h *ivr.Hotline, texts ivr.Texts, p ivrtest.Person) (ivr.Outcome, uuid.UUID) {
	t.Helper()
	info := ivr.Info{ID: uuid.New(), Number: w.Caller, Node: "test", Started: time.Now(), Attempt: w.Attempt}
	if info.Attempt != uuid.Nil {
		info.ID = info.Attempt
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 30*time.Minute, ivr.ErrTooLong)
	defer cancel()
	ctx, c := ivrtest.NewCaller(ctx, info, p, speaking(texts))
	o := h.Serve(ctx, c.In(w))
	if !c.HungUp() {
		t.Error("the line is still up after the call")
	}
	return o, info.ID
}

// TestScripts plays every transcript in virtual time.
func TestScripts(t *testing.T) {
	t.Parallel()
	texts := prompts.Default()
	scripts, err := ivrtest.Scripts(os.DirFS("testdata"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scripts {
		t.Run(s.Name, virtually(func(t *testing.T) { playScript(t, s, texts) }))
	}
}

func playScript(t *testing.T, script ivrtest.Script, texts ivr.Texts) {
	w := ivrtest.NewWorld()
	if !slices.ContainsFunc(script.Given, func(f ivrtest.Fact) bool { return f.Text == "nothing is free" }) {
		w.Open(1)
	}
	for _, f := range script.Given {
		if err := w.Given(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	actor := ivrtest.NewActor(script, texts)
	o, _ := ring(t, w, w.Hotline(texts), texts, actor)
	for _, err := range actor.Faults() {
		t.Error(err)
	}
	for _, f := range script.Then {
		if err := w.Check(f, o); err != nil {
			t.Errorf("%s: %v", script.Name, err)
		}
	}
}
