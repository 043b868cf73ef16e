package speech

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrFormat says that a file is no WAV file this package reads.
var ErrFormat = errors.New("not a WAV file of 16-bit PCM or the like")

// Format tags of WAV files (Microsoft, "Multimedia Data Standards Update", 1994).
const (
	wavePCM        = 1
	waveExtensible = 0xFFFE // the real tag begins the sub-format
)

// maxWAV bounds what is read of one file, in bytes: five minutes at 48 kHz.
const maxWAV = 30 << 20

// waveFormat is the part of the chunk "fmt " that matters.
type waveFormat struct {
	Tag, Channels     uint16
	Rate, BytesPerSec uint32
	BlockAlign, Bits  uint16
}

// ReadWAV reads a WAV file of integer PCM with 8, 16, 24 or 32 bits, at 8 to
// 96 kHz, and returns it at Rate. Several channels are mixed into one. Engines
// that write to a pipe cannot know the length beforehand, so a data chunk may
// end early. It fails with ErrFormat.
//
// Written here because the WAV module at hand is no longer kept, reads sample
// by sample, and trusts the sizes a file claims.
func ReadWAV(r io.Reader) (Audio, error) {
	all, err := io.ReadAll(io.LimitReader(r, maxWAV+1))
	if err != nil {
		return nil, fmt.Errorf("read WAV: %w", err)
	}
	if len(all) > maxWAV {
		return nil, fmt.Errorf("%w: longer than %d MB", ErrFormat, maxWAV>>20)
	}
	if len(all) < 12 || string(all[:4]) != "RIFF" || string(all[8:12]) != "WAVE" {
		return nil, fmt.Errorf("%w: no RIFF header", ErrFormat)
	}

	var format *waveFormat
	for rest := all[12:]; len(rest) >= 8; {
		id, size := string(rest[:4]), int64(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		chunk := rest[:min(size, int64(len(rest)))]
		switch id {
		case "fmt ":
			if format, err = parseFormat(chunk); err != nil {
				return nil, err
			}
		case "data":
			if format == nil {
				return nil, fmt.Errorf("%w: data before format", ErrFormat)
			}
			return format.decode(chunk)
		}
		// Chunks are padded to an even length.
		rest = rest[min(size+size%2, int64(len(rest))):]
	}
	return nil, fmt.Errorf("%w: no data", ErrFormat)
}

func parseFormat(chunk []byte) (*waveFormat, error) {
	var f waveFormat
	n, err := binary.Decode(chunk, binary.LittleEndian, &f)
	if err != nil {
		return nil, fmt.Errorf("%w: short format chunk", ErrFormat)
	}
	if f.Tag == waveExtensible && len(chunk) >= n+10 {
		f.Tag = binary.LittleEndian.Uint16(chunk[n+8:])
	}
	switch {
	case f.Tag != wavePCM:
		return nil, fmt.Errorf("%w: format tag %#x", ErrFormat, f.Tag)
	case f.Bits != 8 && f.Bits != 16 && f.Bits != 24 && f.Bits != 32:
		return nil, fmt.Errorf("%w: %d bits a sample", ErrFormat, f.Bits)
	case f.Channels == 0 || f.Channels > 8:
		return nil, fmt.Errorf("%w: %d channels", ErrFormat, f.Channels)
	case !acceptedRates[int(f.Rate)]:
		return nil, fmt.Errorf("%w: %d Hz", ErrFormat, f.Rate)
	}
	return &f, nil
}

func (f *waveFormat) decode(data []byte) (Audio, error) {
	size, channels := int(f.Bits)/8, int(f.Channels)
	mono := make([]float64, len(data)/(size*channels))
	for i := range mono {
		for range channels {
			mono[i] += pcm(data[:size]) / float64(channels)
			data = data[size:]
		}
	}
	f64, err := resample(mono, int(f.Rate), Rate)
	if err != nil {
		return nil, err
	}
	return quantise(f64), nil
}

// pcm is one sample, full scale = 1. Eight bits are unsigned, all others signed
// and little-endian.
func pcm(b []byte) float64 {
	if len(b) == 1 {
		return (float64(b[0]) - 128) / 128
	}
	var v uint32
	for _, x := range b {
		v = v>>8 | uint32(x)<<24
	}
	return float64(int32(v)) / (1 << 31)
}
