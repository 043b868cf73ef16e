package phone

import (
	"net/netip"
	"testing"
)

func FuzzUnderstand(f *testing.F) {
	f.Add(describe(netip.MustParseAddrPort("127.0.0.1:4000"), 1, []Codec{ALaw, ULaw}, eventType))
	f.Add([]byte("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=video 1 RTP/AVP 0\r\nm=audio 0 RTP/AVP 0\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := understand(text, []Codec{ALaw, ULaw})
		if err == nil && (!r.addr.IsValid() || r.addr.Port() == 0 || r.codec.encode == nil) {
			t.Errorf("%q was understood as %+v", text, r)
		}
	})
}

func TestUnderstandAnAnswer(t *testing.T) {
	t.Parallel()
	answer := "v=0\r\no=- 7 7 IN IP4 192.0.2.1\r\ns=x\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" +
		"m=audio 5004 RTP/AVP 9 0 8 97\r\nc=IN IP4 192.0.2.9\r\na=rtpmap:97 Telephone-Event/8000\r\n"
	r, err := understand([]byte(answer), []Codec{ALaw, ULaw})
	if err != nil {
		t.Fatal(err)
	}
	if r.addr != netip.MustParseAddrPort("192.0.2.9:5004") || r.codec.Name != "PCMU" || r.event != 97 {
		t.Errorf("understood %v %s %d", r.addr, r.codec.Name, r.event)
	}
}
