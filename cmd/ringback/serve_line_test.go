package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ringback/asterisk"
	"ringback/config"
	"ringback/ivr"
	"ringback/journal"
	"ringback/prompts"
	"ringback/queue"
)

func settings(t *testing.T) config.Config {
	t.Helper()
	c, err := config.Load("")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAgentsOfSettings(t *testing.T) {
	t.Parallel()
	c := settings(t)
	texts := prompts.Default()
	if got, err := agentsOf(c, texts); err != nil || len(got) != 0 {
		t.Errorf("nobody configured: %v, %v", got, err)
	}
	c.Agents = []config.Agent{
		{Name: "anna", Address: "sip:1@x", Languages: []prompts.Language{"de"}, Topics: []string{"booking"}},
		{Name: "ben", Address: "phone1"},
	}
	want := []queue.Agent{
		{Name: "anna", Address: "sip:1@x", Languages: []prompts.Language{"de"}, Topics: []queue.Topic{queue.TopicBooking}},
		{Name: "ben", Address: "phone1", Languages: texts.Languages(), Topics: queue.Topics},
	}
	if got, err := agentsOf(c, texts); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	c.Agents = []config.Agent{{Name: "anna", Address: "sip:1@x", Languages: []prompts.Language{"xx"}, Topics: []string{"gardening"}}}
	_, err := agentsOf(c, texts)
	if err == nil || !strings.Contains(err.Error(), `"xx"`) || !strings.Contains(err.Error(), `"gardening"`) {
		t.Errorf("got %v", err)
	}
}

func TestWhereCallsOutGo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		outgoing     config.Outgoing
		dial, caller string
		rings        bool
	}{
		{config.Outgoing{Enabled: true}, "", "116117", false},
		{config.Outgoing{Enabled: true, Trunk: "carrier", Caller: "0231 500123"}, "", "+49231500123", true},
		{config.Outgoing{Enabled: false, Trunk: "carrier"}, "", "116117", false},
		{config.Outgoing{Enabled: true, Trunk: "carrier", Dial: "sip:%s@192.0.2.1:5070"}, "PJSIP/carrier/sip:%s@192.0.2.1:5070", "116117", true},
		{config.Outgoing{Enabled: true, Dial: "phone1"}, "PJSIP/phone1", "116117", true},
	} {
		c := settings(t)
		c.Outgoing = tt.outgoing
		var o asterisk.Options
		outOptions(&o, c)
		if o.OutTrunk != tt.outgoing.Trunk || o.OutDial != tt.dial || o.OutCaller != tt.caller || callsOut(c.Outgoing) != tt.rings {
			t.Errorf("%+v: trunk %q, dial %q, caller %q, rings %v", tt.outgoing, o.OutTrunk, o.OutDial, o.OutCaller, callsOut(c.Outgoing))
		}
	}
}

func TestAdmission(t *testing.T) {
	t.Parallel()
	inUse := func() (int, int) { return 20, 2 } // the call that asks among them
	if got := admit(config.Lines{}, inUse); got != queue.StageFull {
		t.Errorf("without a limit: %s", got)
	}
	if got := load(config.Lines{Total: 20, KeepOut: 2}, inUse); got != (queue.Load{Lines: 20, InUse: 19, Out: 2, Keep: 2}) {
		t.Errorf("load %+v", got)
	}
	if got := admit(config.Lines{Total: 20, KeepOut: 2}, inUse); got == queue.StageFull || got == queue.StageRegister {
		t.Errorf("on the last line: %s", got)
	}
	if got := admit(config.Lines{Total: 20}, func() (int, int) { return 1, 0 }); got != queue.StageFull {
		t.Errorf("on the first line: %s", got)
	}
}

