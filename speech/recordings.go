package speech

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ringback/prompts"
)

// recordings is a folder of lines spoken by a person:
//
//	<language>/<key>.wav, and <language>/<key>.simple.wav for the simpler words
//
// Files are read anew whenever a clip is asked for that they are part of, so a
// changed one is heard from the next call on.
type recordings struct{ dir string }

// find returns the recording of a line, or nil: there is none, the line has
// values in it, or what was recorded are not the words of the manner. Same
// says that the line has no simpler words.
func (r recordings) find(m prompts.Manner, l prompts.Line, same bool) (*recording, error) {
	if r.dir == "" || len(l.Args) > 0 {
		return nil, nil
	}
	stem := string(m.Language) + "/" + string(l.Key)
	if !filepath.IsLocal(stem) {
		return nil, nil
	}
	stem = filepath.Join(r.dir, stem)
	names := []string{stem + ".wav"}
	switch {
	case m.Simple && same:
		names = []string{stem + ".simple.wav", stem + ".wav"}
	case m.Simple:
		names = []string{stem + ".simple.wav"}
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read recording: %w", err)
		}
		sum := sha256.Sum256(b)
		return &recording{name: name, sum: hex.EncodeToString(sum[:]), wav: b}, nil
	}
	return nil, nil
}

// recording is one file as it was found.
type recording struct {
	name string
	sum  string // of the content
	wav  []byte
}

// audio is the recording as a caller hears it. Text is what should be on it.
func (r *recording) audio(text string) (Audio, error) {
	a, err := ReadWAV(bytes.NewReader(r.wav))
	if err == nil {
		a, err = Level(a, text)
	}
	if err != nil {
		return nil, fmt.Errorf("recording %s: %w", filepath.Base(r.name), err)
	}
	return a, nil
}
