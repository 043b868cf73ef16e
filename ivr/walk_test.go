package ivr_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringback/internal/golden"
	"ringback/ivr"
	"ringback/ivr/ivrtest"
	"ringback/prompts"
)

// A walk tries every key, silence and hang-up at every place of a call at
// which the hotline waits. Two places are the same when the hotline has said
// the same, the state of the call is the same, and as many digits are keyed.

// place is where the hotline waits for a key.
type place struct {
	scene ivr.SceneName
	said  string // keys of the lines since the last wait, last one last
	about string // what else tells it apart
}

// step is what a walker does at a place: keys, "silence" or "hangs up".
type step string

const (
	stepSilence step = "silence"
	stepHangUp  step = "hangs up"
)

// journey is one call: the steps that lead to a place, and what came of it.
type journey struct {
	steps   []step
	at      place       // where it waited after its last step
	ended   bool        // or else the call was over by then
	outcome ivr.Outcome // when it ended
	next    prompts.Key // the first line after the last step
	scenes  []ivr.SceneName
	before  int           // how many of them were entered before the last step
	took    time.Duration // from the beginning to the end
	promise time.Duration // from the beginning to the first promise of a callback
}

// walker is a Person who follows given steps and then either lets go, keeping
// silent to the end, or stops where it is.
type walker struct {
	steps  []step
	onward bool // keep silent after the last step instead of stopping
	plain  bool // another language, or slower speech, is no other place
	read   func() (ivr.Record, []byte)

	begun   time.Time
	done    int
	said    []string
	lead    string // how the last line was said
	digits  string
	stopped bool
	j       journey
}

func (w *walker) Hears(u ivr.Utterance) ivrtest.Act {
	for _, l := range u.Lines {
		w.said = append(w.said, string(l.Key))
		if w.done == len(w.steps) && w.j.next == "" {
			w.j.next = l.Key
		}
		if strings.HasPrefix(string(l.Key), "person.promise") && w.j.promise == 0 {
			w.j.promise = time.Since(w.begun)
		}
	}
	w.digits = ""
	w.lead = fmt.Sprint(u.Manner.Simple)
	if !w.plain {
		w.lead += fmt.Sprint(u.Manner.Language, u.Manner.Pace > prompts.Normal)
	}
	return ivrtest.Act{}
}

func (w *walker) Asked(wait time.Duration) ivrtest.Act {
	if w.done < len(w.steps) {
		s := w.steps[w.done]
		w.done++
		if w.done == len(w.steps) {
			rec, _ := w.read()
			w.j.before = len(scenesOf(rec))
		}
		w.said = nil
		switch s {
		case stepSilence:
			return ivrtest.Act{}
		case stepHangUp:
			return ivrtest.Act{HangUp: true}
		}
		w.digits += string(s)
		return ivrtest.Act{Keys: string(s)}
	}
	if w.onward {
		return ivrtest.Act{}
	}
	w.stopped = true
	rec, state := w.read()
	asked := ""
	if rec.Scene == "rung" { // the second time is the last
		asked = fmt.Sprint(len(rec.Transcript) > 3)
	}
	w.j.at = place{
		scene: rec.Scene,
		said:  strings.Join(w.said, " "),
		about: fmt.Sprint(w.lead, situation(rec.Scene, state), progress(w.digits), asked),
	}
	return ivrtest.Act{HangUp: true}
}

func (w *walker) Speaks(longest time.Duration) (time.Duration, ivrtest.Act) {
	return min(time.Second, longest), ivrtest.Act{}
}

// progress tells digit entries apart: nothing, the lone zero, or so many.
func progress(digits string) string {
	if digits == "0" || digits == "" {
		return digits
	}
	return fmt.Sprint(len(digits))
}

// situation is what matters of a call's state for where it can lead.
func situation(scene ivr.SceneName, state []byte) string {
	var s ivr.State
	if err := json.Unmarshal(state, &s); err != nil {
		panic(err)
	}
	back := ivr.SceneName("")
	if n := len(s.Back); n > 0 {
		back = s.Back[n-1]
	}
	place, hour := ivr.Place{}, false
	if s.Place != nil {
		place = ivr.Place{State: s.Place.State, Parked: s.Place.Parked, Served: s.Place.Served}
		hour = !s.Place.Window.IsZero()
	}
	if scene == "callback" { // where nothing else matters
		return fmt.Sprint(back, place.State, hour)
	}
	return fmt.Sprint(s.Topic, s.Hold != nil, s.Booked != nil, s.OtherThan.IsZero(), back, s.Kept != nil, place, hour)
}

