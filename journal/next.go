package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// cursor is where reading goes on: at a frame of a segment.
type cursor struct {
	segment *segment
	offset  int64
	least   uint64 // number that the next record has at least
}

func beginning(s *segment) cursor { return cursor{segment: s, least: s.first} }

// Next returns up to most records, the oldest that are not done; asked again
// before Done, the same. It waits until there is one, or returns the cause of
// ctx's end. A stretch that cannot be read is told once, as a *Damage: asked
// again, Next goes on behind it.
func (j *Journal) Next(ctx context.Context, most int) ([]Record, error) {
	for {
		j.mu.Lock()
		grown, closed := j.grown, j.closed
		j.mu.Unlock()
		if closed {
			return nil, ErrClosed
		}
		records, err := j.read(most)
		if err != nil || len(records) > 0 {
			return records, err
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// read gathers records from the oldest that is not done.
func (j *Journal) read(most int) ([]Record, error) {
	j.reading.Lock()
	defer j.reading.Unlock()
	var all []Record
	at, stretches := j.stretches()
	for i, s := range stretches {
		if i > 0 {
			at = beginning(s.segment)
		}
		records, err := j.readSegment(at, s, most-len(all))
		all = append(all, records...)
		var d *Damage
		if errors.As(err, &d) && len(all) > 0 {
			return all, nil // first what was before it
		}
		if d != nil {
			s.told = d.Offset + d.Length
			j.metrics.damages.Inc()
		}
		if err != nil || len(all) >= most {
			return all, err
		}
	}
	return all, nil
}

// stretch is what can be read of a segment.
type stretch struct {
	*segment
	size   int64
	behind uint64 // the number that follows its records
}

// stretches are all there is to read, and where in the first of them to begin.
func (j *Journal) stretches() (cursor, []stretch) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []stretch
	for i, s := range j.segments {
		behind := j.next
		if i+1 < len(j.segments) {
			behind = j.segments[i+1].first
		}
		if s == j.at.segment { // all before is done
			all = nil
		}
		all = append(all, stretch{s, s.size, behind})
	}
	if len(all) > 0 && all[0].segment != j.at.segment {
		j.at = beginning(all[0].segment)
	}
	return j.at, all
}

// readSegment gathers records of one segment. It fails with a *Damage where it
// meets what cannot be read and was not told yet.
func (j *Journal) readSegment(at cursor, s stretch, most int) ([]Record, error) {
	if at.offset >= s.size {
		return nil, nil
	}
	f, err := os.Open(s.path)
	if errors.Is(err, os.ErrNotExist) && at.offset < s.told {
		return nil, nil
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, &Damage{Path: s.path, Offset: at.offset, Length: s.size - at.offset, From: at.least, To: s.behind - 1}
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	defer f.Close()
	var all []Record
	for at.offset < s.size && len(all) < most {
		h, records, err := s.frame(f, at)
		if err != nil {
			d := s.damage(f, at)
			if d.Offset >= s.told {
				return all, d
			}
			at.offset += d.Length
			continue
		}
		for _, r := range records {
			if r.Number > j.done && len(all) < most {
				all = append(all, r)
			}
		}
		at.offset += h.size()
		at.least = h.last() + 1
		if h.last() <= j.done { // need not be read again
			j.at = at
		}
	}
	return all, nil
}

// frame reads the frame at a cursor.
func (s stretch) frame(f *os.File, at cursor) (header, []Record, error) {
	head := make([]byte, headerSize)
	if _, err := f.ReadAt(head, at.offset); err != nil {
		return header{}, nil, err
	}
	h, err := readHeader(head, s.salt)
	if err != nil {
		return header{}, nil, err
	}
	if h.size() > s.size-at.offset {
		return header{}, nil, errBad
	}
	whole := make([]byte, h.size())
	if _, err := f.ReadAt(whole, at.offset); err != nil {
		return header{}, nil, err
	}
	return readFrame(whole, s.salt, at.least)
}

// damage is how far what cannot be read at a cursor reaches: to the next good
// frame, or the end of the segment.
func (s stretch) damage(f *os.File, at cursor) *Damage {
	b := legible(f, at.offset, s.size)
	d := &Damage{Path: s.path, Offset: at.offset, Length: int64(len(b)), From: at.least, To: s.behind - 1}
	if skip := resume(b, s.salt, at.least); skip >= 0 {
		if h, err := readHeader(b[skip:], s.salt); err == nil {
			d.Length, d.To = int64(skip), h.first-1
		}
	}
	return d
}

// Done says that all records up to that number are safe elsewhere. They are
// forgotten: files of which all is done are removed. After an error they may
// be read once more by the next process; nothing is lost.
func (j *Journal) Done(upTo uint64) error {
	j.reading.Lock()
	defer j.reading.Unlock()
	j.mu.Lock()
	done, next, closed := j.done, j.next, j.closed
	j.mu.Unlock()
	switch {
	case closed:
		return ErrClosed
	case upTo <= done:
		return nil
	case upTo >= next:
		return fmt.Errorf("record %d of the journal was never given out: the last is %d", upTo, next-1)
	}
	// Removing files needs no room, and a full disk may be why this fails.
	err := j.writePosition(upTo)
	j.mu.Lock()
	j.done = upTo
	j.metrics.waiting.Set(float64(j.next - 1 - j.done))
	j.mu.Unlock()
	j.retireDone()
	j.tidy()
	if err != nil {
		return fmt.Errorf("keep that the journal is done up to record %d: %w", upTo, err)
	}
	return nil
}

// retireDone ends the segment that is written to when all of it is done, so
// that nothing is kept longer than needed; not while somebody is writing.
func (j *Journal) retireDone() {
	if !j.writing.TryLock() {
		return
	}
	defer j.writing.Unlock()
	j.mu.Lock()
	all := j.done == j.next-1
	j.mu.Unlock()
	if all {
		j.retire()
	}
}
