package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"ringback/booking"
	"ringback/e164"
	"ringback/queue"
)

// ticket is a row of tickets.
type ticket struct {
	queue.Ticket
	nth        *int      // among the open ones of the number
	leg        uuid.UUID // of the bound agent's telephone
	promisedAt time.Time // when being rung was promised, the last time
	firstAt    time.Time // when the first attempt began
	leftAt     time.Time // when the caller hung up in line
}

// Locks are taken in one order: the number, then tickets, then agents, windows
// and the rest.
const (
	ticketColumns = `
id, coalesce(short, ''), coalesce(number, ''), topic, language, wish, reason, keyless, priority, rang_at, state,
window_from, window_to, due_at, promised, tries, call_id, node, coalesce(agent, ''), scene, known, closed_at,
coalesce(ending, ''), nth, leg, promised_at, first_at, left_at`

	ticketSQL     = `select ` + ticketColumns + ` from tickets where id = $1`
	lockTicketSQL = ticketSQL + ` for update`

	openTicketSQL = `
insert into tickets (id, state, number, nth, topic, language, wish, reason, keyless, priority,
    window_from, window_to, due_at, promised, promised_at, tries, first_at, call_id, node, agent, leg,
    scene, known, left_at, closed_at, ending, audit_at, audit_deed, audit_by, audit_why, short, rang_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
    $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)`

	// What was told of the wait is of one wait.
	saveTicketSQL = `
update tickets
set state = $2, number = $3, nth = $4, topic = $5, language = $6, wish = $7, reason = $8, keyless = $9,
    priority = $10, window_from = $11, window_to = $12, due_at = $13, promised = $14, promised_at = $15,
    tries = $16, first_at = $17, call_id = $18, node = $19, agent = $20, leg = $21, scene = $22, known = $23,
    left_at = $24, closed_at = $25, ending = $26,
    told_at = case when state = 'waiting' or $2 <> 'waiting' then told_at end,
    audit_at = $27, audit_deed = $28, audit_by = $29, audit_why = $30
where id = $1`

	// nthSQL is the smallest free place under the number, beside a ticket's own.
	nthSQL = `
select min(n) from generate_series(1, $3::integer) n
where n not in (select nth from tickets where number = $1 and state <> 'closed' and id <> $2)`

	shortFreeSQL = `select not exists (select from tickets where short = $1 and state <> 'closed')`

	keepSpokenOfTicketSQL = `
insert into recordings (id, ticket_id, length, wav) values ($1, $2, $3, $4)
on conflict on constraint recordings_one_a_ticket
do update set id = excluded.id, length = excluded.length, wav = excluded.wav, recorded_at = now()`
)

// fields are the columns that openTicketSQL and saveTicketSQL share.
func (t *ticket) fields(d deed, now time.Time) []any {
	var known any
	if t.Known != nil {
		known = json.RawMessage(t.Known)
	}
	return []any{
		t.ID, t.State, numberOrNull(t.Number), t.nth, t.Topic, t.Language, t.Wish, t.Reason, t.Keyless, t.Priority,
		orNull(t.Window.From), orNull(t.Window.To), orNull(t.DueAt), t.Promised, orNull(t.promisedAt),
		t.Tries, orNull(t.firstAt), t.CallID, t.Node, textOrNull(t.Agent), idOrNull(t.leg), t.Scene, known,
		orNull(t.leftAt), orNull(t.ClosedAt), textOrNull(string(t.End)), now, d.what, d.by, textOrNull(d.why),
	}
}

// put writes a ticket, which may be new.
func (t *ticket) put(ctx context.Context, tx pgx.Tx, isNew bool, d deed, now time.Time) error {
	if !isNew {
		return t.save(ctx, tx, d, now)
	}
	_, err := tx.Exec(ctx, openTicketSQL, append(t.fields(d, now), textOrNull(t.Short), t.RangAt)...)
	return err
}

func (t *ticket) save(ctx context.Context, tx pgx.Tx, d deed, now time.Time) error {
	_, err := tx.Exec(ctx, saveTicketSQL, t.fields(d, now)...)
	return err
}

// move changes the state, and what belongs to the old one.
func (t *ticket) move(to queue.State) {
	t.State, t.leftAt = to, time.Time{}
}

func scanTicket(row pgx.CollectableRow) (*ticket, error) {
	var t ticket
	return &t, row.Scan(t.into()...)
}

// into is where the ticketColumns go.
func (t *ticket) into() []any {
	return []any{
		&t.ID, &t.Short, &t.Number, &t.Topic, &t.Language, &t.Wish, &t.Reason, &t.Keyless, &t.Priority, &t.RangAt, &t.State,
		zeroable{&t.Window.From}, zeroable{&t.Window.To}, zeroable{&t.DueAt}, &t.Promised, &t.Tries, &t.CallID, &t.Node,
		&t.Agent, &t.Scene, &t.Known, zeroable{&t.ClosedAt}, &t.End,
		&t.nth, (*nullableID)(&t.leg), zeroable{&t.promisedAt}, zeroable{&t.firstAt}, zeroable{&t.leftAt},
	}
}

// oneTicket reads a ticket, or nil where there is none.
func oneTicket(ctx context.Context, q querier, sql string, args ...any) (*ticket, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	t, err := pgx.CollectOneRow(rows, scanTicket)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return t, err
}

func manyTickets(ctx context.Context, q querier, sql string, args ...any) ([]*ticket, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanTicket)
}

// lockTicket reads a ticket and keeps it from others until tx ends:
// queue.ErrNoTicket.
func lockTicket(ctx context.Context, tx pgx.Tx, id uuid.UUID) (*ticket, error) {
	t, err := oneTicket(ctx, tx, lockTicketSQL, id)
	if err == nil && t == nil {
		err = queue.ErrNoTicket
	}
	return t, err
}

// setNumber gives the ticket a number and the smallest free place under it:
// queue.ErrTooMany. It keeps other calls of the number waiting until tx ends.
func (t *ticket) setNumber(ctx context.Context, tx pgx.Tx, n e164.Number) error {
	t.Number, t.nth = n, nil
	if n == e164.Withheld {
		return nil
	}
	var b pgx.Batch
	b.Queue(lockSQL, lockLine, n)
	b.Queue(nthSQL, n, t.ID, queue.MaxPerNumber).QueryRow(func(row pgx.Row) error { return row.Scan(&t.nth) })
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	if t.nth == nil {
		return queue.ErrTooMany
	}
	return nil
}

// lockLine is lockKind for the line: "RBL".
const lockLine = 0x52424c

// keepSpoken keeps what was spoken for the ticket. It replaces what was spoken
// before; keeping silent does not.
func (t *ticket) keepSpoken(ctx context.Context, tx pgx.Tx, r *booking.Recording) error {
	if r == nil {
		return nil
	}
	_, err := tx.Exec(ctx, keepSpokenOfTicketSQL, r.ID, t.ID, r.Length, r.WAV)
	return err
}

func plainTickets(ts []*ticket) []queue.Ticket {
	var all []queue.Ticket
	for _, t := range ts {
		all = append(all, t.Ticket)
	}
	return all
}
