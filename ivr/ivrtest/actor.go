package ivrtest

import (
	"fmt"
	"strings"
	"time"

	"ringback/ivr"
	"ringback/prompts"
)

// Actor is a Person who follows a script and remembers where the call went
// another way.
type Actor struct {
	script Script
	texts  ivr.Texts
	next   int
	faults []error
}

// NewActor begins at the first step.
func NewActor(s Script, texts ivr.Texts) *Actor { return &Actor{script: s, texts: texts} }

// Faults are the places where the call and the script differ, those left over
// at the end included.
func (a *Actor) Faults() []error {
	for _, s := range a.script.Steps[a.next:] {
		if !s.Any && !s.Silent {
			return append(a.faults, fmt.Errorf("%s:%d: the call was over before this", a.script.Name, s.Line))
		}
	}
	return a.faults
}

// Hears implements Person.
func (a *Actor) Hears(u ivr.Utterance) Act {
	for _, l := range u.Lines {
		a.match(u.Manner, l)
	}
	return a.act()
}

// Asked implements Person.
func (a *Actor) Asked(time.Duration) Act {
	if s := a.step(); s != nil && s.Silent {
		a.next++
		return Act{}
	}
	return a.act()
}

// Speaks implements Person.
func (a *Actor) Speaks(longest time.Duration) (time.Duration, Act) {
	if s := a.step(); s != nil && s.Speak {
		a.next++
		return min(2*time.Second, longest), a.act()
	}
	return 0, a.act()
}

func (a *Actor) step() *Step {
	if a.next == len(a.script.Steps) {
		return nil
	}
	return &a.script.Steps[a.next]
}

// act takes the next step if it is the caller's and not silence.
func (a *Actor) act() Act {
	s := a.step()
	switch {
	case s == nil:
		return Act{}
	case s.Press != "":
		a.next++
		return Act{Keys: s.Press}
	case s.HangUp:
		a.next++
		return Act{HangUp: true}
	case s.World != "" || s.Agent != "" && happens(s.Agent):
		a.next++
		act := a.act() // and what the caller does at the same moment
		act.Happens = append([]string{s.String()}, act.Happens...)
		return act
	}
	return Act{}
}

// happens says whether what an agent does happens by itself, and not on a
// telephone that rings or a talk.
func happens(agent string) bool { return agent == AgentFree || agent == AgentGoes }

// Rests implements Waiter. Silence is that of a long rest: the pauses between
// what is offered are nobody's.
func (a *Actor) Rests(r ivr.Rest) Act {
	act := a.act()
	s := a.step()
	switch long := r.Wait > time.Second; {
	case s == nil, act.Keys != "", act.HangUp:
	case s.Silent && long:
		a.next++
	case s.Speak && r.Voice:
		a.next++
		act.Speaks = true
	}
	return act
}

// Rings implements Waiter.
func (a *Actor) Rings(ivr.Leg) Act { return a.agent() }

// Talks implements Waiter.
func (a *Actor) Talks(ivr.Leg) Act { return a.agent() }

// agent takes what an agent does on the telephone.
func (a *Actor) agent() Act {
	if s := a.step(); s != nil && s.Agent != "" && !happens(s.Agent) {
		a.next++
		return Act{Agent: s.Agent}
	}
	return a.act()
}

func (a *Actor) match(m prompts.Manner, l prompts.Line) {
	t, err := a.texts.Text(m, l)
	if err != nil {
		a.faults = append(a.faults, err)
		return
	}
	s := a.step()
	if s == nil {
		if len(a.faults) > 0 {
			return // one is enough to look for
		}
		a.faults = append(a.faults, fmt.Errorf("%s: the script is over, but the hotline says %s", a.script.Name, l.Key))
		return
	}
	if s.Any {
		if after := a.next + 1; after < len(a.script.Steps) && a.script.Steps[after].matches(l.Key, t.Written) {
			a.next += 2
		}
		return
	}
	if !s.matches(l.Key, t.Written) {
		a.faults = append(a.faults, fmt.Errorf("%s:%d: want %s, heard %s: %s", a.script.Name, s.Line, s, l.Key, t.Written))
		a.next = len(a.script.Steps)
		return
	}
	a.next++
}

func (s Step) matches(k prompts.Key, text string) bool {
	return s.Hears == k && strings.Contains(text, s.Words)
}

// String is the step as it stands in a script.
func (s Step) String() string {
	switch {
	case s.Any:
		return "hotline: ..."
	case s.Hears != "":
		return strings.TrimSpace("hotline: " + string(s.Hears) + " " + s.Words)
	case s.Press != "":
		return "caller: " + s.Press
	case s.Silent:
		return "caller: silent"
	case s.Speak:
		return "caller: speaks"
	case s.Agent != "":
		return "agent: " + s.Agent
	case s.World != "":
		return "line: " + s.World
	}
	return "caller: hangs up"
}
