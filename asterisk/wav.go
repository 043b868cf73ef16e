package asterisk

import (
	"encoding/binary"
	"errors"
	"time"
)

var errNotWAV = errors.New("no WAV file")

// wavLength is how long a RIFF WAVE file of PCM sounds: the size of its data
// over the bytes a second of its format. A file whose header promises more
// than there is (its writer was interrupted) is as long as what there is.
func wavLength(b []byte) (time.Duration, error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return 0, errNotWAV
	}
	var rate uint32 // bytes a second
	for b = b[12:]; len(b) >= 8; {
		kind, size := string(b[:4]), int64(binary.LittleEndian.Uint32(b[4:8]))
		b = b[8:]
		switch {
		case kind == "fmt " && size >= 16 && len(b) >= 16:
			rate = binary.LittleEndian.Uint32(b[8:12])
		case kind == "data":
			if rate == 0 {
				return 0, errNotWAV
			}
			return time.Duration(min(size, int64(len(b)))) * time.Second / time.Duration(rate), nil
		}
		size += size % 2 // chunks begin at even places
		if size > int64(len(b)) {
			break
		}
		b = b[size:]
	}
	return 0, errNotWAV
}
