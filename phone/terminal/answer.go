package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"ringback/phone"
	"ringback/phone/listen"
)

const (
	// pickUp is how long it rings before a telephone that nobody attends to
	// answers by itself.
	pickUp = 2 * time.Second
	// ringEvery is how often a telephone that rings says so.
	ringEvery = 4 * time.Second
)

// station is a telephone that waits to be rung, one call at a time.
type station struct {
	options Options
	screen  *screen
	library *listen.Library // nil: none is known
	typed   <-chan byte     // keys as a person types them; nil: nobody does
	keys    <-chan string   // groups of keys from elsewhere, over all calls
	rung    chan *phone.Incoming
	busy    atomic.Bool
	calls   int
}

// errAway puts the telephone away.
var errAway = errors.New("the telephone is put away")

// Answer waits to be rung, answers, and waits again, until ctx ends or a person
// types that it is enough. A person is shown that it rings, and takes the call or
// not. With Options.Keys, or where nobody is at a terminal, it answers by itself
// and presses the keys, those of Keys in each call anew. What is not possible
// at all is one sentence for a person to read.
func Answer(ctx context.Context, o Options) error {
	s := &station{options: o, screen: &screen{out: o.Out}, rung: make(chan *phone.Incoming)}
	demo, ip, err := s.surroundings()
	if err != nil {
		return err
	}
	restore, err := s.attend()
	if err != nil {
		return err
	}
	defer restore()
	ctx, away := context.WithCancelCause(ctx)
	p, err := phone.New(phone.Options{IP: ip, Port: o.Port, Logger: o.Logger, Ring: func(in *phone.Incoming) { s.ring(ctx, in) }})
	if err != nil {
		away(nil)
		return fmt.Errorf("open the telephone: %w", err)
	}
	defer p.Close() // the calls are over by then; there is nothing left to lose
	defer away(nil) // first: nobody waits for this telephone any more

	if err := s.login(ctx, p, demo); err != nil {
		return err
	}
	user := o.User
	if user == "" {
		user = "anybody"
	}
	end := "Ctrl-C puts it away"
	if s.typed != nil {
		end = "q puts it away"
	}
	s.screen.note("Waiting to be rung at sip:%s@%s; %s.", user, p.Addr(), end)
	for {
		select {
		case <-ctx.Done():
			return nil
		case b := <-s.typed:
			if ends(b) || b == 'q' || b == 'Q' {
				return nil
			}
		case in := <-s.rung:
			err := s.take(ctx, in)
			s.busy.Store(false)
			if errors.Is(err, errAway) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
}

// surroundings are the demo, if there is one, what it says, and from where it
// can ring this telephone.
func (s *station) surroundings() (demo demoFile, ip string, err error) {
	demo, err = readDemo(s.options.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return demo, "", fmt.Errorf("read the demo's address: %w", err)
	}
	if s.library, err = listen.Open(filepath.Join(s.options.Dir, "sounds")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return demo, "", err
	}
	if demo.SIP == "" {
		return demo, "", nil
	}
	ip, err = phone.OutboundIP(demo.SIP)
	return demo, ip, err
}

// attend listens to who may type keys.
func (s *station) attend() (restore func(), err error) {
	restore = func() {}
	if strings.TrimSpace(s.options.Keys) != "" {
		_, err := groups(s.options.Keys)
		return restore, err
	}
	f, ok := isTerminal(s.options.In)
	if !ok {
		s.keys = fromReader(s.options.In, s.screen)
		return restore, nil
	}
	if restore, err = s.screen.typed(f); err != nil {
		return nil, err
	}
	typed := make(chan byte)
	s.typed = typed
	go func() {
		b := make([]byte, 1)
		for {
			if _, err := io.ReadFull(f, b); err != nil {
				b[0] = endOfText
			}
			typed <- b[0]
			if b[0] == endOfText {
				return
			}
		}
	}()
	return restore, nil
}

// ends says whether a key is typed to end the program.
func ends(b byte) bool { return b == interrupt || b == endOfText }

// login makes the telephone one of the demo's, if it has the name of one.
func (s *station) login(ctx context.Context, p *phone.Phone, d demoFile) error {
	for _, a := range d.Phones {
		if a.User != s.options.User {
			continue
		}
		if _, err := p.Register(ctx, phone.Account{Registrar: "sip:" + d.SIP, User: a.User, Password: a.Password}); err != nil {
			return err
		}
		s.screen.note("Logged in at %s as %s.", d.SIP, a.User)
	}
	return nil
}

// ring takes a call to who attends, and stays until it is over.
func (s *station) ring(ctx context.Context, in *phone.Incoming) {
	switch {
	case s.options.User != "" && in.To != s.options.User:
		_ = in.Refuse(404, "Not Found") // the caller may be gone
		return
	case !s.busy.CompareAndSwap(false, true):
		s.screen.note("%s rings too, and is told that it is busy.", shown(in.From))
		_ = in.Refuse(486, "Busy Here")
		return
	}
	select {
	case s.rung <- in:
		<-in.Gone()
	case <-ctx.Done():
	}
}

// shown is who rings.
func shown(from string) string {
	if from == "" || strings.EqualFold(from, phone.Anonymous) {
		return "A withheld number"
	}
	return from
}

// take lets it ring, and leads the call if it is answered.
func (s *station) take(ctx context.Context, in *phone.Incoming) error {
	_ = in.Ringing() // where the caller is gone already, so says Gone
	told := ""
	if s.options.User == "" && in.To != "" {
		told = " for " + in.To
	}
	if s.typed != nil {
		s.screen.note("%s rings%s. Enter answers, q refuses.\a", shown(in.From), told)
	} else {
		s.screen.note("%s rings%s.", shown(in.From), told)
	}
	answer, err := s.decide(ctx, in)
	if err != nil || !answer {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	call, err := in.Answer(bounded)
	if err != nil {
		s.screen.note("It could not be answered: %v.", err)
		return nil
	}
	return s.lead(ctx, call)
}

// decide waits for somebody to answer, to refuse, or to give up.
func (s *station) decide(ctx context.Context, in *phone.Incoming) (answer bool, err error) {
	every := time.NewTicker(ringEvery)
	defer every.Stop()
	var itself <-chan time.Time
	if s.typed == nil {
		itself = time.After(pickUp)
	}
	for {
		select {
		case <-itself:
			return true, nil
		case b := <-s.typed:
			switch {
			case b == 'q', b == 'Q', ends(b):
				if err := in.Refuse(486, "Busy Here"); err == nil {
					s.screen.note("You refused.")
				}
				if ends(b) {
					return false, errAway
				}
				return false, nil
			}
			return true, nil
		case <-every.C:
			s.screen.note("It rings.\a")
		case <-in.Gone():
			s.screen.note("They gave up after %s.", spoken(time.Since(in.At)))
			return false, nil
		case <-ctx.Done():
			return false, errAway
		}
	}
}

// lead shows what is said and presses keys until the call is over.
func (s *station) lead(ctx context.Context, call *phone.Call) error {
	s.calls++
	keys := s.keys
	var pressed chan string
	switch {
	case s.typed != nil:
		pressed = make(chan string, 100)
		keys = pressed
		s.screen.note("Answered. Type keys; q hangs up.")
	case keys == nil:
		keys, _ = groups(s.options.Keys) // attend has read them
		fallthrough
	default:
		s.screen.note("Answered.")
	}
	c := &conversation{
		other: "The other side", screen: s.screen, keys: keys, call: call,
		captions: newCaptions(s.library, s.screen, "line"), heard: make(chan struct{}),
	}
	talking, hangUp := context.WithCancelCause(ctx)
	defer hangUp(nil)
	go func() {
		defer close(c.heard)
		c.captions.follow(call)
	}()
	go func() {
		if err := c.pressAll(talking); err != nil {
			hangUp(err)
		}
	}()
	over := make(chan bool, 1)
	go func() { over <- c.hold(talking) }()
	for {
		select {
		case b := <-s.typed:
			switch {
			case ends(b):
				hangUp(errAway)
			case b == 'q', b == 'Q':
				hangUp(errHungUp)
			case strings.IndexByte(keypad, b) >= 0 && len(pressed) < cap(pressed):
				pressed <- string(b)
			}
		case hungUp := <-over:
			c.sayEnd(hungUp)
			if err := s.save(call); err != nil {
				return err
			}
			switch cause := context.Cause(talking); {
			case errors.Is(cause, errAway):
				return cause
			case cause != nil && !errors.Is(cause, errHungUp) && !errors.Is(cause, context.Canceled):
				s.screen.note("Hung up: %v.", cause)
			}
			return nil
		}
	}
}

// save writes what was heard, of a second call and further ones beside it.
func (s *station) save(call *phone.Call) error {
	path := s.options.Save
	if path == "" {
		return nil
	}
	if s.calls > 1 {
		ext := filepath.Ext(path)
		path = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(path, ext), s.calls, ext)
	}
	if err := saveWAV(path, call.Heard()); err != nil {
		return fmt.Errorf("save what was heard: %w", err)
	}
	s.screen.note("Saved what was heard in %s.", path)
	return nil
}
