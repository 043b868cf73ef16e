package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"ringback/e164"
	"ringback/queue"
)

// Line is the line in which people wait or are rung back, as operators see it
// and change it. An error that is not queue.Refused means that it cannot be
// asked at present. Every change is audited with who did it and why.
type Line interface {
	// List returns tickets in the order of the line.
	List(ctx context.Context, f queue.Filter) ([]queue.Ticket, error)
	// Get returns a ticket, a closed one too: queue.ErrNoTicket.
	Get(ctx context.Context, ticket uuid.UUID) (queue.Ticket, error)
	// Standing is where an open ticket stands: queue.ErrNoTicket.
	Standing(ctx context.Context, ticket uuid.UUID) (queue.Standing, error)
	// Attempts to ring a ticket's number, the oldest first.
	Attempts(ctx context.Context, ticket uuid.UUID) ([]queue.Ringing, error)
	// Audit is every change of a ticket, the oldest first.
	Audit(ctx context.Context, ticket uuid.UUID) ([]queue.Change, error)
	// Depth counts the open tickets by topic and state.
	Depth(ctx context.Context) ([]queue.Depth, error)
	// Windows are the next n hours in which somebody can be promised to be rung.
	Windows(ctx context.Context, n int) ([]queue.Window, error)
	Agents(ctx context.Context) ([]queue.Agent, error)
	Outgoing(ctx context.Context) (queue.Outgoing, error)
	// Unwanted are the numbers that are not to be rung, the newest first.
	Unwanted(ctx context.Context, f queue.UnwantedFilter) ([]queue.Unwanted, error)
	// Stats are how the line did from one moment to before another.
	Stats(ctx context.Context, from, to time.Time) (queue.Stats, error)

	// Remove closes a ticket: queue.ErrNoTicket, queue.ErrOver.
	Remove(ctx context.Context, ticket uuid.UUID, by, why string) error
	// Move gives an open ticket another place: queue.ErrNoTicket,
	// queue.ErrOver, queue.ErrWindowFull.
	Move(ctx context.Context, ticket uuid.UUID, m queue.Move, by, why string) error
	SetOutgoing(ctx context.Context, on bool, by, why string) error
	// DoNotRing keeps a number from ever being rung, and closes what was promised
	// to it; RingAgain takes that back, but opens no ticket.
	DoNotRing(ctx context.Context, number e164.Number, by, why string) error
	RingAgain(ctx context.Context, number e164.Number, by, why string) error
}

type line struct {
	open   func() (Line, error)
	region string
	log    *slog.Logger
}

func registerLine(api huma.API, h line) {
	huma.Register(api, huma.Operation{
		OperationID: "get-line", Method: http.MethodGet, Path: "/line", Security: secured,
		Summary: "The line at a glance", Errors: may(),
	}, h.summary)
	huma.Register(api, huma.Operation{
		OperationID: "list-windows", Method: http.MethodGet, Path: "/line/windows", Security: secured,
		Summary: "The next hours in which somebody can still be promised to be rung",
		Errors:  may(http.StatusUnprocessableEntity),
	}, h.windows)
	huma.Register(api, huma.Operation{
		OperationID: "list-agents", Method: http.MethodGet, Path: "/agents", Security: secured,
		Summary: "Agents, and what each does", Errors: may(),
	}, h.agents)
	huma.Register(api, huma.Operation{
		OperationID: "set-outgoing", Method: http.MethodPut, Path: "/outgoing", Security: secured,
		Summary: "Allow all calls out, or none",
		Errors:  may(http.StatusUnprocessableEntity),
	}, h.setOutgoing)
	huma.Register(api, huma.Operation{
		OperationID: "list-do-not-ring", Method: http.MethodGet, Path: "/do-not-ring", Security: secured,
		Summary: "Numbers that are not to be rung, newest first",
		Errors:  may(http.StatusUnprocessableEntity),
	}, h.unwanted)
	huma.Register(api, huma.Operation{
		OperationID: "do-not-ring", Method: http.MethodPost, Path: "/do-not-ring", Security: secured,
		Summary: "Keep a number from ever being rung; what was promised to it is closed",
		Errors:  may(http.StatusUnprocessableEntity),
	}, h.doNotRing)
	huma.Register(api, huma.Operation{
		OperationID: "ring-again", Method: http.MethodDelete, Path: "/do-not-ring", Security: secured,
		Summary: "Let a number be rung again", DefaultStatus: http.StatusOK,
		Errors: may(http.StatusUnprocessableEntity),
	}, h.ringAgain)
}

// ask asks the line within the time there is, and turns its error into an
// answer; what is not the client's doing is logged.
func (h line) ask(ctx context.Context, what string, f func(context.Context, Line) error) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	l, err := h.open()
	if err == nil {
		err = f(ctx, l)
	}
	if err == nil {
		return nil
	}
	gone := errors.Is(context.Cause(ctx), context.Canceled)
	if !gone && !queue.Refused(err) {
		h.log.LogAttrs(ctx, slog.LevelError, what, slog.Any("err", err))
	}
	return refusal(err)
}

type summaryOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         Summary
}

