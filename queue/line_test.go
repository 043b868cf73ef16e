package queue

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/prompts"
)

var noon = time.Date(2027, 2, 1, 11, 0, 0, 0, time.UTC)

func TestOrder(t *testing.T) {
	t.Parallel()
	id := func(n byte) uuid.UUID { return uuid.UUID{15: n} }
	inOrder := []Ticket{
		{ID: id(9), Priority: 2, RangAt: noon.Add(time.Hour)},
		{ID: id(8), Priority: 1, RangAt: noon},
		{ID: id(7), Priority: 0, RangAt: noon.Add(-time.Hour)},
		{ID: id(1), Priority: 0, RangAt: noon},
		{ID: id(2), Priority: 0, RangAt: noon.In(time.FixedZone("", 3600))},
		{ID: id(0), Priority: -1, RangAt: noon.Add(-9 * time.Hour)},
	}
	for i, a := range inOrder {
		for j, b := range inOrder {
			if Less(a, b) != (i < j) {
				t.Errorf("ticket %d before ticket %d: %v", i, j, Less(a, b))
			}
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		mixed := slices.Clone(inOrder)
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		slices.SortFunc(mixed, Compare)
		if !slices.EqualFunc(mixed, inOrder, func(a, b Ticket) bool { return a.ID == b.ID }) {
			t.Fatalf("sorted as %+v", mixed)
		}
	}
}

func TestEligible(t *testing.T) {
	t.Parallel()
	anna := Agent{
		Name: "anna", Languages: []prompts.Language{prompts.German, prompts.English},
		Topics: []Topic{TopicBooking, TopicOther}, State: AgentTalking,
	}
	waits := Ticket{State: StateWaiting, Wish: WishPerson, Language: prompts.German, Topic: TopicBooking}
	due := Ticket{
		State: StateDue, Wish: WishPerson, Language: prompts.English, Topic: TopicOther,
		Number: "+49231500123", DueAt: noon,
	}
	if !Eligible(waits, anna, noon) || !Eligible(due, anna, noon) {
		t.Fatal("who waits, and who is to be rung, are eligible")
	}
	for what, change := range map[string]func(waits, due *Ticket){
		"another language":      func(w, d *Ticket) { w.Language, d.Language = "tr", "tr" },
		"another skill":         func(w, d *Ticket) { w.Topic, d.Topic = TopicAppointment, TopicAppointment },
		"for the dialogue":      func(w, d *Ticket) { w.Wish, d.Wish = WishSelf, WishSelf },
		"bound to another":      func(w, d *Ticket) { w.Agent, d.Agent = "bob", "bob" },
		"left, and promised":    func(w, d *Ticket) { w.State, d.State = StateLeft, StatePromised },
		"talking, and ringing":  func(w, d *Ticket) { w.State, d.State = StateTalking, StateRinging },
		"closed":                func(w, d *Ticket) { w.State, d.State = StateClosed, StateClosed },
		"before its hour":       func(w, d *Ticket) { w.State = StateLeft; d.DueAt = noon.Add(time.Nanosecond) },
		"no number to ring":     func(w, d *Ticket) { w.State = StateLeft; d.Number = e164.Withheld },
		"skills of nothing":     func(w, d *Ticket) { w.Topic, d.Topic = "", "" },
		"language not yet told": func(w, d *Ticket) { w.Language, d.Language = "", "" },
	} {
		w, d := waits, due
		change(&w, &d)
		if Eligible(w, anna, noon) || Eligible(d, anna, noon) {
			t.Errorf("%s: eligible", what)
		}
	}
	// Who holds the line needs no number.
	waits.Number, waits.DueAt = e164.Withheld, noon.Add(time.Hour)
	if !Eligible(waits, anna, noon) {
		t.Error("who waits with a number withheld is not eligible")
	}
}

func TestFreeFor(t *testing.T) {
	t.Parallel()
	r := NewRules()
	waits, due := Ticket{State: StateWaiting}, Ticket{State: StateDue}
	for _, c := range []struct {
		a             Agent
		forWaits, due bool
	}{
		{Agent{State: AgentReady}, true, true},
		{Agent{State: AgentWrapUp, Until: noon.Add(r.Ahead)}, false, true},
		{Agent{State: AgentWrapUp, Until: noon.Add(r.Ahead + 1)}, false, false},
		{Agent{State: AgentReserved, Until: noon}, false, false},
		{Agent{State: AgentTalking}, false, false},
		{Agent{State: AgentAway, Until: noon}, false, false},
	} {
		if got := r.FreeFor(c.a, waits, noon); got != c.forWaits {
			t.Errorf("%s until %v is free for who waits: %v", c.a.State, c.a.Until, got)
		}
		if got := r.FreeFor(c.a, due, noon); got != c.due {
			t.Errorf("%s until %v is free for who is to be rung: %v", c.a.State, c.a.Until, got)
		}
	}
}

func TestReservedUntil(t *testing.T) {
	t.Parallel()
	r := NewRules()
	ready := Agent{State: AgentReady}
	if at := r.ReservedUntil(ready, Ticket{State: StateWaiting}, noon); !at.After(noon.Add(r.AgentRing)) {
		t.Errorf("free at %v, before her telephone has rung for %v", at, r.AgentRing)
	}
	if at := r.ReservedUntil(ready, Ticket{State: StateDue}, noon); !at.Equal(noon.Add(r.Reserve)) {
		t.Errorf("idle until %v", at)
	}
	wraps := Agent{State: AgentWrapUp, Until: noon.Add(8 * time.Second)}
	if at := r.ReservedUntil(wraps, Ticket{State: StateDue}, noon); !at.Equal(noon.Add(8*time.Second + r.Reserve)) {
		t.Errorf("wrapping up, then idle until %v", at)
	}
}

func TestAhead(t *testing.T) {
	t.Parallel()
	me := Ticket{ID: uuid.UUID{2}, RangAt: noon, State: StateWaiting, Wish: WishPerson, Language: prompts.German}
	for _, c := range []struct {
		about  string
		change func(*Ticket)
		want   bool
	}{
		{"in line", func(*Ticket) {}, true},
		{"to be rung", func(o *Ticket) { o.State = StateDue }, true},
		{"being rung", func(o *Ticket) { o.State = StateRinging }, true},
		{"whose agent's telephone rings", func(o *Ticket) { o.Agent = "anna" }, true},
		{"in talk", func(o *Ticket) { o.State = StateTalking }, false},
		{"left", func(o *Ticket) { o.State = StateLeft }, false},
		{"promised later", func(o *Ticket) { o.State = StatePromised }, false},
		{"behind", func(o *Ticket) { o.RangAt = noon.Add(time.Second) }, false},
		{"behind, going first", func(o *Ticket) { o.RangAt, o.Priority = noon.Add(time.Second), 1 }, true},
		{"of another language", func(o *Ticket) { o.Language = prompts.English }, false},
		{"for the dialogue", func(o *Ticket) { o.Wish = WishSelf }, false},
	} {
		o := me
		o.ID, o.RangAt = uuid.UUID{1}, noon.Add(-time.Second)
		c.change(&o)
		if got := Ahead(o, me); got != c.want {
			t.Errorf("one %s is ahead: %v", c.about, got)
		}
	}
	if Ahead(me, me) {
		t.Error("a ticket is ahead of itself")
	}
}
