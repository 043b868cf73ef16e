package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// set is programs that are fetched together. It lies in the cache as
// NAME-LAYOUT/ with the packages' files below root/ and a wrapper for each
// program in bin/. The folder may be moved, and used by others.
type set struct {
	name     string
	why      string
	suite    string
	packages []string
	// build writes the wrappers of the programs below root.
	build func(root, bin string) error
	// try runs each program once.
	try func(ctx context.Context, bin, scratch string) error
	// find fills in Tools.
	find func(dir string) Tools
}

// layout counts up when a set of an earlier Ringback no longer fits. The old
// one is removed when the new one is there.
const layout = 1

func (s set) dir(cache string) string {
	return filepath.Join(cache, s.name+"-"+strconv.Itoa(layout))
}

func (s set) there(cache string) bool {
	_, err := os.Stat(s.dir(cache))
	return err == nil
}

func (s set) tools(cache string) Tools { return s.find(s.dir(cache)) }

// install makes the set in work, tries it, and renames it into the cache.
func (s set) install(ctx context.Context, o Options, a *archive, debs []deb, work string) error {
	var size int64
	for _, d := range debs {
		size += d.size
	}
	p := newProgress(o.Out)
	downloaded := p.bar("downloading "+s.name, size, "MB")
	files, err := a.download(ctx, s.packages, debs, downloaded)
	if err != nil {
		return err
	}
	downloaded(size)
	root := filepath.Join(work, "root")
	count := p.bar("unpacking "+s.name, int64(len(files)), "packages")
	if err := unpack(ctx, files, root, func(n int) { count(int64(n)) }); err != nil {
		return err
	}
	bin := filepath.Join(work, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return err
	}
	if err := s.build(root, bin); err != nil {
		return fmt.Errorf("set up %s: %w", s.name, err)
	}
	if err := s.try(ctx, bin, filepath.Dir(work)); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%s was fetched but does not run here: %w", s.name, err)
	}
	if err := os.Rename(work, s.dir(o.Cache)); err != nil {
		return err
	}
	return s.removeOlder(o.Cache)
}

// removeOlder removes the same set in earlier layouts.
func (s set) removeOlder(cache string) error {
	found, err := filepath.Glob(filepath.Join(cache, s.name+"-*"))
	if err != nil {
		return err
	}
	for _, f := range found {
		n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(f), s.name+"-"))
		if err == nil && n < layout {
			if err := os.RemoveAll(f); err != nil {
				return fmt.Errorf("remove an older %s: %w", s.name, err)
			}
		}
	}
	return nil
}
