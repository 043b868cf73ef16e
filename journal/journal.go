// Package journal keeps on this machine's disk what must not be lost before it
// is in the database: records that are on the disk when Append returns, read
// back in order and forgotten once they are done. Many who append at the same
// time share one fsync.
// It must not know what becomes of its records.
package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/prometheus/client_golang/prometheus"
)

// Options are settings of a journal. The zero value is usable.
type Options struct {
	SegmentSize int64         // bytes after which another file is begun; default 8 MB
	Patience    time.Duration // how long Open waits for another process to let go; default not at all
	Logger      *slog.Logger
	Registerer  prometheus.Registerer
	Now         func() time.Time

	// open makes a new segment; tests put one in that fails.
	open func(path string) (file, error)
}

// Bounds of a record.
const (
	longestKind    = 255
	longestPayload = 8 << 20
)

// largestBatch is how much is written in one go; what is beyond waits for the
// next one.
const largestBatch = 16 << 20

// Journal is an open journal. All methods may be called by many at once.
type Journal struct {
	dir     string
	o       Options
	lock    *flock.Flock
	metrics *metrics

	mu       sync.Mutex
	queue    []*batch // not yet taken to be written
	closed   bool
	segments []*segment // the oldest first
	next     uint64     // number of the next record
	done     uint64     // all up to this one are done
	grown    chan struct{}

	work    chan struct{} // a token: there is something in the queue
	stopped chan struct{} // closed: nothing is written any more

	writing sync.Mutex // held while the newest segment is written
	active  *active    // nil: the next batch begins a new one
	written []byte     // the memory of the last frame

	reading sync.Mutex // held by Next and Done
	at      cursor
}

// batch is what is written in one go.
type batch struct {
	records []Record
	size    int
	done    chan struct{}
	err     error // once done
}

// Open opens the journal in dir and makes it where there is none: files that
// only this user can read. One process at a time has it (ErrInUse); the next
// may open it at once, however the one before ended. What a crash left behind
// unfinished, which was never acknowledged, is cut off.
func Open(dir string, o Options) (*Journal, error) {
	if o.SegmentSize <= 0 {
		o.SegmentSize = 8 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.open == nil {
		o.open = create
	}
	j := &Journal{
		dir: dir, o: o, metrics: newMetrics(), grown: make(chan struct{}),
		work: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = syncFolder(filepath.Dir(dir)) // that it was made outlives a crash too
	}
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	if err := j.seize(); err != nil {
		return nil, fmt.Errorf("open the journal in %s: %w", dir, err)
	}
	err = j.load()
	if err == nil {
		err = j.metrics.register(o.Registerer)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the journal in %s: %w", dir, err), j.lock.Unlock())
	}
	go j.run()
	return j, nil
}

// seize takes the lock, which the kernel takes back from a process that ended.
func (j *Journal) seize() error {
	j.lock = flock.New(filepath.Join(j.dir, "lock"), flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(context.Background(), j.o.Patience)
	defer cancel()
	free, err := j.lock.TryLock()
	if err == nil && !free && j.o.Patience > 0 {
		free, err = j.lock.TryLockContext(ctx, 20*time.Millisecond)
	}
	if errors.Is(err, context.DeadlineExceeded) || (err == nil && !free) {
		return ErrInUse
	}
	return err
}

// Append returns when the record is on the disk. Where ctx ends before, the
// error is ErrUnknown: it may be kept. Where writing fails, whoever waited for
// it gets the error, and what it tried to write may be read back all the same.
// A kind has 1 to 255 bytes, a payload 8 MB at most; it must not change until
// Append returns.
func (j *Journal) Append(ctx context.Context, kind string, payload []byte) error {
	if kind == "" || len(kind) > longestKind || len(payload) > longestPayload {
		return fmt.Errorf("write down a record of kind %.40q with %d bytes: a kind has 1 to %d bytes, a payload %d at most",
			kind, len(payload), longestKind, longestPayload)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("write down a record: %w", context.Cause(ctx))
	}
	b, err := j.enqueue(Record{Kind: kind, At: j.o.Now(), Payload: payload})
	if err != nil {
		return err
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		select {
		case <-b.done: // at the same moment: then it is known
		default:
			return fmt.Errorf("%w: %w", ErrUnknown, context.Cause(ctx))
		}
	}
	return b.err
}

// enqueue adds a record to the batch that is written next, or a later one.
func (j *Journal) enqueue(r Record) (*batch, error) {
	size := recordSize + len(r.Kind) + len(r.Payload)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil, ErrClosed
	}
	if n := len(j.queue); n == 0 || j.queue[n-1].size+size > largestBatch {
		j.queue = append(j.queue, &batch{done: make(chan struct{})})
	}
	b := j.queue[len(j.queue)-1]
	b.records = append(b.records, r)
	b.size += size
	select {
	case j.work <- struct{}{}:
	default:
	}
	return b, nil
}

// Waiting is how many records are on the disk and not done.
func (j *Journal) Waiting() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return int(j.next - 1 - j.done)
}

// Close writes down what is waited for and lets the next process in. Closing
// twice is safe.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		<-j.stopped
		return nil
	}
	j.closed = true
	close(j.work)
	close(j.grown)
	j.mu.Unlock()
	<-j.stopped
	j.reading.Lock()
	defer j.reading.Unlock()
	j.writing.Lock()
	defer j.writing.Unlock()
	j.retire()
	j.tidy()
	j.metrics.unregister(j.o.Registerer)
	return j.lock.Unlock()
}
