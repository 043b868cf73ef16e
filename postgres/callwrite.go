package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// batch is what one transaction writes.
type batch struct {
	entries []entry
	changes []change
}

// take removes the oldest entries and the changes of calls from the queue, or
// returns nil when it is empty. The end of a call waits for its transcript.
func (c *Calls) take() *batch {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(c.entries), maxBatch)
	if n == 0 && len(c.order) == 0 {
		return nil
	}
	b := &batch{entries: c.entries[:n:n]}
	c.entries = c.entries[n:]
	var later []uuid.UUID
	for _, id := range c.order {
		x := c.changes[id]
		now := *x
		if x.ended != nil && len(c.entries) > 0 && x.ended.after >= c.entries[0].seq {
			now.ended = nil
			*x = change{call: id, ended: x.ended}
			later = append(later, id)
		} else {
			delete(c.changes, id)
		}
		b.changes = append(b.changes, now)
	}
	c.order = later
	return b
}

const (
	beganSQL = `
insert into calls (id, number, node, channel, started_at)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
on conflict (id) do update set node = excluded.node, channel = excluded.channel`

	notedSQL = `
insert into call_events (call_id, seq, at, kind, line, text, keys)
select * from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[])
on conflict do nothing`

	enteredSQL = `
update calls set scene = new.scene, language = new.language, state = new.state::jsonb, entered_at = new.at
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) as new (id, scene, language, state, at)
where calls.id = new.id and (calls.entered_at is null or calls.entered_at <= new.at)`

	endedSQL = `
update calls set ended_at = new.at, result = new.result, reason = new.reason
from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[]) as new (id, at, result, reason)
where calls.id = new.id and calls.ended_at is null`
)

// writeBatch writes a batch in one transaction. What Postgres refuses for
// itself, not for the state it is in, would come back for ever: then the batch
// is written item by item, and what is refused is counted and left out.
func (c *Calls) writeBatch(ctx context.Context, b batch) error {
	err := c.writeTx(ctx, b)
	if err == nil || !refusal(err) {
		return err
	}
	if len(b.entries)+len(b.changes) == 1 {
		c.refuse(ctx, b, err)
		return nil
	}
	for _, x := range b.changes { // a call exists before it ends
		if err := c.writeBatch(ctx, batch{changes: []change{{call: x.call, began: x.began}}}); err != nil {
			return err
		}
	}
	for i := range b.entries {
		if err := c.writeBatch(ctx, batch{entries: b.entries[i : i+1]}); err != nil {
			return err
		}
	}
	for _, x := range b.changes {
		if err := c.writeBatch(ctx, batch{changes: []change{{call: x.call, entered: x.entered}}}); err != nil {
			return err
		}
		if err := c.writeBatch(ctx, batch{changes: []change{{call: x.call, ended: x.ended}}}); err != nil {
			return err
		}
	}
	return nil
}

func (c *Calls) refuse(ctx context.Context, b batch, err error) {
	var call uuid.UUID
	if len(b.entries) == 1 {
		call = b.entries[0].call
	} else {
		call = b.changes[0].call
	}
	c.mu.Lock()
	c.refused++
	c.mu.Unlock()
	// The code alone: the message may quote what a caller keyed.
	var pg *pgconn.PgError
	errors.As(err, &pg)
	c.log.ErrorContext(ctx, "part of a call was refused", "call_id", call, "sqlstate", pg.Code, "constraint", pg.ConstraintName)
}

// refusal says that the data are at fault: data exceptions and violated
// constraints.
func refusal(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23"))
}

func (c *Calls) writeTx(ctx context.Context, b batch) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	statements := &pgx.Batch{}
	queueBegan(statements, b.changes)
	queueNoted(statements, b.entries)
	queueEntered(statements, b.changes)
	queueEnded(statements, b.changes)
	if statements.Len() == 0 {
		return nil
	}
	return c.db.once(ctx, func(tx pgx.Tx) error { return tx.SendBatch(ctx, statements).Close() })
}

func queueBegan(b *pgx.Batch, changes []change) {
	var ids []uuid.UUID
	var numbers []*string
	var nodes, channels []string
	var started []time.Time
	for _, x := range changes {
		if i := x.began; i != nil {
			ids, numbers = append(ids, i.ID), append(numbers, numberOrNull(i.Number))
			nodes, channels = append(nodes, clean(i.Node)), append(channels, clean(i.Channel))
			started = append(started, i.Started)
		}
	}
	if ids != nil {
		b.Queue(beganSQL, ids, numbers, nodes, channels, started)
	}
}

func queueNoted(b *pgx.Batch, entries []entry) {
	if len(entries) == 0 {
		return
	}
	n := len(entries)
	ids, seqs, ats := make([]uuid.UUID, n), make([]int64, n), make([]time.Time, n)
	kinds, lines, texts, keys := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, e := range entries {
		ids[i], seqs[i], ats[i] = e.call, e.seq, e.At
		kinds[i], lines[i], texts[i], keys[i] = string(e.Kind), clean(e.Line), clean(e.Text), clean(e.Keys)
	}
	b.Queue(notedSQL, ids, seqs, ats, kinds, lines, texts, keys)
}

func queueEntered(b *pgx.Batch, changes []change) {
	var ids []uuid.UUID
	var scenes, languages []string
	var states []*string
	var ats []time.Time
	for _, x := range changes {
		if e := x.entered; e != nil {
			ids, scenes, languages = append(ids, x.call), append(scenes, string(e.scene)), append(languages, string(e.language))
			var state *string
			if len(e.state) > 0 {
				s := string(e.state)
				state = &s
			}
			states, ats = append(states, state), append(ats, e.at)
		}
	}
	if ids != nil {
		b.Queue(enteredSQL, ids, scenes, languages, states, ats)
	}
}

func queueEnded(b *pgx.Batch, changes []change) {
	var ids []uuid.UUID
	var ats []time.Time
	var results, reasons []string
	for _, x := range changes {
		if e := x.ended; e != nil {
			ids, ats = append(ids, x.call), append(ats, e.at)
			results, reasons = append(results, string(e.outcome.Result)), append(reasons, clean(e.outcome.Reason))
		}
	}
	if ids != nil {
		b.Queue(endedSQL, ids, ats, results, reasons)
	}
}

// clean makes text that Postgres can keep: valid UTF-8 without NUL.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}
