package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// compilerSet is a C compiler, which Go's race detector wants. It makes
// programs for this machine, so it comes from the machine's own release and
// runs on the machine's own C library.
var compilerSet = set{
	name: "compiler", suite: suiteHost,
	why:      "gcc, which Go's race detector needs",
	packages: []string{"gcc", "libc6-dev"},
	build:    buildCompiler,
	try: func(ctx context.Context, bin, scratch string) error {
		source, program := filepath.Join(scratch, "try.c"), filepath.Join(scratch, "try")
		text := "#include <pthread.h>\n#include <stdio.h>\nint main(void) { return pthread_self() == 0; }\n"
		if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
			return err
		}
		if err := runs(ctx, filepath.Join(bin, "gcc"), "-g", "-pthread", "-o", program, source); err != nil {
			return err
		}
		return runs(ctx, program)
	},
	find: func(dir string) Tools { return Tools{} },
}

// Compiler finds the machine's C compiler, or fetches one as Install does.
func Compiler(ctx context.Context, o Options) (string, error) {
	o, err := o.withDefaults()
	if err != nil {
		return "", err
	}
	for _, name := range []string{"gcc", "clang", "cc"} {
		if own := look(name); own != "" && compiles(ctx, own) {
			return own, nil
		}
	}
	if !compilerSet.there(o.Cache) {
		if err := fetch(ctx, o, []set{compilerSet}); err != nil {
			return "", err
		}
	}
	return filepath.Join(compilerSet.dir(o.Cache), "bin", "gcc"), nil
}

// compiles says whether a compiler has its headers: gcc without libc6-dev has
// none.
func compiles(ctx context.Context, program string) bool {
	dir, err := os.MkdirTemp("", "ringback-cc-*")
	if err != nil {
		return false
	}
	defer os.RemoveAll(dir)
	source := filepath.Join(dir, "try.c")
	if err := os.WriteFile(source, []byte("#include <stdlib.h>\nint main(void) { return 0; }\n"), 0o600); err != nil {
		return false
	}
	return runs(ctx, program, "-o", filepath.Join(dir, "try"), source) == nil
}

// buildCompiler writes a wrapper that keeps gcc below root: its programs and
// headers, and what it links with. The paths in Debian's linker scripts are
// absolute, which a system root leads below root too.
func buildCompiler(root, bin string) error {
	t := tree{root: root, bin: bin}
	gcc, err := t.find("usr/bin/*-linux-gnu*-gcc-[0-9]*", "usr/bin/gcc-[0-9]*")
	if err != nil {
		return err
	}
	start, err := t.find("usr/lib/*/crt1.o")
	if err != nil {
		return err
	}
	script := fmt.Sprintf(`#!/bin/sh
# Runs a C compiler that was unpacked here rather than installed.
here=$(dirname "$(readlink -f "$0")")
root=$(cd "$here/../root" && pwd -P) || exit 1
LD_LIBRARY_PATH="$root/%s${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
PATH="$root/usr/bin:$PATH"
export LD_LIBRARY_PATH PATH
exec "$root/%s" --sysroot="$root" -B"$root/usr/bin/" "$@"
`, filepath.Dir(start), gcc)
	return os.WriteFile(filepath.Join(t.bin, "gcc"), []byte(script), 0o755)
}
