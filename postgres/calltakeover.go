package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"ringback/ivr"
)

const (
	// Two parts, so that each has its index.
	writtenSQL = `
select id, coalesce(number, ''), node, channel, started_at, ended_at is not null
from calls where node = $1 and ended_at is null
union all
select id, coalesce(number, ''), node, channel, started_at, ended_at is not null
from calls where channel = any ($2) and not (node = $1 and ended_at is null)
order by started_at`

	leftSQL = `select scene, language, coalesce(state::text, '') from calls where id = $1`
)

// Written returns the calls of a node that were not seen to end, and of those
// that were the ones on the given channels; the oldest first.
func (c *Calls) Written(ctx context.Context, node string, channels []string) ([]ivr.Written, error) {
	if channels == nil {
		channels = []string{}
	}
	var written []ivr.Written
	err := c.db.query(ctx, func(q querier) error {
		rows, err := q.Query(ctx, writtenSQL, node, channels)
		if err != nil {
			return err
		}
		written, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ivr.Written, error) {
			var w ivr.Written
			err := row.Scan(&w.ID, &w.Number, &w.Node, &w.Channel, &w.Started, &w.Ended)
			return w, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("calls of node %s: %w", node, err)
	}
	return written, nil
}

// Left implements ivr.Ledger.
func (c *Calls) Left(ctx context.Context, callID uuid.UUID) (ivr.Left, error) {
	var left ivr.Left
	err := c.db.query(ctx, func(q querier) error {
		return q.QueryRow(ctx, leftSQL, callID).Scan(&left.Scene, &left.Language, &left.State)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return ivr.Left{}, nil
	}
	if err != nil {
		return ivr.Left{}, fmt.Errorf("what was left of call %s: %w", callID, err)
	}
	return left, nil
}
