package api

import (
	"encoding/base64"
	"encoding/binary"
	"time"

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
		return queue.Place{}, invalid("query.cursor", cursor, "this is no cursor: take next of the page before, or leave it out")
	}
	p := queue.Place{
		Priority: int(int32(binary.BigEndian.Uint32(b))),
		RangAt:   time.UnixMicro(int64(binary.BigEndian.Uint64(b[4:]))).UTC(),
	}
	copy(p.ID[:], b[12:])
	if y := p.RangAt.Year(); y < 2000 || y > 9999 || p.IsZero() {
		return queue.Place{}, invalid("query.cursor", cursor, "this is no cursor: take next of the page before, or leave it out")
	}
	return p, nil
}
