package phone

import (
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Ring is one time that the telephone was rung. An INVITE that was sent again
// is the same time.
type Ring struct {
	From, To, ID string // as of Incoming
	At           time.Time
	Answered     time.Time // zero: it was not
	Over         time.Time // zero: it rings, lasts, or was ignored
	Status       int       // of the final response: 200, 486, 487 for a caller who gave up; 0: none
}

// Rings are the times this telephone was rung, in their order.
func (p *Phone) Rings() []Ring {
	p.mu.Lock()
	defer p.mu.Unlock()
	rings := make([]Ring, len(p.rings))
	for i, r := range p.rings {
		rings[i] = *r
	}
	return rings
}

// RingsOf are the times a user part was rung: on a telephone that stands for
// many numbers, those of one.
func (p *Phone) RingsOf(user string) []Ring {
	return slices.DeleteFunc(p.Rings(), func(r Ring) bool { return r.To != user })
}

// attempt names an INVITE: sent again it is the same.
type attempt struct {
	call string
	seq  uint32
}

func attemptOf(req *sip.Request) attempt {
	a := attempt{call: req.CallID().Value()}
	if h := req.CSeq(); h != nil {
		a.seq = h.SeqNo
	}
	return a
}

// rangOnce says whether a request is of an INVITE that came.
func (p *Phone) rangOnce(req *sip.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.attempts[attemptOf(req)]
}

// list counts a call that rings. It is false for one that was counted before;
// the transactions of the library know only those that are under way.
func (p *Phone) list(in *Incoming) bool {
	a := attemptOf(in.invite)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.attempts[a] || p.closed {
		return false
	}
	p.attempts[a] = true
	in.entry = &Ring{From: in.From, To: in.To, ID: in.ID, At: in.At}
	p.rings = append(p.rings, in.entry)
	p.served.Add(1)
	return true
}

// open lets Close find a call that rings, and unlist forgets it.
func (p *Phone) open(in *Incoming) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ringing[in] = true
}

func (p *Phone) unlist(in *Incoming) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.ringing, in)
}

// note writes down with what the call was refused.
func (in *Incoming) note(status int) {
	in.phone.mu.Lock()
	defer in.phone.mu.Unlock()
	in.entry.Status, in.entry.Over, in.entry.Answered = status, time.Now(), time.Time{}
}

func (in *Incoming) answered() {
	in.phone.mu.Lock()
	defer in.phone.mu.Unlock()
	in.entry.Status, in.entry.Answered = sip.StatusOK, time.Now()
}

// over writes down that an answered call has ended.
func (in *Incoming) over() {
	defer in.leave()
	in.phone.mu.Lock()
	defer in.phone.mu.Unlock()
	in.entry.Over = time.Now()
}
