package speech

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/gotranspile/g722"
	"github.com/zaf/g711"
)

// format is one way a clip is kept, named by the extension Asterisk knows it by.
type format struct {
	ext string
	// encode returns the audio in this format; narrow is the same at 8 kHz.
	encode func(a Audio, narrow func() Audio) []byte
	// size is how many bytes n samples at Rate become.
	size func(n int) int
}

// formats are those of Clip. The last is the one a clip's length is read from.
var formats = []format{
	{".alaw", func(_ Audio, narrow func() Audio) []byte { return g711.EncodeAlaw(narrow().bytes()) }, halved},
	{".ulaw", func(_ Audio, narrow func() Audio) []byte { return g711.EncodeUlaw(narrow().bytes()) }, halved},
	// Asterisk takes 64 kbit/s only (formats/format_pcm.c).
	{".g722", func(a Audio, _ func() Audio) []byte { return g722.Encode(a, g722.Rate64000, 0) }, halved},
	{".sln16", func(a Audio, _ func() Audio) []byte { return a.bytes() }, func(n int) int { return 2 * n }},
}

func halved(n int) int { return n / 2 }

// encode returns the audio in all formats, in their order, made side by side: a
// caller may be waiting. An odd last sample is left out, so that all formats
// last equally long.
func encode(a Audio) [][]byte {
	a = a[:len(a)&^1]
	narrow := sync.OnceValue(func() Audio {
		return quantise(resamplerFor(Rate, 8000).convert(a.floats()))
	})
	all := make([][]byte, len(formats))
	var side sync.WaitGroup
	for i, f := range formats {
		side.Go(func() { all[i] = f.encode(a, narrow) })
	}
	side.Wait()
	return all
}

// bytes is the audio as little-endian 16-bit PCM.
func (a Audio) bytes() []byte {
	b := make([]byte, 0, 2*len(a))
	for _, s := range a {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

// WriteSound writes audio beside Asterisk in every format of a Clip: path is
// without extension, its folder must exist. Files that are there are replaced.
func WriteSound(path string, a Audio) error { return writeSound(path, a, 0o644) }

func writeSound(path string, a Audio, mode os.FileMode) error {
	all := encode(a)
	for i, f := range formats {
		if err := replace(path+f.ext, all[i], mode); err != nil {
			return fmt.Errorf("write sound: %w", err)
		}
	}
	return nil
}

// unfinished begins the name of a file that is still being written.
const unfinished = ".unfinished-"

// replace writes a file under another name and renames it: readers see all of
// it or nothing, whoever else writes it and whenever the process ends.
func replace(path string, content []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), unfinished)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(mode)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
