package ivrtest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/booking/memory"
	"ringback/e164"
	"ringback/ivr"
	"ringback/prompts"
	"ringback/queue"
)

// World is what surrounds a call in tests: a small country with three centres,
// everything in memory.
type World struct {
	Bookings *memory.Store
	Line     *Line
	Habits   *Habits
	Log      *Log
	Caller   e164.Number            // who rings, or is rung
	Attempt  uuid.UUID              // what the caller is rung for; Nil: they ring
	stage    queue.Stage            // what there are lines for
	call     atomic.Pointer[Caller] // the last one
}

// The persons of the World.
const (
	Born     = "24121935" // old enough
	Young    = "24121990" // not old enough
	Postcode = "44137"    // Dortmund's
)

// NewWorld has three centres with two days of times, beginning at 10:20
// tomorrow. Persons who reach eighty in 2026 may book. No agent is signed in, and
// the line is open at all hours.
func NewWorld() *World {
	w := &World{
		Bookings: memory.New(),
		Line:     newLine(),
		Habits:   &Habits{},
		Log:      &Log{},
		Caller:   "+4923150012345",
		stage:    queue.StageFull,
	}
	w.Bookings.SetRule(booking.Rule{MinAge: 80, On: time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)})
	for i, name := range []string{"Dortmund", "Bochum", "Hagen"} {
		c := w.Bookings.AddCentre(booking.Centre{
			Name: name, Address: "Am Markt, " + name, TimeZone: "Europe/Berlin",
		}, 51.5+float64(i)/10, 7.4)
		w.Bookings.AddPlace([]string{"44137", "44787", "58095"}[i], name, c.ID)
	}
	return w
}

// Open fills the centres with times.
func (w *World) Open(seats int) {
	berlin := booking.Centre{TimeZone: "Europe/Berlin"}.Location()
	y, m, d := time.Now().In(berlin).Date()
	for centre := int64(1); centre <= 3; centre++ {
		for day := 1; day <= 2; day++ {
			for _, hour := range []int{10, 12, 14} {
				w.Bookings.AddSlot(centre, time.Date(y, m, d+day, hour, 20, 0, 0, berlin), seats)
			}
		}
	}
}

// Hotline is a hotline in this world.
func (w *World) Hotline(texts ivr.Texts) *ivr.Hotline {
	return &ivr.Hotline{
		Bookings: w.Bookings,
		Queue:    w.Line,
		Bell:     w.Line.Bell,
		Rules:    w.Line.rules,
		Admit:    func() queue.Stage { return w.stage },
		Habits:   w.Habits,
		Log:      w.Log,
		Ledger:   w.Log,
		Texts:    texts,
		Timing:   ivr.DefaultTiming(),
		Language: prompts.German,
		Region:   "DE",
		Now:      time.Now,
		Logger:   slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// Given makes a script's fact true:
//
//	caller NUMBER | caller withheld
//	language en
//	nothing is free
//	an appointment for 24121935
//	a hold for 24121935
//	it is ten past nine on a Tuesday
//	few lines are left | hardly a line is left
//
// and what Line.given knows of.
func (w *World) Given(ctx context.Context, f Fact) error {
	words := strings.Fields(f.Text)
	switch last := words[len(words)-1]; {
	case words[0] == "caller" && last == "withheld":
		w.Caller = e164.Withheld
	case words[0] == "caller":
		w.Caller = e164.Number(last)
	case words[0] == "language":
		return w.Habits.SetHabit(ctx, w.Caller, ivr.Habit{Language: prompts.Language(last)})
	case f.Text == "nothing is free":
		return nil // the run opens no times
	case strings.HasPrefix(f.Text, "an appointment for"):
		hold, p, err := w.hold(ctx, last)
		if err != nil {
			return err
		}
		_, err = w.Bookings.Book(ctx, booking.Booking{HoldID: hold.ID, CallID: earlier, Person: p, Operation: uuid.New()})
		return err
	case strings.HasPrefix(f.Text, "a hold for"):
		_, _, err := w.hold(ctx, last)
		if err == nil {
			err = w.Bookings.KeepHold(ctx, earlier)
		}
		return err
	case f.Text == "it is ten past nine on a Tuesday":
		if now := time.Now().In(berlin).Format("Mon 15:04"); now != "Tue 09:10" {
			return fmt.Errorf("line %d: it is %s", f.Line, now)
		}
	case f.Text == "few lines are left":
		w.stage = queue.StageExpress
	case f.Text == "hardly a line is left":
		w.stage = queue.StageEarly
	case strings.HasPrefix(f.Text, "we ring"):
		return w.weRing(ctx, f)
	default:
		return w.Line.given(ctx, f, w.Caller)
	}
	return nil
}

// earlier is the call that did what is given.
var earlier = uuid.MustParse("00000000-0000-7000-8000-000000000001")

func (w *World) hold(ctx context.Context, born string) (booking.Hold, booking.Person, error) {
	day, err := time.Parse("02012006", born)
	if err != nil {
		return booking.Hold{}, booking.Person{}, err
	}
	p := booking.Person{Number: w.Caller, Born: day, Postcode: Postcode}
	hold, err := w.Bookings.Offer(ctx, booking.Search{CallID: earlier, Person: p, Centre: 1})
	return hold, p, err
}

// Check says whether a script's fact is true:
//
//	the call ends as RESULT
//	N appointments | N held
//	the call was answered | the call was never answered
//	a callback to NUMBER | a callback to a spoken number | no callback
//
// and what Line.check knows of.
func (w *World) Check(f Fact, o ivr.Outcome) error {
	words := strings.Fields(f.Text)
	last := words[len(words)-1]
	var got string
	switch {
	case strings.HasPrefix(f.Text, "the call ends as"):
		got = "the call ends as " + string(o.Result)
	case last == "appointments":
		got = strconv.Itoa(w.Bookings.Count(booking.SeatBooked)) + " appointments"
	case last == "held":
		got = strconv.Itoa(w.Bookings.Count(booking.SeatHeld)) + " held"
	case strings.HasPrefix(f.Text, "the call was") && w.call.Load() != nil:
		got = "the call was never answered"
		if w.call.Load().answered {
			got = "the call was answered"
		}
	default:
		var err error
		if got, err = w.Line.check(f, w.Attempt); err != nil {
			return err
		}
	}
	if got != f.Text {
		return fmt.Errorf("line %d: want %s, got %s", f.Line, f.Text, got)
	}
	return nil
}
