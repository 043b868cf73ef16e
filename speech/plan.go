package speech

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"ringback/prompts"
)

// restAround is the rest beside a recorded line, as between lines of the
// catalogue.
const restAround = 500 * time.Millisecond

// plan is what a clip will be made of.
type plan struct {
	note   Note
	wpm    int
	said   bool // it holds a caller's data
	pieces []piece
}

// piece is a stretch of a clip. Exactly one field is set.
type piece struct {
	speech   string
	rest     time.Duration
	recorded *recorded
}

// recorded is a recording fit to be played.
type recorded struct {
	sum   string
	audio Audio
}

// plan finds what to say: the recording of each line that has one, the text of
// the rest.
func (r *Renderer) plan(m prompts.Manner, lines []prompts.Line) (*plan, error) {
	text, err := r.texts.TextAll(m, lines...)
	if err != nil {
		return nil, err
	}
	p := &plan{wpm: WordsPerMinute(m.Pace), note: Note{
		Language: m.Language, Pace: paceName(m.Pace), Simple: m.Simple, Written: text.Written,
	}}
	anyRecorded := false
	found := make([]*recorded, len(lines))
	for i, l := range lines {
		p.note.Keys = append(p.note.Keys, l.Key)
		p.said = p.said || len(l.Args) > 0
		if found[i], err = r.recorded(m, l); err != nil {
			return nil, err
		}
		anyRecorded = anyRecorded || found[i] != nil
	}
	if !anyRecorded {
		p.add(text.Spoken)
		return p, p.check()
	}
	for i, l := range lines {
		if i > 0 {
			p.pieces = append(p.pieces, piece{rest: restAround})
		}
		if found[i] != nil {
			p.pieces = append(p.pieces, piece{recorded: found[i]})
			continue
		}
		one, err := r.texts.TextAll(m, l)
		if err != nil {
			return nil, err
		}
		p.add(one.Spoken)
	}
	return p, p.check()
}

func (p *plan) add(segments []prompts.Segment) {
	for _, s := range segments {
		switch speech := strings.TrimSpace(s.Speech); {
		case speech != "":
			p.pieces = append(p.pieces, piece{speech: speech})
		case s.Rest > 0:
			p.pieces = append(p.pieces, piece{rest: s.Rest})
		}
	}
}

// check makes the clip begin with sound, so that a key is answered at once.
func (p *plan) check() error {
	for len(p.pieces) > 0 && p.pieces[0].rest > 0 {
		p.pieces = p.pieces[1:]
	}
	if len(p.pieces) == 0 {
		return fmt.Errorf("%v in %q: nothing to say", p.note.Keys, p.note.Language)
	}
	return nil
}

// recorded returns the recording of a line, or nil. One that cannot be played
// is passed over, as a caller is better served by an engine than by nothing.
func (r *Renderer) recorded(m prompts.Manner, l prompts.Line) (*recorded, error) {
	if r.recordings.dir == "" || len(l.Args) > 0 {
		return nil, nil
	}
	text, err := r.texts.TextAll(m, l)
	if err != nil {
		return nil, err
	}
	usual := m
	usual.Simple = false
	plain, err := r.texts.TextAll(usual, l)
	if err != nil {
		return nil, err
	}
	rec, err := r.recordings.find(m, l, slices.Equal(text.Spoken, plain.Spoken))
	if rec == nil || err != nil {
		return nil, err
	}
	v, ok := r.spoken.Get(rec.sum)
	if !ok {
		v.audio, v.err = rec.audio(words(text))
		r.spoken.Add(rec.sum, v)
		if v.err != nil {
			r.log.Warn("recording passed over", "line", l.Key, "language", m.Language, "error", v.err)
		}
	}
	if v.err != nil {
		return nil, nil
	}
	return &recorded{sum: rec.sum, audio: v.audio}, nil
}

// words is all that is spoken of a text.
func words(t prompts.Text) string {
	var all []string
	for _, s := range t.Spoken {
		if s.Speech != "" {
			all = append(all, s.Speech)
		}
	}
	return strings.Join(all, " ")
}

// speaks reports whether an engine is needed.
func (p *plan) speaks() bool {
	return slices.ContainsFunc(p.pieces, func(c piece) bool { return c.speech != "" })
}

// name is the file name of the clip as an engine speaks it: a hash of all that
// can be heard in it.
func (p *plan) name(engine string) string {
	h := sha256.New()
	fmt.Fprintf(h, "level %d\n", levelVersion)
	if p.speaks() {
		fmt.Fprintf(h, "voice %q %q %d\n", engine, p.note.Language, p.wpm)
	}
	for _, c := range p.pieces {
		sum := ""
		if c.recorded != nil {
			sum = c.recorded.sum
		}
		fmt.Fprintf(h, "%q %d %q\n", c.speech, c.rest, sum)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// join puts the pieces one after another. Voices are the spoken ones by text.
func (p *plan) join(voices map[string]Audio) Audio {
	var all Audio
	for _, c := range p.pieces {
		switch {
		case c.recorded != nil:
			all = append(all, c.recorded.audio...)
		case c.speech != "":
			all = append(all, voices[c.speech]...)
		default:
			all = append(all, silence(c.rest)...)
		}
	}
	return all
}

func paceName(p prompts.Pace) string {
	switch p {
	case prompts.Normal:
		return "normal"
	case prompts.Slow:
		return "slow"
	default:
		return "slowest"
	}
}
