package phone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
	"github.com/google/uuid"
)

// Anonymous as From withholds the number (RFC 3323, RFC 3325).
const Anonymous = "anonymous"

// CallOptions say whom to ring, and as whom.
type CallOptions struct {
	To       string            // a SIP address: "sip:116117@127.0.0.1:31060"
	From     string            // a number such as "+4923150012345", or Anonymous
	Headers  map[string]string // added to the INVITE
	Codecs   []Codec           // in order of preference; A-law, then µ-law if empty
	User     string            // for digest authentication; From if empty
	Password string            // for digest authentication; none if empty
	// NoEvents offers no telephone events (RFC 4733), as a line does whose keys
	// are heard as tones only: Press fails with ErrNoEvents, and Speak can speak
	// tones.
	NoEvents bool
	// Early is called once when the far end sends its media address, before
	// or with the answer; the Call can be listened to from then on.
	Early func(*Call)
}

// Refused says that the far end declined the call (RFC 3261 section 21).
type Refused struct {
	Status int // 400 to 699; 486 is busy
	Reason string
}

func (r *Refused) Error() string { return fmt.Sprintf("refused: %d %s", r.Status, r.Reason) }

// ErrNoReply says that the address gave no sign of life.
var ErrNoReply = errors.New("nothing answers at that address")

// Dial rings and returns when the call is answered. Early media is heard too.
// The context bounds the ringing only. It fails with *Refused, ErrNoReply,
// ErrClosed, or the cause of the context, after a CANCEL.
func (p *Phone) Dial(ctx context.Context, o CallOptions) (*Call, error) {
	invite, err := p.invitation(o)
	if err != nil {
		return nil, err
	}
	media, err := openMedia(p.opts.IP, o.Codecs, time.Now())
	if err != nil {
		return nil, fmt.Errorf("open a media port: %w", err)
	}
	if o.NoEvents {
		media.event = -1
	}
	invite.SetBody(media.offer())
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	tag, _ := invite.From().Params.Get("tag")
	c := &Call{phone: p, id: dialogID{invite.CallID().Value(), tag}, media: media, stopRinging: cancel, done: make(chan struct{})}
	if err := p.add(c); err != nil {
		media.close()
		return nil, err
	}
	if err := p.ring(ctx, c, invite, o); err != nil {
		c.end(End{By: Nobody, Reason: err.Error()})
		return nil, fmt.Errorf("ring %s: %w", o.To, err)
	}
	return c, nil
}

func (p *Phone) add(c *Call) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	p.calls[c.id] = c
	return nil
}

// ring takes an INVITE to its answer.
func (p *Phone) ring(ctx context.Context, c *Call, invite *sip.Request, o CallOptions) error {
	silent := time.AfterFunc(p.opts.NoReply, func() { c.stopRinging(sipgo.WaitAnswerForceCancelErr) })
	defer silent.Stop()

	dialog, err := p.dialog.WriteInvite(ctx, invite)
	if err != nil {
		var unreachable *net.OpError
		if errors.As(err, &unreachable) { // TCP tells at once
			return fmt.Errorf("%w (%w)", ErrNoReply, err)
		}
		return err
	}
	var once sync.Once
	err = dialog.WaitAnswer(ctx, sipgo.AnswerOptions{
		Username: o.User,
		Password: o.Password,
		OnResponse: func(r *sip.Response) error {
			silent.Stop()
			if len(r.Body()) == 0 || r.StatusCode >= 300 {
				return nil
			}
			if err := c.media.connect(r.Body()); err != nil {
				if r.IsProvisional() {
					return nil // the answer may be better
				}
				c.media.refuse(err) // hung up below, politely
				return nil
			}
			if o.Early != nil {
				once.Do(func() { o.Early(c) })
			}
			return nil
		},
	})
	if err == nil {
		return c.confirm(ctx, dialog)
	}
	var declined *sipgo.ErrDialogResponse
	switch {
	case errors.As(err, &declined):
		return &Refused{Status: int(declined.Res.StatusCode), Reason: declined.Res.Reason}
	case errors.Is(context.Cause(ctx), sipgo.WaitAnswerForceCancelErr):
		return ErrNoReply
	case ctx.Err() != nil:
		// The answer can cross the CANCEL: then it is a call, and is ended as one.
		if r := dialog.InviteResponse; r != nil && r.IsSuccess() {
			_ = dialog.Ack(context.WithoutCancel(ctx))
			_ = bye(ctx, dialog)
		}
		return context.Cause(ctx)
	}
	return err
}

// invitation is the INVITE without its body.
func (p *Phone) invitation(o CallOptions) (*sip.Request, error) {
	var to sip.Uri
	if err := sip.ParseUri(o.To, &to); err != nil {
		return nil, fmt.Errorf("address %q: %w", o.To, err)
	}
	if to.Host == "" {
		return nil, fmt.Errorf("address %q: it names no host", o.To)
	}
	req := sip.NewRequest(sip.INVITE, to)
	req.SetTransport(strings.ToUpper(p.opts.Transport))

	from := sip.FromHeader{Address: sip.Uri{Scheme: "sip", User: o.From, Host: p.opts.IP}}
	if o.From == Anonymous || o.From == "" {
		from.DisplayName = "Anonymous"
		from.Address.User, from.Address.Host = Anonymous, "anonymous.invalid"
	}
	from.Params.Add("tag", sip.GenerateTagN(16))
	id := sip.CallIDHeader(uuid.NewString())
	req.AppendHeader(&from)
	req.AppendHeader(&sip.ToHeader{Address: sip.Uri{Scheme: to.Scheme, User: to.User, Host: to.Host, Port: to.Port}})
	req.AppendHeader(&id)
	req.AppendHeader(&p.dialog.ContactHDR)
	req.AppendHeader(sip.NewHeader("User-Agent", p.opts.Name))
	req.AppendHeader(sip.NewHeader("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, NOTIFY"))
	req.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	if from.Address.User == Anonymous {
		req.AppendHeader(sip.NewHeader("Privacy", "id"))
	}
	for name, value := range o.Headers {
		req.AppendHeader(sip.NewHeader(name, value))
	}
	return req, nil
}
