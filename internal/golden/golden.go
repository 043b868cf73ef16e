// Package golden compares what code says of itself with what a document says.
package golden

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write documents and golden files anew")

// Section compares want with the part of a Markdown file between the comments
// <!-- name --> and <!-- /name -->; with -update it writes it there.
func Section(t *testing.T, file, name, want string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	before, rest, found := strings.Cut(string(b), begin)
	got, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no section %q: put %q and %q there", file, name, begin, end)
	}
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("%s: the section %q is not what the code does; run go test -update\n got:\n%s\nwant:\n%s", file, name, got, want)
	}
	if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
