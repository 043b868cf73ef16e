package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"ringback/e164"
	"ringback/ivr"
)

// ErrNoCall says that no call has this ID.
var ErrNoCall = errors.New("no such call")

const (
	// A call out is the attempt of its ID. One that came in opened the ticket of
	// its ID, or is the last that was on the line for another.
	recordSQL = `
select calls.id, coalesce(calls.number, ''), calls.node, calls.channel, calls.started_at, calls.ended_at,
    calls.language, calls.scene, coalesce(calls.result, ''), coalesce(calls.reason, ''),
    attempts.id, coalesce(attempts.ticket_id, opened.id, open.id, closed.id)
from calls
left join attempts on attempts.id = calls.id
left join tickets opened on opened.id = calls.id
left join lateral (
    select id from tickets where call_id = calls.id and state <> 'closed' limit 1) open on true
left join lateral (
    select id from tickets where call_id = calls.id and state = 'closed' and number = calls.number limit 1) closed on true `
	callSQL          = recordSQL + `where calls.id = $1`
	callsOfNumberSQL = recordSQL + `where calls.number = $1 order by calls.started_at desc, calls.id limit $2`
	allCallsSQL      = recordSQL + `order by calls.started_at desc, calls.id limit $1`

	transcriptsSQL = `
select call_id, at, kind, line, text, keys
from call_events where call_id = any ($1) order by call_id, seq`
)

// Calls returns the calls of a number with their transcripts, newest first, at
// most limit; for e164.Withheld those of all. It shows what is written: up to a
// tenth of a second late.
func (c *Calls) Calls(ctx context.Context, number e164.Number, limit int) ([]ivr.Record, error) {
	sql, args := callsOfNumberSQL, []any{number, limit}
	if number == e164.Withheld {
		sql, args = allCallsSQL, []any{limit}
	}
	records, err := c.records(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("calls of a number: %w", err)
	}
	return records, nil
}

// Call returns one call with its transcript, or ErrNoCall.
func (c *Calls) Call(ctx context.Context, id uuid.UUID) (ivr.Record, error) {
	records, err := c.records(ctx, callSQL, id)
	switch {
	case err != nil:
		return ivr.Record{}, fmt.Errorf("call %s: %w", id, err)
	case len(records) == 0:
		return ivr.Record{}, ErrNoCall
	}
	return records[0], nil
}

func (c *Calls) records(ctx context.Context, sql string, args ...any) ([]ivr.Record, error) {
	var records []ivr.Record
	err := c.db.query(ctx, func(q querier) error {
		rows, err := q.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		if records, err = pgx.CollectRows(rows, scanRecord); err != nil || len(records) == 0 {
			return err
		}
		place := make(map[uuid.UUID]*ivr.Record, len(records))
		ids := make([]uuid.UUID, len(records))
		for i := range records {
			ids[i] = records[i].ID
			place[ids[i]] = &records[i]
		}
		if rows, err = q.Query(ctx, transcriptsSQL, ids); err != nil {
			return err
		}
		var id uuid.UUID
		var e ivr.Entry
		_, err = pgx.ForEachRow(rows, []any{&id, &e.At, &e.Kind, &e.Line, &e.Text, &e.Keys}, func() error {
			place[id].Transcript = append(place[id].Transcript, e)
			return nil
		})
		return err
	})
	return records, err
}

func scanRecord(row pgx.CollectableRow) (ivr.Record, error) {
	var r ivr.Record
	var ended *time.Time
	err := row.Scan(&r.ID, &r.Number, &r.Node, &r.Channel, &r.Started, &ended,
		&r.Language, &r.Scene, &r.Outcome.Result, &r.Outcome.Reason, (*nullableID)(&r.Attempt), (*nullableID)(&r.Ticket))
	if ended != nil {
		r.EndedAt = *ended
	}
	return r, err
}
