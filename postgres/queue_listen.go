package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// notifySQL wakes dispatchers. It takes a lock through commit for the whole
	// server, so it is never part of another transaction, and is sent at most so
	// often by a process.
	notifySQL   = `select pg_notify('ringback_line', '')`
	notifyEvery = 50 * time.Millisecond

	listenSQL = `listen ringback_line`
)

// news tells dispatchers, on all nodes, that the line changed. It only shortens
// their wait: where it gets lost they find out by asking.
type news struct {
	db *DB

	mu      sync.Mutex
	pending bool
	last    time.Time
}

// tell wakes dispatchers soon, once for whatever is told until then. It does
// not wait.
func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.pending {
		return
	}
	n.pending = true
	time.AfterFunc(time.Until(n.last.Add(notifyEvery)), n.send)
}

func (n *news) send() {
	n.mu.Lock()
	n.pending, n.last = false, time.Now()
	n.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if _, err := n.db.pool.Exec(ctx, notifySQL); err != nil {
		n.db.log.Debug("wake dispatchers", "err", err)
	}
}

// Listen calls woke when the line may have changed, on a connection of its own,
// until ctx ends. What is told while the connection is lost is made good by one
// call when it is back. It fails only with the cause of ctx's end.
func (q *Queue) Listen(ctx context.Context, woke func()) error {
	for lost := 0; ; lost++ {
		heard, err := q.listen(ctx, woke)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if heard {
			lost = 0
		}
		q.db.log.DebugContext(ctx, "news of the line cannot be heard", "err", err)
		if !pause(ctx, jitter(50*time.Millisecond<<min(lost, 6))) {
			return context.Cause(ctx)
		}
	}
}

// listen listens on one connection until it is lost, and says whether it ever
// could.
func (q *Queue) listen(ctx context.Context, woke func()) (heard bool, err error) {
	config := q.db.pool.Config().ConnConfig.Copy()
	config.RuntimeParams["application_name"] += " listens"
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return false, err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	if _, err := c.Exec(ctx, listenSQL); err != nil {
		return false, err
	}
	for {
		woke()
		if _, err := c.WaitForNotification(ctx); err != nil {
			return true, err
		}
	}
}