func (h line) summary(ctx context.Context, _ *struct{}) (*summaryOutput, error) {
	out := &summaryOutput{CacheControl: noStore}
	err := h.ask(ctx, "sum up the line", func(ctx context.Context, l Line) error {
		depths, err := l.Depth(ctx)
		if err != nil {
			return err
		}
		agents, err := l.Agents(ctx)
		if err != nil {
			return err
		}
		outgoing, err := l.Outgoing(ctx)
		if err != nil {
			return err
		}
		out.Body = asSummary(depths, agents, outgoing, time.Now())
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

type agentsOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Agents []Agent `json:"agents" nullable:"false"`
	}
}

func (h line) agents(ctx context.Context, _ *struct{}) (*agentsOutput, error) {
	out := &agentsOutput{CacheControl: noStore}
	err := h.ask(ctx, "list agents", func(ctx context.Context, l Line) error {
		agents, err := l.Agents(ctx)
		out.Body.Agents = each(agents, asAgent)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

type setOutgoingInput struct {
	Body struct {
		Signature
		On bool `json:"on" doc:"False: nobody is rung by any node, from now on; calls that ring or talk go on."`
	}
}

type outgoingOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         Outgoing
}

func (h line) setOutgoing(ctx context.Context, in *setOutgoingInput) (*outgoingOutput, error) {
	by, why, err := in.Body.read(ctx, "body")
	if err != nil {
		return nil, err
	}
	out := &outgoingOutput{CacheControl: noStore}
	err = h.ask(ctx, "switch calls out", func(ctx context.Context, l Line) error {
		if err := l.SetOutgoing(ctx, in.Body.On, by, why); err != nil {
			return err
		}
		h.log.WarnContext(ctx, "calls out were switched", "on", in.Body.On, "by", by)
		o, err := l.Outgoing(ctx)
		out.Body = asOutgoing(o)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

type windowsInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"200" default:"24" doc:"The most hours to return."`
}

// Resolve refuses what was given twice.
func (i *windowsInput) Resolve(ctx huma.Context) []error { return queryFaults(ctx) }

type windowsOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Windows []Window `json:"windows" nullable:"false"`
	}
}

func (h line) windows(ctx context.Context, in *windowsInput) (*windowsOutput, error) {
	out := &windowsOutput{CacheControl: noStore}
	err := h.ask(ctx, "list hours with room", func(ctx context.Context, l Line) error {
		windows, err := l.Windows(ctx, in.Limit)
		out.Body.Windows = each(windows, asWindow)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

type unwantedInput struct {
	Number string `query:"number" maxLength:"40" example:"+4923150012345" doc:"Only this number, in any form it can be dialled in. Left out: all."`
	Cursor string `query:"cursor" maxLength:"64" doc:"Where the page before ended: its next."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"The most numbers to return."`
}

// Resolve refuses what would quietly widen a search to all numbers.
func (i *unwantedInput) Resolve(ctx huma.Context) []error { return queryFaults(ctx) }

type unwantedOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Numbers []Unwanted `json:"numbers" nullable:"false"`
		Next    *string    `json:"next" doc:"The cursor of the next page; null on the last."`
	}
}

func (h line) unwanted(ctx context.Context, in *unwantedInput) (*unwantedOutput, error) {
	number, err := numberAsked(in.Number, h.region)
	if err != nil {
		return nil, err
	}
	after, err := unwantedPlace(in.Cursor)
	if err != nil {
		return nil, err
	}
	out := &unwantedOutput{CacheControl: noStore}
	err = h.ask(ctx, "list numbers that are not to be rung", func(ctx context.Context, l Line) error {
		// One more than is shown tells whether there is another page.
		found, err := l.Unwanted(ctx, queue.UnwantedFilter{Number: number, After: after, Limit: in.Limit + 1})
		if err != nil {
			return err
		}
		if len(found) > in.Limit {
			found = found[:in.Limit]
			next := asUnwantedCursor(found[in.Limit-1])
			out.Body.Next = &next
		}
		out.Body.Numbers = each(found, asUnwanted)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

type doNotRingInput struct {
	Body struct {
		Signature
		Number string `json:"number" minLength:"1" maxLength:"40" example:"+4923150012345" doc:"In any form it can be dialled in."`
	}
}

type numberOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Number string `json:"number" doc:"As it was understood, in E.164."`
	}
}

func (h line) doNotRing(ctx context.Context, in *doNotRingInput) (*numberOutput, error) {
	return h.forNumber(ctx, "a number is not to be rung", in.Body.Number, "body", in.Body.Signature, Line.DoNotRing)
}

type ringAgainInput struct {
	SignedQuery
	Number string `query:"number" required:"true" maxLength:"40" example:"+4923150012345" doc:"In any form it can be dialled in."`
}

// Resolve refuses what was given twice.
func (i *ringAgainInput) Resolve(ctx huma.Context) []error { return queryFaults(ctx) }

func (h line) ringAgain(ctx context.Context, in *ringAgainInput) (*numberOutput, error) {
	return h.forNumber(ctx, "a number may be rung again", in.Number, "query", in.signature(), Line.RingAgain)
}

// forNumber does what has to do with no ticket, but with a number.
func (h line) forNumber(
	ctx context.Context, what, raw, where string, s Signature, do func(l Line, ctx context.Context, n e164.Number, by, why string) error,
) (*numberOutput, error) {
	by, why, err := s.read(ctx, where)
	if err != nil {
		return nil, err
	}
	n, err := e164.Parse(raw, h.region)
	if err != nil || n == e164.Withheld {
		return nil, invalid(where+".number", raw, badNumber)
	}
	err = h.ask(ctx, what, func(ctx context.Context, l Line) error {
		if err := do(l, ctx, n, by, why); err != nil {
			return err
		}
		h.log.InfoContext(ctx, what, "number", n.Masked(), "by", by)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &numberOutput{CacheControl: noStore}
	out.Body.Number = string(n)
	return out, nil
}
