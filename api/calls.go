package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
)

type calls struct {
	store    Store
	notFound error
	region   string
	log      *slog.Logger
}

func registerCalls(api huma.API, h calls) {
	huma.Register(api, huma.Operation{
		OperationID: "list-calls", Method: http.MethodGet, Path: "/calls", Security: secured,
		Summary: "Calls, newest first",
		Errors:  may(http.StatusUnprocessableEntity),
	}, h.list)
	huma.Register(api, huma.Operation{
		OperationID: "get-call", Method: http.MethodGet, Path: "/calls/{id}", Security: secured,
		Summary: "One call, live while it runs",
		Errors:  may(http.StatusNotFound),
	}, h.get)
}

type listInput struct {
	Number string `query:"number" maxLength:"40" example:"+4923150012345" doc:"Only calls from this number, in any form it can be dialled in. Left out: all calls."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"The most calls to return."`
}

// Resolve refuses what would quietly widen a search for one number to all
// calls.
func (i *listInput) Resolve(ctx huma.Context) []error { return queryFaults(ctx) }

type listOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Calls []Call `json:"calls" nullable:"false"`
	}
}

func (h calls) list(ctx context.Context, in *listInput) (*listOutput, error) {
	number, err := numberAsked(in.Number, h.region)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	records, err := h.store.Calls(ctx, number, in.Limit)
	if err != nil {
		return nil, h.failed(ctx, "list calls", err)
	}
	out := &listOutput{CacheControl: noStore}
	out.Body.Calls = make([]Call, len(records))
	for i, r := range records {
		out.Body.Calls[i] = asCall(r)
	}
	return out, nil
}

type getInput struct {
	ID string `path:"id" example:"018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a11" doc:"The call's id, a UUID."`
}

type getOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         Call
}

func (h calls) get(ctx context.Context, in *getInput) (*getOutput, error) {
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return nil, noSuchCall()
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	r, err := h.store.Call(ctx, id)
	if err != nil {
		return nil, h.failed(ctx, "get call", err)
	}
	return &getOutput{CacheControl: noStore, Body: asCall(r)}, nil
}

// failed turns an error of the store into an answer, and logs what is not the
// client's doing.
func (h calls) failed(ctx context.Context, what string, err error) error {
	gone := errors.Is(context.Cause(ctx), context.Canceled)
	if !gone && (h.notFound == nil || !errors.Is(err, h.notFound)) {
		h.log.LogAttrs(ctx, slog.LevelError, what, slog.Any("err", err))
	}
	return h.asProblem(err)
}
