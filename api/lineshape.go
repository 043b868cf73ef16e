package api

import (
	"time"

	"ringback/queue"
)

// Summary is the line at a glance.
type Summary struct {
	Total    Depth            `json:"total"`
	Topics   map[string]Depth `json:"topics" nullable:"false" doc:"The same by topic."`
	Agents   map[string]int   `json:"agents" nullable:"false" doc:"How many agents are in each state."`
	Outgoing Outgoing         `json:"outgoing"`
}

// Depth is how many are in line, or come into it.
type Depth struct {
	Waiting            int `json:"waiting" doc:"Callers who hold the line."`
	Due                int `json:"due" doc:"To be rung as soon as their turn comes."`
	Promised           int `json:"promised" doc:"To be rung later: at a promised hour, or once more."`
	Left               int `json:"left" doc:"Hung up in line; their place is kept for a while."`
	Ringing            int `json:"ringing" doc:"Being rung at present."`
	Talking            int `json:"talking" doc:"With an agent, or in the dialogue after being rung."`
	LongestWaitSeconds int `json:"longest_wait_seconds" doc:"Since the first of those waiting or due rang for the first time; 0 where there is none."`
}

// Outgoing is the switch of all calls out.
type Outgoing struct {
	On    bool    `json:"on" doc:"False: nobody is rung."`
	Since *string `json:"since" format:"date-time" doc:"Null: since ever."`
	By    string  `json:"by" doc:"Who set it last."`
	Why   string  `json:"why"`
}

// Unwanted is a number that is not to be rung.
type Unwanted struct {
	Number string `json:"number" doc:"In E.164."`
	Since  string `json:"since" format:"date-time"`
	By     string `json:"by" doc:"Who said so first."`
	Why    string `json:"why"`
}

// Agent is somebody who talks with callers.
type Agent struct {
	Name      string   `json:"name"`
	Address   string   `json:"address" doc:"Of the telephone."`
	Languages []string `json:"languages" nullable:"false"`
	Topics    []string `json:"topics" nullable:"false"`
	State     string   `json:"state" enum:"ready,reserved,talking,wrap_up,away"`
	Since     string   `json:"since" format:"date-time" doc:"Of the state."`
	Until     *string  `json:"until" format:"date-time" doc:"When the state ends by itself; null: never."`
	Ticket    *string  `json:"ticket" format:"uuid" doc:"Bound to the agent; null: none."`
}

func asSummary(depths []queue.Depth, agents []queue.Agent, o queue.Outgoing, now time.Time) Summary {
	s := Summary{Topics: map[string]Depth{}, Agents: map[string]int{}, Outgoing: asOutgoing(o)}
	for _, t := range queue.Topics {
		s.Topics[string(t)] = Depth{}
	}
	for _, d := range depths {
		topic := s.Topics[string(d.Topic)]
		topic.add(d, now)
		s.Topics[string(d.Topic)] = topic
		s.Total.add(d, now)
	}
	for _, state := range queue.AgentStates {
		s.Agents[string(state)] = 0
	}
	for _, a := range agents {
		s.Agents[string(a.State)]++
	}
	return s
}

func (s *Depth) add(d queue.Depth, now time.Time) {
	var count *int
	switch d.State {
	case queue.StateWaiting:
		count = &s.Waiting
	case queue.StateDue:
		count = &s.Due
	case queue.StatePromised:
		count = &s.Promised
	case queue.StateLeft:
		count = &s.Left
	case queue.StateRinging:
		count = &s.Ringing
	case queue.StateTalking:
		count = &s.Talking
	default:
		return
	}
	*count += d.Tickets
	if (d.State == queue.StateWaiting || d.State == queue.StateDue) && !d.RangAt.IsZero() {
		s.LongestWaitSeconds = max(s.LongestWaitSeconds, seconds(now.Sub(d.RangAt)))
	}
}

func asOutgoing(o queue.Outgoing) Outgoing {
	return Outgoing{On: o.On, Since: stampOrNull(o.Since), By: o.By, Why: o.Why}
}

func asUnwanted(u queue.Unwanted) Unwanted {
	return Unwanted{Number: string(u.Number), Since: stamp(u.Since), By: u.By, Why: u.Why}
}

func asAgent(a queue.Agent) Agent {
	shown := Agent{
		Name: a.Name, Address: a.Address, State: string(a.State), Since: stamp(a.Since), Until: stampOrNull(a.Until),
		Languages: make([]string, len(a.Languages)), Topics: make([]string, len(a.Topics)),
	}
	for i, l := range a.Languages {
		shown.Languages[i] = string(l)
	}
	for i, t := range a.Topics {
		shown.Topics[i] = string(t)
	}
	if a.Ticket != [16]byte{} {
		id := a.Ticket.String()
		shown.Ticket = &id
	}
	return shown
}
