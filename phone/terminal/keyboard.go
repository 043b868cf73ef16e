package terminal

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// keypad are the keys of a telephone.
const keypad = "0123456789*#"

// keyboard says where keys come from and where captions go. Typed at a
// terminal, each key is a group of its own. The function it returns puts the
// terminal back as it was, and may be called always.
func keyboard(o Options, hangUp func()) (*screen, <-chan string, func(), error) {
	s := &screen{out: o.Out}
	if strings.TrimSpace(o.Keys) != "" {
		keys, err := groups(o.Keys)
		return s, keys, func() {}, err
	}
	f, ok := isTerminal(o.In)
	if !ok {
		return s, fromReader(o.In, s), func() {}, nil
	}
	s.note("Type the keys of a telephone: 0 to 9, * and #. To hang up, type q.")
	restore, err := s.typed(f)
	if err != nil {
		return nil, nil, nil, err
	}
	return s, fromKeyboard(f, hangUp), restore, nil
}

// isTerminal says whether a person types.
func isTerminal(in io.Reader) (*os.File, bool) {
	f, isFile := in.(*os.File)
	return f, isFile && term.IsTerminal(int(f.Fd()))
}

// typed takes each key as it is typed, until restore.
func (s *screen) typed(f *os.File) (restore func(), err error) {
	before, err := term.MakeRaw(int(f.Fd()))
	if err != nil {
		return nil, fmt.Errorf("listen to the keyboard: %w", err)
	}
	s.raw = true
	return func() { _ = term.Restore(int(f.Fd()), before) }, nil
}

// groups are the words of --keys.
func groups(keys string) (<-chan string, error) {
	words := strings.Fields(keys)
	c := make(chan string, len(words))
	defer close(c)
	for _, w := range words {
		if strings.Trim(w, keypad) != "" {
			return nil, fmt.Errorf("--keys %q: a telephone has the keys %s", w, keypad)
		}
		c <- w
	}
	return c, nil
}

// fromReader gives the words of a text as they come in. Reading cannot be
// broken off: it ends with the text, or with the program.
func fromReader(in io.Reader, s *screen) <-chan string {
	c := make(chan string)
	if in == nil {
		close(c)
		return c
	}
	go func() {
		defer close(c)
		words := bufio.NewScanner(in)
		words.Split(bufio.ScanWords)
		for words.Scan() {
			if strings.Trim(words.Text(), keypad) != "" {
				s.note("%q is left out: a telephone has the keys %s", words.Text(), keypad)
				continue
			}
			c <- words.Text()
		}
	}()
	return c
}

// Ctrl-C and Ctrl-D, as they are typed in raw mode.
const interrupt, endOfText = 3, 4

// fromKeyboard gives each key as it is typed. It ends as fromReader does, or
// with the key that hangs up.
func fromKeyboard(in io.Reader, hangUp func()) <-chan string {
	c := make(chan string)
	go func() {
		defer close(c)
		defer hangUp()
		b := make([]byte, 1)
		for {
			if _, err := in.Read(b); err != nil {
				return
			}
			switch b[0] {
			case 'q', 'Q', interrupt, endOfText:
				return
			}
			if strings.IndexByte(keypad, b[0]) >= 0 {
				c <- string(b)
			}
		}
	}()
	return c
}
