// Package ivrtest acts out calls: a caller for tests in virtual time, and
// transcripts that a person who cannot program can read and write.
// It must not know about Asterisk or SQL.
package ivrtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"ringback/prompts"
)

// Script is a call on paper:
//
//	# An old lady books at once.
//	given:   a caller +4923150012345
//	hotline: welcome.greeting
//	hotline: welcome.language
//	caller:  1
//	hotline: main.menu          drücken Sie die Null
//	caller:  silent
//	hotline: ...
//	then:    callback
//
// Beside the caller, "agent:" does something on the telephone or becomes free,
// and "line:" breaks, or moves: see Act and Line.
//
// A hotline step names the key of the next line heard, and after it words that
// must stand in its text; "..." stands for any number of lines. A caller
// presses keys, is "silent", "hangs up", or "speaks". What is given before and
// what is checked then is up to who runs the script.
type Script struct {
	Name  string
	Given []Fact
	Steps []Step
	Then  []Fact
}

// Fact is a line that begins with given or then.
type Fact struct {
	Line int // in the file, from 1
	Text string
}

// Step is one thing that is said or done.
type Step struct {
	Line int
	// Exactly one of these is set.
	Hears  prompts.Key // the hotline says this line
	Any    bool        // the hotline says whatever it likes
	Press  string      // the caller presses these keys one after the other
	Silent bool        // the caller lets the hotline wait
	HangUp bool
	Speak  bool
	Agent  string // an agent does this
	World  string // this happens to the line
	// Words must stand in the text of the line heard.
	Words string
}

// Scripts reads all *.script files of a folder; it is an error if there are
// none.
func Scripts(dir fs.FS) ([]Script, error) {
	names, err := fs.Glob(dir, "*.script")
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("no transcripts: %w", errors.Join(err, fs.ErrNotExist))
	}
	var scripts []Script
	for _, name := range names {
		f, err := dir.Open(name)
		if err != nil {
			return nil, err
		}
		s, err := Parse(strings.TrimSuffix(name, ".script"), f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		scripts = append(scripts, s)
	}
	return scripts, nil
}

// Parse reads a script; errors name the line and say what may stand there.
func Parse(name string, r io.Reader) (Script, error) {
	s := Script{Name: name}
	scanner := bufio.NewScanner(r)
	for n := 1; scanner.Scan(); n++ {
		text, _, _ := strings.Cut(scanner.Text(), "#")
		// The hash is a key too: "caller: 31121938#".
		if strings.HasPrefix(strings.TrimSpace(scanner.Text()), "caller:") {
			text = scanner.Text()
		}
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		who, what, found := strings.Cut(text, ":")
		what = strings.TrimSpace(what)
		if !found || what == "" {
			return s, fmt.Errorf("%s:%d: want \"given:\", \"hotline:\", \"caller:\", \"agent:\", \"line:\" or \"then:\" and something after it", name, n)
		}
		switch who {
		case "given":
			s.Given = append(s.Given, Fact{n, what})
		case "then":
			s.Then = append(s.Then, Fact{n, what})
		case "agent":
			s.Steps = append(s.Steps, Step{Line: n, Agent: what})
		case "line":
			s.Steps = append(s.Steps, Step{Line: n, World: what})
		case "hotline":
			key, words, _ := strings.Cut(what, " ")
			step := Step{Line: n, Hears: prompts.Key(key), Words: strings.TrimSpace(words)}
			if key == "..." {
				step = Step{Line: n, Any: true}
			}
			s.Steps = append(s.Steps, step)
		case "caller":
			step, err := callerStep(what)
			if err != nil {
				return s, fmt.Errorf("%s:%d: %w", name, n, err)
			}
			step.Line = n
			s.Steps = append(s.Steps, step)
		default:
			return s, fmt.Errorf("%s:%d: nobody is called %q here", name, n, who)
		}
	}
	return s, scanner.Err()
}

// Needs is what a script asks for beyond a caller, appointments, held times and
// what can be made true beside them: agents, the state of the line, the time of
// day, calls out. Empty: nothing.
func (s Script) Needs(can ...string) string {
	for _, f := range s.Given {
		plain := f.Text == "nothing is free" || slices.Contains(can, f.Text)
		for _, begins := range []string{"caller ", "language ", "an appointment for ", "a hold for "} {
			plain = plain || strings.HasPrefix(f.Text, begins)
		}
		if !plain {
			return f.Text
		}
	}
	for _, step := range s.Steps {
		if step.Agent != "" || step.World != "" {
			return step.String()
		}
	}
	return ""
}

func callerStep(what string) (Step, error) {
	switch what {
	case "silent":
		return Step{Silent: true}, nil
	case "hangs up":
		return Step{HangUp: true}, nil
	case "speaks":
		return Step{Speak: true}, nil
	}
	keys := strings.ReplaceAll(what, " ", "")
	if i := strings.IndexFunc(keys, func(r rune) bool { return !strings.ContainsRune("0123456789*#", r) }); i >= 0 {
		return Step{}, fmt.Errorf("a caller presses keys, is \"silent\", \"hangs up\" or \"speaks\", not %q", what)
	}
	return Step{Press: keys}, nil
}
