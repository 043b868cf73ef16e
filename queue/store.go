package queue

import (
	"context"

	"github.com/google/uuid"

	"ringback/e164"
)

// Store is the line as dialogues use it. Every method is one transaction, safe
// for many processes at once, and may be asked again when its answer was lost.
// What the dispatcher and operators need beside it, they declare themselves.
type Store interface {
	// Find returns the open tickets of a number in the order of the line; none
	// for Withheld.
	Find(ctx context.Context, number e164.Number) ([]Ticket, error)
	// FindShort returns the open ticket with that spoken number: ErrNoTicket.
	FindShort(ctx context.Context, short string) (Ticket, error)

	// Join puts a caller who holds the line into it (StateWaiting). The place of
	// Arrival.Ticket is kept, whatever it was waiting for; an attempt to ring it
	// is stopped. ErrTooMany where the number has MaxPerNumber tickets, ErrOver
	// where Arrival.Ticket is closed.
	Join(ctx context.Context, a Arrival) (Ticket, error)
	// Standing is where an open ticket stands: ErrNoTicket.
	Standing(ctx context.Context, ticket uuid.UUID) (Standing, error)

	// Windows returns the next n hours in which somebody can still be promised
	// to be rung, the earliest first.
	Windows(ctx context.Context, n int) ([]Window, error)
	// Promise commits that the person is rung: in the window, whose room it
	// takes, or for the zero Window as soon as its turn comes (StateDue; outside
	// of Rules.Ringing StatePromised until it opens). It opens a ticket where the
	// call has none, and corrects the one it has: another window gives the room
	// of the old one back. A call that names no ticket and has none, from a number
	// that waits to be rung already, is given that ticket, place and hour
	// unchanged; a place kept since its caller hung up becomes the promise.
	// ErrWindowFull, ErrTooMany, ErrForbidden; ErrOver where Arrival.Ticket is
	// closed.
	Promise(ctx context.Context, a Arrival, w Window) (Ticket, error)

	// Turn returns the agent bound to a waiting ticket, or who talks with it:
	// ErrNotYet, ErrNoTicket, ErrOver.
	Turn(ctx context.Context, ticket uuid.UUID) (Turn, error)
	// Joined says that the agent answered and talks with the caller; ErrNotYet
	// where the two are not bound any more.
	Joined(ctx context.Context, t Turn) error
	// Missed says that the agent did not answer, or was lost in the talk: the
	// agent is away for a while, the ticket is first in line again. Where the two
	// are not bound any more, nothing changes.
	Missed(ctx context.Context, t Turn) error
	// Talked ends the talk: the agent wraps up, the ticket is closed. Where the
	// two are not bound any more, nothing changes.
	Talked(ctx context.Context, t Turn) error

	// Leave says that the caller hung up in line. The place is kept for a while;
	// a telephone without keys is rung instead, and so is who was promised it,
	// when it was promised. Of a ticket another call has taken up meanwhile,
	// nothing changes.
	Leave(ctx context.Context, ticket, call uuid.UUID) error
	// Close closes a ticket: EndSelf, EndRemoved … An attempt to ring it is
	// stopped. Closing twice is no error: the first end counts.
	Close(ctx context.Context, ticket uuid.UUID, e End) error

	// Rung returns the attempt a call out was made for: ErrNoTicket.
	Rung(ctx context.Context, attempt uuid.UUID) (Attempt, error)
	// Resolve says how an attempt ended, once: the first answer counts. Reached
	// with WishSelf the ticket is talking, with WishPerson waiting, the agent
	// still bound; not reached it is tried again as the rules say, or closed.
	// It returns the ticket as it is then.
	Resolve(ctx context.Context, attempt uuid.UUID, f Fate) (Ticket, error)
}
