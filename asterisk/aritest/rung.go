package aritest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// ringing is a telephone that Asterisk rings, or rang.
type ringing struct {
	endpoint string
	args     string
	timer    *time.Timer
	over     bool // it rings no more
}

// What a channel runs while Asterisk rings it.
const (
	dialling = "AppDial2"
	outgoing = "(Outgoing Line)"
)

// WaitRung returns the next telephone that Asterisk rings; the Server must have
// no Rings. Until it picks up or refuses, it rings, for at most as long as
// whoever had it rung wanted. It fails with the cause of ctx's end.
func (s *Server) WaitRung(ctx context.Context) (*Caller, error) {
	for {
		s.mu.Lock()
		if len(s.rung) > 0 {
			c := s.rung[0]
			s.rung = s.rung[1:]
			s.mu.Unlock()
			return c, nil
		}
		more := s.rings
		s.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Endpoint is what Asterisk dialled to ring the telephone, as "PJSIP/alice".
func (c *Caller) Endpoint() string { return c.rung.endpoint }

// Shown is the number that the telephone shows.
func (c *Caller) Shown() (number string) {
	c.locked(func() { number = c.channel.Caller.Number })
	return number
}

// Ringing says whether the telephone rings.
func (c *Caller) Ringing() (yes bool) {
	c.locked(func() { yes = c.rings() && c.server.channels[c.channel.ID] == c })
	return yes
}

// PickUp answers a telephone that rings and reports whether it still did.
func (c *Caller) PickUp() (did bool) {
	c.locked(func() { did = c.pickUp() })
	return did
}

// Refuse declines with a SIP status: 486 is busy, 603 "I do not want to".
func (c *Caller) Refuse(status int) { c.locked(func() { c.refuse(status) }) }

// What follows is called with server.mu held.

// rings says that the channel was originated and was not picked up.
func (c *Caller) rings() bool { return c.rung != nil && !c.rung.over }

func (c *Caller) pickUp() bool {
	if !c.rings() || c.server.channels[c.channel.ID] != c {
		return false
	}
	s := c.server
	c.rung.stop()
	c.channel.State = "Up"
	s.emit(event{Type: "ChannelStateChange", Channel: c.snapshot()})
	c.dialStatus("ANSWER")
	if s.socket == nil {
		// Stasis() fails without an application: there is nothing else to do.
		c.vanish()
		return true
	}
	c.channel.Dialplan.App, c.channel.Dialplan.Data = "Stasis", App+","+c.rung.args
	c.varset("STASISSTATUS", "")
	s.emit(event{Type: "StasisStart", Args: strings.Split(c.rung.args, ","), Channel: c.snapshot()})
	c.tell()
	return true
}

func (r *ringing) stop() {
	r.over = true
	if r.timer != nil {
		r.timer.Stop()
	}
}

// causes are Q.850 causes of SIP statuses, and what Dial events say of them
// (ast_sip_hangup_sip2cause, ast_hangup_cause_to_dial_status; 22.10.1).
var causes = map[int]struct {
	cause  int
	status string
}{
	404: {1, "NOANSWER"}, 408: {18, "NOANSWER"}, 480: {19, "NOANSWER"}, 486: {17, "BUSY"}, 500: {38, "NOANSWER"},
	503: {34, "CONGESTION"}, 600: {17, "BUSY"}, 603: {21, "NOANSWER"}, 403: {21, "NOANSWER"},
}

func (c *Caller) refuse(status int) {
	if !c.rings() || c.server.channels[c.channel.ID] != c {
		return
	}
	known, ok := causes[status]
	if !ok {
		known.cause, known.status = 127, "NOANSWER"
	}
	c.server.emit(event{Type: "ChannelHangupRequest", Cause: because(known.cause), TechCause: status, Channel: c.snapshot()})
	c.rung.stop()
	c.dialStatus(known.status)
	c.destroy(known.cause, status)
	c.vanish()
}

// giveUp has Asterisk ring no more.
func (c *Caller) giveUp(request event, cause int) {
	request.Type, request.Channel = "ChannelHangupRequest", c.snapshot()
	c.server.emit(request)
	c.rung.stop()
	c.dialStatus("NOANSWER")
	c.destroy(cause, 0)
	c.vanish()
}

func (c *Caller) dialStatus(status string) {
	none := ""
	c.server.emit(event{Type: "Dial", DialStatus: &status, DialString: &none, Forward: &none, Peer: c.snapshot()})
}

// destroy tells the end of a channel that was originated.
func (c *Caller) destroy(cause, status int) {
	if c.channel.Dialplan.App == "Stasis" {
		c.varset("STASISSTATUS", "SUCCESS")
		c.channel.Dialplan.App, c.channel.Dialplan.Data = dialling, outgoing
	}
	c.server.emit(event{Type: "ChannelDestroyed", Cause: because(cause), CauseText: "…", TechCause: status, Channel: c.snapshot()})
}

// originate rings a telephone.
func (s *Server) originate(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Endpoint  string
		App       string
		AppArgs   string
		CallerID  string
		Timeout   int
		Variables map[string]string
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.App != App || !strings.HasPrefix(body.Endpoint, "PJSIP/") {
		refuse(w, http.StatusBadRequest, "Invalid endpoint specified")
		return
	}
	id := r.PathValue("channel")
	if s.channels[id] != nil {
		refuse(w, http.StatusConflict, "Channel with given unique ID already exists")
		return
	}
	if s.Unknown != nil && s.Unknown(body.Endpoint) {
		refuse(w, http.StatusInternalServerError, "Allocation failed")
		return
	}
	s.dialled++
	c := &Caller{
		server: s,
		channel: channel{
			ID: id, Name: "PJSIP/trunk-" + id, State: "Down", Protocol: "call-" + id,
			Caller: callerID{Number: body.CallerID}, Connected: callerID{Number: body.CallerID},
			Dialplan: dialplan{Context: "from-trunk", Exten: "s", Priority: 1, App: dialling, Data: outgoing},
			Created:  stamp(time.Now()), Language: "en",
		},
		rung: &ringing{endpoint: body.Endpoint, args: body.AppArgs},
	}
	c.open()
	for name, value := range body.Variables {
		if global, ok := strings.CutPrefix(name, "GLOBAL("); ok {
			s.variables[strings.TrimSuffix(global, ")")] = value
		} else {
			c.variables[name] = value
		}
	}
	answer(w, http.StatusOK, c.snapshot())
	c.dialStatus("")
	c.channel.State = "Ringing"
	s.emit(event{Type: "ChannelStateChange", Channel: c.snapshot()})
	c.dialStatus("RINGING")
	c.rung.timer = time.AfterFunc(time.Duration(body.Timeout)*time.Second, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if c.rings() && s.channels[id] == c {
			const noAnswer = 19
			c.rung.stop()
			c.destroy(noAnswer, 480)
			c.vanish()
		}
	})
	if s.Rings != nil {
		go s.Rings(c)
		return
	}
	s.rung = append(s.rung, c)
	close(s.rings)
	s.rings = make(chan struct{})
}
