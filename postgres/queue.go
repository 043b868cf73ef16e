package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"ringback/queue"
)

// Queue is the line: a queue.Store, and what the dispatcher, operators and
// statistics need beside it. Every method is one transaction.
type Queue struct {
	db    *DB
	rules queue.Rules
	// now is the clock of what callers do; dispatchers bring their own.
	now  func() time.Time
	news news

	whole  cache[wholeLine]
	recent cache[queue.Recent]
	calls  pace // of looking at the calls of those in line
	growth pace // of looking how long it has become
}

var _ queue.Store = (*Queue)(nil)

// NewQueue returns the line of a database, run by these rules.
func NewQueue(db *DB, rules queue.Rules) *Queue {
	q := &Queue{db: db, rules: rules, now: time.Now}
	q.news.db = db
	return q
}

// Who changes tickets, beside operators.
const (
	byCaller     = "caller"
	byDispatcher = "dispatcher"
)

// deed is what is done to a ticket, by whom and why.
type deed struct {
	what    queue.Deed
	by, why string
}

// collisions are the constraints that two transactions run into when they do
// the same at once: the second is to look again.
var collisions = []string{
	"tickets_pkey", "tickets_nth_of_number", "tickets_short", "tickets_one_an_agent",
	"attempts_one_a_ticket", "attempts_one_a_number", "windows_room",
}

// tx is DB.tx, and once more where two did the same at once.
func (q *Queue) tx(ctx context.Context, f func(pgx.Tx) error) error {
	for try := 1; ; try++ {
		err := q.db.tx(ctx, f)
		if try == attempts || !slices.Contains(collisions, violated(err)) {
			return err
		}
		if !pause(ctx, jitter(2*time.Millisecond<<try)) {
			return context.Cause(ctx)
		}
	}
}
