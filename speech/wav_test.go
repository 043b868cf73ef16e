package speech

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"
)

// wavFile makes a WAV file of the same samples in every channel.
func wavFile(f []float64, rate, bits, channels int) []byte {
	var data []byte
	for _, x := range f {
		for range channels {
			switch v := int32(math.Round(x * (1<<31 - 1))); bits {
			case 8:
				data = append(data, byte(v>>24)+128)
			case 16:
				data = binary.LittleEndian.AppendUint16(data, uint16(v>>16))
			case 24:
				data = append(data, byte(v>>8), byte(v>>16), byte(v>>24))
			case 32:
				data = binary.LittleEndian.AppendUint32(data, uint32(v))
			}
		}
	}
	return wavWith(1, rate, bits, channels, uint32(len(data)), data)
}

func wavWith(tag, rate, bits, channels int, size uint32, data []byte) []byte {
	var b bytes.Buffer
	b.WriteString("RIFF\xff\xff\xff\xffWAVE")
	b.WriteString("LIST\x05\x00\x00\x00odd..\x00") // padded to even
	b.WriteString("fmt \x10\x00\x00\x00")
	align := channels * bits / 8
	for _, v := range []any{
		uint16(tag), uint16(channels), uint32(rate), uint32(rate * align), uint16(align), uint16(bits),
	} {
		binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, size)
	b.Write(data)
	return b.Bytes()
}

func TestReadWAV(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{8000, 16000, 22050, 44100, 48000} {
		for _, bits := range []int{8, 16, 24, 32} {
			for _, channels := range []int{1, 2} {
				a, err := ReadWAV(bytes.NewReader(wavFile(sines(1000, rate, part{-6, 1}), rate, bits, channels)))
				if err != nil {
					t.Fatalf("%d Hz, %d bits, %d channels: %v", rate, bits, channels, err)
				}
				got, want := a.floats(), sines(1000, Rate, part{-6, 1})
				rest := make([]float64, len(got))
				for i := range got {
					rest[i] = got[i] - want[i]
				}
				most := -60.0
				if bits == 8 {
					most = -35
				}
				if len(got) != Rate || level(rest)-level(want) > most {
					t.Errorf("%d Hz, %d bits, %d channels: %d samples, off by %.1f dB",
						rate, bits, channels, len(got), level(rest)-level(want))
				}
			}
		}
	}
}

func TestReadWAVFromAPipe(t *testing.T) {
	t.Parallel()
	// What espeak-ng writes to a pipe claims to be 2 GB long.
	a, err := ReadWAV(bytes.NewReader(wavWith(1, Rate, 16, 1, 0x7ffff000, make([]byte, 3201))))
	if err != nil || len(a) != 1600 {
		t.Errorf("got %d samples and %v, want the 1600 that are there", len(a), err)
	}
}

func TestReadWAVRefuses(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{
		"nothing":        nil,
		"another file":   []byte("ID3 and so on, an MP3 perhaps"),
		"no data":        []byte("RIFF\x04\x00\x00\x00WAVE"),
		"float":          wavWith(3, Rate, 32, 1, 4, make([]byte, 4)),
		"A-law":          wavWith(6, 8000, 8, 1, 4, make([]byte, 4)),
		"12 bits":        wavWith(1, Rate, 12, 1, 4, make([]byte, 4)),
		"no channel":     wavWith(1, Rate, 16, 0, 4, make([]byte, 4)),
		"a strange rate": wavWith(1, 12345, 16, 1, 4, make([]byte, 4)),
	} {
		if _, err := ReadWAV(bytes.NewReader(b)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v, want ErrFormat", name, err)
		}
	}
}

func FuzzReadWAV(f *testing.F) {
	f.Add(wavFile(sines(1000, 8000, part{-6, 0.01}), 8000, 16, 2))
	f.Add(wavWith(0xfffe, 44100, 24, 1, 0xffffffff, []byte{1, 2, 3, 4}))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ReadWAV(bytes.NewReader(b))
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Errorf("error %v is not ErrFormat", err)
		}
		if len(a) > 2*len(b)+1 {
			t.Errorf("%d bytes became %d samples", len(b), len(a))
		}
	})
}