// travel plays one call, in the virtual time of the test it belongs to.
func (s setting) travel(t *testing.T, texts ivr.Texts, sabotage ivr.SceneName, steps []step, onward bool) journey {
	w := ivrtest.NewWorld()
	if !s.full {
		w.Open(1)
	}
	for _, g := range s.given {
		if err := w.Given(t.Context(), ivrtest.Fact{Text: g}); err != nil {
			t.Fatal(err)
		}
	}
	h := w.Hotline(texts)
	if sabotage != "" {
		h.WithoutPersonIn(sabotage)
	}
	p := &walker{steps: steps, onward: onward, plain: s.name != settings[0].name, begun: time.Now(), read: w.Log.Only}
	p.j.outcome, _ = ring(t, w, h, texts, p)
	p.j.ended = !p.stopped
	p.j.steps = steps
	p.j.took = time.Since(p.begun)
	rec, _ := w.Log.Only()
	p.j.scenes = scenesOf(rec)
	return p.j
}

func scenesOf(r ivr.Record) (names []ivr.SceneName) {
	for _, e := range r.Transcript {
		if e.Kind == ivr.EntryScene {
			names = append(names, ivr.SceneName(e.Line))
		}
	}
	return names
}

// entries are the lines that ask for digits, and digits worth trying.
var entries = map[string][]string{
	"born.ask":       {ivrtest.Born, ivrtest.Young},
	"postcode.ask":   {ivrtest.Postcode, "99999"},
	"mine.code":      {"123456789"},
	"person.number":  {"0231500123", "09001234567"},
	"wait.askticket": {"10001", "99999"},
	"common.cleared": nil,
	"code.ready":     nil, // any key will do
}

// last is the last line said there.
func (p place) last() string { return p.said[strings.LastIndexByte(p.said, ' ')+1:] }

// steps are what can be done at a place.
func (p place) steps() []step {
	all := []step{stepSilence, stepHangUp}
	keys := "0123456789*#"
	if !asks(p) {
		keys = "05*#" // within an entry every digit is a digit
	}
	for _, k := range keys {
		all = append(all, step(k))
	}
	for _, digits := range entries[p.last()] {
		all = append(all, step(digits))
	}
	return all
}

// walk visits every place and reports what is wrong with it.
func walk(t *testing.T, s setting, texts ivr.Texts, sabotage ivr.SceneName) (faults []string, visited map[place]bool, arrows map[[2]ivr.SceneName]bool) {
	visited, arrows = map[place]bool{}, map[[2]ivr.SceneName]bool{}
	counted := map[string]bool{} // menus
	fault := func(steps []step, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%s, after %v: %s", s.name, steps, fmt.Sprintf(format, args...)))
	}
	for open := [][]step{s.begin}; len(open) > 0 && len(faults) == 0; open = open[1:] {
		here := s.travel(t, texts, sabotage, open[0], false)
		last := step("")
		if n := len(open[0]); n > 0 {
			last = open[0][n-1]
		}
		for i := max(here.before, 1); i < len(here.scenes) && last != "*"; i++ {
			arrows[[2]ivr.SceneName{here.scenes[i-1], here.scenes[i]}] = true
		}
		if len(open[0]) == len(s.begin) {
			arrows[[2]ivr.SceneName{"", here.scenes[0]}] = true
		}
		if here.ended && last != stepHangUp && last != "*" {
			arrows[[2]ivr.SceneName{here.scenes[len(here.scenes)-1], ""}] = true
		}
		if here.ended {
			if last != stepHangUp && !good(here.outcome) {
				fault(open[0], "the call ends as %v", here.outcome)
			}
			continue
		}
		if visited[here.at] {
			continue
		}
		visited[here.at] = true

		// Silence from here on must lead to a good end.
		if end := s.travel(t, texts, sabotage, open[0], true); !good(end.outcome) {
			fault(open[0], "silence from %s on ends as %v", here.at.said, end.outcome)
		}
		// 0 is the person, in an entry once it stays alone.
		if asks(here.at) {
			wish := append(slices.Clone(open[0]), "0")
			if _, entry := entries[here.at.last()]; entry {
				wish = append(wish, stepSilence)
			}
			end := s.travel(t, texts, sabotage, wish, false)
			if now := end.scenes[len(end.scenes)-1]; !slices.Contains(persons, now) {
				fault(open[0], "0 at %s leads to %s and not to a person", here.at.said, now)
			}
			if menu := here.at.last(); !counted[menu] {
				counted[menu] = true
				if n := choices(t, s, texts, sabotage, open[0], here.at); n > 5 {
					fault(open[0], "%s has %d choices", menu, n)
				}
			}
		}
		if s.brief && slices.Contains(deeper, here.at.scene) {
			continue
		}
		for _, next := range here.at.steps() {
			open = append(open, append(slices.Clone(open[0]), next))
		}
	}
	return faults, visited, arrows
}

