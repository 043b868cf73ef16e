package phonetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
	"github.com/google/uuid"
)

// Declined says with what a telephone refused to be rung.
type Declined struct{ Status int }

func (d *Declined) Error() string { return fmt.Sprintf("declined with %d", d.Status) }

// Ringing is how the hotline rings a telephone.
type Ringing struct {
	To   string // its address
	From string // the user part shown
	Late bool   // the INVITE makes no offer (RFC 3264 section 5): the ACK answers the telephone's
	// Offer is sent instead of the hotline's own; empty: that.
	Offer []byte
	// Progress gets the status of each response before the final one.
	Progress func(status int)
}

// Ring rings a telephone and returns when it is answered. It fails with
// *Declined, and with the cause of ctx after a CANCEL.
func (h *Hotline) Ring(ctx context.Context, r Ringing) (*Line, error) {
	var to sip.Uri
	if err := sip.ParseUri(r.To, &to); err != nil {
		return nil, err
	}
	req := sip.NewRequest(sip.INVITE, to)
	from := sip.FromHeader{Address: sip.Uri{Scheme: "sip", User: r.From, Host: "127.0.0.1"}}
	from.Params.Add("tag", sip.GenerateTagN(16))
	id := sip.CallIDHeader(uuid.NewString())
	req.AppendHeader(&from)
	req.AppendHeader(&sip.ToHeader{Address: to})
	req.AppendHeader(&id)
	l, err := newLine(nil, req)
	if err != nil {
		return nil, err
	}
	offer := r.Offer
	if len(offer) == 0 {
		offer = l.Description(true)
	}
	if !r.Late {
		req.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
		req.SetBody(offer)
	}
	d, err := h.dialog.WriteInvite(ctx, req)
	if err != nil {
		l.close()
		return nil, err
	}
	l.dialog = d
	h.keep(l)
	if err := h.answered(ctx, l, d, r, offer); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (h *Hotline) answered(ctx context.Context, l *Line, d *sipgo.DialogClientSession, r Ringing, offer []byte) error {
	err := d.WaitAnswer(ctx, sipgo.AnswerOptions{OnResponse: func(res *sip.Response) error {
		if r.Progress != nil && res.IsProvisional() {
			r.Progress(int(res.StatusCode))
		}
		return nil
	}})
	var declined *sipgo.ErrDialogResponse
	if errors.As(err, &declined) {
		return &Declined{Status: int(declined.Res.StatusCode)}
	}
	if err != nil {
		return err
	}
	if err := l.understand(d.InviteResponse.Body()); err != nil {
		return err
	}
	if !r.Late {
		return d.Ack(ctx)
	}
	// The library's own way to acknowledge has no body.
	target := d.InviteRequest.Recipient
	if c := d.InviteResponse.Contact(); c != nil {
		target = c.Address
	}
	ack := sip.NewRequest(sip.ACK, target)
	ack.AppendHeader(sip.HeaderClone(d.InviteRequest.From()))
	ack.AppendHeader(sip.HeaderClone(d.InviteResponse.To()))
	ack.AppendHeader(sip.HeaderClone(d.InviteRequest.CallID()))
	ack.AppendHeader(&sip.CSeqHeader{SeqNo: d.InviteRequest.CSeq().SeqNo, MethodName: sip.ACK})
	ack.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	ack.SetBody(offer)
	ack.Laddr = d.InviteRequest.Laddr // else it leaves by another port
	return d.WriteAck(ctx, ack)
}
