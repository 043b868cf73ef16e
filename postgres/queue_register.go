package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"ringback/e164"
	"ringback/queue"
)

// MostRegistrations is how many are registered in one transaction at most.
const MostRegistrations = 1000

const (
	// newRegistrationsSQL keeps attempts to ring the hotline, in one order for
	// everybody, and returns those that were not known.
	newRegistrationsSQL = `
insert into registrations (id, number, dialog, at)
select id, number, dialog, at
from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) as new (id, number, dialog, at)
order by number, dialog, id
on conflict do nothing
returning id`

	// openOfNumbersSQL locks the open tickets of numbers, in one order for
	// everybody.
	openOfNumbersSQL = `select ` + ticketColumns + `
from tickets where number = any ($1) and state <> 'closed' order by id for update`

	knownTicketsSQL = `select id from tickets where id = any ($1)`

	unwantedNumbersSQL = `select number from do_not_ring where number = any ($1)`

	redialledSQL = `
update tickets set redials = redials + n
from unnest($1::uuid[], $2::bigint[]) as again (id, n) where tickets.id = again.id`

	lockWindowsSQL = `select from_at, taken from windows where from_at >= $1 order by from_at for update`

	takeRoomsSQL = `
insert into windows as w (from_at, capacity, taken)
select from_at, $2, n from unnest($1::timestamptz[], $3::integer[]) as new (from_at, n) order by from_at
on conflict (from_at) do update set taken = w.taken + excluded.taken, capacity = excluded.capacity`

	registerSQL = `
insert into tickets (id, number, nth, topic, language, wish, reason, priority, rang_at, state,
    window_from, window_to, due_at, promised, promised_at, redials, call_id, node, audit_at, audit_deed, audit_by)
select id, number, nth, 'other', language, 'self', 'busy', $3::integer, rang_at, case when due_at <= $2::timestamptz then 'due' else 'promised' end,
    window_from, window_to, due_at, true, $2, redials, call_id, node, $2, 'register', 'caller'
from unnest($1::uuid[], $4::uuid[], $5::text[], $6::integer[], $7::text[], $8::timestamptz[],
    $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::bigint[], $13::text[])
    as new (id, call_id, number, nth, language, rang_at, window_from, window_to, due_at, redials, node)`

	// registeredCallsSQL enters the attempts as calls. One that a dialogue led
	// meanwhile has its own entry.
	registeredCallsSQL = `
insert into calls (id, number, node, channel, started_at, ended_at, language, result, reason)
select id, number, node, channel, at, at, language, result, reason
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::text[])
    as new (id, number, node, channel, at, language, result, reason)
on conflict (id) do nothing`
)

// Register takes attempts to ring the hotline that were taken down without a
// dialogue into the line, and says how many were not known before. A number
// that waits to be rung already gains nothing but a count of its attempts; a
// place that was kept becomes the promise; others get the next hours with room,
// in the order in which they rang. Registering the same again changes nothing.
// Numbers that are not to be rung get no ticket, and their calls say so.
func (q *Queue) Register(ctx context.Context, regs []queue.Registration) (int, error) {
	registered := 0
	for part := range slices.Chunk(regs, MostRegistrations) {
		n := 0
		now := q.now()
		err := q.tx(ctx, func(tx pgx.Tx) (err error) {
			n, err = q.register(ctx, tx, part, now)
			return err
		})
		if err != nil {
			return registered, fmt.Errorf("register %d attempts to ring: %w", len(part), err)
		}
		registered += n
	}
	if registered > 0 {
		q.news.tell()
	}
	return registered, nil
}

func (q *Queue) register(ctx context.Context, tx pgx.Tx, regs []queue.Registration, now time.Time) (int, error) {
	regs, err := unknown(ctx, tx, regs)
	if err != nil || len(regs) == 0 {
		return 0, err
	}
	slices.SortStableFunc(regs, func(a, b queue.Registration) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Number, b.Number))
	})
	r := &registering{q: q, tx: tx, now: now, again: map[uuid.UUID]int64{}, first: map[e164.Number]int{}}
	if err := r.sort(ctx, regs); err != nil {
		return 0, err
	}
	for _, step := range []func(context.Context) error{r.openTickets, r.countRedials, r.enterCalls} {
		if err := step(ctx); err != nil {
			return 0, err
		}
	}
	return len(regs), nil
}

