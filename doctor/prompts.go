package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ringback/prompts"
	"ringback/speech"
)

// texts says every line once, in every language, in usual and in simple words.
func texts(_ context.Context, s *site) []Finding {
	said := 0
	var all []Finding
	for _, l := range s.Texts.Languages() {
		for _, d := range s.Lines {
			for _, simple := range []bool{false, true} {
				t, err := s.Texts.Text(prompts.Manner{Language: l, Simple: simple}, sample(d))
				switch {
				case err != nil:
					all = append(all, failed(reason(err), fmt.Sprintf("Mend this line in prompts/text/%s.yaml.", l))...)
				case strings.TrimSpace(t.Written) == "":
					all = append(all, failed(fmt.Sprintf("%s in %s says nothing", d.Key, l), fmt.Sprintf("Write this line in prompts/text/%s.yaml.", l))...)
				default:
					said++
				}
			}
		}
	}
	for l := range s.Config.Speech.Voices {
		if !slices.Contains(s.Texts.Languages(), l) {
			all = append(all, warned(fmt.Sprintf("speech.voices has a voice for %s, and nothing is written in that language", l),
				fmt.Sprintf("Add prompts/text/%s.yaml, or take the voice out of speech.voices.", l))...)
		}
	}
	if !slices.Contains(s.Texts.Languages(), s.Config.Call.DefaultLanguage) {
		all = append(all, failed(fmt.Sprintf("nothing is written in %s, the language of callers who choose none", s.Config.Call.DefaultLanguage),
			fmt.Sprintf("Set call.default_language to one of %v.", s.Texts.Languages()))...)
	}
	if all != nil {
		return all
	}
	return fine("%d lines in %v, each complete in usual and in simple words", len(s.Lines), s.Texts.Languages())
}

// sample is a line with something in each placeholder.
func sample(d prompts.Declaration) prompts.Line {
	at := time.Date(2021, time.February, 1, 10, 20, 0, 0, time.UTC)
	values := map[prompts.Kind]prompts.Value{
		prompts.KindDate: prompts.Date(at), prompts.KindTime: prompts.Time(at), prompts.KindName: prompts.Name("Dortmund"),
		prompts.KindCode: prompts.Code("123456789"), prompts.KindPhone: prompts.Phone("+4923150012345"),
		prompts.KindDigits: prompts.Digits("1"), prompts.KindCount: prompts.Count(80),
		prompts.KindWindow: prompts.Window{Now: at, From: at.Add(time.Hour), To: at.Add(2 * time.Hour)},
		prompts.KindWait:   prompts.Wait{Low: 10 * time.Minute, High: 15 * time.Minute}, prompts.KindPeople: prompts.People(40),
	}
	line := prompts.Line{Key: d.Key}
	for _, p := range d.Placeholders {
		line.Args = append(line.Args, prompts.Arg{Name: p.Name, Value: values[p.Kind]})
	}
	return line
}

// spokenFixed is the folder, in speech.dir, of lines that are always the same,
// and spokenSaid that of lines with a caller's data in them.
const (
	spokenFixed = "fixed"
	spokenSaid  = "said"
)

// clips looks whether what can be spoken beforehand has been, as the texts are
// now.
func clips(ctx context.Context, s *site) []Finding {
	dir := filepath.Join(s.Config.Speech.Dir, spokenFixed)
	there, err := notes(ctx, dir)
	switch {
	case os.IsNotExist(err):
		return warned(fmt.Sprintf("no line is spoken beforehand in %s yet", dir), "Start `ringback serve`: it speaks them, in a minute or two, before the first call.")
	case err != nil:
		return warned(fmt.Sprintf("what is spoken beforehand cannot be looked at: %s", reason(err)), "Run `ringback doctor` as the user of the controller.")
	}
	missing, wanted := map[prompts.Language]int{}, 0
	for _, l := range s.Texts.Languages() {
		for _, key := range s.Texts.Fixed() {
			for _, m := range prepared(l) {
				wanted++
				t, err := s.Texts.Text(m, prompts.Line{Key: key})
				if err != nil || !there[spoken{l, paceNames[m.Pace], t.Written}] {
					missing[l]++
				}
			}
		}
	}
	var all []Finding
	for _, l := range s.Texts.Languages() {
		if n := missing[l]; n > 0 {
			all = append(all, warned(fmt.Sprintf("%d lines in %s are not spoken beforehand as they are written now, and would be late in a call", n, l),
				"Start the controller anew, and read in its log which lines could not be prepared.")...)
		}
	}
	if all != nil {
		return all
	}
	return fine("%d fixed lines are spoken beforehand in %s", wanted, dir)
}

// prepared are the manners that a controller speaks beforehand.
func prepared(l prompts.Language) []prompts.Manner {
	var all []prompts.Manner
	for pace := range paceNames {
		for _, simple := range []bool{false, true} {
			all = append(all, prompts.Manner{Language: l, Pace: pace, Simple: simple})
		}
	}
	return all
}

// paceNames are the paces spoken beforehand, as notes of clips name them.
var paceNames = map[prompts.Pace]string{prompts.Normal: "normal", prompts.Slow: "slow"}

// spoken is what a clip says, and how. Lines of the same words share one.
type spoken struct {
	language prompts.Language
	pace     string
	written  string
}

// soundFormats are the files of a clip, one a codec.
var soundFormats = []string{".alaw", ".ulaw", ".g722", ".sln16"}

// notes reads what the clips of a folder say. One without all its files does
// not count.
func notes(ctx context.Context, dir string) (map[spoken]bool, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := map[string]bool{}
	for _, e := range entries {
		files[e.Name()] = true
	}
	all := map[spoken]bool{}
	for name := range files {
		stem, isNote := strings.CutSuffix(name, ".json")
		if !isNote || slices.ContainsFunc(soundFormats, func(ext string) bool { return !files[stem+ext] }) {
			continue
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		n, err := speech.Clip{Path: filepath.Join(dir, stem)}.Note()
		if err != nil {
			continue
		}
		all[spoken{n.Language, n.Pace, n.Written}] = true
	}
	return all, nil
}
