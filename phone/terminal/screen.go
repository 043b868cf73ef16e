package terminal

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// screen is where captions are written, a line at a time.
type screen struct {
	mu  sync.Mutex
	out io.Writer
	raw bool // the terminal is in raw mode: keys are pressed as they are typed
}

// width is where long captions are broken.
const width = 100

// say writes a caption: when, who, what.
func (s *screen) say(at time.Duration, who, text string) {
	at = at.Truncate(time.Second)
	head := fmt.Sprintf("%02d:%02d  %-7s  ", at/time.Minute, at%time.Minute/time.Second, who)
	for i, line := range wrap(text, width-len(head)) {
		if i > 0 {
			head = strings.Repeat(" ", len(head))
		}
		s.line(head + line)
	}
}

// note writes a line outside the call.
func (s *screen) note(format string, args ...any) { s.line(fmt.Sprintf(format, args...)) }

func (s *screen) line(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := "\n"
	if s.raw {
		end = "\r\n" // nobody else returns the carriage
	}
	_, _ = io.WriteString(s.out, text+end) // a closed screen is no reason to end a call
}

// wrap breaks text between words.
func wrap(text string, width int) []string {
	var lines []string
	line, length := "", 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		if length > 0 && length+1+n > width {
			lines = append(lines, line)
			line, length = "", 0
		}
		if length > 0 {
			line += " "
			length++
		}
		line += word
		length += n
	}
	return append(lines, line)
}
