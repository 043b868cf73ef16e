package schedule

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// maxLine bounds a line of a file, in bytes. A file that is not CSV at all is
// noticed before it fills the memory.
const maxLine = 64 << 10

// row is a line of a table: the values of the columns that were asked for, in
// that order; "" for one that is missing and may be.
type row struct {
	line   int
	values []string
}

// table reads CSV with a header line, as editors and Excel write it: separated
// by comma, semicolon or tab, with or without a byte order mark and CRLF, in
// UTF-8 or Windows-1252. Columns come in any order; those named in optional may
// be left out. Each line is read for itself, so a quote that was not closed
// spoils one line and not the rest. A Fault does not end the reading, any other
// error does.
func table(r io.Reader, columns []string, optional ...string) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(make([]byte, 0, 4096), maxLine)
		var comma rune
		var place []int // of each column in the line
		width, n := 0, 0
		for lines.Scan() {
			n++
			text := lines.Bytes()
			if n == 1 {
				if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
					yield(row{}, faultf(1, "the file is UTF-16; save it as CSV UTF-8"))
					return
				}
				text = bytes.TrimPrefix(text, []byte("\ufeff"))
			}
			if len(bytes.TrimSpace(text)) == 0 {
				continue
			}
			if place == nil {
				comma = separator(text)
			}
			fields, err := split(text, comma)
			if err != nil {
				if !yield(row{}, faultf(n, "%v", err)) {
					return
				}
				if place == nil {
					return // without its header a table says nothing
				}
				continue
			}
			if place == nil {
				var problem string
				if place, problem = header(fields, columns, optional); problem != "" {
					yield(row{}, faultf(n, "%s", problem))
					return
				}
				width = len(fields)
				continue
			}
			if blank(fields) {
				continue // Excel's idea of an empty line: ;;;;
			}
			if len(fields) != width {
				if !yield(row{}, faultf(n, "%d fields where the header has %d", len(fields), width)) {
					return
				}
				continue
			}
			values := make([]string, len(columns))
			for i, p := range place {
				if p >= 0 {
					values[i] = strings.TrimSpace(fields[p])
				}
			}
			if !yield(row{n, values}, nil) {
				return
			}
		}
		switch err := lines.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			yield(row{}, faultf(n+1, "longer than %d bytes: this is no CSV", maxLine))
		case err != nil:
			yield(row{}, err)
		case place == nil:
			yield(row{}, faultf(0, "the file is empty; it begins with a line %s", strings.Join(columns, ",")))
		}
	}
}

// separator is the one the header uses most.
func separator(header []byte) rune {
	best := ','
	for _, c := range ";\t" {
		if bytes.Count(header, []byte(string(c))) > bytes.Count(header, []byte(string(best))) {
			best = c
		}
	}
	return best
}

func split(line []byte, comma rune) ([]string, error) {
	if !utf8.Valid(line) { // Excel's plain "CSV" in western Europe
		decoded, err := charmap.Windows1252.NewDecoder().Bytes(line)
		if err != nil {
			return nil, err
		}
		line = decoded
	}
	r := csv.NewReader(bytes.NewReader(line))
	r.Comma = comma
	r.TrimLeadingSpace = comma != '\t'
	fields, err := r.Read()
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return nil, parse.Err // without csv's own line number, which is always 1
	}
	return fields, err
}

// header finds each column's place in the line, -1 for an optional one that is
// missing, or says what is wrong.
func header(fields, columns, optional []string) (place []int, problem string) {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = strings.ToLower(strings.TrimSpace(f))
		if names[i] != "" && !slices.Contains(columns, names[i]) {
			return nil, "unknown column " + quote(f) + "; the columns are " + strings.Join(columns, ",")
		}
		if names[i] != "" && slices.Contains(names[:i], names[i]) {
			return nil, "column " + quote(f) + " comes twice"
		}
	}
	for _, c := range columns {
		p := slices.Index(names, c)
		if p < 0 && !slices.Contains(optional, c) {
			return nil, "no column " + quote(c) + "; the first line names the columns " + strings.Join(columns, ",")
		}
		place = append(place, p)
	}
	return place, ""
}

func blank(fields []string) bool {
	return !slices.ContainsFunc(fields, func(f string) bool { return strings.TrimSpace(f) != "" })
}

// quote shows a value in a message, shortened and printable.
func quote(s string) string {
	const longest = 40
	r := []rune(strings.ToValidUTF8(s, "\uFFFD"))
	if len(r) > longest {
		r = append(r[:longest], '…')
	}
	return "\"" + strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return '\uFFFD'
		}
		return c
	}, string(r)) + "\""
}
