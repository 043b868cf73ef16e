package speech

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"ringback/prompts"
)

// Texts is what the renderer needs of the catalogue.
type Texts interface {
	// TextAll returns lines as one text, with rests between them.
	TextAll(m prompts.Manner, lines ...prompts.Line) (prompts.Text, error)
	// Fixed are the lines without placeholders.
	Fixed() []prompts.Key
	Languages() []prompts.Language
}

// Options of a Renderer.
type Options struct {
	Texts Texts
	// Dir holds the clips. Several processes may share it.
	Dir string
	// Recordings is the folder of recorded lines; empty or absent: none.
	Recordings string
	// Engines in order: a line is spoken by the first that knows its language
	// and delivers.
	Engines []Engine
	// EngineTimeout bounds one run of an engine; 0 means 10 s.
	EngineTimeout time.Duration
	// SaidMode is the mode of files with a caller's data in them; 0 means
	// 0600. Where Asterisk runs as another user, 0640 and a shared group.
	SaidMode os.FileMode
	// Log hears of recordings and engines passed over; nil means none does.
	Log *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Renderer makes clips of lines. It is safe for concurrent use.
type Renderer struct {
	texts      Texts
	recordings recordings
	shelf      *shelf
	engines    *bench
	timeout    time.Duration
	log        *slog.Logger
	now        func() time.Time

	flight singleflight.Group
	spoken *lru.Cache[string, spoken] // by engine, rate, language and text; or by recording
	slots  chan struct{}              // engines running at once
}

// spoken is a levelled stretch of speech, or why it was refused.
type spoken struct {
	audio Audio
	err   error
}

const (
	// remembered stretches of speech take about 25 MB at 3 s each.
	remembered = 256
	// longestRender bounds the making of one clip.
	longestRender = time.Minute
)

// New returns a renderer. It fails when a language of the texts has no engine,
// or the folder cannot be written.
func New(o Options) (*Renderer, error) {
	for _, l := range o.Texts.Languages() {
		if !slices.ContainsFunc(o.Engines, func(e Engine) bool { return e.Speaks(l) }) {
			return nil, fmt.Errorf("start speech: no engine speaks %q: install espeak-ng or configure one", l)
		}
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("start speech: %w", err)
	}
	if o.SaidMode == 0 {
		o.SaidMode = 0o600
	}
	shelf, err := newShelf(dir, o.SaidMode)
	if err != nil {
		return nil, fmt.Errorf("start speech: %w", err)
	}
	cache, err := lru.New[string, spoken](remembered)
	if err != nil {
		return nil, fmt.Errorf("start speech: %w", err)
	}
	r := &Renderer{
		texts: o.Texts, recordings: recordings{o.Recordings}, shelf: shelf,
		timeout: o.EngineTimeout, log: o.Log, now: o.Now,
		spoken: cache,
		slots:  make(chan struct{}, 2*runtime.NumCPU()),
	}
	if r.timeout == 0 {
		r.timeout = 10 * time.Second
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.now == nil {
		r.now = time.Now
	}
	r.engines = newBench(o.Engines, r.now)
	return r, nil
}

// Clip returns the lines as one clip, from the shelf or newly made. Callers who
// ask for the same at once wait for one making; one who leaves does not end it
// for the others.
func (r *Renderer) Clip(ctx context.Context, m prompts.Manner, lines ...prompts.Line) (Clip, error) {
	p, err := r.plan(m, lines)
	if err != nil {
		return Clip{}, fmt.Errorf("render: %w", err)
	}
	made := r.flight.DoChan(p.name(""), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestRender)
		defer cancel()
		return r.make(ctx, p)
	})
	select {
	case <-ctx.Done():
		return Clip{}, context.Cause(ctx)
	case res := <-made:
		if res.Err != nil {
			return Clip{}, fmt.Errorf("render %s in %q: %w", p.note.Keys, m.Language, res.Err)
		}
		return res.Val.(Clip), nil
	}
}

// Prune removes clips with a caller's data in them that were not asked for
// lately, and returns how many.
func (r *Renderer) Prune(olderThan time.Duration) (int, error) {
	return r.shelf.prune(r.now().Add(-olderThan))
}

// make returns the clip of a plan by the first engine that delivers all of it:
// a voice does not change within a line.
func (r *Renderer) make(ctx context.Context, p *plan) (Clip, error) {
	if !p.speaks() {
		return r.makeWith(ctx, p, nil)
	}
	engines := r.engines.inOrder(p.note.Language)
	if len(engines) == 0 {
		return Clip{}, errors.New("no engine speaks this language")
	}
	// What the first choice has said before stays, even while it is resting.
	if c, ok := r.shelf.find(r.shelf.path(p.name(engines[0].Name()), p.said), r.now()); ok {
		return c, nil
	}
	var faults []error
	for _, e := range r.engines.restingLast(engines) {
		c, err := r.makeWith(ctx, p, e)
		if err == nil {
			return c, nil
		}
		faults = append(faults, err)
		if ctx.Err() != nil {
			break
		}
		r.log.Warn("engine passed over", "engine", e.Name(), "lines", p.note.Keys,
			"language", p.note.Language, "error", err)
	}
	return Clip{}, errors.Join(faults...)
}

// makeWith returns the clip of a plan spoken by an engine; nil when all of it
// was recorded.
func (r *Renderer) makeWith(ctx context.Context, p *plan, e Engine) (Clip, error) {
	note := p.note
	note.Engine = "recording"
	name := ""
	if e != nil {
		name = e.Name()
		note.Engine = name
	}
	path := r.shelf.path(p.name(name), p.said)
	if c, ok := r.shelf.find(path, r.now()); ok {
		return c, nil
	}
	voices, err := r.speakAll(ctx, p, e)
	if err != nil {
		return Clip{}, err
	}
	return r.shelf.put(path, p.join(voices), note, p.said)
}
