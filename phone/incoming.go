package phone

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// Incoming is a call that rings here. It is answered, refused or ignored once.
type Incoming struct {
	From string    // the user part of who rings: a number, or Anonymous
	To   string    // the user part that was rung
	ID   string    // SIP Call-ID
	At   time.Time // when the INVITE came

	phone  *Phone
	invite *sip.Request
	dialog *sipgo.DialogServerSession
	tx     sip.ServerTransaction
	entry  *Ring // guarded by phone.mu

	mu      sync.Mutex
	settled bool
	once    sync.Once
	gone    chan struct{}
}

// ErrSettled says that a call was answered, refused or ignored already.
var ErrSettled = errors.New("the call was taken or refused already")

// statusCancelled is what a caller who gives up is told (RFC 3261 section 15).
const statusCancelled = 487

// rung takes a new INVITE. It returns when the call is over or nobody is to be
// told anything any more: the library keeps the transaction that long.
func (p *Phone) rung(req *sip.Request, tx sip.ServerTransaction) {
	in := &Incoming{
		From: req.From().Address.User, To: req.Recipient.User, ID: req.CallID().Value(), At: time.Now(),
		phone: p, invite: req, tx: tx, gone: make(chan struct{}),
	}
	if !p.list(in) {
		return // sent again, after it was ignored
	}
	defer p.served.Done()
	defer p.unlist(in)
	var err error
	if in.dialog, err = p.dialog.ReadInvite(req, tx); err != nil {
		p.log.Debug("read an INVITE", "error", err)
		in.note(sip.StatusBadRequest)
		p.respond(tx, sip.NewResponseFromRequest(req, sip.StatusBadRequest, "Bad Request", nil))
		return
	}
	context.AfterFunc(in.dialog.Context(), func() {
		if in.settle() == nil {
			in.note(statusCancelled)
		}
		in.leave()
	})
	p.open(in)
	if p.opts.Ring != nil {
		p.opts.Ring(in)
	}
	// Who is rung and does nothing is not there.
	if err := in.Refuse(sip.StatusTemporarilyUnavailable, "Temporarily Unavailable"); err != nil && !errors.Is(err, ErrSettled) {
		p.log.Debug("refuse a call", "error", err)
	}
}

// settle is nil for the first who decides what becomes of the call.
func (in *Incoming) settle() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.settled {
		return ErrSettled
	}
	in.settled = true
	return nil
}

// Header is the value of a header of the INVITE; empty if it has none.
func (in *Incoming) Header(name string) string {
	if h := in.invite.GetHeader(name); h != nil {
		return h.Value()
	}
	return ""
}

// Gone is closed when nobody rings any more: the caller gave up, the call was
// refused or ignored, or it is over.
func (in *Incoming) Gone() <-chan struct{} { return in.gone }

func (in *Incoming) leave() { in.once.Do(func() { close(in.gone) }) }

// Ringing tells the caller that it rings (180).
func (in *Incoming) Ringing() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.settled {
		return ErrSettled
	}
	if err := in.dialog.Respond(sip.StatusRinging, "Ringing", nil); err != nil {
		return fmt.Errorf("let it ring: %w", err)
	}
	return nil
}

// Refuse declines the call: 486 is busy, 603 "I do not want to", 480 not there.
// It returns when the caller has taken note. ErrSettled: also where the caller
// gave up first.
func (in *Incoming) Refuse(status int, reason string) error {
	if err := in.settle(); err != nil {
		return err
	}
	return in.refuse(status, reason)
}

func (in *Incoming) refuse(status int, reason string) error {
	in.note(status)
	if err := in.dialog.Respond(status, reason, nil); err != nil {
		return fmt.Errorf("refuse: %w", err)
	}
	return nil
}

// Ignore says nothing at all, as a telephone without power. The caller's
// further tries to begin this very call are ignored too.
func (in *Incoming) Ignore() error {
	if err := in.settle(); err != nil {
		return err
	}
	in.tx.Terminate()
	in.leave()
	return nil
}

// Answer takes the call and returns when the caller has acknowledged it. The
// telephone sends from then on, silence if nothing else. An INVITE without an
// offer is answered with one. ErrSettled: also where the caller gave up first;
// ErrEnded where that crossed the answer. A call whose media cannot be used
// here is refused with 488.
func (in *Incoming) Answer(ctx context.Context) (*Call, error) {
	if err := in.settle(); err != nil {
		return nil, err
	}
	media, err := openMedia(in.phone.opts.IP, nil, in.At)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a media port: %w", err), in.refuse(sip.StatusInternalServerError, "Internal Server Error"))
	}
	if offer := in.invite.Body(); len(offer) > 0 {
		if err := media.connect(offer); err != nil {
			media.close()
			return nil, errors.Join(fmt.Errorf("answer: %w", err), in.refuse(sip.StatusNotAcceptableHere, "Not Acceptable Here"))
		}
	}
	tag, _ := in.dialog.InviteRequest.To().Params.Get("tag")
	c := &Call{
		phone: in.phone, id: dialogID{in.ID, tag}, media: media, rang: in,
		stopRinging: func(error) {}, done: make(chan struct{}),
	}
	if err := in.phone.add(c); err != nil {
		media.close()
		return nil, errors.Join(err, in.refuse(sip.StatusTemporarilyUnavailable, "Temporarily Unavailable"))
	}
	in.answered()
	c.answered = media.since()
	if media.connected() {
		media.start()
	}
	agreed := make(chan error, 1)
	go func() { agreed <- c.agree(media.answer()) }()
	select {
	case err = <-agreed:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		c.end(End{By: Nobody, Reason: err.Error()})
		return nil, fmt.Errorf("answer: %w", err)
	}
	return c, nil
}

// agree sends the answer until it is acknowledged. It also ends the call of one
// who hung up, or lost patience, before that.
func (c *Call) agree(description []byte) error {
	session := c.rang.dialog
	err := session.RespondSDP(description)
	e, over := c.End()
	switch {
	case over && e.By == FarEnd:
		return nil
	case errors.Is(err, sip.ErrTransactionCanceled):
		c.rang.note(statusCancelled)
		fallthrough
	case err != nil: // or never acknowledged
		c.end(End{By: Nobody, Reason: err.Error()})
		return fmt.Errorf("%w (%w)", ErrEnded, err)
	}
	unusable := c.media.trouble()
	if unusable == nil && !c.media.connected() {
		unusable = errors.New("the acknowledgement names no media")
	}
	if over {
		unusable = ErrEnded
	}
	if unusable != nil {
		return errors.Join(unusable, bye(context.Background(), session))
	}
	c.establish(session)
	if _, over := c.End(); over { // hung up here meanwhile, by one who found no dialog yet
		return c.part(context.Background())
	}
	return nil
}

// acknowledged takes the ACK of an answer, which carries the far end's media
// where we made the offer (RFC 3261 section 13.2.1).
func (c *Call) acknowledged(ack *sip.Request, tx sip.ServerTransaction) {
	if c.rang == nil {
		return
	}
	if body := ack.Body(); len(body) > 0 && !c.media.connected() {
		if err := c.media.connect(body); err != nil {
			c.media.refuse(err) // hung up by agree
		} else {
			c.media.start()
		}
	}
	if err := c.rang.dialog.ReadAck(ack, tx); err != nil {
		c.phone.log.Debug("read an ACK", "error", err) // of a re-INVITE
	}
}
