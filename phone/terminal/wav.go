package terminal

import (
	"bytes"
	"encoding/binary"
	"os"

	"ringback/phone"
)

// saveWAV writes 16-bit mono audio.
func saveWAV(path string, pcm []int16) error {
	const header, sampleSize = 44, 2
	size := uint32(len(pcm) * sampleSize)
	var b bytes.Buffer
	b.Grow(header + len(pcm)*sampleSize)
	b.WriteString("RIFF")
	for _, v := range []any{
		size + header - 8, [8]byte([]byte("WAVEfmt ")), uint32(16),
		uint16(1), uint16(1), uint32(phone.Rate), uint32(phone.Rate * sampleSize), uint16(sampleSize), uint16(8 * sampleSize),
		[4]byte([]byte("data")), size, pcm,
	} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			return err
		}
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
