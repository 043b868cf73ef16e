package asterisk_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/asterisk/aritest"
)

// To take the recordings anew, run against a real Asterisk on this machine,
// whose dialplan lets calls to 116117 into Stasis(ringback,in,…):
//
//	RINGBACK_TEST_ARI=http://127.0.0.1:8088/ari,user,password \
//	RINGBACK_TEST_SIP=127.0.0.1:5060 go test ./asterisk -run Recordings -record
var record = flag.Bool("record", os.Getenv("RINGBACK_RECORD") != "", "record the events of a real Asterisk into testdata/recordings")

// recordings is the folder of event sequences: one frame a line.
const recordings = "testdata/recordings"

// promptDir stands in the recordings for the folder the prompts were in.
const promptDir = "/prompts"

// prompts of the scenarios and how long they sound.
var promptLengths = map[string]time.Duration{"short": 300 * time.Millisecond, "long": 10 * time.Second}

// TestRecordings drives every scenario and records, or compares.
func TestRecordings(t *testing.T) {
	if !*record {
		t.Skip("only with -record: takes the recordings anew")
	}
	url, user, password, sip := realAsterisk(t)
	for name, act := range scenarios {
		t.Run(name, func(t *testing.T) {
			s := &stage{t: t, url: url, user: user, password: password, prompts: writePrompts(t),
				ring:      func(number string) caller { return ringSIP(t, sip, number) },
				telephone: func() (string, func() rung) { return answerSIP(t) }}
			s.connect()
			act(s)
			if err := os.WriteFile(filepath.Join(recordings, name+".jsonl"), append(bytes.Join(s.frames, []byte("\n")), '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
			t.Log(strings.Join(kinds(t, s.frames), " "))
		})
	}
}

// realAsterisk is where a real Asterisk is, or skips the test.
func realAsterisk(t testing.TB) (url, user, password, sip string) {
	t.Helper()
	a, sip := os.Getenv("RINGBACK_TEST_ARI"), os.Getenv("RINGBACK_TEST_SIP")
	if a == "" || sip == "" {
		const need = "needs a real Asterisk: set RINGBACK_TEST_ARI=url,user,password and RINGBACK_TEST_SIP=host:port"
		if os.Getenv("CI") == "true" {
			t.Fatal(need)
		}
		t.Skip(need)
	}
	parts := strings.Split(a, ",")
	if len(parts) != 3 {
		t.Fatalf("RINGBACK_TEST_ARI: want url,user,password")
	}
	return parts[0], parts[1], parts[2], sip
}

// writePrompts writes the prompts of the scenarios, silent, in A-law.
func writePrompts(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, length := range promptLengths {
		writeSilence(t, filepath.Join(dir, name), length)
	}
	return dir
}

func writeSilence(t testing.TB, path string, length time.Duration) {
	t.Helper()
	silence := bytes.Repeat([]byte{0xd5}, int(length*8000/time.Second))
	if err := os.WriteFile(path+".alaw", silence, 0o644); err != nil {
		t.Fatal(err)
	}
}

// readFrames reads a recording.
func readFrames(t testing.TB, name string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(recordings, name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var frames [][]byte
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		frames = append(frames, bytes.Clone(lines.Bytes()))
	}
	return frames
}

// kinds are the types of events.
func kinds(t testing.TB, frames [][]byte) []string {
	t.Helper()
	var all []string
	for _, f := range frames {
		var e struct{ Type string }
		if err := json.Unmarshal(f, &e); err != nil {
			t.Fatalf("%.80s: %v", f, err)
		}
		all = append(all, e.Type)
	}
	return all
}

// fakeCaller makes aritest's caller one of the scenarios.
type fakeCaller struct{ *aritest.Caller }

func (c fakeCaller) press(_ testing.TB, key byte, held time.Duration) time.Time {
	c.Hold(key, held)
	return time.Now()
}

// stay waits until a recording is past its tone; that is what scenarios stay for.
func (c fakeCaller) stay(t testing.TB, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*d)
	defer cancel()
	if err := c.WaitRecording(ctx); err != nil {
		t.Fatalf("recording: %v", err)
	}
}

func (c fakeCaller) hangUp() { c.HangUp() }

func (c fakeCaller) vanish(testing.TB) { c.Break() }

func (c fakeCaller) speak(testing.TB, time.Duration) { c.Utter() }

// fakeRung makes aritest's telephone that rings one of the scenarios.
type fakeRung struct{ *aritest.Caller }

func (c fakeRung) hangUp() { c.HangUp() }

func (c fakeRung) refuse(_ testing.TB, status int) { c.Refuse(status) }

func (c fakeRung) pickUp(t testing.TB) {
	t.Helper()
	if !c.PickUp() {
		t.Fatal("it rings no more")
	}
}

// TestFakeMatchesRecordings drives aritest through the scenarios: its events
// must come in the order, with the fields, and with the values that the line
// relies on, of the real Asterisk's.
func TestFakeMatchesRecordings(t *testing.T) {
	t.Parallel()
	for name, act := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := aritest.New(t)
			fake.Tone = 50 * time.Millisecond
			fake.Silence = 100 * time.Millisecond
			fake.Length = func(media string) time.Duration {
				length, ok := promptLengths[filepath.Base(media)]
				if !ok {
					return -1
				}
				return length
			}
			s := &stage{t: t, url: fake.URL(), user: aritest.User, password: aritest.Password, prompts: promptDir,
				ring: func(number string) caller { return fakeCaller{fake.Dial(number)} },
				telephone: func() (string, func() rung) {
					return "PJSIP/trunk/sip:agent@127.0.0.1", func() rung {
						c, err := fake.WaitRung(t.Context())
						if err != nil {
							t.Fatal(err)
						}
						return fakeRung{c}
					}
				}}
			s.connect()
			act(s)

			want := settled(readFrames(t, name))
			s.frames = settled(s.frames)
			if got, want := kinds(t, s.frames), kinds(t, want); !slices.Equal(got, want) {
				t.Fatalf("events:\n got %v\nwant %v", got, want)
			}
			for i := range want {
				got, want := essence(t, s.frames[i]), essence(t, want[i])
				if got != want {
					t.Errorf("event %d:\n got %s\nwant %s", i, got, want)
				}
			}
		})
	}
	files, err := filepath.Glob(filepath.Join(recordings, "*.jsonl"))
	if err != nil || len(files) != len(scenarios) {
		t.Errorf("%d recordings for %d scenarios (%v)", len(files), len(scenarios), err)
	}
}

