package asterisk_test

import (
	"net/http"
	"testing"
	"time"
)

// rung is a telephone that Asterisk rings: a SIP telephone, or aritest's.
type rung interface {
	pickUp(t testing.TB)
	refuse(t testing.TB, status int)
	hangUp()
}

// legOf is the id of the agent's leg in a scenario with the stage's caller.
func (s *stage) legOf() string { return s.channel + "-leg" }

// outID is the id of the call out in a scenario that has no caller.
const outID = "01985b5e-0000-7000-8000-000000000001"

// originate rings the stage's telephone for so many seconds and returns it once
// it rings.
func (s *stage) originate(id, args string, seconds int) rung {
	s.t.Helper()
	endpoint, rings := s.telephone()
	s.do(http.StatusOK, "POST", "/channels/"+id, map[string]any{
		"endpoint": endpoint, "app": "ringback", "appArgs": args, "callerId": "+4923150012345", "timeout": seconds,
		"variables": map[string]string{"RINGBACK_ROLE": args},
	})
	r := rings()
	s.await("ChannelStateChange") // ringing
	return r
}

// talk joins the caller with an agent.
func (s *stage) talk() (caller, rung) {
	s.t.Helper()
	c := s.dialAnswered()
	s.do(204, "POST", "/channels/"+s.channel+"/moh", nil)
	agent := s.originate(s.legOf(), "agent,"+outID, 10)
	agent.pickUp(s.t)
	s.await("StasisStart")
	bridge := "/bridges/" + s.legOf() + "-bridge"
	s.do(200, "POST", bridge, map[string]string{"type": "mixing"})
	s.do(409, "POST", bridge, map[string]string{"type": "mixing"})
	s.do(204, "DELETE", "/channels/"+s.channel+"/moh", nil)
	s.do(204, "POST", bridge+"/addChannel?channel="+s.channel+","+s.legOf(), nil)
	s.await("ChannelEnteredBridge")
	s.await("ChannelEnteredBridge")
	s.await("ChannelConnectedLine")
	return c, agent
}

// deleteBridge deletes the bridge of a talk, which is empty.
func (s *stage) deleteBridge() {
	s.t.Helper()
	bridge := "/bridges/" + s.legOf() + "-bridge"
	s.do(204, "DELETE", bridge, nil)
	s.await("BridgeDestroyed")
	s.do(404, "DELETE", bridge, nil)
}

