package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"ringback/postgres/pgtest"
)

// shell runs commands against a fresh database.
type shell struct {
	t        *testing.T
	database string
}

func (s shell) run(stdin string, args ...string) (string, error) {
	s.t.Helper()
	var out bytes.Buffer
	root := &cobra.Command{SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(slotsCommand(), migrateCommand())
	root.SetArgs(append(args, "--database", s.database))
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	err := root.ExecuteContext(s.t.Context())
	return out.String(), err
}

func TestSlotsFromCentresToList(t *testing.T) {
	t.Parallel()
	s := shell{t, pgtest.URL(t)}
	for _, step := range []struct {
		args  []string
		stdin string
		want  string
	}{
		{[]string{"migrate"}, "", "The schema is up to date"},
		{[]string{"slots", "centres", "-"}, "centre;address;time_zone;latitude;longitude\nKöln;Markt 1;Europe/Berlin;50,9;7,0\n", "1 centres.\n"},
		{[]string{"slots", "postcodes", "-"}, "postcode,place,centre\n50667,Köln,Köln\n", "1 postcodes.\n"},
		{[]string{"slots", "import", "-"}, "centre,date,from,to,every,seats\nKöln,2127-02-03,08:00,09:00,20,3\n", "3 new slots, 9 new seats, 0 seats removed, 0 slots unchanged.\n"},
		{
			[]string{"slots", "generate", "--centre", "Köln", "--from", "2127-02-03", "--to", "2127-02-04", "--open", "Mon-Sun 08:00-09:00", "--every", "30"},
			"", "3 new slots, 3 new seats, 2 seats removed, 0 slots unchanged.\n",
		},
		{[]string{"slots", "list", "--from", "2127-02-03", "--to", "2127-02-04"}, "", "Köln    Mon 2127-02-03  08:00  08:40  4      8      8     0     0\n"},
	} {
		out, err := s.run(step.stdin, step.args...)
		if err != nil || !strings.Contains(out, step.want) {
			t.Errorf("%s: %q, %v, want %q", step.args, out, err, step.want)
		}
	}
}

func TestSlotsSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := shell{t, pgtest.URL(t)}
	for _, step := range []struct {
		args  []string
		stdin string
		want  string
	}{
		{[]string{"slots", "import", "-"}, "centre,date,from,seats\nUlm,1.2.,8,0\n", "line 2: no centre is called \"Ulm\"\nline 2: \"1.2.\" is no date"},
		{[]string{"slots", "import", "nowhere.csv"}, "", "nowhere.csv"},
		{[]string{"slots", "generate", "--centre", "Ulm", "--from", "2127-02-03", "--to", "2127-02-04", "--open", "Mon 8:00-9:00"}, "", `no centre is called "Ulm"`},
		{[]string{"slots", "list", "--from", "2127-02-04", "--to", "2127-02-03"}, "", "2127-02-04 is after 2127-02-03"},
	} {
		if out, err := s.run(step.stdin, step.args...); err == nil || !strings.Contains(err.Error(), step.want) {
			t.Errorf("%s: %q, %v, want %q", step.args, out, err, step.want)
		}
	}
}
