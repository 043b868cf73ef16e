package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ringback/queue"
)

// Statistics are how the line did in a span of time.
type Statistics struct {
	From    string            `json:"from" format:"date-time" doc:"Waits, talks and attempts count in the span in which they ended."`
	To      string            `json:"to" format:"date-time"`
	Figures map[string]Figure `json:"figures" nullable:"false" doc:"By name."`
}

// Figure is one number, with what it means.
type Figure struct {
	Value      *float64 `json:"value" doc:"Null: a share or a mean of nothing."`
	Unit       string   `json:"unit" enum:"count,share,seconds" doc:"A share is from 0 to 1; of an error also more."`
	Definition string   `json:"definition"`
}

// AsStatistics shows statistics as the API does.
func AsStatistics(s queue.Stats) Statistics {
	shown := Statistics{From: stamp(s.From), To: stamp(s.To), Figures: map[string]Figure{}}
	for _, f := range s.Figures() {
		one := Figure{Unit: string(f.Unit), Definition: f.Means}
		if f.Known {
			one.Value = &f.Value
		}
		shown.Figures[f.Name] = one
	}
	return shown
}

func registerStats(api huma.API, h line) {
	huma.Register(api, huma.Operation{
		OperationID: "get-line-stats", Method: http.MethodGet, Path: "/line/stats", Security: secured,
		Summary: "How the line did, each number with its definition",
		Errors:  may(http.StatusUnprocessableEntity),
	}, h.stats)
}

type statsInput struct {
	From time.Time `query:"from" example:"2021-01-25T07:00:00Z" doc:"The beginning of the span. Left out: a day before its end."`
	To   time.Time `query:"to" example:"2021-01-25T17:00:00Z" doc:"The end of the span. Left out: now."`
}

// Resolve refuses what was given twice.
func (i *statsInput) Resolve(ctx huma.Context) []error { return queryFaults(ctx) }

type statsOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         Statistics
}

// longestSpan bounds what one question reads.
const longestSpan = 366 * 24 * time.Hour

func (h line) stats(ctx context.Context, in *statsInput) (*statsOutput, error) {
	from, to := in.From, in.To
	if to.IsZero() {
		to = time.Now()
	}
	if from.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	switch {
	case !from.Before(to):
		return nil, invalid("query.from", stamp(from), "take a beginning before the end, "+stamp(to))
	case to.Sub(from) > longestSpan:
		return nil, invalid("query.from", stamp(from), "ask for a year at most")
	}
	out := &statsOutput{CacheControl: noStore}
	err := h.ask(ctx, "statistics of the line", func(ctx context.Context, l Line) error {
		s, err := l.Stats(ctx, from.UTC(), to.UTC())
		out.Body = AsStatistics(s)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
