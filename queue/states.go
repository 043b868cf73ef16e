package queue

import "ringback/booking"

// State is the life of a ticket.
type State string

// The states of a ticket.
const (
	StateWaiting  State = "waiting"  // the caller holds the line
	StateLeft     State = "left"     // hung up in line; the place is kept for a while
	StatePromised State = "promised" // is rung later: at a promised hour, or tried again
	StateDue      State = "due"      // is rung as soon as its turn comes
	StateRinging  State = "ringing"  // an attempt is under way
	StateTalking  State = "talking"  // with an agent, or in the dialogue after being rung
	StateClosed   State = "closed"
)

// States are all states of a ticket.
var States = []State{StateWaiting, StateLeft, StatePromised, StateDue, StateRinging, StateTalking, StateClosed}

// Transitions are all changes a ticket may go through.
var Transitions = []booking.Transition[State]{
	{From: "", To: StateWaiting, By: "join"},
	{From: "", To: StatePromised, By: "promise an hour"},
	{From: "", To: StateDue, By: "promise"},
	{From: StateWaiting, To: StateTalking, By: "an agent answers"},
	{From: StateWaiting, To: StateLeft, By: "hang up"},
	{From: StateWaiting, To: StatePromised, By: "promise an hour, or hang up with one promised"},
	{From: StateWaiting, To: StateDue, By: "promise, hang up after a promise or without keys, or the line breaks"},
	{From: StateWaiting, To: StateClosed, By: "served by the dialogue"},
	{From: StateLeft, To: StateWaiting, By: "ring again"},
	{From: StateLeft, To: StatePromised, By: "promise an hour"},
	{From: StateLeft, To: StateDue, By: "promise"},
	{From: StateLeft, To: StateClosed, By: "the place is kept no longer"},
	{From: StatePromised, To: StateDue, By: "the hour has come"},
	{From: StatePromised, To: StateWaiting, By: "ring in"},
	{From: StatePromised, To: StateClosed, By: "remove"},
	{From: StateDue, To: StateRinging, By: "attempt"},
	{From: StateDue, To: StateWaiting, By: "ring in"},
	{From: StateDue, To: StatePromised, By: "promise an hour, or move"},
	{From: StateDue, To: StateClosed, By: "remove"},
	{From: StateRinging, To: StateTalking, By: "reached, for the dialogue"},
	{From: StateRinging, To: StateWaiting, By: "reached, for an agent, or ring in"},
	{From: StateRinging, To: StatePromised, By: "not reached"},
	{From: StateRinging, To: StateDue, By: "never dialled"},
	{From: StateRinging, To: StateClosed, By: "not reached for the last time"},
	{From: StateTalking, To: StateClosed, By: "done"},
	{From: StateTalking, To: StateWaiting, By: "the agent is lost"},
	{From: StateTalking, To: StateDue, By: "the line breaks"},
	{From: StateTalking, To: StatePromised, By: "promise an hour"},
}

// End is why a ticket was closed.
type End string

// The ends of a ticket.
const (
	EndServed    End = "served"    // talked with an agent
	EndSelf      End = "self"      // served by the dialogue
	EndAbandoned End = "abandoned" // hung up in line and did not come back
	EndUnreached End = "unreached" // was rung as often as promised
	EndRemoved   End = "removed"   // by the caller's wish or an operator
	EndForbidden End = "forbidden" // the number is not to be rung
)

// Ends are all ends.
var Ends = []End{EndServed, EndSelf, EndAbandoned, EndUnreached, EndRemoved, EndForbidden}

// AgentState is what an agent does.
type AgentState string

// The states of an agent.
const (
	AgentReady    AgentState = "ready"
	AgentReserved AgentState = "reserved" // bound to a ticket, not talking yet
	AgentTalking  AgentState = "talking"
	AgentWrapUp   AgentState = "wrap_up"
	AgentAway     AgentState = "away" // did not answer, or is not signed in
)

// AgentStates are all states of an agent.
var AgentStates = []AgentState{AgentReady, AgentReserved, AgentTalking, AgentWrapUp, AgentAway}

// AgentTransitions are all changes an agent may go through.
var AgentTransitions = []booking.Transition[AgentState]{
	{From: "", To: AgentReady, By: "sign in"},
	{From: AgentReady, To: AgentReserved, By: "bind to a ticket"},
	{From: AgentWrapUp, To: AgentReserved, By: "bind ahead to one that is rung"},
	{From: AgentReserved, To: AgentTalking, By: "answer"},
	{From: AgentReserved, To: AgentReady, By: "not needed, or reserved for too long"},
	{From: AgentReserved, To: AgentWrapUp, By: "not needed while wrapping up"},
	{From: AgentReserved, To: AgentAway, By: "did not answer"},
	{From: AgentTalking, To: AgentWrapUp, By: "talked"},
	{From: AgentTalking, To: AgentAway, By: "lost"},
	{From: AgentWrapUp, To: AgentReady, By: "wrapped up"},
	{From: AgentAway, To: AgentReady, By: "come back"},
	{From: AgentReady, To: AgentAway, By: "sign out"},
	{From: AgentWrapUp, To: AgentAway, By: "sign out"},
}
