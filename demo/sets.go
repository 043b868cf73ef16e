package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The sets there are.
var (
	asteriskSet = set{
		name: "asterisk", suite: suiteSid,
		why:      "Asterisk 20 or newer, the telephone exchange, and the voices pico2wave and espeak-ng",
		packages: []string{"asterisk", "asterisk-core-sounds-en-gsm", "libttspico-utils", "espeak-ng"},
		build:    onOwnLibraries(buildAsterisk, buildVoices),
		try: func(ctx context.Context, bin, scratch string) error {
			return errors.Join(runs(ctx, filepath.Join(bin, "asterisk"), "-V"), speak(ctx, bin, scratch))
		},
		find: func(dir string) Tools {
			t := foundVoices(dir)
			t.Asterisk = filepath.Join(dir, "bin", "asterisk")
			t.Modules = filepath.Join(dir, "modules")
			t.Data = filepath.Join(dir, "root", "usr", "share", "asterisk")
			return t
		},
	}
	voiceSet = set{
		name: "voices", suite: suiteSid,
		why:      "the voices pico2wave and espeak-ng",
		packages: []string{"libttspico-utils", "espeak-ng"},
		build:    onOwnLibraries(buildVoices),
		try:      speak,
		find:     foundVoices,
	}
	postgresSet = set{
		name: "postgres", suite: suiteSid,
		why: "Postgres 15 or newer, the database",
		// libc-bin brings the locale C.UTF-8 that fits the C library.
		packages: []string{"postgresql", "libc-bin"},
		build:    onOwnLibraries(buildPostgres),
		try: func(ctx context.Context, bin, _ string) error {
			return errors.Join(runs(ctx, filepath.Join(bin, "postgres"), "--version"), runs(ctx, filepath.Join(bin, "initdb"), "--version"))
		},
		find: func(dir string) Tools {
			bin := filepath.Join(dir, "bin")
			return Tools{Initdb: filepath.Join(bin, "initdb"), Postgres: filepath.Join(bin, "postgres")}
		},
	}
)

func foundVoices(dir string) Tools {
	bin := filepath.Join(dir, "bin")
	return Tools{Pico: filepath.Join(bin, "pico2wave"), Espeak: filepath.Join(bin, "espeak-ng")}
}

func buildAsterisk(t tree) error {
	modules, err := t.find("usr/lib/*/asterisk/modules")
	if err != nil {
		return err
	}
	// Debian links the language's folder when it configures the package.
	sounds := t.path("usr/share/asterisk/sounds")
	if _, err := os.Stat(filepath.Join(sounds, "en")); errors.Is(err, os.ErrNotExist) {
		if err := os.Symlink("en_US_f_Allison", filepath.Join(sounds, "en")); err != nil {
			return err
		}
	}
	// The folder's name holds the machine's architecture; a link spares
	// everybody else from knowing it.
	if err := os.Symlink(filepath.Join("root", modules), filepath.Join(filepath.Dir(t.bin), "modules")); err != nil {
		return err
	}
	return t.wrap("asterisk", "usr/sbin/asterisk", "")
}

// picoFolder is where pico2wave looks for its voices; it cannot be told
// another place. The same number of bytes, relative to where it is started.
const (
	picoFolder  = "/usr/share/pico/lang/"
	picoFolder2 = "././././././././lang/"
)

func buildVoices(t tree) error {
	pico, err := os.ReadFile(t.path("usr/bin/pico2wave"))
	if err != nil {
		return err
	}
	if bytes.Count(pico, []byte(picoFolder)) != 1 {
		return errors.New("pico2wave does not name its folder as it used to")
	}
	moved := bytes.Replace(pico, []byte(picoFolder), []byte(picoFolder2), 1)
	if err := os.WriteFile(t.path("usr/bin/pico2wave-moved"), moved, 0o755); err != nil {
		return err
	}
	if err := t.wrap("pico2wave", "usr/bin/pico2wave-moved",
		"# pico2wave looks for its voices beside where it is started.\ncd \"$root/usr/share/pico\" || exit 1\n"); err != nil {
		return err
	}
	return t.wrap("espeak-ng", "usr/bin/espeak-ng",
		fmt.Sprintf("ESPEAK_DATA_PATH=\"$root/%s\"\nexport ESPEAK_DATA_PATH\n", t.libs[0]))
}

func buildPostgres(t tree) error {
	bin, err := t.find("usr/lib/postgresql/*/bin")
	if err != nil {
		return err
	}
	// initdb and the server run each other as the neighbour they find beside
	// themselves, so the wrappers stand in the programs' own places too.
	for _, name := range []string{"postgres", "initdb"} {
		place := filepath.Join(bin, name)
		program := place + ".program"
		if err := os.Rename(t.path(place), t.path(program)); err != nil {
			return err
		}
		locale := "LOCPATH=\"$root/usr/lib/locale\"\nexport LOCPATH\n"
		if err := t.wrapAt(t.path(place), program, place, locale); err != nil {
			return err
		}
		if err := os.Symlink(filepath.Join("..", "root", place), filepath.Join(t.bin, name)); err != nil {
			return err
		}
	}
	return nil
}

// runs fails when a program does not.
func runs(ctx context.Context, program string, args ...string) error {
	c := exec.CommandContext(ctx, program, args...)
	endTogether(c)
	if out, err := c.CombinedOutput(); err != nil {
		said, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("%s: %w: %s", filepath.Base(program), err, said)
	}
	return nil
}

// speak lets both voices say a word.
func speak(ctx context.Context, bin, scratch string) error {
	for name, args := range map[string][]string{"pico2wave": {"-l", "de-DE"}, "espeak-ng": {"-v", "de"}} {
		file := filepath.Join(scratch, name+".wav")
		if err := runs(ctx, filepath.Join(bin, name), append(args, "-w", file, "Guten Tag")...); err != nil {
			return err
		}
		if s, err := os.Stat(file); err != nil || s.Size() < 10_000 {
			return fmt.Errorf("%s was silent", name)
		}
	}
	return nil
}
