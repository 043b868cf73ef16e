package api

import (
	"encoding/base64"
	"encoding/binary"
	"regexp"
	"time"

	"ringback/e164"
	"ringback/queue"
)

// cursorLength is a place as bytes: priority, microseconds, ID.
const cursorLength = 4 + 8 + 16

// asCursor writes a place as clients hand it back. Postgres keeps microseconds.
func asCursor(p queue.Place) string {
	b := make([]byte, 0, cursorLength)
	b = binary.BigEndian.AppendUint32(b, uint32(int32(p.Priority)))
	b = binary.BigEndian.AppendUint64(b, uint64(p.RangAt.UnixMicro()))
	b = append(b, p.ID[:]...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// place reads a cursor; empty is the head of the line.
func place(cursor string) (queue.Place, error) {
	if cursor == "" {
		return queue.Place{}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) != cursorLength {
		return queue.Place{}, noCursor(cursor)
	}
	p := queue.Place{
		Priority: int(int32(binary.BigEndian.Uint32(b))),
		RangAt:   time.UnixMicro(int64(binary.BigEndian.Uint64(b[4:]))).UTC(),
	}
	copy(p.ID[:], b[12:])
	if !cursorTime(p.RangAt) || p.IsZero() {
		return queue.Place{}, noCursor(cursor)
	}
	return p, nil
}

// asUnwantedCursor writes where a page of numbers ended: microseconds, number.
func asUnwantedCursor(u queue.Unwanted) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(u.Since.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(b, u.Number...))
}

// keptNumber is what is kept as a number, also by hand.
var keptNumber = regexp.MustCompile(`^\+[0-9]{2,15}$`)

// unwantedPlace reads such a cursor; empty is the newest number.
func unwantedPlace(cursor string) (queue.Unwanted, error) {
	if cursor == "" {
		return queue.Unwanted{}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) <= 8 {
		return queue.Unwanted{}, noCursor(cursor)
	}
	u := queue.Unwanted{Since: time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC(), Number: e164.Number(b[8:])}
	if !keptNumber.MatchString(string(u.Number)) || !cursorTime(u.Since) {
		return queue.Unwanted{}, noCursor(cursor)
	}
	return u, nil
}

// cursorTime says whether a cursor of ours may hold that moment.
func cursorTime(t time.Time) bool { return t.Year() >= 2000 && t.Year() <= 9999 }

func noCursor(cursor string) error {
	return invalid("query.cursor", cursor, "this is no cursor: take next of the page before, or leave it out")
}
