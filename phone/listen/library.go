// Package listen recognises prompts in what a telephone heard, by correlating
// it with the prompts' own audio.
// It must not know telephony, nor what a prompt is for.
package listen

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zaf/g711"
)

// Library is the clips that can be recognised. It may be used by several
// listeners at once, and grow meanwhile.
type Library struct {
	mu    sync.Mutex
	clips []*Clip // only ever appended to
	names map[string]bool
	dir   string
	seen  map[string]time.Time // folders by their last change that was read
}

// NewLibrary returns an empty library.
func NewLibrary() *Library {
	return &Library{names: map[string]bool{}, seen: map[string]time.Time{}}
}

// Add adds a clip of 8 kHz audio. It reports false where there is nothing to
// recognise: no speech, or a name that is known already.
func (l *Library) Add(name string, keys []string, text string, pcm []int16) bool {
	c := newClip(name, keys, text, pcm)
	l.mu.Lock()
	defer l.mu.Unlock()
	if c == nil || l.names[name] {
		return false
	}
	l.names[name] = true
	l.clips = append(l.clips, c)
	return true
}

// Len is the number of clips.
func (l *Library) Len() int { return len(l.snapshot()) }

func (l *Library) snapshot() []*Clip {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clips[:len(l.clips):len(l.clips)]
}

// note is what stands in NAME.json beside a clip; package speech writes it, as
// the last of a clip's files.
type note struct {
	Keys    []string `json:"keys"`
	Written string   `json:"written"`
}

// Open returns a library of the clips in a folder and the folders below it:
// each NAME.json with its NAME.sln16 (16 kHz, 16-bit little-endian PCM without
// header), else its NAME.ulaw. A clip's name is its path below dir without
// extension.
func Open(dir string) (*Library, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("open the library of prompts: %w", err)
	}
	l := NewLibrary()
	l.dir = dir
	return l, l.Refresh()
}

// Copy is a library of the same clips and folder, to which others may be added.
func (l *Library) Copy() *Library {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &Library{
		clips: slices.Clone(l.clips), names: maps.Clone(l.names), dir: l.dir, seen: maps.Clone(l.seen),
	}
}

// Refresh adds the clips that were put into the folder since it was last read.
// A clip that cannot be read now is tried again the next time.
func (l *Library) Refresh() error {
	if l.dir == "" {
		return nil
	}
	return filepath.WalkDir(l.dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil // just pruned; or not for our eyes
		}
		if err != nil || !d.IsDir() {
			return err
		}
		return l.read(path)
	})
}

// read adds the new clips of one folder.
func (l *Library) read(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return nil
	}
	l.mu.Lock()
	unchanged := l.seen[dir].Equal(info.ModTime())
	l.mu.Unlock()
	if unchanged {
		return nil
	}
	// A folder's time stands still for the length of a clock tick: what changed
	// just now may change again and look the same.
	complete := time.Since(info.ModTime()) > time.Second
	entries, err := os.ReadDir(dir)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return nil
		}
		return fmt.Errorf("read the library of prompts: %w", err)
	}
	for _, e := range entries {
		path, isNote := strings.CutSuffix(filepath.Join(dir, e.Name()), ".json")
		if !isNote {
			continue
		}
		name, err := filepath.Rel(l.dir, path)
		if err != nil {
			return err
		}
		l.mu.Lock()
		known := l.names[name]
		l.mu.Unlock()
		if known {
			continue
		}
		n, pcm, err := load(path)
		if err != nil {
			complete = false
			continue
		}
		if !l.Add(name, n.Keys, n.Written, pcm) {
			l.mu.Lock()
			l.names[name] = true // nothing to hear in it
			l.mu.Unlock()
		}
	}
	if complete {
		l.mu.Lock()
		l.seen[dir] = info.ModTime()
		l.mu.Unlock()
	}
	return nil
}

// load reads one clip as 8 kHz audio.
func load(path string) (note, []int16, error) {
	var n note
	text, err := os.ReadFile(path + ".json")
	if err != nil {
		return n, nil, err
	}
	if err := json.Unmarshal(text, &n); err != nil {
		return n, nil, fmt.Errorf("read %s.json: %w", path, err)
	}
	raw, err := os.ReadFile(path + ".sln16")
	if err == nil {
		pcm := make([]int16, len(raw)/2)
		for i := range pcm {
			pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
		}
		return n, halve(pcm), nil
	}
	raw, err = os.ReadFile(path + ".ulaw")
	if err != nil {
		return n, nil, err
	}
	pcm := make([]int16, len(raw))
	for i, b := range raw {
		pcm[i] = g711.DecodeUlawFrame(b)
	}
	return n, pcm, nil
}
