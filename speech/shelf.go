package speech

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ringback/prompts"
)

// Note is what Path.json says of a clip.
type Note struct {
	Keys     []prompts.Key    `json:"keys"`
	Language prompts.Language `json:"language"`
	Pace     string           `json:"pace"` // "normal", "slow" or "slowest"
	Simple   bool             `json:"simple"`
	Written  string           `json:"written"`
	Duration int64            `json:"duration_ms"`
	Engine   string           `json:"engine"` // its name, or "recording"
}

// Media is the clip as Asterisk is asked to play it: it takes the format of the
// channel from beside the path.
func (c Clip) Media() string { return "sound:" + c.Path }

// Note reads what is written beside the clip.
func (c Clip) Note() (Note, error) {
	var n Note
	b, err := os.ReadFile(c.Path + noteExt)
	if err == nil {
		err = json.Unmarshal(b, &n)
	}
	if err != nil {
		return Note{}, fmt.Errorf("read note of clip: %w", err)
	}
	return n, nil
}

// shelf is the folder of clips, shared by all processes of a machine. A clip is
// there when its note is: the note is written last.
type shelf struct {
	dir      string
	saidMode os.FileMode
}

// The parts of a shelf: lines that are always the same, and lines with a
// caller's data in them, which are kept from others and not for long.
const (
	fixedDir = "fixed"
	saidDir  = "said"
	noteExt  = ".json"
)

func newShelf(dir string, saidMode os.FileMode) (*shelf, error) {
	s := &shelf{dir: dir, saidMode: saidMode}
	if err := os.MkdirAll(filepath.Join(dir, fixedDir), 0o755); err != nil {
		return nil, fmt.Errorf("make folder for clips: %w", err)
	}
	// Who may read may enter.
	said, mode := filepath.Join(dir, saidDir), saidMode|saidMode>>2&0o111
	if err := os.MkdirAll(said, mode); err != nil {
		return nil, fmt.Errorf("make folder for clips: %w", err)
	}
	if err := os.Chmod(said, mode); err != nil { // the umask, or an older setting
		return nil, fmt.Errorf("make folder for clips: %w", err)
	}
	return s, nil
}

// path is where a clip stands, without extension.
func (s *shelf) path(name string, said bool) string {
	if said {
		return filepath.Join(s.dir, saidDir, name)
	}
	return filepath.Join(s.dir, fixedDir, name)
}

// find returns the clip at path if it is there whole, and makes it young again
// for prune. After a loss of power, files can be there and empty: so their
// sizes must agree.
func (s *shelf) find(path string, now time.Time) (Clip, bool) {
	last := formats[len(formats)-1]
	info, err := os.Stat(path + last.ext)
	if err != nil || info.Size() == 0 {
		return Clip{}, false
	}
	n := int(info.Size()) / 2
	for _, f := range formats {
		info, err := os.Stat(path + f.ext)
		if err != nil || info.Size() != int64(f.size(n)) {
			return Clip{}, false
		}
	}
	note, err := os.Stat(path + noteExt)
	if err != nil || note.Size() == 0 {
		return Clip{}, false
	}
	if now.Sub(note.ModTime()) > time.Minute {
		if os.Chtimes(path+noteExt, now, now) != nil {
			return Clip{}, false // just pruned
		}
	}
	return Clip{Path: path, Duration: time.Duration(n) * time.Second / Rate}, true
}

// put writes a clip.
func (s *shelf) put(path string, a Audio, n Note, said bool) (Clip, error) {
	mode := os.FileMode(0o644)
	if said {
		mode = s.saidMode
	}
	if err := writeSound(path, a, mode); err != nil {
		return Clip{}, err
	}
	c := Clip{Path: path, Duration: a[:len(a)&^1].Duration()}
	n.Duration = c.Duration.Milliseconds()
	b, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return Clip{}, fmt.Errorf("write note of clip: %w", err)
	}
	if err := replace(path+noteExt, append(b, '\n'), mode); err != nil {
		return Clip{}, fmt.Errorf("write note of clip: %w", err)
	}
	return c, nil
}

// prune removes the lines with a caller's data that nobody heard since a time,
// and what crashed processes left behind. It returns how many clips went.
func (s *shelf) prune(before time.Time) (int, error) {
	said := filepath.Join(s.dir, saidDir)
	entries, err := os.ReadDir(said)
	if err != nil {
		return 0, fmt.Errorf("prune clips: %w", err)
	}
	var faults []error
	removed := 0
	old := func(path string) bool {
		info, err := os.Stat(path)
		return errors.Is(err, fs.ErrNotExist) || err == nil && info.ModTime().Before(before)
	}
	remove := func(path string) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			faults = append(faults, err)
		}
	}
	for _, e := range entries {
		path := filepath.Join(said, e.Name())
		note := strings.TrimSuffix(path, filepath.Ext(path)) + noteExt
		// The note's age is the clip's; a file without one has its own.
		if !old(path) || !old(note) {
			continue
		}
		if path == note {
			removed++
		} else {
			remove(note) // first, so that no process finds half a clip
		}
		remove(path)
	}
	left, err := filepath.Glob(filepath.Join(s.dir, fixedDir, unfinished+"*"))
	if err != nil {
		return removed, fmt.Errorf("prune clips: %w", err)
	}
	for _, path := range left {
		if old(path) {
			remove(path)
		}
	}
	return removed, errors.Join(faults...)
}