// deeper are the scenes a brief walk does not go on from.
var deeper = []ivr.SceneName{"postcode", "choose", "by_code", "mine", "code", "confirm"}

// persons are the scenes that lead to one.
var persons = []ivr.SceneName{"person", "again", "join", "wait", "connect", "talk", "callback", "bye"}

// asks says whether a new question is asked here: nothing is keyed yet.
func asks(p place) bool { return p.said != "" }

// choices counts the keys a menu takes besides 0, 9 and *. A digit entry takes
// them all and has no choices.
func choices(t *testing.T, s setting, texts ivr.Texts, sabotage ivr.SceneName, steps []step, at place) int {
	if _, entry := entries[at.last()]; entry {
		return 0
	}
	n := 0
	for _, k := range "12345678#" {
		j := s.travel(t, texts, sabotage, append(slices.Clone(steps), step(k)), false)
		if j.next != "common.wrongkey" && j.next != prompts.Key(at.last()) && j.next != "common.toperson" && !strings.HasPrefix(string(j.next), "person.") {
			n++
		}
	}
	return n
}

func good(o ivr.Outcome) bool {
	switch o.Result {
	case ivr.Booked, ivr.Changed, ivr.Cancelled, ivr.Informed, ivr.Person, ivr.CalledBack:
		return true
	}
	return false
}

// onFoot leaves the walks to a run without the race detector, which `make test`
// takes too. A walk is tens of thousands of calls, each in one goroutine: the
// detector has nothing to see there, and takes ten times as long over it. The
// transcripts it does watch go through the same code.
func onFoot(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Skip("walks are walked without the race detector: go test ./ivr")
	}
}

// TestNoDeadEnd walks every key, silence and hang-up from every scene. The
// scenes it comes through, and the ways between them, are the diagram in
// docs/CALLS.md.
func TestNoDeadEnd(t *testing.T) {
	t.Parallel()
	onFoot(t)
	var mu sync.Mutex
	all := map[[2]ivr.SceneName]bool{}
	t.Run("walk", func(t *testing.T) {
		for _, s := range settings {
			t.Run(s.name, virtually(func(t *testing.T) {
				faults, visited, arrows := walk(t, s, wordless{}, "")
				for _, f := range faults {
					t.Error(f)
				}
				t.Logf("%d places", len(visited))
				if len(visited) < s.places {
					t.Errorf("only %d places were visited", len(visited))
				}
				mu.Lock()
				defer mu.Unlock()
				maps.Copy(all, arrows)
			}))
		}
	})
	for _, name := range ivr.AllScenes() {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(all)), func(a [2]ivr.SceneName) bool { return a[1] == name }) {
			t.Errorf("no walk reaches the scene %s", name)
		}
	}
	golden.Section(t, "../docs/CALLS.md", "scenes", diagram(all))
}

// diagram draws the ways between scenes. The way to the person, which every
// scene has, and those back by * are left out: they would hide the rest.
func diagram(arrows map[[2]ivr.SceneName]bool) string {
	order := append([]ivr.SceneName{""}, ivr.AllScenes()...)
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	for _, from := range order {
		for _, to := range append(order[1:], "") {
			if arrows[[2]ivr.SceneName{from, to}] && from != to && to != "person" {
				fmt.Fprintf(&b, "    %s --> %s\n", cmp.Or(from, "[*]"), cmp.Or(to, "[*]"))
			}
		}
	}
	b.WriteString("```\n")
	return b.String()
}

// TestWalkNoticesAMissingPerson takes the way to a person out of one scene
// after the other, and expects the walk to complain each time.
func TestWalkNoticesAMissingPerson(t *testing.T) {
	t.Parallel()
	onFoot(t)
	where := map[ivr.SceneName]string{
		"mine": "holds an appointment", "cancel": "holds an appointment", "resume": "dropped before",
		"ticket": "a long line, withheld", "express": "few lines", "rung": "we ring for the dialogue",
	}
	for _, scene := range ivr.AskingScenes() {
		t.Run(string(scene), virtually(func(t *testing.T) {
			if faults, _, _ := walk(t, settingNamed(cmp.Or(where[scene], "new caller")), wordless{}, scene); len(faults) == 0 {
				t.Errorf("nobody noticed that %s has no way to a person", scene)
			}
		}))
	}
}
