package phone

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// Party is one who can end a call.
type Party string

// Who ended a call.
const (
	NearEnd Party = "near end" // this telephone hung up
	FarEnd  Party = "far end"  // the other side hung up
	Nobody  Party = "nobody"   // it was never answered
	Dropped Party = "dropped"  // this telephone vanished without a word
)

// End is how a call ended.
type End struct {
	By     Party
	At     time.Duration // since it was dialled, or rang
	Reason string        // the far end's Reason header (RFC 3326), if it gave one
}

// Call is one call. Its times and sample offsets count from the moment it was
// dialled, or rang here. It lives until HangUp, Abandon, Phone.Close or the far
// end's BYE.
type Call struct {
	phone    *Phone
	id       dialogID
	media    *media
	answered time.Duration
	// stopRinging ends the dialling, while it lasts; of a call that rang here it
	// does nothing.
	stopRinging context.CancelCauseFunc
	dialog      atomic.Pointer[dialog] // nil until answered and acknowledged
	rang        *Incoming              // nil: it was dialled here

	once    sync.Once
	parting sync.Once
	done    chan struct{}
	ended   End // written before done is closed
}

// dialogID names a dialog at this end (RFC 3261 section 12): the Call-ID alone
// would be the same for both ends of a telephone that rings itself.
type dialogID struct{ call, tag string }

// dialog is what the SIP library has for either side of a call.
type dialog interface {
	Bye(ctx context.Context) error
	ReadBye(req *sip.Request, tx sip.ServerTransaction) error
}

// confirm acknowledges the answer and begins to send.
func (c *Call) confirm(ctx context.Context, session *sipgo.DialogClientSession) error {
	c.answered = c.media.since()
	c.establish(session)
	if err := session.Ack(ctx); err != nil {
		return fmt.Errorf("acknowledge the answer: %w", err)
	}
	unusable := c.media.trouble()
	if unusable == nil && !c.media.connected() {
		unusable = errors.New("the answer names no media")
	}
	if e, over := c.End(); over { // while the answer was on its way
		if e.By == FarEnd {
			return nil
		}
		unusable = ErrEnded
	}
	if unusable != nil {
		return errors.Join(unusable, bye(ctx, session))
	}
	c.media.start()
	return nil
}

// establish says that both sides have agreed on the call.
func (c *Call) establish(d dialog) { c.dialog.Store(&d) }

// bye ends an answered dialog, also when ctx has ended already.
func bye(ctx context.Context, d dialog) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return d.Bye(ctx)
}

// known is the dialog as far as the far end may speak of it: of a call that
// rang here, from the answer on, for its BYE may overtake its ACK.
func (c *Call) known() dialog {
	if d := c.dialog.Load(); d != nil {
		return *d
	}
	if c.rang != nil {
		return c.rang.dialog
	}
	return nil
}

// request answers a request of the far end within this call.
func (c *Call) request(req *sip.Request, tx sip.ServerTransaction) {
	ok := sip.NewResponseFromRequest(req, sip.StatusOK, "OK", nil)
	switch req.Method {
	case sip.BYE:
		reason := ""
		if h := req.GetHeader("Reason"); h != nil {
			reason = h.Value()
		}
		c.end(End{By: FarEnd, Reason: reason})
		d := c.known()
		if d == nil { // it overtook the answer, which confirm still takes
			break
		}
		if err := d.ReadBye(req, tx); err != nil {
			c.phone.log.Debug("answer a BYE", "error", err)
		}
		return
	case sip.INVITE, sip.UPDATE:
		// A re-INVITE moves the media or refreshes the session.
		ok.AppendHeader(&c.phone.dialog.ContactHDR)
		if body := req.Body(); len(body) > 0 {
			if err := c.media.connect(body); err != nil {
				ok = sip.NewResponseFromRequest(req, sip.StatusNotAcceptableHere, "Not Acceptable Here", nil)
				break
			}
		}
		if req.Method == sip.INVITE || len(req.Body()) > 0 {
			ok.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
			ok.SetBody(c.media.answer())
		}
	}
	c.phone.respond(tx, ok)
}

// end closes all that the call holds, once.
func (c *Call) end(e End) {
	c.once.Do(func() {
		e.At = c.media.since()
		c.media.close()
		c.ended = e
		if c.rang != nil {
			c.rang.over()
		}
		c.phone.mu.Lock()
		if e.By == Dropped {
			c.phone.calls[c.id] = nil
		} else {
			delete(c.phone.calls, c.id)
		}
		c.phone.mu.Unlock()
		close(c.done)
	})
}

// HangUp ends the call with a BYE. Hanging up twice, or after the far end
// did, is no error.
func (c *Call) HangUp(ctx context.Context) error {
	select {
	case <-c.done:
		return nil
	default:
	}
	c.end(End{By: NearEnd})
	if c.dialog.Load() == nil { // still ringing: Dial sends the CANCEL, or Answer the BYE
		c.stopRinging(ErrEnded)
		return nil
	}
	return c.part(ctx)
}

// part says BYE, once.
func (c *Call) part(ctx context.Context) error {
	var err error
	c.parting.Do(func() { err = (*c.dialog.Load()).Bye(ctx) })
	// 481: the far end's BYE crossed ours (RFC 3261 section 15.1.1).
	if crossed := (sipgo.ErrDialogResponse{}); errors.As(err, &crossed) && crossed.Res.StatusCode == sip.StatusCallTransactionDoesNotExists {
		return nil
	}
	if err != nil {
		return fmt.Errorf("hang up: %w", err)
	}
	return nil
}

// Abandon vanishes as a telephone does whose power fails: no BYE, no media,
// and no answer to anything any more. It is for calls that were answered.
func (c *Call) Abandon() { c.end(End{By: Dropped}) }

// Done is closed when the call is over.
func (c *Call) Done() <-chan struct{} { return c.done }

// End says how the call ended; ok is false while it lasts.
func (c *Call) End() (e End, ok bool) {
	select {
	case <-c.done:
		return c.ended, true
	default:
		return End{}, false
	}
}

// ID is the call's SIP Call-ID.
func (c *Call) ID() string { return c.id.call }

// Dialled is the clock's time of the moment the call's times count from: it was
// dialled, or began to ring here.
func (c *Call) Dialled() time.Time { return c.media.began }

// Answered is when the call was answered.
func (c *Call) Answered() time.Duration { return c.answered }

// Elapsed is the time now, or the time of the call's end.
func (c *Call) Elapsed() time.Duration {
	if e, ok := c.End(); ok {
		return e.At
	}
	return c.media.since()
}

// ErrEnded says that the call is over.
var ErrEnded = errors.New("the call is over")

// wait blocks until one of: ready, the call's end, the context's.
func (c *Call) wait(ctx context.Context, ready <-chan struct{}) error {
	select {
	case <-ready:
		return nil
	case <-c.done:
		return ErrEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
