package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"ringback/ivr"
	"ringback/prompts"
)

// What the log of calls may cost.
const (
	// gather is how long news waits for company before it is written.
	gather = 50 * time.Millisecond
	// maxEntries bounds the transcript entries kept in memory while Postgres is
	// away: half an hour of a hundred calls at once, some 20 MB.
	maxEntries = 100_000
	// maxBatch bounds the entries of one transaction.
	maxBatch = 2_000
	// writeTimeout bounds one transaction.
	writeTimeout = 10 * time.Second
	// drainTimeout bounds the last writes after Run's context ended.
	drainTimeout = 10 * time.Second
)

// Calls keeps what happens in calls: an ivr.Log that never waits, and what is
// read of it. Run or Flush writes what the log was told, in its order. While
// Postgres is away it is kept in memory; when that is full the oldest entries
// of transcripts are dropped and counted, but never that a call began or ended.
type Calls struct {
	db  *DB
	log *slog.Logger

	news    chan struct{} // holds a token when there may be something to write
	writing chan struct{} // holds a token while somebody writes

	mu      sync.Mutex
	entries []entry // oldest first
	changes map[uuid.UUID]*change
	order   []uuid.UUID // of changes, oldest first
	seq     int64
	dropped int64
	refused int64

	unwritten *batch // taken from the queue; owned by who holds the writing token
}

var _ ivr.Log = (*Calls)(nil)

// entry is a line of a transcript with its place in it.
type entry struct {
	call uuid.UUID
	seq  int64
	ivr.Entry
}

// change is what is new about one call besides its transcript. Only the last
// scene is kept.
type change struct {
	call    uuid.UUID
	began   *ivr.Info
	entered *entered
	ended   *ended
}

type entered struct {
	at       time.Time
	scene    ivr.SceneName
	language prompts.Language
	state    []byte
}

type ended struct {
	at      time.Time
	outcome ivr.Outcome
	after   int64 // the last entry before it
}

// NewCalls returns the log of calls of a database. It writes nothing until Run
// or Flush is called.
func NewCalls(db *DB) *Calls {
	return &Calls{
		db: db, log: db.log,
		news: make(chan struct{}, 1), writing: make(chan struct{}, 1),
		changes: map[uuid.UUID]*change{},
	}
}

// Began implements ivr.Log.
func (c *Calls) Began(i ivr.Info) {
	c.change(i.ID, func(x *change) { x.began = &i })
}

// Noted implements ivr.Log.
func (c *Calls) Noted(callID uuid.UUID, e ivr.Entry) {
	c.mu.Lock()
	// Places rise across restarts too, when another process goes on with a call.
	c.seq = max(c.seq+1, time.Now().UnixMicro())
	if len(c.entries) >= maxEntries {
		c.entries = c.entries[1:]
		c.dropped++
	}
	c.entries = append(c.entries, entry{callID, c.seq, e})
	c.mu.Unlock()
	c.tell()
}

// Entered implements ivr.Log.
func (c *Calls) Entered(callID uuid.UUID, scene ivr.SceneName, language prompts.Language, state []byte) {
	c.change(callID, func(x *change) { x.entered = &entered{time.Now(), scene, language, state} })
}

// Ended implements ivr.Log.
func (c *Calls) Ended(callID uuid.UUID, at time.Time, o ivr.Outcome) {
	c.change(callID, func(x *change) { x.ended = &ended{at, o, c.seq} })
}

func (c *Calls) change(id uuid.UUID, set func(*change)) {
	c.mu.Lock()
	x := c.changes[id]
	if x == nil {
		x = &change{call: id}
		c.changes[id] = x
		c.order = append(c.order, id)
	}
	set(x)
	c.mu.Unlock()
	c.tell()
}

func (c *Calls) tell() {
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// Dropped is how many entries of transcripts were lost because Postgres was
// away for too long.
func (c *Calls) Dropped() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped
}

// Refused is how many entries and changes Postgres would not take. It is zero
// unless something is wrong with Ringback.
func (c *Calls) Refused() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused
}

// Waiting is how many entries and changes are not yet taken up for writing.
func (c *Calls) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries) + len(c.order)
}

// Run writes until ctx ends, then what is left, and returns. It fails only if
// the rest could not be written in ten seconds.
func (c *Calls) Run(ctx context.Context) error {
	away := 0 // attempts that failed in a row
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
			defer cancel()
			return c.Flush(last)
		case <-c.news:
		}
		pause(ctx, gather)
		err := c.write(ctx)
		switch {
		case err == nil && away > 0:
			c.log.InfoContext(ctx, "calls are written again", "attempts", away+1)
			away = 0
		case err != nil && ctx.Err() == nil:
			if away++; away == 1 {
				c.log.WarnContext(ctx, "calls cannot be written and wait in memory", "err", err)
			}
			pause(ctx, jitter(gather<<min(away, 6)))
			c.tell()
		}
	}
}

// Flush writes everything the log was told before, trying again while Postgres
// is away, until ctx ends.
func (c *Calls) Flush(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		err := c.write(ctx)
		if err == nil {
			return nil
		}
		if !pause(ctx, jitter(gather<<min(attempt, 6))) {
			return fmt.Errorf("write calls, %d items left: %w", c.Waiting(), err)
		}
	}
}

// write empties the queue, one batch a transaction. A batch that failed stays
// and is the first one next time.
func (c *Calls) write(ctx context.Context) error {
	select {
	case c.writing <- struct{}{}:
		defer func() { <-c.writing }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for {
		if c.unwritten == nil {
			c.unwritten = c.take()
		}
		if c.unwritten == nil {
			return nil
		}
		if err := c.writeBatch(ctx, *c.unwritten); err != nil {
			return err
		}
		c.unwritten = nil
	}
}
