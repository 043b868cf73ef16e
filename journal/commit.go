package journal

import (
	"fmt"
	"os"
	"slices"
	"time"
)

// active is the segment that is written to.
type active struct {
	*segment
	file file
}

// run writes batches until the journal is closed, the next one while others
// gather behind it.
func (j *Journal) run() {
	defer close(j.stopped)
	for range j.work {
		for b := j.take(); b != nil; b = j.take() {
			b.err = j.commit(b.records)
			close(b.done)
		}
	}
}

// take is the next batch, or nil.
func (j *Journal) take() *batch {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.queue) == 0 {
		return nil
	}
	b := j.queue[0]
	j.queue = j.queue[1:]
	return b
}

// commit makes records safe, or fails for all of them.
func (j *Journal) commit(records []Record) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if err := j.begin(); err != nil {
		j.metrics.failures.Inc()
		return j.plain(err)
	}
	j.mu.Lock()
	first, from := j.next, j.active.size
	j.mu.Unlock()
	j.written = appendFrame(j.written[:0], j.active.salt, first, records)
	length := int64(len(j.written))
	if _, err := j.active.file.Write(j.written); err != nil {
		j.metrics.failures.Inc()
		j.undo(from, first+uint64(len(records)), full(err))
		return j.plain(err)
	}
	began := time.Now()
	if err := j.active.file.Sync(); err != nil {
		// Linux forgets what it could not write: a second fsync of the same file
		// would succeed and mean nothing (fsync(2), "Errors"). So this file is left.
		j.metrics.failures.Inc()
		j.undo(from, first+uint64(len(records)), false)
		return j.plain(err)
	}
	j.metrics.syncs.Observe(time.Since(began).Seconds())
	j.metrics.appended.Add(float64(len(records)))
	if cap(j.written) > 1<<20 {
		j.written = nil
	}

	j.mu.Lock()
	j.next += uint64(len(records))
	j.active.size += length
	j.metrics.waiting.Set(float64(j.next - 1 - j.done))
	if !j.closed {
		close(j.grown)
		j.grown = make(chan struct{})
	}
	j.mu.Unlock()
	if from+length >= j.o.SegmentSize {
		j.retire()
	}
	return nil
}

// begin makes a new segment where there is none to write to.
func (j *Journal) begin() error {
	if j.active != nil {
		return nil
	}
	j.mu.Lock()
	s := newSegment(j.dir, j.next)
	j.mu.Unlock()
	f, err := j.o.open(s.path)
	if err != nil {
		return fmt.Errorf("begin a segment: %w", err)
	}
	j.active = &active{segment: s, file: f}
	j.mu.Lock()
	s.open = true
	j.segments = append(j.segments, s)
	j.mu.Unlock()
	return nil
}

// undo takes back what was written behind from. Unless that is certain and the
// file can be trusted, another one is begun, with numbers that cannot meet
// those of what may be left in this one.
func (j *Journal) undo(from int64, next uint64, trusted bool) {
	err := j.active.file.Truncate(from)
	if err == nil && trusted {
		return
	}
	s := j.active.segment
	j.retire()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.next = next
	if from == 0 && os.Remove(s.path) == nil { // a failing disk should not fill with empty files
		j.segments = slices.DeleteFunc(j.segments, func(o *segment) bool { return o == s })
	}
}

// retire ends the segment that is written to. What counts of it is on the disk.
func (j *Journal) retire() {
	if j.active == nil {
		return
	}
	if err := j.active.file.Close(); err != nil {
		j.o.Logger.Warn("close a segment of the journal", "path", j.active.path, "err", err)
	}
	j.mu.Lock()
	j.active.open = false
	j.mu.Unlock()
	j.active = nil
}
