package journal

import (
	"errors"
	"fmt"
	"syscall"
)

// Errors a caller branches on.
var (
	// ErrInUse says that another process has the journal.
	ErrInUse = errors.New("another process has the journal")
	// ErrUnknown says that it is not known whether the record is kept.
	ErrUnknown = errors.New("whether it was written down is not known")
	// ErrClosed says that the journal was closed.
	ErrClosed = errors.New("the journal is closed")
)

// Damage is a stretch of the journal that cannot be read, in the middle of
// what can. Whatever it held had been acknowledged.
type Damage struct {
	Path           string // of the segment; kept with keptAs behind its name when all else in it is done
	Offset, Length int64  // bytes
	// From and To are the numbers of the records that may be in it.
	From, To uint64
}

func (d *Damage) Error() string {
	return fmt.Sprintf("the journal is damaged: %d bytes from byte %d of %s cannot be read, in which records %d to %d were; all others are read. "+
		"Look for a failing disk (dmesg, smartctl -a). The file stays as %s for who can read more of it: remove it then",
		d.Length, d.Offset, d.Path, d.From, d.To, d.Path+keptAs)
}

// keptAs ends the name of a segment that is kept because of damage.
const keptAs = ".damaged"

// full says whether there is no room on the disk.
func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// plain says what to do about a failed write.
func (j *Journal) plain(err error) error {
	if full(err) {
		return fmt.Errorf("the disk of %s is full, and nothing is written down until some of it is freed: %w", j.dir, err)
	}
	return fmt.Errorf("write down in %s, whose disk may be failing: %w", j.dir, err)
}
