package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// segment is one file of the journal. Its name holds the number of its first
// record and its salt, so that no damage to the file can touch those.
type segment struct {
	path  string
	first uint64
	salt  uint64
	size  int64 // of what is on the disk for certain; under Journal.mu
	open  bool  // it is the one that is written to; under Journal.mu
	told  int64 // where the last damage ends that was told; under Journal.reading
}

var segmentName = regexp.MustCompile(`^([0-9]{20})-([0-9a-f]{16})\.journal$`)

func newSegment(dir string, first uint64) *segment {
	salt := rand.Uint64()
	return &segment{path: filepath.Join(dir, fmt.Sprintf("%020d-%016x.journal", first, salt)), first: first, salt: salt}
}

// file is what is asked of a segment's file.
type file interface {
	Write([]byte) (int, error)
	Sync() error
	Truncate(size int64) error
	Close() error
}

// create makes a new file and sees to it that its name outlives a crash.
func create(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return f, nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// load finds what earlier processes left.
func (j *Journal) load() error {
	j.done = j.readPosition()
	names, err := os.ReadDir(j.dir)
	if err != nil {
		return err
	}
	for _, n := range names { // sorted by name, which is by number
		parts := segmentName.FindStringSubmatch(n.Name())
		if parts == nil {
			continue
		}
		first, err := strconv.ParseUint(parts[1], 10, 64)
		salt, err2 := strconv.ParseUint(parts[2], 16, 64)
		info, err3 := n.Info()
		if err := errors.Join(err, err2, err3); err != nil {
			return err
		}
		j.segments = append(j.segments, &segment{path: filepath.Join(j.dir, n.Name()), first: first, salt: salt, size: info.Size()})
	}
	if len(j.segments) > 0 { // what came before the oldest was done
		j.done = max(j.done, j.segments[0].first-1)
	}
	j.next = j.done + 1
	if len(j.segments) > 0 {
		if err := j.mend(j.segments[len(j.segments)-1]); err != nil {
			return err
		}
	}
	j.tidy()
	j.metrics.waiting.Set(float64(j.next - 1 - j.done))
	return nil
}

// mend looks through the segment that was written to last, and cuts off what a
// crash left of a frame nobody was told of.
func (j *Journal) mend(s *segment) error {
	f, err := os.OpenFile(s.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	end, next := survey(legible(f, 0, s.size), s.salt, s.first)
	j.next = max(j.next, next)
	if cut := s.size - int64(end); cut > 0 {
		if err := errors.Join(f.Truncate(int64(end)), f.Sync()); err != nil {
			return fmt.Errorf("cut off an unfinished record: %w", err)
		}
		j.o.Logger.Info("an unfinished end of the journal was cut off; nobody was told that it was kept", "path", s.path, "bytes", cut)
	}
	s.size = int64(end)
	return nil
}

// legible reads a part of a file, zeros in place of blocks that cannot be read.
func legible(f io.ReaderAt, from, to int64) []byte {
	const block = 4096
	b := make([]byte, to-from)
	if _, err := f.ReadAt(b, from); err == nil {
		return b
	}
	for at := 0; at < len(b); at += block {
		part := b[at:min(at+block, len(b))]
		if _, err := f.ReadAt(part, from+int64(at)); err != nil {
			clear(part)
		}
	}
	return b
}

// tidy removes segments of which all is done, but not the one that is written
// to. One that is damaged is kept aside.
func (j *Journal) tidy() {
	j.mu.Lock()
	defer j.mu.Unlock()
	var left []*segment
	for i, s := range j.segments {
		behind := j.next // the number behind its records
		if i+1 < len(j.segments) {
			behind = j.segments[i+1].first
		}
		if behind-1 > j.done || s.open {
			left = append(left, s)
			continue
		}
		var err error
		if s.told > 0 {
			err = os.Rename(s.path, s.path+keptAs)
		} else {
			err = os.Remove(s.path)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			// The next process removes it: it is known to be done.
			j.o.Logger.Warn("remove a segment of the journal of which all is done", "path", s.path, "err", err)
		}
	}
	j.segments = left
}

// positionFile holds the number of the last record that is done, and its
// checksum.
const positionFile = "done"

// readPosition is zero where it cannot be read: then all that is left is read
// again, which is meant to do no harm.
func (j *Journal) readPosition() uint64 {
	b, err := os.ReadFile(filepath.Join(j.dir, positionFile))
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	if err == nil && (len(b) != 12 || binary.LittleEndian.Uint32(b[8:]) != crc32.Checksum(b[:8], castagnoli)) {
		err = errors.New("it is damaged")
	}
	if err != nil {
		j.o.Logger.Warn("what of the journal is done is not known: all that is left is read again", "err", err)
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

func (j *Journal) writePosition(n uint64) error {
	b := binary.LittleEndian.AppendUint64(nil, n)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	f, err := os.CreateTemp(j.dir, positionFile+"-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(j.dir, positionFile))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
