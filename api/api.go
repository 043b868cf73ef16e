// Package api is the REST API: calls and the line as JSON, described by OpenAPI.
// It must not know how calls are led or where anything is kept.
package api

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"ringback/e164"
	"ringback/ivr"
)

// Prefix is the path all of the API lives under.
const Prefix = "/api/v1"

// storeTimeout bounds a request to the store: who waits longer asks again.
const storeTimeout = 5 * time.Second

// Store finds calls, running ones too. An error that is not Options.NotFound
// means that it cannot be asked at present.
type Store interface {
	// Calls returns the newest first, at most limit; those of one number, or
	// of all for e164.Withheld.
	Calls(ctx context.Context, number e164.Number, limit int) ([]ivr.Record, error)
	// Call fails with Options.NotFound where there is no such call.
	Call(ctx context.Context, id uuid.UUID) (ivr.Record, error)
}

// Options are what the API is made of.
type Options struct {
	Store    Store
	NotFound error // what Store.Call says of an unknown id
	// Line returns the line, or fails while it cannot be asked.
	Line    func() (Line, error)
	Keys    []string // bearer keys; without one, nobody is let in
	Region  string   // ISO 3166 country of national numbers
	Version string   // of Ringback
	Log     *slog.Logger
}

// New returns the handler of everything under Prefix. The description of it is
// at Prefix/openapi.json and needs no key.
func New(o Options) (http.Handler, error) {
	mux := http.NewServeMux()
	c := huma.DefaultConfig("Ringback", o.Version)
	c.Info.Description = "What happened in the calls to the hotline, and the line in which people wait or are rung back. Times are RFC 3339 in UTC, numbers are E.164, errors are RFC 9457 problems."
	c.CreateHooks = nil // no $schema in answers: their shape is agreed
	c.DocsPath, c.SchemasPath = "", ""
	// Its own handler would write the document at the first request, without
	// a lock.
	c.OpenAPIPath = ""
	c.RejectUnknownQueryParameters = true
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		keyScheme: {Type: "http", Scheme: "bearer", Description: "A key of the configuration, api.keys."},
	}
	api := humago.NewWithPrefix(mux, Prefix, c)
	api.UseMiddleware(requireKey(api, o.Keys))

	registerCalls(api, calls{store: o.Store, notFound: o.NotFound, region: o.Region, log: o.Log})
	l := line{open: o.Line, region: o.Region, log: o.Log}
	registerLine(api, l)
	registerTickets(api, l)
	registerStats(api, l)

	document, err := json.MarshalIndent(api.OpenAPI(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the OpenAPI document: %w", err)
	}
	mux.HandleFunc("GET "+Prefix+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(document)
	})

	mux.HandleFunc(Prefix+"/openapi.json", wrongMethod([]string{http.MethodGet}))
	for path, item := range api.OpenAPI().Paths {
		mux.HandleFunc(Prefix+path, wrongMethod(methods(item)))
	}
	mux.HandleFunc(Prefix+"/", noSuchPath)
	return mux, nil
}

// secured is what an operation needs to be asked for: a key.
var secured = []map[string][]string{{keyScheme: {}}}

// may are the refusals an operation of the API can answer with, beside those
// that every one can.
func may(statuses ...int) []int {
	return append([]int{http.StatusUnauthorized, http.StatusServiceUnavailable}, statuses...)
}

// methods are those a path of the document can be asked with.
func methods(p *huma.PathItem) []string {
	var m []string
	for method, o := range map[string]*huma.Operation{
		http.MethodGet: p.Get, http.MethodPut: p.Put, http.MethodPost: p.Post,
		http.MethodDelete: p.Delete, http.MethodPatch: p.Patch,
	} {
		if o != nil {
			m = append(m, method)
		}
	}
	slices.Sort(m)
	return m
}
