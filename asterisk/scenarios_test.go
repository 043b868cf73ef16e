package asterisk_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// caller is the far end of a scenario: a SIP telephone, or aritest's.
type caller interface {
	press(t testing.TB, key byte, held time.Duration) time.Time
	stay(t testing.TB, d time.Duration)
	speak(t testing.TB, d time.Duration)
	hangUp()
	vanish(t testing.TB) // without a word
}

// stage is one connection to an Asterisk, real or fake, and what it said.
type stage struct {
	t                   testing.TB
	url, user, password string
	prompts             string
	ring                func(number string) caller
	telephone           func() (endpoint string, rings func() rung) // one that Asterisk can ring
	conn                *websocket.Conn
	frames              [][]byte
	channel             string
}

func (s *stage) connect() {
	s.t.Helper()
	header := http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(s.user+":"+s.password))}}
	conn, _, err := websocket.Dial(s.t.Context(), "ws"+strings.TrimPrefix(s.url, "http")+"/events?app=ringback",
		&websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		s.t.Fatalf("events: %v", err)
	}
	s.t.Cleanup(func() { conn.CloseNow() })
	s.conn = conn
	// Asterisk knows the application a moment after it accepted the connection.
	for s.ask("GET", "/applications/ringback", nil) != 200 {
		if s.t.Context().Err() != nil {
			s.t.Fatal("the application was not registered")
		}
	}
}

// await reads events until one of the type, and returns it.
func (s *stage) await(kind string) map[string]any {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 90*time.Second)
	defer cancel()
	for {
		_, frame, err := s.conn.Read(ctx)
		if err != nil {
			s.t.Fatalf("waiting for %s after %v: %v", kind, kinds(s.t, s.frames), err)
		}
		frame = bytes.ReplaceAll(frame, []byte(s.prompts), []byte(promptDir))
		s.frames = append(s.frames, frame)
		var e map[string]any
		if err := json.Unmarshal(frame, &e); err != nil {
			s.t.Fatalf("event: %v", err)
		}
		if e["type"] == kind {
			return e
		}
	}
}

// do sends a request and fails the test unless it is answered with the code.
func (s *stage) do(code int, method, path string, body any) {
	s.t.Helper()
	if got := s.ask(method, path, body); got != code {
		s.t.Fatalf("%s %s: got %d, want %d", method, path, got, code)
	}
}

// ask sends a request and returns the code of its answer.
func (s *stage) ask(method, path string, body any) int {
	s.t.Helper()
	code, _ := s.exchange(method, path, body)
	return code
}

// get returns what is answered.
func (s *stage) get(path string) string {
	s.t.Helper()
	_, answer := s.exchange(http.MethodGet, path, nil)
	return answer
}

func (s *stage) exchange(method, path string, body any) (code int, answer string) {
	s.t.Helper()
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, content)
	if err != nil {
		s.t.Fatal(err)
	}
	req.SetBasicAuth(s.user, s.password)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, string(read)
}

func (s *stage) dial() caller {
	s.t.Helper()
	c := s.ring("+4923150012345")
	e := s.await("StasisStart")
	s.channel = e["channel"].(map[string]any)["id"].(string)
	return c
}

func (s *stage) dialAnswered() caller {
	s.t.Helper()
	c := s.dial()
	s.do(204, "POST", "/channels/"+s.channel+"/answer", nil)
	s.await("ChannelStateChange")
	return c
}

func (s *stage) play(id, prompt string) {
	s.t.Helper()
	s.do(201, "POST", "/channels/"+s.channel+"/play/"+s.channel+"-"+id, map[string]string{"media": "sound:" + s.prompts + "/" + prompt})
}

func (s *stage) record(name string) {
	s.t.Helper()
	s.do(201, "POST", "/channels/"+s.channel+"/record", map[string]any{"name": s.channel + "-" + name, "format": "wav",
		"maxDurationSeconds": 10, "maxSilenceSeconds": 2, "beep": true, "terminateOn": "any"})
	s.await("RecordingStarted")
}

func (s *stage) collect(name string) {
	s.t.Helper()
	path := "/recordings/stored/" + s.channel + "-" + name
	s.do(200, "GET", path+"/file", nil)
	s.do(204, "DELETE", path, nil)
	s.do(404, "GET", path+"/file", nil)
}