// unknown keeps the registrations and returns those that were not kept before.
func unknown(ctx context.Context, tx pgx.Tx, regs []queue.Registration) ([]queue.Registration, error) {
	var ids []uuid.UUID
	var numbers, dialogs []string
	var ats []time.Time
	for _, r := range regs {
		dialog := clean(r.Dialog)
		if dialog == "" {
			dialog = r.ID.String()
		}
		ids, numbers, dialogs, ats = append(ids, r.ID), append(numbers, string(r.Number)), append(dialogs, dialog), append(ats, r.At)
	}
	rows, err := tx.Query(ctx, newRegistrationsSQL, ids, numbers, dialogs, ats)
	if err != nil {
		return nil, err
	}
	ids, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	isNew := map[uuid.UUID]bool{}
	for _, id := range ids {
		isNew[id] = true
	}
	var fresh []queue.Registration
	for _, r := range regs {
		if isNew[r.ID] {
			isNew[r.ID] = false // an ID comes once
			fresh = append(fresh, r)
		}
	}
	return fresh, err
}

// registering is one batch on its way into the line.
type registering struct {
	q   *Queue
	tx  pgx.Tx
	now time.Time

	fresh []newTicket          // in the order in which they rang
	first map[e164.Number]int  // index in fresh
	again map[uuid.UUID]int64  // attempts by the ticket that waits already
	calls []queue.Registration // all, in order
	no    map[e164.Number]bool // not to be rung
}

type newTicket struct {
	queue.Registration
	nth     int
	redials int64
}

// sort finds out who has a ticket and who is to get one.
func (r *registering) sort(ctx context.Context, regs []queue.Registration) error {
	var numbers []string
	for _, reg := range regs {
		numbers = append(numbers, string(reg.Number))
	}
	open, err := manyTickets(ctx, r.tx, openOfNumbersSQL, numbers)
	if err != nil {
		return err
	}
	if err := r.refuse(ctx, regs, numbers); err != nil {
		return err
	}
	of := map[e164.Number][]*ticket{}
	for _, t := range open {
		of[t.Number] = append(of[t.Number], t)
	}
	r.calls = regs
	for _, reg := range regs {
		if r.no[reg.Number] {
			continue
		}
		if i, ok := r.first[reg.Number]; ok {
			r.fresh[i].redials++
			continue
		}
		t, nth := waitsToBeRung(of[reg.Number])
		if t == nil {
			r.first[reg.Number] = len(r.fresh)
			r.fresh = append(r.fresh, newTicket{Registration: reg, nth: nth})
			continue
		}
		if t.State == queue.StateLeft {
			r.q.promise(t, r.now)
			if err := t.save(ctx, r.tx, deed{what: queue.DeedRegister, by: byCaller}, r.now); err != nil {
				return err
			}
		}
		r.again[t.ID]++
	}
	return nil
}

// waitsToBeRung is the first in line of a number's open tickets that waits to be
// rung, or whose place is kept. Where there is none, nth is the free place for
// one more; a number that has all it may have is on the line with all of them,
// and counted with the first.
func waitsToBeRung(open []*ticket) (t *ticket, nth int) {
	slices.SortFunc(open, func(a, b *ticket) int { return queue.Compare(a.Ticket, b.Ticket) })
	var taken [queue.MaxPerNumber + 1]bool
	for _, t := range open {
		switch t.State {
		case queue.StateLeft, queue.StatePromised, queue.StateDue, queue.StateRinging:
			return t, 0
		}
		taken[*t.nth] = true
	}
	for nth := 1; nth <= queue.MaxPerNumber; nth++ {
		if !taken[nth] {
			return nil, nth
		}
	}
	return open[0], 0
}

