package phone

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// eventType is the payload type this telephone asks for telephone events.
const eventType = 101

// describe writes a session description (RFC 8866) of one audio stream.
func describe(local netip.AddrPort, version uint64, codecs []Codec, event int) []byte {
	ip := local.Addr().String()
	kind := "IP4"
	if local.Addr().Is6() {
		kind = "IP6"
	}
	audio := &sdp.MediaDescription{MediaName: sdp.MediaName{
		Media: "audio", Port: sdp.RangedPort{Value: int(local.Port())}, Protos: []string{"RTP", "AVP"},
	}}
	for _, c := range codecs {
		audio.WithCodec(c.PayloadType, c.Name, Rate, 0, "")
	}
	if event >= 0 {
		audio.WithCodec(uint8(event), "telephone-event", Rate, 0, "0-15")
	}
	audio.WithValueAttribute("ptime", "20").WithPropertyAttribute("sendrecv")
	d := sdp.SessionDescription{
		Origin:                sdp.Origin{Username: "-", SessionID: version, SessionVersion: version, NetworkType: "IN", AddressType: kind, UnicastAddress: ip},
		SessionName:           "-",
		ConnectionInformation: &sdp.ConnectionInformation{NetworkType: "IN", AddressType: kind, Address: &sdp.Address{Address: ip}},
		TimeDescriptions:      []sdp.TimeDescription{{}},
		MediaDescriptions:     []*sdp.MediaDescription{audio},
	}
	text, err := d.Marshal()
	if err != nil { // none of the fields above can make it fail
		return nil
	}
	return text
}

// remote is what the far end's session description says of its audio.
type remote struct {
	addr  netip.AddrPort
	codec Codec
	event int // payload type of telephone events; -1: it takes none
}

// understand reads a session description; ours are the codecs acceptable here.
func understand(text []byte, ours []Codec) (remote, error) {
	r := remote{event: -1}
	var d sdp.SessionDescription
	if err := d.Unmarshal(text); err != nil {
		return r, fmt.Errorf("read the session description: %w", err)
	}
	i := slices.IndexFunc(d.MediaDescriptions, func(m *sdp.MediaDescription) bool {
		return m.MediaName.Media == "audio" && m.MediaName.Port.Value != 0
	})
	if i < 0 {
		return r, errors.New("the far end offers no audio")
	}
	audio := d.MediaDescriptions[i]
	if p := strings.Join(audio.MediaName.Protos, "/"); p != "RTP/AVP" && p != "RTP/AVPF" {
		return r, fmt.Errorf("the far end's audio is %s, which this telephone has not", p)
	}
	conn := audio.ConnectionInformation
	if conn == nil {
		conn = d.ConnectionInformation
	}
	if conn == nil || conn.Address == nil {
		return r, errors.New("the far end names no media address")
	}
	ip, err := netip.ParseAddr(conn.Address.Address)
	if err != nil {
		return r, fmt.Errorf("media address: %w", err)
	}
	r.addr = netip.AddrPortFrom(ip.Unmap(), uint16(audio.MediaName.Port.Value))

	for _, f := range audio.MediaName.Formats {
		n, err := strconv.Atoi(f)
		if err != nil {
			continue
		}
		j := slices.IndexFunc(ours, func(c Codec) bool { return int(c.PayloadType) == n })
		if j >= 0 && r.codec.encode == nil {
			r.codec = ours[j]
		}
		if isEvent(audio, f) {
			r.event = n
		}
	}
	if r.codec.encode == nil {
		return r, fmt.Errorf("no codec in common: the far end has %s", strings.Join(audio.MediaName.Formats, " "))
	}
	return r, nil
}

func isEvent(m *sdp.MediaDescription, format string) bool {
	return slices.ContainsFunc(m.Attributes, func(a sdp.Attribute) bool {
		return a.Key == "rtpmap" && strings.EqualFold(a.Value, format+" telephone-event/8000")
	})
}
