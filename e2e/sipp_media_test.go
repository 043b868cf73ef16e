package e2e

import (
	bin "encoding/binary"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// voice is the RTP of a telephone whose SIP is SIPp's: SIPp sends sound of its
// own only with rights that tests do not have. It is silent in A-law, sends to
// where it is sent from, and can press keys.
type voice struct {
	socket *net.UDPConn

	mu    sync.Mutex
	far   netip.AddrPort
	heard map[uint8]int // packets received, by payload type
	muted bool
	keys  []byte // event codes (RFC 4733) still to be pressed
}

func newVoice(t *testing.T) *voice {
	t.Helper()
	s, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	v := &voice{socket: s, heard: map[uint8]int{}}
	end := make(chan struct{})
	var both sync.WaitGroup
	both.Go(v.receive)
	both.Go(func() { v.send(end) })
	t.Cleanup(func() {
		close(end)
		s.Close()
		both.Wait()
	})
	return v
}

func (v *voice) port() int { return v.socket.LocalAddr().(*net.UDPAddr).Port }

func (v *voice) receive() {
	buf := make([]byte, 2048)
	var p rtp.Packet
	for {
		n, from, err := v.socket.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if p.Unmarshal(buf[:n]) != nil {
			continue
		}
		v.mu.Lock()
		v.far = from
		v.heard[p.PayloadType]++
		v.mu.Unlock()
	}
}

// send sends 20 ms of silence or of a key every 20 ms.
func (v *voice) send(end <-chan struct{}) {
	const (
		keyType  = 101
		frame    = 160
		keyTicks = 6
		restsAt  = 14 // three packets told the end; then silence
	)
	silence := make([]byte, frame)
	for i := range silence {
		silence[i] = 0xd5
	}
	h := rtp.Header{Version: 2, SSRC: 4711}
	var began uint32
	at := 0 // ticks since the key began
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return
		case <-tick.C:
		}
		h.SequenceNumber++
		h.Timestamp += frame
		p := rtp.Packet{Header: h, Payload: silence}
		p.PayloadType = 8
		v.mu.Lock()
		far, muted := v.far, v.muted
		if len(v.keys) > 0 {
			if at == 0 {
				began = h.Timestamp
			}
			at++
			if at <= keyTicks+2 {
				p.PayloadType, p.Timestamp, p.Marker = keyType, began, at == 1
				p.Payload = []byte{v.keys[0], 10, 0, 0}
				if at >= keyTicks {
					p.Payload[1] |= 0x80
				}
				bin.BigEndian.PutUint16(p.Payload[2:], uint16(min(at, keyTicks)*frame))
			}
			if at == restsAt {
				at, v.keys = 0, v.keys[1:]
			}
		}
		v.mu.Unlock()
		raw, err := p.Marshal()
		if muted || err != nil || !far.IsValid() {
			continue
		}
		_, _ = v.socket.WriteToUDPAddrPort(raw, far) // the call may be over
	}
}

// press presses digits one after another.
func (v *voice) press(digits string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, d := range []byte(digits) {
		v.keys = append(v.keys, d-'0')
	}
}

func (v *voice) mute(muted bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.muted = muted
}

// packets is how many packets of a payload type were received.
func (v *voice) packets(kind uint8) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.heard[kind]
}
