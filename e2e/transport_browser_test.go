package e2e

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/emiago/sipgo/sip"
)

// TestTransportWebSocket: a browser's telephone registers over a secure
// websocket and calls with WebRTC's media, and so is the answer. The sound itself
// is a browser's matter.
func TestTransportWebSocket(t *testing.T) {
	t.Parallel()
	at := system.info.Secure
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trusted(t)}}
	ws, _, err := websocket.Dial(t.Context(), at.WebSocket, &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{"sip"}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if ws.Subprotocol() != "sip" {
		t.Errorf("subprotocol %q (RFC 7118 section 4)", ws.Subprotocol())
	}
	w := newWire(t, websocket.NetConn(t.Context(), ws, websocket.MessageText), "WSS", at.Browser.User, at.Browser.Password)
	if first, second := w.ask(sip.REGISTER, "", ""); second == nil || second.StatusCode != sip.StatusOK {
		t.Fatalf("registered with %v, then %v", first, second)
	}

	_, res := w.ask(sip.INVITE, system.info.Number, webAudio)
	if res == nil || res.StatusCode != sip.StatusOK {
		t.Fatalf("the call was answered %v", res)
	}
	sdp := string(res.Body())
	for _, want := range []string{
		"UDP/TLS/RTP/SAVPF", "a=fingerprint:SHA-256 ", "a=setup:", "a=ice-ufrag:", "a=candidate:", "a=rtcp-mux", "opus/48000/2", "telephone-event",
	} {
		if !strings.Contains(sdp, want) {
			t.Errorf("the answer lacks %q:\n%s", want, sdp)
		}
	}
	if bye := w.once(sip.BYE, system.info.Number, "", ""); bye.StatusCode != sip.StatusOK {
		t.Errorf("hung up with %v", bye)
	}
}

// TestTransportNoARIForBrowsers: the port of browsers is ARI's server too, and
// says no to whoever asks for it from elsewhere.
func TestTransportNoARIForBrowsers(t *testing.T) {
	t.Parallel()
	address := "https://" + strings.TrimSuffix(strings.TrimPrefix(system.info.Secure.WebSocket, "wss://"), "/ws")
	for from, want := range map[string]int{"127.0.0.1": http.StatusUnauthorized, "127.0.0.2": http.StatusForbidden} {
		dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: trusted(t), DialContext: dialer.DialContext, DisableKeepAlives: true}}
		for _, path := range []string{"/ari/asterisk/info", "//ari/asterisk/info", "/ari/../ari/channels", "/%61ri/asterisk/info"} {
			resp, err := client.Get(address + path)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK || path == "/ari/asterisk/info" && resp.StatusCode != want {
				t.Errorf("%s from %s: %s, want %d", path, from, resp.Status, want)
			}
			if from == "127.0.0.2" && resp.StatusCode == http.StatusUnauthorized {
				t.Errorf("%s from %s got as far as the password", path, from)
			}
		}
	}
}

// webAudio is an offer as a browser makes it.
const webAudio = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111 8 101\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n" +
	"a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv12\r\na=ice-options:trickle\r\n" +
	"a=candidate:1 1 udp 2113937151 127.0.0.1 9 typ host\r\n" +
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n" +
	"a=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n" +
	"a=rtpmap:111 opus/48000/2\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