// relied are the fields whose values the line relies on, below any field.
var relied = []string{"type", "digit", "duration_ms", "args", "state", "media_uri", "target_uri", "id", "name", "number", "cause", "tech_cause", "soft",
	"dialstatus", "variable"}

// essence is an event with the values that are not relied on, and the ids that
// differ from call to call, replaced.
func essence(t testing.TB, frame []byte) string {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal(frame, &e); err != nil {
		t.Fatal(err)
	}
	if channel := channelOf(e); channel != "" {
		frame = bytes.ReplaceAll(frame, []byte(channel), []byte("CHANNEL"))
		e = nil
		if err := json.Unmarshal(frame, &e); err != nil {
			t.Fatal(err)
		}
	}
	blank(e)
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// channelOf is the id of the caller's channel, from which those of the agent's
// leg and of their bridge are made.
func channelOf(e map[string]any) string {
	for _, of := range []string{"channel", "peer", "bridge"} {
		if c, ok := e[of].(map[string]any); ok {
			return strings.TrimSuffix(strings.TrimSuffix(c["id"].(string), "-bridge"), "-leg")
		}
	}
	for _, of := range []string{"playback", "recording"} {
		if o, ok := e[of].(map[string]any); ok {
			return strings.TrimPrefix(o["target_uri"].(string), "channel:")
		}
	}
	return ""
}

// settled leaves out what Asterisk tells at any time while a telephone is
// dialled: that it is dialled, and that it rings, which the state of its channel
// tells as well.
func settled(frames [][]byte) [][]byte {
	return slices.DeleteFunc(slices.Clone(frames), func(frame []byte) bool {
		return bytes.Contains(frame, []byte(`"dialstatus":"RINGING"`)) || bytes.Contains(frame, []byte(`"dialstatus":""`))
	})
}

// blank replaces in place what is not relied on.
func blank(e map[string]any) {
	for k, v := range e {
		switch v := v.(type) {
		case map[string]any:
			blank(v)
		default:
			if !slices.Contains(relied, k) || strings.HasPrefix(fmt.Sprint(v), "PJSIP/") {
				e[k] = "…"
			}
		}
	}
}
