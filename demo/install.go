package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"
)

// Install finds the programs Ringback runs on and fetches what the machine
// lacks, once, into o.Cache. Several at once on a fresh machine wait for each
// other. What is there is complete: a set of programs is unpacked and tried
// aside and then renamed into place, and everything else is removed again.
func Install(ctx context.Context, o Options) (Tools, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Tools{}, err
	}
	var t Tools
	var missing []set
	add := func(own Tools, ok bool, s set) {
		if !ok {
			if own = s.tools(o.Cache); !s.there(o.Cache) {
				missing = append(missing, s)
			}
		}
		t = t.with(own)
	}
	// One download brings Asterisk and the voices; the voices alone are
	// fetched only beside an Asterisk of the machine's own.
	if own, ok := ownAsterisk(ctx); ok {
		t = t.with(own)
		voices, ok := ownVoices()
		add(voices, ok, voiceSet)
	} else {
		add(Tools{}, false, asteriskSet)
	}
	own, ok := ownPostgres(ctx)
	add(own, ok, postgresSet)
	return t, fetch(ctx, o, missing)
}

// with adds what another finding knows.
func (t Tools) with(o Tools) Tools {
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&t.Asterisk, o.Asterisk}, {&t.Modules, o.Modules}, {&t.Data, o.Data},
		{&t.Pico, o.Pico}, {&t.Espeak, o.Espeak}, {&t.Initdb, o.Initdb}, {&t.Postgres, o.Postgres},
	} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	return t
}

// fetch installs sets that are missing.
func fetch(ctx context.Context, o Options, missing []set) error {
	if len(missing) == 0 {
		return nil
	}
	if err := os.MkdirAll(o.Cache, 0o755); err != nil {
		return fmt.Errorf("%s cannot be made: make it writable, or set XDG_CACHE_HOME to a folder that is (%w)", o.Cache, reason(err))
	}
	lock := flock.New(filepath.Join(o.Cache, "lock"))
	if free, err := lock.TryLock(); err != nil {
		return fmt.Errorf("%s cannot be written: make it writable, or set XDG_CACHE_HOME to a folder that is (%w)", o.Cache, reason(err))
	} else if !free {
		fmt.Fprintln(o.Out, "Another start is fetching what is missing; waiting for it.")
		if _, err := lock.TryLockContext(ctx, pace); err != nil {
			return context.Cause(ctx)
		}
	}
	defer func() { _ = lock.Unlock() }() // the file stays; closing it unlocks

	var still []set
	for _, s := range missing { // another start may have brought them
		if !s.there(o.Cache) {
			still = append(still, s)
		}
	}
	if len(still) == 0 {
		return nil
	}
	if err := sweep(o.Cache); err != nil {
		return err
	}
	work, err := os.MkdirTemp(o.Cache, unfinished+"*")
	if err != nil {
		return fmt.Errorf("%s cannot be written: make it writable, or set XDG_CACHE_HOME to a folder that is (%w)", o.Cache, reason(err))
	}
	err = fetchInto(ctx, o, work, still)
	// Whatever happened: nothing half-made stays.
	return errors.Join(err, os.RemoveAll(work))
}

// unfinished begins the names of folders in the cache that are being made.
const unfinished = ".unfinished-"

// sweep removes what a start that was killed left behind. The lock is held.
func sweep(cache string) error {
	left, err := filepath.Glob(filepath.Join(cache, unfinished+"*"))
	if err != nil {
		return err
	}
	for _, l := range left {
		if err := os.RemoveAll(l); err != nil {
			return fmt.Errorf("remove what an interrupted start left: %w", err)
		}
	}
	return nil
}

func fetchInto(ctx context.Context, o Options, work string, sets []set) error {
	fmt.Fprintf(o.Out, "Missing on this machine:\n")
	for _, s := range sets {
		fmt.Fprintf(o.Out, "  %-9s %s\n", s.name, s.why)
	}
	fmt.Fprintf(o.Out, "Fetched once from this machine's own Debian mirror into %s; nothing is installed system-wide.\n", o.Cache)

	archives := map[string]*archive{}
	plans := make([][]deb, len(sets))
	var size int64
	for i, s := range sets {
		a := archives[s.suite]
		if a == nil {
			fmt.Fprintln(o.Out, "Reading the list of packages (about 10 MB) …")
			var err error
			if a, err = openArchive(ctx, filepath.Join(work, "apt-"+s.name), s.suite); err != nil {
				return err
			}
			archives[s.suite] = a
		}
		var err error
		if plans[i], err = a.plan(ctx, s.packages); err != nil {
			return err
		}
		for _, d := range plans[i] {
			size += d.size
		}
	}
	if err := room(o.Cache, size*unpacked); err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "To download: %d MB; on disk afterwards: about %d MB.\n", size>>20, size*unpacked*3/4>>20)
	for i, s := range sets {
		if err := s.install(ctx, o, archives[s.suite], plans[i], filepath.Join(work, s.name)); err != nil {
			return err
		}
	}
	return nil
}

// unpacked is how many times larger packages are on disk while both they and
// what they hold are there.
const unpacked = 5

// room fails when a disk has less than so many bytes left.
func room(dir string, bytes int64) error {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return fmt.Errorf("ask for the room on the disk of %s: %w", dir, err)
	}
	if free := int64(s.Bavail) * s.Bsize; free < bytes {
		return fmt.Errorf("the disk of %s has %d MB left and %d MB are needed: free some, or choose a folder on another disk",
			dir, free>>20, bytes>>20)
	}
	return nil
}

// reason is the operating system's own word, without the operation and path
// that the sentence already holds.
func reason(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
