package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"ringback/queue"
)

func registerTickets(api huma.API, h line) {
	huma.Register(api, huma.Operation{
		OperationID: "list-tickets", Method: http.MethodGet, Path: "/tickets", Security: secured,
		Summary: "Tickets, in the order of the line",
		Errors:  may(http.StatusUnprocessableEntity),
	}, h.list)
	huma.Register(api, huma.Operation{
		OperationID: "get-ticket", Method: http.MethodGet, Path: "/tickets/{id}", Security: secured,
		Summary: "One ticket, with its attempts and every change of it",
		Errors:  may(http.StatusNotFound),
	}, h.get)
	huma.Register(api, huma.Operation{
		OperationID: "remove-ticket", Method: http.MethodDelete, Path: "/tickets/{id}", Security: secured,
		Summary: "Take a ticket out of the line", DefaultStatus: http.StatusOK,
		Errors: may(http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity),
	}, h.remove)
	huma.Register(api, huma.Operation{
		OperationID: "move-ticket", Method: http.MethodPatch, Path: "/tickets/{id}", Security: secured,
		Summary: "Give a ticket another place or hour",
		Errors:  may(http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity),
	}, h.move)
}

type ticketsInput struct {
	State  string `query:"state" enum:"waiting,left,promised,due,ringing,talking,closed" doc:"Only tickets in this state. Left out: all but the closed ones."`
	Topic  string `query:"topic" enum:"booking,appointment,other" doc:"Only tickets of this topic. Left out: all."`
	Number string `query:"number" maxLength:"40" example:"+4923150012345" doc:"Only tickets of this number, in any form it can be dialled in. Left out: all."`
	Cursor string `query:"cursor" maxLength:"64" doc:"Where the page before ended: its next."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"The most tickets to return."`
}

// Resolve refuses what would quietly widen a search to all tickets.
func (i *ticketsInput) Resolve(ctx huma.Context) []error { return queryFaults(ctx) }

type ticketsOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Tickets []Ticket `json:"tickets" nullable:"false"`
		Next    *string  `json:"next" doc:"The cursor of the next page; null on the last."`
	}
}

func (h line) list(ctx context.Context, in *ticketsInput) (*ticketsOutput, error) {
	number, err := numberAsked(in.Number, h.region)
	if err != nil {
		return nil, err
	}
	after, err := place(in.Cursor)
	if err != nil {
		return nil, err
	}
	out := &ticketsOutput{CacheControl: noStore}
	err = h.ask(ctx, "list tickets", func(ctx context.Context, l Line) error {
		// One more than is shown tells whether there is another page.
		found, err := l.List(ctx, queue.Filter{
			State: queue.State(in.State), Topic: queue.Topic(in.Topic), Number: number, After: after, Limit: in.Limit + 1,
		})
		if err != nil {
			return err
		}
		if len(found) > in.Limit {
			found = found[:in.Limit]
			next := asCursor(found[in.Limit-1].Place())
			out.Body.Next = &next
		}
		out.Body.Tickets = each(found, asTicket)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// TicketID is the part of a path that names a ticket.
type TicketID struct {
	ID string `path:"id" example:"018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a11" doc:"The ticket's id, a UUID."`
}

func (t TicketID) read() (uuid.UUID, error) {
	id, err := uuid.Parse(t.ID)
	if err != nil {
		return id, noSuchTicket()
	}
	return id, nil
}

type ticketOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         WholeTicket
}

func (h line) get(ctx context.Context, in *struct{ TicketID }) (*ticketOutput, error) {
	id, err := in.read()
	if err != nil {
		return nil, err
	}
	return h.show(ctx, "get ticket", id, nil)
}

// show answers with a ticket as it is once it was changed.
func (h line) show(ctx context.Context, what string, id uuid.UUID, change func(context.Context, Line) error) (*ticketOutput, error) {
	out := &ticketOutput{CacheControl: noStore}
	err := h.ask(ctx, what, func(ctx context.Context, l Line) error {
		if change != nil {
			if err := change(ctx, l); err != nil {
				return err
			}
			h.log.InfoContext(ctx, what, "ticket", id, "by", signed(ctx, ""))
		}
		var err error
		out.Body, err = wholeTicket(ctx, l, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func wholeTicket(ctx context.Context, l Line, id uuid.UUID) (WholeTicket, error) {
	t, err := l.Get(ctx, id)
	if err != nil {
		return WholeTicket{}, err
	}
	tried, err := l.Attempts(ctx, id)
	if err != nil {
		return WholeTicket{}, err
	}
	changes, err := l.Audit(ctx, id)
	if err != nil {
		return WholeTicket{}, err
	}
	w := WholeTicket{Ticket: asTicket(t), Attempts: each(tried, asAttempt), History: each(changes, asChange)}
	if t.State == queue.StateClosed {
		return w, nil
	}
	s, err := l.Standing(ctx, id)
	switch {
	case errors.Is(err, queue.ErrNoTicket), errors.Is(err, queue.ErrOver): // closed meanwhile
	case err != nil:
		return WholeTicket{}, err
	default:
		w.Standing = asStanding(s)
	}
	return w, nil
}

type removeInput struct {
	TicketID
	SignedQuery
}

// Resolve refuses what was given twice.
func (i *removeInput) Resolve(ctx huma.Context) []error { return queryFaults(ctx) }

func (h line) remove(ctx context.Context, in *removeInput) (*ticketOutput, error) {
	id, err := in.read()
	if err != nil {
		return nil, err
	}
	by, why, err := in.signature().read(ctx, "query")
	if err != nil {
		return nil, err
	}
	return h.show(ctx, "ticket is removed", id, func(ctx context.Context, l Line) error { return l.Remove(ctx, id, by, why) })
}

type moveInput struct {
	TicketID
	Body struct {
		Signature
		Priority *int         `json:"priority,omitempty" minimum:"-1000" maximum:"1000" doc:"Greater goes first, whoever rang first."`
		Window   *GivenWindow `json:"window,omitempty" doc:"When the person is to be rung: one of GET /line/windows."`
		Now      bool         `json:"now,omitempty" doc:"True instead of a window: ring as soon as the ticket's turn comes."`
	}
}

// GivenWindow is a span in which somebody is to be rung.
type GivenWindow struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// longestWindow is a day, and an hour more where clocks go back.
const longestWindow = 25 * time.Hour

func (h line) move(ctx context.Context, in *moveInput) (*ticketOutput, error) {
	id, err := in.read()
	if err != nil {
		return nil, err
	}
	by, why, err := in.Body.read(ctx, "body")
	if err != nil {
		return nil, err
	}
	m := queue.Move{Priority: in.Body.Priority}
	switch w := in.Body.Window; {
	case w != nil && in.Body.Now:
		return nil, invalid("body.now", "true", "give a window or now, not both")
	case w != nil && (!w.To.After(time.Now()) || !w.To.After(w.From) || w.To.Sub(w.From) > longestWindow):
		return nil, invalid("body.window", stamp(w.From)+" to "+stamp(w.To), "take a window that ends in the future, after it begins, and is no longer than a day")
	case w != nil:
		m.Window = &queue.Window{From: w.From.UTC(), To: w.To.UTC()}
	case in.Body.Now:
		m.Window = &queue.Window{}
	case m.Priority == nil:
		return nil, invalid("body", "", "say where to: give priority, window or now")
	}
	return h.show(ctx, "ticket is moved", id, func(ctx context.Context, l Line) error { return l.Move(ctx, id, m, by, why) })
}
