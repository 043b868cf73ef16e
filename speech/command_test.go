package speech

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ringback/prompts"
)

// wavAt writes a WAV file to be delivered by a program of a test.
func wavAt(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "speech.wav")
	if err := os.WriteFile(path, wavFile(voiced(time.Second, -12).floats(), 22050, 16, 1), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommand(t *testing.T) {
	t.Parallel()
	wav, saw := wavAt(t), filepath.Join(t.TempDir(), "saw")
	for _, c := range []struct {
		name string
		argv []string
		want string // language, rate, arguments, standard input
	}{
		{
			"text on standard input, WAV on standard output",
			[]string{"sh", "-c", `echo "$1 $2 [$3] $(cat)" > "$0"; cat "$4"`, saw, "{lang}", "{wpm}", "", wav},
			"de 160 [] Hallo {out} & <b>; rm",
		},
		{
			"text as an argument, WAV in a file",
			[]string{"sh", "-c", `echo "$1 $2 [$3] $(cat)" > "$0"; cp "$4" "$5"`, saw, "{lang}", "{wpm}", "{text}", wav, "{out}"},
			"de 160 [Hallo {out} & <b>; rm] ",
		},
	} {
		e := &Command{Label: "test", Argv: c.argv}
		a, err := e.Speak(t.Context(), "de", 160, "Hallo {out} & <b>; rm")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if a.Duration() < 1900*time.Millisecond { // read at 22.05 kHz
			// voiced lasts 2 s at 16 kHz; marked 22.05 kHz it plays faster.
			if want := 2 * time.Second * 16000 / 22050; (a.Duration() - want).Abs() > time.Millisecond {
				t.Errorf("%s: %v of audio, want %v", c.name, a.Duration(), want)
			}
		}
		b, err := os.ReadFile(saw)
		if err != nil || strings.TrimSuffix(string(b), "\n") != c.want {
			t.Errorf("%s: the program saw %q, want %q (%v)", c.name, b, c.want, err)
		}
	}
}

func TestCommandFails(t *testing.T) {
	t.Parallel()
	const secret = "neun null zwo"
	for name, argv := range map[string][]string{
		"no program":    nil,
		"not there":     {"/nowhere/speak"},
		"exit status":   {"sh", "-c", "cat >&2; exit 3"},
		"no file":       {"true", "{out}"},
		"no WAV":        {"echo", "hello"},
		"endless":       {"sh", "-c", "exec cat /dev/zero"},
		"only a header": {"printf", "RIFF....WAVE"},
	} {
		_, err := (&Command{Label: "test", Argv: argv}).Speak(t.Context(), "de", 160, secret)
		if err == nil || strings.Contains(err.Error(), "zwo") {
			t.Errorf("%s: got %v, want an error without the text", name, err)
		}
	}
}

func TestCommandEndsWithItsChildren(t *testing.T) {
	t.Parallel()
	// The program's child holds a pipe open as long as it lives.
	path := filepath.Join(t.TempDir(), "alive")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	alive, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	hungUp := errors.New("hung up")
	done := make(chan error, 1)
	go func() {
		e := &Command{Label: "test", Argv: []string{"sh", "-c", `(echo up; exec sleep 600) > "$0" & wait`, path}}
		_, err := e.Speak(ctx, "de", 160, "Hallo")
		done <- err
	}()
	if _, err := io.ReadFull(alive, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := alive.Close(); err != nil { // the child is the only writer now
		t.Fatal(err)
	}
	cancel(hungUp)
	if err := <-done; !errors.Is(err, hungUp) {
		t.Errorf("got %v, want the cause", err)
	}
	if err := reader.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the child lives on: %v", err)
	}
}

func TestCommandLanguages(t *testing.T) {
	t.Parallel()
	all, one := &Command{}, &Command{Languages: []prompts.Language{"tr"}}
	if !all.Speaks("de") || !one.Speaks("tr") || one.Speaks("de") {
		t.Error("languages are not those configured")
	}
}
