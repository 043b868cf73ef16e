package e2e

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// wire is SIP as it goes over the line, one message after another, for what
// a telephone would never send.
type wire struct {
	t              *testing.T
	conn           net.Conn
	via            string // as in the Via header: UDP, WSS
	user, password string
	host           string // of the hotline
	from           string // tag
	to             string // tag of the far end, in a dialog
	id             string // Call-ID
	seq            int
}

func newWire(t *testing.T, conn net.Conn, via, user, password string) *wire {
	return &wire{
		t: t, conn: conn, via: via, user: user, password: password, host: "127.0.0.1",
		from: rand.Text()[:8], id: rand.Text(),
	}
}

// send writes a request; body is SDP.
func (w *wire) send(method sip.RequestMethod, to, authorization, body string) {
	w.t.Helper()
	target := "sip:" + w.host
	if to != "" {
		target = "sip:" + to + "@" + w.host
	}
	place := "client.invalid" // RFC 7118 section 5: a browser knows no better
	if w.via == "UDP" {
		place = w.conn.LocalAddr().String()
	}
	lines := []string{
		string(method) + " " + target + " SIP/2.0",
		"Via: SIP/2.0/" + w.via + " " + place + ";rport;branch=z9hG4bK" + rand.Text(),
		"Max-Forwards: 70",
		"From: <sip:" + w.user + "@" + w.host + ">;tag=" + w.from,
		"To: <sip:" + cmp.Or(to, w.user) + "@" + w.host + ">" + w.to,
		"Call-ID: " + w.id,
		fmt.Sprintf("CSeq: %d %s", w.seq, method),
		"Contact: <sip:" + w.user + "@" + place + ";transport=" + strings.ToLower(w.via) + ">",
		"User-Agent: wire",
	}
	if method == sip.REGISTER {
		lines = append(lines, "Expires: 60")
	}
	if authorization != "" {
		lines = append(lines, "Authorization: "+authorization)
	}
	if body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	lines = append(lines, "Content-Length: "+strconv.Itoa(len(body)), "", body)
	if _, err := w.conn.Write([]byte(strings.Join(lines, "\r\n"))); err != nil {
		w.t.Fatal(err)
	}
}

// once sends a request and returns its final answer.
func (w *wire) once(method sip.RequestMethod, to, authorization, body string) *sip.Response {
	w.t.Helper()
	w.seq++
	w.send(method, to, authorization, body)
	buf := make([]byte, 1<<16)
	for {
		if err := w.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			w.t.Fatal(err)
		}
		n, err := w.conn.Read(buf)
		if err != nil {
			w.t.Fatalf("waiting for the answer to %s: %v", method, err)
		}
		m, err := sip.ParseMessage(buf[:n])
		if err != nil {
			w.t.Fatalf("%v: %q", err, buf[:n])
		}
		res, ok := m.(*sip.Response)
		if !ok || res.IsProvisional() || int(res.CSeq().SeqNo) != w.seq {
			continue // a question whether we are there, or an answer again
		}
		if method == sip.INVITE {
			tag, _ := res.To().Params.Get("tag")
			w.to = ";tag=" + tag
			w.send(sip.ACK, to, "", "")
			if !res.IsSuccess() {
				w.to = ""
			}
		}
		return res
	}
}

// ask sends a request, and once more with the password when challenged. It
// returns both answers; the second is nil without a challenge.
func (w *wire) ask(method sip.RequestMethod, to, body string) (first, second *sip.Response) {
	w.t.Helper()
	first = w.once(method, to, "", body)
	header := first.GetHeader("WWW-Authenticate")
	if first.StatusCode != sip.StatusUnauthorized || header == nil {
		return first, nil
	}
	challenge, err := digest.ParseChallenge(header.Value())
	if err != nil {
		w.t.Fatal(err)
	}
	answer, err := digest.Digest(challenge, digest.Options{
		Method: string(method), URI: "sip:" + w.host, Username: w.user, Password: w.password, Count: 1,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return first, w.once(method, to, answer.String(), body)
}

// TestTransportGuessing: who tries names and passwords from an address that is
// no trunk's learns nothing: a wrong password and a name that does not exist
// are answered alike, and as fast; no call of his is ever answered.
func TestTransportGuessing(t *testing.T) {
	t.Parallel()
	far, err := net.ResolveUDPAddr("udp", system.info.SIP)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{
		"of a telephone": system.info.SIPPhones[0].User, "of a browser": system.info.Secure.Browser.User,
		"of a trunk": "trunk", "of nobody": "phone9", "of nobody else": "browser9",
	}
	for _, method := range []sip.RequestMethod{sip.REGISTER, sip.INVITE, sip.OPTIONS} {
		least := map[string]time.Duration{}
		// In turns, so that a busy moment is everybody's; and on a busy machine
		// until each had a calm one. A difference that is meant stays.
		for round := 0; round < 10 || round < 200 && slowest(least) != ""; round++ {
			for who, name := range names {
				conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)}, far)
				if err != nil {
					t.Fatal(err)
				}
				w := newWire(t, conn, "UDP", name, "guessed")
				to, body := "", ""
				if method == sip.INVITE {
					to, body = system.info.Number, plainAudio
				}
				began := time.Now()
				first, second := w.ask(method, to, body)
				took := time.Since(began)
				conn.Close()
				if old, ok := least[who]; !ok || took < old {
					least[who] = took
				}
				if second == nil || first.StatusCode != sip.StatusUnauthorized || second.StatusCode != sip.StatusUnauthorized {
					t.Fatalf("%s, name %s: answered %v, then %v", method, who, first, second)
				}
				if got, want := shape(first)+shape(second), shape(first)+shape(first); got != want {
					t.Errorf("%s, name %s: the answers have %s, want %s", method, who, got, want)
				}
			}
		}
		t.Logf("%s: fastest answers to two requests: %v", method, least)
		if who := slowest(least); who != "" {
			t.Errorf("%s: a name %s takes %v, one of nobody %v", method, who, least[who], least["of nobody"])
		}
	}
}

// slowest is whose name takes so much longer than one of nobody that it can be
// told from afar, or empty.
func slowest(least map[string]time.Duration) string {
	for who, took := range least {
		if took > least["of nobody"]+20*time.Millisecond {
			return who
		}
	}
	return ""
}

// shape is what an answer consists of: its headers, and the challenge without
// what is made anew each time.
func shape(r *sip.Response) string {
	var b strings.Builder
	for _, h := range r.Headers() {
		b.WriteString(h.Name() + " ")
	}
	if h := r.GetHeader("WWW-Authenticate"); h != nil {
		if c, err := digest.ParseChallenge(h.Value()); err == nil {
			fmt.Fprint(&b, c.Realm, c.Algorithm, c.QOP, c.Opaque != "", c.Stale)
		}
	}
	return b.String()
}

// plainAudio is an offer of RTP without encryption.
const plainAudio = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
	"m=audio 9 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