// TestJournalIsLate: what is to be written down waits until the process before
// has let go of the journal.
func TestJournalIsLate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "journal")
	before, err := journal.Open(dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	late := newLateJournal(dir)
	ctx, end := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- late.run(ctx, journal.Options{Logger: slog.New(slog.DiscardHandler)}) }()

	hurried, giveUp := context.WithCancel(ctx)
	giveUp()
	if err := late.Append(hurried, "test", nil); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("nobody waits for a journal that is not there: %v", err)
	}
	wrote := make(chan error, 1)
	reg := queue.Registration{ID: uuid.New(), Dialog: "d", Number: "+4923150010", Node: "n", At: time.Now().UTC(), Language: "de"}
	go func() { wrote <- late.Register(ctx, reg) }()
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	records, err := late.Next(ctx, 10)
	if err != nil || len(records) != 1 {
		t.Fatalf("%v, %v", records, err)
	}
	if got, err := records[0].Registration(); err != nil || got.ID != reg.ID {
		t.Errorf("%+v, %v", got, err)
	}
	if err := late.aside(records[0]); err != nil {
		t.Error(err)
	}
	if kept, err := os.ReadFile(filepath.Join(dir, "refused-1-registration")); err != nil || len(kept) == 0 {
		t.Errorf("set aside: %v", err)
	}
	if err := late.Done(1); err != nil {
		t.Error(err)
	}
	end()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	if after, err := journal.Open(dir, journal.Options{}); err != nil || after.Waiting() != 0 {
		t.Errorf("the next process: %v", err)
	} else if err := after.Close(); err != nil {
		t.Error(err)
	}
}

// fakeDispatcher rings until it is told to stop.
type fakeDispatcher struct {
	said    *[]string
	ringing chan struct{} // closed: nothing rings
}

func (d *fakeDispatcher) Run(ctx context.Context) error {
	<-ctx.Done()
	time.Sleep(time.Second) // while it ends what rings
	*d.said = append(*d.said, "dispatcher ended")
	return nil
}

func (d *fakeDispatcher) Drain()   { *d.said = append(*d.said, "dispatcher drained") }
func (d *fakeDispatcher) Release() { *d.said = append(*d.said, "dispatcher released") }

func (d *fakeDispatcher) Wait(ctx context.Context) error {
	select {
	case <-d.ringing:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// loud says when it ends.
type loud struct {
	*fakeLine
	said *[]string
}

func (l loud) Run(ctx context.Context) error {
	err := l.fakeLine.Run(ctx)
	*l.said = append(*l.said, "line ended")
	return err
}

func TestExchangeStopsInOrder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		taken error
		want  string
	}{
		{"by its context", nil, "[dispatcher ended line ended]"},
		{"because another controller took the line", fmt.Errorf("events: %w", asterisk.ErrReplaced), "[line ended dispatcher released dispatcher ended]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var said []string
				line := newFakeLine()
				line.taken = tt.taken
				e := exchange{loud{line, &said}, &fakeDispatcher{said: &said}}
				ctx, end := context.WithCancel(t.Context())
				defer end()
				time.AfterFunc(time.Minute, end)
				if err := e.Run(ctx); !errors.Is(err, tt.taken) {
					t.Errorf("got %v", err)
				}
				if fmt.Sprint(said) != tt.want {
					t.Errorf("%v, want %s", said, tt.want)
				}
			})
		})
	}
}

func TestExchangeWaitsForWhatRings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said []string
		d := &fakeDispatcher{said: &said, ringing: make(chan struct{})}
		e := exchange{newFakeLine(5 * time.Second), d}
		time.AfterFunc(20*time.Second, func() { close(d.ringing) })
		began := time.Now()
		if err := e.Wait(t.Context()); err != nil || time.Since(began) != 20*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		hurried, end := context.WithCancelCause(t.Context())
		end(ivr.ErrTooLong)
		d.ringing = make(chan struct{})
		if err := e.Wait(hurried); !errors.Is(err, ivr.ErrTooLong) {
			t.Errorf("got %v", err)
		}
	})
}