// refuse finds the numbers that are not to be rung.
func (r *registering) refuse(ctx context.Context, regs []queue.Registration, numbers []string) error {
	rows, err := r.tx.Query(ctx, unwantedNumbersSQL, numbers)
	if err != nil {
		return err
	}
	unwanted, err := pgx.CollectRows(rows, pgx.RowTo[e164.Number])
	r.no = map[e164.Number]bool{}
	for _, n := range unwanted {
		r.no[n] = true
	}
	for _, reg := range regs {
		if errors.Is(r.q.rules.MayRing(reg.Number), queue.ErrForbidden) {
			r.no[reg.Number] = true
		}
	}
	return err
}

// openTickets opens a ticket for each new number, with the next hours that have
// room.
func (r *registering) openTickets(ctx context.Context) error {
	if len(r.fresh) == 0 {
		return nil
	}
	taken, err := takenRoom(ctx, r.tx, lockWindowsSQL, r.now)
	if err != nil {
		return err
	}
	windows := r.q.rules.Spread(r.now, len(r.fresh), taken)
	var ids, calls []uuid.UUID
	var numbers, languages, nodes []string
	var nths []int
	var rang, due []time.Time
	var froms, tos []*time.Time
	var redials []int64
	var hours []time.Time
	var people []int
	for i, t := range r.fresh {
		w := windows[i]
		at := r.now
		if w.From.After(at) {
			at = w.From
		}
		ids, calls = append(ids, t.ID), append(calls, t.ID)
		numbers, nths = append(numbers, string(t.Number)), append(nths, t.nth)
		languages, nodes, rang = append(languages, string(t.Language)), append(nodes, clean(t.Node)), append(rang, t.At)
		froms, tos, redials = append(froms, orNull(w.From)), append(tos, orNull(w.To)), append(redials, t.redials)
		due = append(due, r.q.rules.Ringing.Next(at))
		switch {
		case w.IsZero():
		case len(hours) > 0 && hours[len(hours)-1].Equal(w.From):
			people[len(people)-1]++
		default:
			hours, people = append(hours, w.From), append(people, 1)
		}
	}
	if len(hours) > 0 {
		if _, err := r.tx.Exec(ctx, takeRoomsSQL, hours, r.q.rules.Room(), people); err != nil {
			return err
		}
	}
	if err := r.renew(ctx, ids); err != nil {
		return err
	}
	_, err = r.tx.Exec(ctx, registerSQL, ids, r.now, r.q.rules.Priority[queue.TopicOther], calls, numbers, nths, languages, rang,
		froms, tos, due, redials, nodes)
	return err
}

// renew gives other IDs to tickets whose calls opened one before, which is
// closed or of another number by now.
func (r *registering) renew(ctx context.Context, ids []uuid.UUID) error {
	rows, err := r.tx.Query(ctx, knownTicketsSQL, ids)
	if err != nil {
		return err
	}
	known, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	for _, id := range known {
		ids[slices.Index(ids, id)] = uuid.New()
	}
	return err
}

func (r *registering) countRedials(ctx context.Context) error {
	if len(r.again) == 0 {
		return nil
	}
	var ids []uuid.UUID
	var ns []int64
	for id, n := range r.again {
		ids, ns = append(ids, id), append(ns, n)
	}
	_, err := r.tx.Exec(ctx, redialledSQL, ids, ns)
	return err
}

// enterCalls enters each attempt as a call that is over.
func (r *registering) enterCalls(ctx context.Context) error {
	var ids []uuid.UUID
	var numbers, nodes, channels, languages, results, reasons []string
	var ats []time.Time
	for _, reg := range r.calls {
		result, reason := "callback", "registered"
		if r.no[reg.Number] {
			result, reason = "failed", "number not to be rung"
		}
		ids, numbers, nodes = append(ids, reg.ID), append(numbers, string(reg.Number)), append(nodes, clean(reg.Node))
		channels, ats = append(channels, clean(reg.Dialog)), append(ats, reg.At)
		languages, results, reasons = append(languages, string(reg.Language)), append(results, result), append(reasons, reason)
	}
	_, err := r.tx.Exec(ctx, registeredCallsSQL, ids, numbers, nodes, channels, ats, languages, results, reasons)
	return err
}
