package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/e164"
	"ringback/ivr/ivrtest"
	"ringback/phone"
	"ringback/postgres"
)

// TestTranscripts plays the transcripts of the dialogues by real SIP calls
// that listen, all at once.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	for _, s := range scripts(t) {
		if s.Name == "nothing-free" {
			continue // would take the seats of all other calls; see the other levels
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			if need := s.Needs(); need != "" {
				t.Skipf("by real calls nobody plays this yet: %s", need)
			}
			number := newNumber()
			from := number
			for _, f := range s.Given {
				if f.Text == "caller withheld" {
					from = phone.Anonymous
				} else {
					system.given(t, f, number)
				}
			}
			c := system.ring(t, from)
			c.follow(s)
			if from == phone.Anonymous {
				return // such calls cannot be told apart in the API
			}
			last := system.lastCall(t, number)
			for _, f := range s.Then {
				system.check(t, f, number, last)
			}
			for _, e := range last.Transcript {
				for _, digits := range []string{ivrtest.Born, ivrtest.Young, ivrtest.Postcode} {
					if strings.Contains(e.Keys, digits) || strings.Contains(e.Text, digits) {
						t.Errorf("the transcript shows %s: %+v", digits, e)
					}
				}
			}
		})
	}
}

// given makes a fact of a script true in the real store.
func (h *hotline) given(t *testing.T, f ivrtest.Fact, number string) {
	t.Helper()
	words := strings.Fields(f.Text)
	born, err := time.Parse("02012006", words[len(words)-1])
	if err != nil {
		t.Fatalf("cannot make %q true: %v", f.Text, err)
	}
	db, err := postgres.Open(t.Context(), h.info.Database, postgres.Options{Name: "e2e"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store := postgres.NewBookings(db)
	place, err := store.Place(t.Context(), ivrtest.Postcode)
	if err != nil {
		t.Fatal(err)
	}
	call := uuid.New()
	p := booking.Person{Number: e164.Number(number), Born: born, Postcode: ivrtest.Postcode}
	hold, err := store.Offer(t.Context(), booking.Search{CallID: call, Person: p, Centre: place.Centre.ID})
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(f.Text, "a hold") {
		return
	}
	if _, err := store.Book(t.Context(), booking.Booking{HoldID: hold.ID, CallID: call, Person: p, Operation: uuid.New()}); err != nil {
		t.Fatal(err)
	}
}

const openPromisesSQL = `SELECT count(*) FROM tickets WHERE number = $1 AND promised AND state <> 'closed'`

// check says whether a fact of a script is true: of the call in the API, of
// seats and callbacks in the database.
func (h *hotline) check(t *testing.T, f ivrtest.Fact, number string, last record) {
	t.Helper()
	words := strings.Fields(f.Text)
	var got string
	switch {
	case strings.HasPrefix(f.Text, "the call ends as"):
		got = "the call ends as " + last.Outcome.Result
	case strings.HasSuffix(f.Text, "appointments"):
		got = strconv.Itoa(h.count(t, `SELECT count(*) FROM appointments a JOIN persons p ON p.id = a.person_id
			WHERE p.number = $1 AND a.state = 'booked'`, number)) + " appointments"
	case strings.HasSuffix(f.Text, "held"):
		got = strconv.Itoa(h.count(t, `SELECT count(*) FROM seats WHERE held_number = $1 AND state = 'held' AND held_until > now()`, number)) + " held"
	case f.Text == "no callback":
		if n := h.count(t, openPromisesSQL, number); n != 0 {
			t.Errorf("line %d: want no callback, got %d", f.Line, n)
		}
		return
	case strings.HasPrefix(f.Text, "a callback to +"):
		// The script's own number stands for the one that rang.
		want := words[len(words)-1]
		if want == "+4923150012345" {
			want = number
		}
		if n := h.count(t, openPromisesSQL, want); n != 1 {
			t.Errorf("line %d: want a callback to %s, got %d", f.Line, want, n)
		}
		return
	default:
		t.Fatalf("line %d: cannot check %q", f.Line, f.Text)
	}
	if got != f.Text {
		t.Errorf("line %d: want %s, got %s", f.Line, f.Text, got)
	}
}

// TestBookAndResumeAfterHangUp: the line drops after a time was spoken; the
// same number rings again, goes on, and books the very seat.
func TestBookAndResumeAfterHangUp(t *testing.T) {
	t.Parallel()
	number := newNumber()
	system.ring(t, number).follow(script(t, "hang-up-keeps-the-hold"))
	if last := system.lastCall(t, number); last.Outcome.Result != "hung_up" {
		t.Errorf("the first call ended as %v", last.Outcome)
	}
	held := system.count(t, `SELECT id FROM seats WHERE held_number = $1 AND state = 'held'`, number)
	s := script(t, "resume")
	system.ring(t, number).follow(s)
	if last := system.lastCall(t, number); last.Outcome.Result != "booked" {
		t.Errorf("the second call ended as %v", last.Outcome)
	}
	if got := system.count(t, `SELECT s.id FROM seats s JOIN appointments a ON a.id = s.appointment_id JOIN persons p ON p.id = a.person_id WHERE p.number = $1`, number); got != held {
		t.Errorf("booked seat %d, but seat %d was held", got, held)
	}
}

// TestKeyHeldForThreeSeconds: Asterisk reports a key at its end; then the
// prompt stops and the next one begins at once. How soon is measured by make
// bench; here it must be well below the time a prompt takes.
func TestKeyHeldForThreeSeconds(t *testing.T) {
	t.Parallel()
	c := system.ring(t, newNumber())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c.expect(ctx, "welcome.greeting")
	if err := c.call.Hold(ctx, '1', 3*time.Second); err != nil {
		t.Fatal(err)
	}
	c.expect(ctx, "welcome.notice")
	gap := c.lastAt - c.call.LastKey()
	t.Logf("the next prompt began %v after the key was released", gap)
	if gap > 2*time.Second {
		t.Errorf("the next prompt began %v after the key was released", gap)
	}
}

// TestSwappedPromptsAreNoticed: who listens tells two prompts apart whose
// files were swapped. It plays in a copy of the prompts, which is what the
// caller knows; the hotline's own stay as they are.
func TestSwappedPromptsAreNoticed(t *testing.T) {
	t.Parallel()
	known := t.TempDir()
	if err := os.CopyFS(known, os.DirFS(system.sounds())); err != nil {
		t.Fatal(err)
	}
	swap(t, known, "main.menu", "born.ask")
	c := system.ringKnowing(t, newNumber(), library(t, known))
	s := script(t, "cancel")
	s.Given = nil
	if err := c.perform(s); err == nil || !strings.Contains(err.Error(), "want main.menu") && !strings.Contains(err.Error(), "want born.ask") && !strings.Contains(err.Error(), "waiting for main.menu") {
		t.Errorf("nobody noticed that two prompts were swapped: %v", err)
	}
}

// swap exchanges the audio of two lines in a folder of prompts, in every
// language and pace.
func swap(t *testing.T, dir, a, b string) {
	t.Helper()
	named := map[string][]string{} // sln16 files by key
	notes, err := filepath.Glob(filepath.Join(dir, "fixed", "*.json"))
	if err != nil || len(notes) == 0 {
		t.Fatalf("no notes beside the prompts: %v", err)
	}
	for _, n := range notes {
		text, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		var note struct{ Keys []string }
		if err := json.Unmarshal(text, &note); err != nil {
			t.Fatal(err)
		}
		for _, k := range note.Keys {
			named[k] = append(named[k], strings.TrimSuffix(n, ".json"))
		}
	}
	if len(named[a]) == 0 || len(named[a]) != len(named[b]) {
		t.Fatalf("%d files for %s, %d for %s", len(named[a]), a, len(named[b]), b)
	}
	for i := range named[a] {
		for _, ext := range []string{".sln16", ".ulaw"} {
			x, y := named[a][i]+ext, named[b][i]+ext
			for _, move := range [][2]string{{x, x + ".swap"}, {y, x}, {x + ".swap", y}} {
				if err := os.Rename(move[0], move[1]); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestNoAudioEndsTheCall: a line that went dead without a word is hung up
// after a minute without audio.
func TestNoAudioEndsTheCall(t *testing.T) {
	t.Parallel()
	number := newNumber()
	c := system.ring(t, number)
	c.call.Mute()
	select {
	case <-c.call.Done():
	case <-time.After(2 * time.Minute):
		t.Fatal("two minutes without audio, and the line is still up")
	}
	if end, _ := c.call.End(); end.At < 45*time.Second {
		t.Errorf("hung up after %v already", end.At)
	}
	system.lastCall(t, number)
}

// TestCallCommand: the telephone in the terminal books as the README says, and
// the second time the person is told of it.
func TestCallCommand(t *testing.T) {
	t.Parallel()
	number := newNumber()
	for _, want := range []struct{ result, line string }{{"booked", "confirm.ask"}, {"", "mine.tell"}} {
		cmd := exec.CommandContext(t.Context(), binary, "call", "--dir", system.dir,
			"--from", number, "--keys", "1 1 24121935 1 44137 1 1 1")
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Fatalf("exit status: %v", err)
		}
		last := system.lastCall(t, number)
		if want.result != "" && last.Outcome.Result != want.result {
			t.Errorf("the call ended as %v, want %s", last.Outcome, want.result)
		}
		if !slices.ContainsFunc(last.Transcript, func(e entry) bool { return e.Line == want.line }) {
			t.Errorf("%s was not said: %+v", want.line, last.Transcript)
		}
	}
	if n := system.count(t, `SELECT count(*) FROM appointments a JOIN persons p ON p.id = a.person_id WHERE p.number = $1`, number); n != 1 {
		t.Errorf("%d appointments", n)
	}
}
