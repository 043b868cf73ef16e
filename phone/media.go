package phone

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/pion/rtp"
)

// media is the voice of one call: a UDP socket, a sender that puts out a
// packet every 20 ms whether there is anything to say or not, and a receiver
// that keeps what comes.
type media struct {
	socket  *net.UDPConn
	local   netip.AddrPort
	codecs  []Codec
	event   int // payload type asked for telephone events; -1: none
	session uint64
	began   time.Time

	heard    timeline
	received sync.WaitGroup
	closed   chan struct{}
	sending  sync.Once
	once     sync.Once

	mu      sync.Mutex
	far     *remote
	refused error // why the agreed media cannot be used
	out     sender
	mute    bool
}

func openMedia(ip string, codecs []Codec, began time.Time) (*media, error) {
	if len(codecs) == 0 {
		codecs = []Codec{ALaw, ULaw}
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return nil, err
	}
	s, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)))
	if err != nil {
		return nil, err
	}
	m := &media{
		socket: s, local: s.LocalAddr().(*net.UDPAddr).AddrPort(), codecs: codecs, event: eventType,
		session: uint64(rand.Uint32()), began: began, closed: make(chan struct{}),
		out: sender{ssrc: rand.Uint32(), sequence: uint16(rand.Uint32()), timestamp: rand.Uint32()},
	}
	m.received.Go(m.receive)
	return m, nil
}

// since is the time since the call was dialled, or rang.
func (m *media) since() time.Duration { return time.Since(m.began) }

func (m *media) offer() []byte { return describe(m.local, m.session, m.codecs, m.event) }

// answer describes what is in use, for a re-INVITE.
func (m *media) answer() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.far == nil {
		return m.offer()
	}
	return describe(m.local, m.session, []Codec{m.far.codec}, m.far.event)
}

// connect sends from now on to where the far end's description says.
func (m *media) connect(description []byte) error {
	r, err := understand(description, m.codecs)
	if err != nil {
		return err
	}
	if m.event < 0 {
		r.event = -1 // not asked for, whatever the far end would take
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.far = &r
	return nil
}

func (m *media) connected() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.far != nil
}

// refuse keeps why the agreed media cannot be used; trouble tells it.
func (m *media) refuse(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused = err
}

func (m *media) trouble() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refused
}

// start begins to send, once.
func (m *media) start() { m.sending.Do(func() { go m.send() }) }

// send puts out a packet every 20 ms until the media is closed. A tick that
// comes late is made up for, so that the stream keeps time.
func (m *media) send() {
	const tick = 20 * time.Millisecond
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-m.closed:
			return
		case <-timer.C:
		}
		if late := time.Since(next); late > 10*tick { // the machine slept
			missed := late / tick
			next = next.Add(missed * tick)
			m.mu.Lock()
			m.out.timestamp += uint32(missed) * frame
			m.mu.Unlock()
		}
		for !next.After(time.Now()) {
			m.sendOne()
			next = next.Add(tick)
		}
		timer.Reset(time.Until(next))
	}
}

func (m *media) sendOne() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mute {
		m.out.timestamp += frame
		return
	}
	p := m.out.next(m.far.codec, m.far.event, samples(m.since()))
	raw, err := p.Marshal()
	if err != nil {
		return // not with the fields that next sets
	}
	// An ICMP error of an earlier packet surfaces here; the next may arrive.
	_, _ = m.socket.WriteToUDPAddrPort(raw, m.far.addr)
}

// listening is how long the socket is read before it is known that nothing came.
const listening = 40 * time.Millisecond

// receive keeps every packet that carries speech until the socket is closed.
func (m *media) receive() {
	buf := make([]byte, 2048)
	var p rtp.Packet
	for {
		if m.socket.SetReadDeadline(time.Now().Add(listening)) != nil {
			return // closed
		}
		began := m.since()
		n, _, err := m.socket.ReadFromUDPAddrPort(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			m.heard.nothingSince(began)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || p.Unmarshal(buf[:n]) != nil || p.Version != 2 {
			continue
		}
		// What else may come: RTCP on a wrong port, comfort noise, telephone
		// events. None of it is speech.
		for _, c := range []Codec{ALaw, ULaw} {
			if p.PayloadType == c.PayloadType {
				m.heard.place(m.since(), p.Header, c.decodeFrame(p.Payload))
			}
		}
	}
}

// close stops sending and receiving; nobody waits for a key any more.
func (m *media) close() {
	m.once.Do(func() {
		close(m.closed)
		_ = m.socket.Close()
		m.received.Wait()
		m.heard.finish(m.since())
	})
}
