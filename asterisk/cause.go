package asterisk

import (
	"encoding/json"
	"slices"

	"ringback/ivr"
)

// hangup is what Asterisk tells of the end of a channel.
type hangup struct {
	Cause int // of Q.850; with Soft one of Asterisk's own flags (AST_SOFTHANGUP_…, include/asterisk/channel.h)
	// Tech is the SIP code; zero where there is none. Asterisk 22.7 and later
	// tell it; ari/v5 (v5.3.1) does not know the field.
	Tech int `json:"tech_cause"`
	Soft bool
}

// The flags of Asterisk's own hang-ups that are no hang-up by anybody.
const (
	softDevice   = 1 << 0 // among others: no audio came for rtp_timeout (res_pjsip_sdp_rtp.c)
	softShutdown = 1 << 2 // Asterisk stops
)

// broken are the causes with which a network, and nobody at its end, takes a
// line away: destination or network out of order, temporary failure, congestion
// of a switch, channel unavailable (Asterisk's own for lack of audio), no user
// responding (in the middle of a call: to the session timer, RFC 4028) and
// recovery on timer expiry. A BYE bears one in its Reason header (RFC 3326),
// where the far network says so, as when a mobile telephone lost its cell.
var broken = []int{18, 27, 38, 41, 42, 44, 102}

// readHangup reads what ari/v5 does not know of an event.
func readHangup(frame []byte) hangup {
	var h hangup
	_ = json.Unmarshal(frame, &h) // it was decoded before
	return h
}

// why is what the end of a line means for its call: ivr.ErrHungUp, or
// ivr.ErrLineBroke where nobody hung up.
func (h hangup) why() error {
	switch {
	case h.Soft && h.Cause&(softDevice|softShutdown) != 0:
		return ivr.ErrLineBroke
	case h.Soft: // ours, or by the dialplan's limit
		return ivr.ErrHungUp
	case slices.Contains(broken, h.Cause):
		return ivr.ErrLineBroke
	// The far end no longer knows the call (RFC 3261 section 12.2.1.2), or
	// something in between failed. 487 is a caller who gave up.
	case h.Tech == 408 || h.Tech == 481 || h.Tech >= 500 && h.Tech < 600:
		return ivr.ErrLineBroke
	}
	return ivr.ErrHungUp
}

// The causes and SIP codes of telephones that were rung.
const (
	causeBusy     = 17
	causeNoReply  = 18 // SIP 408
	causeNoAnswer = 19 // SIP 480; Asterisk's own when it rang for long enough
	causeRejected = 21 // SIP 603, and 401, 403, 407
	causeOther    = 127
)

// unanswered is why a telephone that was rung did not answer: ivr.ErrBusy,
// ivr.ErrNoAnswer or ivr.ErrUnreachable. Rang says that its network was heard
// of, replied that the far end ended the ringing.
func (h hangup) unanswered(rang, replied bool) error {
	switch {
	case h.Cause == causeBusy, h.Tech == 486, h.Tech == 600, h.Tech == 603:
		return ivr.ErrBusy
	case h.Cause == causeRejected && h.Tech == 0: // an Asterisk that tells no SIP code
		return ivr.ErrBusy
	case h.Cause == causeNoAnswer && (rang || replied):
		return ivr.ErrNoAnswer
	// Who rang and then ended it without a reason of its own did not answer.
	case rang && slices.Contains([]int{0, 16, causeNoReply, 31, causeOther}, h.Cause):
		return ivr.ErrNoAnswer
	}
	return ivr.ErrUnreachable
}
