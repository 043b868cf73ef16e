package phonetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"sync"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
	"github.com/pion/rtp"
	"github.com/zaf/g711"
)

// Line is one caller on the hotline, or one telephone that it rang.
type Line struct {
	Invite *sip.Request

	dialog dialog
	socket *net.UDPConn
	caller netip.AddrPort
	alaw   bool
	closed chan struct{}
	once   sync.Once

	keys    chan Key
	mu      sync.Mutex
	packets []Packet
	seen    map[uint32]bool // ended events by timestamp
	waiting []waiter

	out rtp.Header
	// Lose says which of the packets played get lost.
	Lose func(n int) bool
}

// Key is a key the caller pressed.
type Key struct {
	Key     byte
	Samples int // its length
}

// Packet is what the caller sent.
type Packet struct {
	Arrived time.Time
	rtp.Header
	Payload []byte
}

type waiter struct {
	n     int
	ready chan struct{}
}

var (
	connection = regexp.MustCompile(`(?m)^c=IN IP4 ([0-9.]+)`)
	audio      = regexp.MustCompile(`(?m)^m=audio ([0-9]+) RTP/AVP ([0-9 ]+)`)
)

// dialog is what is the same for a caller and for one who was rung.
type dialog interface {
	Bye(ctx context.Context) error
	ReadBye(req *sip.Request, tx sip.ServerTransaction) error
}

// newLine opens a line that knows nothing of the other side's media yet.
func newLine(d dialog, invite *sip.Request) (*Line, error) {
	s, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	l := &Line{
		Invite: invite, dialog: d, socket: s, alaw: true,
		closed: make(chan struct{}), keys: make(chan Key, 100), seen: map[uint32]bool{},
		out: rtp.Header{Version: 2, SSRC: 4711, SequenceNumber: 65000, Timestamp: 1<<32 - 4000},
	}
	go l.receive()
	return l, nil
}

// understand takes the other side's description of its media.
func (l *Line) understand(description []byte) error {
	c, m := connection.FindSubmatch(description), audio.FindSubmatch(description)
	if c == nil || m == nil {
		return fmt.Errorf("no audio in %q", description)
	}
	addr, err := netip.ParseAddrPort(string(c[1]) + ":" + string(m[1]))
	if err != nil {
		return err
	}
	l.caller, l.alaw = addr, bytes.HasPrefix(m[2], []byte("8"))
	return nil
}

// Description is the hotline's SDP; events says whether it takes keys.
func (l *Line) Description(events bool) []byte {
	port := l.socket.LocalAddr().(*net.UDPAddr).Port
	pt := "0"
	if l.alaw {
		pt = "8"
	}
	ev := ""
	if events {
		ev = "a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-16\r\n"
		pt += " 96"
	}
	return fmt.Appendf(nil, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=hotline\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP %s\r\n%sa=ptime:20\r\n", port, pt, ev)
}

// Respond sends a response to who rang the hotline.
func (l *Line) Respond(status int, reason string, body []byte) error {
	var headers []sip.Header
	if body != nil {
		headers = append(headers, sip.NewHeader("Content-Type", "application/sdp"))
	}
	d, ok := l.dialog.(*sipgo.DialogServerSession)
	if !ok {
		return errors.New("the hotline rang, and has nothing to respond to")
	}
	return d.Respond(status, reason, body, headers...)
}

// Answer takes the call.
func (l *Line) Answer() error { return l.Respond(200, "OK", l.Description(true)) }

// HangUp ends the call.
func (l *Line) HangUp() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := l.dialog.Bye(ctx)
	l.close()
	return err
}

// Gone is closed when the call is over.
func (l *Line) Gone() <-chan struct{} { return l.closed }

func (l *Line) close() {
	l.once.Do(func() {
		close(l.closed)
		_ = l.socket.Close()
	})
}

// ErrGone says that the caller is no longer there.
var ErrGone = errors.New("the caller hung up")

// Play sends 8 kHz audio at its own speed, until a key is pressed if cut, and
// returns that key.
func (l *Line) Play(pcm []int16, cut bool) (Key, error) {
	const frame = 160
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	keys := l.keys
	if !cut {
		keys = nil
	}
	for n := 0; len(pcm) > 0; n++ {
		f := make([]int16, frame)
		pcm = pcm[copy(f, pcm):]
		l.send(f, n)
		select {
		case k := <-keys:
			return k, nil
		case <-l.closed:
			return Key{}, ErrGone
		case <-timer.C:
			next = next.Add(20 * time.Millisecond)
			timer.Reset(time.Until(next)) // at once, if the machine was busy
		}
	}
	return Key{}, nil
}

func (l *Line) send(pcm []int16, n int) {
	payload := make([]byte, len(pcm))
	for i, s := range pcm {
		if l.alaw {
			payload[i] = g711.EncodeAlawFrame(s)
		} else {
			payload[i] = g711.EncodeUlawFrame(s)
		}
	}
	h := l.out
	h.PayloadType = 0
	h.Marker = n == 0 // somebody begins to speak
	if l.alaw {
		h.PayloadType = 8
	}
	l.out.SequenceNumber++
	l.out.Timestamp += uint32(len(pcm))
	if l.Lose != nil && l.Lose(n) {
		return
	}
	raw, _ := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	_, _ = l.socket.WriteToUDPAddrPort(raw, l.caller)
}

// Key waits for the next key.
func (l *Line) Key() (Key, error) {
	select {
	case k := <-l.keys:
		return k, nil
	case <-l.closed:
		return Key{}, ErrGone
	}
}

// Wait waits until the caller has sent n packets, and returns them all.
func (l *Line) Wait(n int) ([]Packet, error) {
	l.mu.Lock()
	ready := make(chan struct{})
	if len(l.packets) >= n {
		close(ready)
	} else {
		l.waiting = append(l.waiting, waiter{n, ready})
	}
	l.mu.Unlock()
	select {
	case <-ready:
		return l.Packets(), nil
	case <-l.closed:
		return nil, ErrGone
	}
}

// Packets are the packets that came so far.
func (l *Line) Packets() []Packet {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Packet(nil), l.packets...)
}

func (l *Line) receive() {
	buf := make([]byte, 2000)
	for {
		n, _, err := l.socket.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		var p rtp.Packet
		if p.Unmarshal(append([]byte(nil), buf[:n]...)) != nil {
			continue
		}
		l.mu.Lock()
		l.packets = append(l.packets, Packet{time.Now(), p.Header, p.Payload})
		for i := 0; i < len(l.waiting); i++ {
			if len(l.packets) >= l.waiting[i].n {
				close(l.waiting[i].ready)
				l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
				i--
			}
		}
		// A key counts when its first end packet comes; the same timestamp
		// is the same key (RFC 4733 section 2.5.2.2).
		var ended *Key
		if p.PayloadType == 96 && len(p.Payload) == 4 && p.Payload[1]&0x80 != 0 && !l.seen[p.Timestamp] {
			l.seen[p.Timestamp] = true
			ended = &Key{"0123456789*#"[p.Payload[0]], int(p.Payload[2])<<8 | int(p.Payload[3])}
		}
		l.mu.Unlock()
		if ended != nil {
			l.keys <- *ended
		}
	}
}

// Number is the user part of the caller's From header.
func (l *Line) Number() string { return l.Invite.From().Address.User }
