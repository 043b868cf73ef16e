package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"
)

// A segment is a row of frames, and nothing else. A frame is what one fsync
// made safe, the records of everybody who waited for it:
//
//	magic   4 bytes  "RBJ1"
//	length  uint32   of the body, in bytes
//	first   uint64   number of the first record
//	count   uint32   of records
//	body    uint32   CRC-32C of the body
//	header  uint32   CRC-32C of the segment's salt and the 24 bytes before
//	        …        the body: its records
//
// and a record:
//
//	at      int64    ns since 1970
//	kind    uint8    its length, and the kind
//	payload uint32   its length, and the payload
//
// all numbers little-endian. A frame is written only when the one before it is
// on the disk. So a frame that cannot be read was never acknowledged if nothing
// follows it, and is damage to what was if a good one does.
const (
	magic      = "RBJ1"
	headerSize = 28
	summed     = headerSize - 4 // bytes of the header that its checksum covers
	recordSize = 8 + 1 + 4      // of a record without kind and payload
)

// Record is one entry of the journal.
type Record struct {
	Number  uint64 // increasing, from 1; gaps are no loss
	Kind    string // names the form of the payload
	At      time.Time
	Payload []byte
}

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errBad     = errors.New("not a frame")
)

// header is that of a frame.
type header struct {
	length uint32
	first  uint64
	count  uint32
	sum    uint32 // of the body
}

// size is that of the whole frame, in bytes.
func (h header) size() int64 { return headerSize + int64(h.length) }

// last is the number of the last record.
func (h header) last() uint64 { return h.first + uint64(h.count) - 1 }

// checksum is that of a header. The salt is the segment's own, so that neither
// what a payload holds nor what lay on the disk before can pass for a frame.
func checksum(salt uint64, head []byte) uint32 {
	sum := crc32.Checksum(binary.LittleEndian.AppendUint64(nil, salt), castagnoli)
	return crc32.Update(sum, castagnoli, head[:summed])
}

// appendFrame adds a frame of the records to b, numbered from first.
func appendFrame(b []byte, salt, first uint64, records []Record) []byte {
	start := len(b)
	b = append(b, make([]byte, headerSize)...)
	for _, r := range records {
		b = binary.LittleEndian.AppendUint64(b, uint64(r.At.UnixNano()))
		b = append(b, byte(len(r.Kind)))
		b = append(b, r.Kind...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(r.Payload)))
		b = append(b, r.Payload...)
	}
	head, body := b[start:start+headerSize], b[start+headerSize:]
	copy(head, magic)
	binary.LittleEndian.PutUint32(head[4:], uint32(len(body)))
	binary.LittleEndian.PutUint64(head[8:], first)
	binary.LittleEndian.PutUint32(head[16:], uint32(len(records)))
	binary.LittleEndian.PutUint32(head[20:], crc32.Checksum(body, castagnoli))
	binary.LittleEndian.PutUint32(head[24:], checksum(salt, head))
	return b
}

// readHeader reads the header that b begins with.
func readHeader(b []byte, salt uint64) (header, error) {
	if len(b) < headerSize || string(b[:4]) != magic || binary.LittleEndian.Uint32(b[summed:]) != checksum(salt, b) {
		return header{}, errBad
	}
	return header{
		length: binary.LittleEndian.Uint32(b[4:]),
		first:  binary.LittleEndian.Uint64(b[8:]),
		count:  binary.LittleEndian.Uint32(b[16:]),
		sum:    binary.LittleEndian.Uint32(b[20:]),
	}, nil
}

// records reads the body of a frame. The payloads are parts of it.
func (h header) records(body []byte) ([]Record, error) {
	if uint64(len(body)) != uint64(h.length) || crc32.Checksum(body, castagnoli) != h.sum || uint64(h.count) > uint64(len(body))/recordSize || h.count == 0 {
		return nil, errBad
	}
	all := make([]Record, 0, h.count)
	for n := range uint64(h.count) {
		if len(body) < recordSize {
			return nil, errBad
		}
		at, kind := int64(binary.LittleEndian.Uint64(body)), int(body[8])
		body = body[9:]
		if len(body) < kind+4 {
			return nil, errBad
		}
		r := Record{Number: h.first + n, Kind: string(body[:kind]), At: time.Unix(0, at).UTC()}
		length := uint64(binary.LittleEndian.Uint32(body[kind:]))
		body = body[kind+4:]
		if uint64(len(body)) < length {
			return nil, errBad
		}
		r.Payload, body = body[:length:length], body[length:]
		all = append(all, r)
	}
	if len(body) > 0 {
		return nil, errBad
	}
	return all, nil
}

// readFrame reads the frame that b begins with, of records from number least on.
func readFrame(b []byte, salt, least uint64) (header, []Record, error) {
	h, err := readHeader(b, salt)
	if err != nil {
		return header{}, nil, err
	}
	if h.first < least || h.size() > int64(len(b)) || h.last() < h.first {
		return header{}, nil, errBad
	}
	records, err := h.records(b[headerSize:h.size()])
	return h, records, err
}

// resume is where the first good frame of b begins, or -1.
func resume(b []byte, salt, least uint64) int {
	for at := 0; ; at++ {
		next := bytes.Index(b[at:], []byte(magic))
		if next < 0 {
			return -1
		}
		at += next
		if _, _, err := readFrame(b[at:], salt, least); err == nil {
			return at
		}
	}
}

// survey reads a segment whole. End is where its last good frame ends, and
// next the number that follows its records.
func survey(b []byte, salt, first uint64) (end int, next uint64) {
	next = first
	for at := 0; at < len(b); {
		h, _, err := readFrame(b[at:], salt, next)
		if err != nil {
			skip := resume(b[at:], salt, next)
			if skip < 0 {
				break
			}
			at += skip
			continue
		}
		at += int(h.size())
		end, next = at, h.last()+1
	}
	return end, next
}