func (s *stage) hangUp() {
	s.t.Helper()
	s.do(204, "DELETE", "/channels/"+s.channel+"?reason=normal", nil)
	s.await("StasisEnd")
	s.do(404, "DELETE", "/channels/"+s.channel+"?reason=normal", nil)
}

const tap = 100 * time.Millisecond

// scenarios are what was recorded, by the name of the file.
var scenarios = func() map[string]func(*stage) {
	all := maps.Clone(callScenarios)
	maps.Copy(all, talkScenarios)
	return all
}()

// callScenarios are those of a caller and a dialogue.
var callScenarios = map[string]func(*stage){
	"prompt_finishes": func(s *stage) {
		s.dialAnswered()
		s.play("1", "short")
		s.await("PlaybackFinished")
		s.hangUp()
	},
	"prompt_cut_by_key": func(s *stage) {
		c := s.dialAnswered()
		s.play("1", "long")
		s.await("PlaybackStarted")
		c.press(s.t, '1', tap)
		s.await("ChannelDtmfReceived")
		s.do(204, "DELETE", "/playbacks/"+s.channel+"-1", nil)
		s.await("PlaybackFinished")
		s.do(404, "DELETE", "/playbacks/"+s.channel+"-1", nil)
		s.hangUp()
	},
	"key_held_three_seconds": func(s *stage) {
		c := s.dialAnswered()
		s.play("1", "long")
		s.await("PlaybackStarted")
		c.press(s.t, '5', 3*time.Second)
		s.await("ChannelDtmfReceived")
		s.hangUp()
	},
	"prompt_queues": func(s *stage) {
		s.dialAnswered()
		s.play("1", "long")
		s.await("PlaybackStarted")
		s.play("2", "short")
		s.do(204, "DELETE", "/playbacks/"+s.channel+"-1", nil)
		s.await("PlaybackFinished")
		s.await("PlaybackFinished")
		s.hangUp()
	},
	"prompt_missing": func(s *stage) {
		s.dialAnswered()
		s.play("1", "none")
		s.await("PlaybackFinished")
		s.hangUp()
	},
	"recording_ended_by_silence": func(s *stage) {
		s.dialAnswered()
		s.record("a")
		s.await("RecordingFinished")
		s.collect("a")
		s.hangUp()
	},
	"recording_ended_by_key": func(s *stage) {
		c := s.dialAnswered()
		s.record("a")
		c.stay(s.t, time.Second) // longer than the tone
		c.press(s.t, '#', tap)
		s.await("RecordingFinished")
		s.collect("a")
		s.hangUp()
	},
	"key_into_tone": func(s *stage) {
		c := s.dialAnswered()
		s.record("a")
		c.press(s.t, '1', tap) // into the tone: it ends nothing
		s.await("ChannelDtmfReceived")
		c.stay(s.t, time.Second)
		s.do(204, "POST", "/recordings/live/"+s.channel+"-a/stop", nil)
		s.await("RecordingFinished")
		s.do(404, "POST", "/recordings/live/"+s.channel+"-a/stop", nil)
		s.collect("a")
		s.hangUp()
	},
	"recording_ended_by_hangup": func(s *stage) {
		c := s.dialAnswered()
		s.record("a")
		c.stay(s.t, time.Second) // longer than the tone
		c.hangUp()
		s.await("StasisEnd")
		s.collect("a")
	},
	"hangup_in_tone": func(s *stage) {
		c := s.dialAnswered()
		s.record("a")
		c.hangUp()
		s.await("StasisEnd")
		s.do(404, "GET", "/recordings/stored/"+s.channel+"-a/file", nil)
	},
	"hangup_in_prompt": func(s *stage) {
		c := s.dialAnswered()
		s.play("1", "long")
		s.await("PlaybackStarted")
		c.hangUp()
		s.await("StasisEnd")
	},
	"hangup_by_controller": func(s *stage) {
		s.dialAnswered()
		s.play("1", "long")
		s.await("PlaybackStarted")
		s.hangUp()
	},
	"continues_in_dialplan": func(s *stage) {
		c := s.dial()
		s.do(204, "POST", "/channels/"+s.channel+"/continue", nil)
		s.await("StasisEnd")
		c.hangUp()
	},
	"refused_unanswered": func(s *stage) {
		s.dial()
		s.do(204, "DELETE", "/channels/"+s.channel+"?reason=busy", nil)
		s.await("StasisEnd")
	},
	"given_up_unanswered": func(s *stage) {
		c := s.dial()
		c.hangUp()
		s.await("StasisEnd")
	},
}
