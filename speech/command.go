package speech

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ringback/prompts"
)

// Command is an engine that is a program: started once a text, which it gets on
// its standard input, answering with a WAV file. Texts can hold a caller's data,
// and other users of a machine can read the arguments of a program: prefer the
// standard input to {text}.
type Command struct {
	// Label is the engine's name and version.
	Label string
	// Argv is the program and its arguments. In them {lang} stands for the
	// language, {wpm} for the rate, {out} for the file to write, and {text}
	// for the text. Without {out} the WAV is read from standard output,
	// without {text} the text is written to standard input.
	Argv []string
	// Languages it speaks; none means all.
	Languages []prompts.Language
}

// Name returns the label.
func (c *Command) Name() string { return c.Label }

// Speaks reports whether the engine is for a language.
func (c *Command) Speaks(lang prompts.Language) bool {
	return len(c.Languages) == 0 || slices.Contains(c.Languages, lang)
}

// Speak runs the program.
func (c *Command) Speak(ctx context.Context, lang prompts.Language, wpm int, text string) (Audio, error) {
	return c.speak(ctx, string(lang), strconv.Itoa(wpm), text)
}

func (c *Command) speak(ctx context.Context, lang, wpm, text string) (Audio, error) {
	if len(c.Argv) == 0 {
		return nil, fmt.Errorf("speak with %s: no program named", c.Label)
	}
	template := strings.Join(c.Argv, "\x00")
	out := ""
	if strings.Contains(template, "{out}") {
		dir, err := os.MkdirTemp("", "ringback-speech-") // mode 0700
		if err != nil {
			return nil, fmt.Errorf("speak with %s: %w", c.Label, err)
		}
		defer os.RemoveAll(dir)
		out = filepath.Join(dir, "speech.wav")
	}
	stdin := text
	if strings.Contains(template, "{text}") {
		stdin = ""
	}
	fill := strings.NewReplacer("{lang}", lang, "{wpm}", wpm, "{out}", out, "{text}", text)
	argv := make([]string, len(c.Argv))
	for i, a := range c.Argv {
		argv[i] = fill.Replace(a)
	}

	wav, err := run(ctx, argv, stdin)
	if err != nil {
		return nil, fmt.Errorf("speak with %s: %w", c.Label, err)
	}
	if out != "" {
		if wav, err = os.ReadFile(out); err != nil {
			return nil, fmt.Errorf("speak with %s: it wrote no file: %w", c.Label, err)
		}
	}
	a, err := ReadWAV(bytes.NewReader(wav))
	if err != nil {
		return nil, fmt.Errorf("speak with %s: %w", c.Label, err)
	}
	return a, nil
}

// run starts a program in a process group of its own, so that the end of ctx
// ends its children too, and returns its standard output. What it says on
// standard error is left out of the error: it may repeat the text.
func run(ctx context.Context, argv []string, stdin string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	cmd.Stdin = strings.NewReader(stdin)
	stdout := &capped{left: maxWAV}
	cmd.Stdout = stdout
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%s: %w", filepath.Base(argv[0]), err)
	}
	return stdout.buffer.Bytes(), nil
}

var errTooMuch = errors.New("too much output")

// capped is a buffer that a runaway program cannot fill the memory with. The
// buffer is not embedded: its ReadFrom would go round the limit.
type capped struct {
	buffer bytes.Buffer
	left   int
}

func (c *capped) Write(p []byte) (int, error) {
	if c.left -= len(p); c.left < 0 {
		return 0, errTooMuch
	}
	return c.buffer.Write(p)
}
