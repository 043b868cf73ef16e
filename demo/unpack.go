package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// leftOut is what no program reads: a third of the files.
var leftOut = []string{
	"./usr/share/doc", "./usr/share/man", "./usr/share/info", "./usr/share/locale", "./usr/share/lintian",
	"./usr/share/bug", "./usr/share/perl*", "./usr/share/i18n", "./etc",
}

// unpack puts the files of packages below root, on all cores, and deletes each
// package as it is done. Done is called with the number of packages unpacked.
func unpack(ctx context.Context, debs []string, root string, done func(int)) error {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	finished := make(chan struct{})
	counted := make(chan struct{})
	go func() {
		defer close(counted)
		n := 0
		for range finished {
			n++
			done(n)
		}
	}()
	for _, d := range debs {
		g.Go(func() error {
			if err := unpackOne(ctx, d, root); err != nil {
				return fmt.Errorf("unpack %s: %w", filepath.Base(d), err)
			}
			finished <- struct{}{}
			return os.Remove(d)
		})
	}
	err := g.Wait()
	close(finished)
	<-counted
	if err != nil {
		return err
	}
	return harmless(root)
}

func unpackOne(ctx context.Context, file, root string) error {
	from := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", file)
	args := []string{"-x", "-C", root, "--no-same-owner", "--no-same-permissions", "--delay-directory-restore"}
	for _, l := range leftOut {
		args = append(args, "--exclude="+l)
	}
	to := exec.CommandContext(ctx, "tar", args...)
	endTogether(from)
	endTogether(to)
	var said strings.Builder
	to.Stderr, from.Stderr = &said, nil
	pipe, err := from.StdoutPipe()
	if err != nil {
		return err
	}
	to.Stdin = pipe
	if err := errors.Join(from.Start(), to.Run()); err != nil {
		if from.Process != nil {
			_ = from.Wait() // tar's reason is the one to tell
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if s := strings.TrimSpace(said.String()); s != "" {
			return errors.New(strings.SplitN(s, "\n", 2)[0])
		}
		return err
	}
	if err := from.Wait(); err != nil {
		return fmt.Errorf("the package is damaged, try again: %w", err)
	}
	return nil
}

// harmless takes set-user-id and set-group-id from all files: nothing here
// may give anybody rights.
func harmless(root string) error {
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !e.Type().IsRegular() {
			return nil
		}
		i, err := e.Info()
		if err != nil || i.Mode()&(fs.ModeSetuid|fs.ModeSetgid) == 0 {
			return err
		}
		return os.Chmod(path, i.Mode().Perm())
	})
}
