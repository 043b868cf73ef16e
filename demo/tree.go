package demo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// tree is packages unpacked below a folder. Their programs need their own,
// newer C library: they are run by the loader that came with them, which
// needs no rights, and leaves the machine's files in sight.
type tree struct {
	root, bin string
	loader    string   // below root
	libs      []string // folders of libraries, below root
}

func newTree(root, bin string) (tree, error) {
	t := tree{root: root, bin: bin}
	libc, err := t.find("usr/lib/*/libc.so.6")
	if err != nil {
		return tree{}, err
	}
	t.libs = []string{filepath.Dir(libc)}
	if pulse, err := t.find("usr/lib/*/pulseaudio"); err == nil {
		t.libs = append(t.libs, pulse)
	}
	t.loader, err = t.find("usr/lib*/ld-linux*.so.*", "usr/lib/*/ld-linux*.so.*")
	return t, err
}

// onOwnLibraries builds a set whose programs run on the libraries beside them.
func onOwnLibraries(builds ...func(tree) error) func(root, bin string) error {
	return func(root, bin string) error {
		t, err := newTree(root, bin)
		for _, build := range builds {
			if err == nil {
				err = build(t)
			}
		}
		return err
	}
}

func (t tree) path(rel string) string { return filepath.Join(t.root, rel) }

// find returns the first match of a pattern below root, relative to it.
func (t tree) find(patterns ...string) (string, error) {
	for _, p := range patterns {
		if f := first(filepath.Join(t.root, p)); f != "" {
			return filepath.Rel(t.root, f)
		}
	}
	return "", fmt.Errorf("the packages hold no %s", patterns[0])
}

// wrap writes bin/name, which runs the program after some lines of shell.
func (t tree) wrap(name, program, before string) error {
	return t.wrapAt(filepath.Join(t.bin, name), program, program, before)
}

// wrapAt writes a wrapper anywhere below the set's folder. The program is told
// that it is self (below root), which is where some look for their files.
func (t tree) wrapAt(path, program, self, before string) error {
	up, err := filepath.Rel(filepath.Dir(path), t.root)
	if err != nil {
		return err
	}
	var libs []string
	for _, l := range t.libs {
		libs = append(libs, "$root/"+l)
	}
	script := fmt.Sprintf(`#!/bin/sh
# Runs a program by the loader and libraries it was fetched with.
here=$(dirname "$(readlink -f "$0")")
root=$(cd "$here/%s" && pwd -P) || exit 1
%sexec "$root/%s" --argv0 "$root/%s" --library-path "%s" "$root/%s" "$@"
`, up, before, t.loader, self, strings.Join(libs, ":"), program)
	return os.WriteFile(path, []byte(script), 0o755)
}