// talkScenarios are those with telephones that we ring, and with waiting.
var talkScenarios = map[string]func(*stage){
	"agent_hangs_up_first": func(s *stage) {
		c, agent := s.talk()
		c.press(s.t, '5', tap)
		s.await("ChannelDtmfReceived")
		agent.hangUp()
		s.await("ChannelDestroyed")
		bridge := "/bridges/" + s.legOf() + "-bridge"
		s.do(400, "POST", bridge+"/removeChannel?channel="+s.legOf(), nil)
		s.do(204, "POST", bridge+"/removeChannel?channel="+s.channel, nil)
		s.await("ChannelLeftBridge")
		s.do(422, "POST", bridge+"/removeChannel?channel="+s.channel, nil)
		s.deleteBridge()
		s.hangUp()
	},
	"caller_hangs_up_first": func(s *stage) {
		c, _ := s.talk()
		c.hangUp()
		s.await("StasisEnd")
		s.do(204, "DELETE", "/channels/"+s.legOf()+"?reason=normal", nil)
		s.await("ChannelDestroyed")
		s.do(404, "DELETE", "/channels/"+s.legOf()+"?reason=normal", nil)
		s.deleteBridge()
	},
	"agent_does_not_answer": func(s *stage) {
		s.dialAnswered()
		s.originate(s.legOf(), "agent,"+outID, 1)
		s.await("ChannelDestroyed")
		s.hangUp()
	},
	"agent_is_busy": func(s *stage) {
		s.dialAnswered()
		s.originate(s.legOf(), "agent,"+outID, 10).refuse(s.t, 486)
		s.await("ChannelDestroyed")
		s.hangUp()
	},
	"agent_declines": func(s *stage) {
		s.dialAnswered()
		s.originate(s.legOf(), "agent,"+outID, 10).refuse(s.t, 603)
		s.await("ChannelDestroyed")
		s.hangUp()
	},
	"agent_is_rung_no_more": func(s *stage) {
		s.dialAnswered()
		s.originate(s.legOf(), "agent,"+outID, 10)
		s.do(204, "DELETE", "/channels/"+s.legOf()+"?reason=normal", nil)
		s.await("ChannelDestroyed")
		s.do(404, "DELETE", "/channels/"+s.legOf()+"?reason=normal", nil)
		s.hangUp()
	},
	"out_answered": func(s *stage) {
		far := s.originate(outID, "out,"+outID+",+4923150012346", 10)
		far.pickUp(s.t)
		s.await("StasisStart")
		s.channel = outID
		s.play("1", "short")
		s.await("PlaybackFinished")
		far.hangUp()
		s.await("ChannelDestroyed")
	},
	"out_answered_and_hung_up_here": func(s *stage) {
		s.originate(outID, "out,"+outID+",+4923150012346", 10).pickUp(s.t)
		s.await("StasisStart")
		s.do(204, "DELETE", "/channels/"+outID+"?reason=normal", nil)
		s.await("ChannelDestroyed")
	},
	"out_busy": func(s *stage) {
		s.originate(outID, "out,"+outID+",+4923150012346", 10).refuse(s.t, 486)
		s.await("ChannelDestroyed")
	},
	"out_fails": func(s *stage) {
		s.originate(outID, "out,"+outID+",+4923150012346", 10).refuse(s.t, 503)
		s.await("ChannelDestroyed")
	},
	"out_not_answered": func(s *stage) {
		s.originate(outID, "out,"+outID+",+4923150012346", 1)
		s.await("ChannelDestroyed")
	},
	"out_cancelled": func(s *stage) {
		s.originate(outID, "out,"+outID+",+4923150012346", 10)
		s.do(204, "DELETE", "/channels/"+outID+"?reason=normal", nil)
		s.await("ChannelDestroyed")
	},
	"early_media_then_refused": func(s *stage) {
		s.dial()
		s.play("1", "short")
		s.await("PlaybackFinished")
		s.do(204, "DELETE", "/channels/"+s.channel+"?reason=no_answer", nil)
		s.await("StasisEnd")
	},
	"early_media_then_answered": func(s *stage) {
		s.dial()
		s.play("1", "short")
		s.await("PlaybackFinished")
		s.do(204, "POST", "/channels/"+s.channel+"/answer", nil)
		s.await("ChannelStateChange")
		s.play("2", "short")
		s.await("PlaybackFinished")
		s.hangUp()
	},
	"music_then_key": func(s *stage) {
		c := s.dialAnswered()
		s.do(204, "POST", "/channels/"+s.channel+"/moh", nil)
		c.press(s.t, '1', tap)
		s.await("ChannelDtmfReceived")
		s.do(204, "DELETE", "/channels/"+s.channel+"/moh", nil)
		s.do(204, "DELETE", "/channels/"+s.channel+"/moh", nil) // as often as one likes
		s.play("1", "short")
		s.await("PlaybackFinished")
		s.hangUp()
	},
	"somebody_speaks": func(s *stage) {
		c := s.dialAnswered()
		s.do(204, "POST", "/channels/"+s.channel+"/variable?variable=TALK_DETECT(set)&value=800", nil)
		c.speak(s.t, time.Second)
		s.await("ChannelTalkingStarted")
		s.do(204, "POST", "/channels/"+s.channel+"/variable?variable=TALK_DETECT(remove)&value=", nil)
		s.do(204, "POST", "/channels/"+s.channel+"/variable?variable=TALK_DETECT(remove)&value=", nil)
		s.hangUp()
	},
	"no_audio": func(s *stage) {
		c := s.dialAnswered()
		c.vanish(s.t)
		s.await("StasisEnd")
	},
}
