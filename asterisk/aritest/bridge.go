package aritest

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// bridge is where callers hear each other. The nil bridge is none. Everything
// here is called with server.mu held.
type bridge struct {
	server  *Server
	id      string
	name    string
	created time.Time
	in      []*Caller
}

func (b *bridge) snapshot() *bridging {
	ids := make([]string, 0, len(b.in))
	for _, c := range b.in { // who came last is first
		ids = append([]string{c.channel.ID}, ids...)
	}
	return &bridging{ID: b.id, Technology: "simple_bridge", Type: "mixing", Class: "stasis", Creator: "Stasis", Name: b.name,
		Channels: ids, Created: stamp(b.created), Video: "talker"}
}

// other is who else is in the bridge; nil: nobody.
func (b *bridge) other(c *Caller) *Caller {
	if b != nil {
		for _, o := range b.in {
			if o != c {
				return o
			}
		}
	}
	return nil
}

// pass passes a key on to the others.
func (b *bridge) pass(from *Caller, key byte) {
	for _, c := range b.in {
		if c != from {
			c.keys = append(c.keys, key)
		}
	}
}

// add joins a channel; two are made known to each other.
func (b *bridge) add(c *Caller) {
	if c.bridge == b {
		return
	}
	c.leaveBridge()
	b.in = append(b.in, c)
	c.bridge = b
	b.server.emit(event{Type: "ChannelEnteredBridge", Bridge: b.snapshot(), Channel: c.snapshot()})
	if len(b.in) == 2 {
		for i, one := range b.in {
			one.paired = true
			one.peers(b.in[1-i].channel.Name, b.in[1-i].channel.Protocol)
		}
		first := b.in[0]
		first.channel.Connected = b.in[1].channel.Caller
		b.server.emit(event{Type: "ChannelConnectedLine", Channel: first.snapshot()})
	}
	for _, one := range b.in {
		one.tell()
	}
}

// peers sets the variables that name the other one in a bridge.
func (c *Caller) peers(name, protocol string) {
	c.varset("BRIDGEPEER", name)
	c.varset("BRIDGEPVTCALLID", protocol)
}

// remove takes a channel out without a word.
func (b *bridge) remove(c *Caller) {
	if b == nil {
		return
	}
	kept := b.in[:0:0]
	for _, o := range b.in {
		if o != c {
			kept = append(kept, o)
		}
	}
	b.in = kept
	c.bridge = nil
	for _, o := range kept {
		o.tell()
	}
}

// leaveBridge takes the caller out of the bridge it is in.
func (c *Caller) leaveBridge() {
	b := c.bridge
	if b == nil {
		return
	}
	if c.paired {
		c.paired = false
		c.peers("", "")
	}
	b.remove(c)
	c.server.emit(event{Type: "ChannelLeftBridge", Bridge: b.snapshot(), Channel: c.snapshot()})
	c.tell()
}

type (
	handler        = func(w http.ResponseWriter, r *http.Request)
	channelHandler = func(w http.ResponseWriter, r *http.Request, c *Caller)
)

// routesOfTalks are the requests about music, voices, bridges and telephones
// that are rung.
func (s *Server) routesOfTalks(locked func(string, handler), on, inStasis func(string, channelHandler)) {
	locked("POST /ari/channels/{channel}", s.originate)
	inStasis("POST /ari/channels/{channel}/moh", func(w http.ResponseWriter, _ *http.Request, c *Caller) {
		c.music = len(c.operations) == 0
		c.musicNext = !c.music
		c.early = c.early || c.channel.State != "Up"
		c.tell()
		answer(w, http.StatusNoContent, nil)
	})
	inStasis("DELETE /ari/channels/{channel}/moh", func(w http.ResponseWriter, _ *http.Request, c *Caller) {
		c.music, c.musicNext = false, false
		c.tell()
		answer(w, http.StatusNoContent, nil)
	})
	inStasis("POST /ari/channels/{channel}/variable", func(w http.ResponseWriter, r *http.Request, c *Caller) {
		switch name := r.URL.Query().Get("variable"); name {
		case "TALK_DETECT(set)":
			c.listening = true
		case "TALK_DETECT(remove)":
			c.listening = false
		default:
			c.variables[name] = r.URL.Query().Get("value")
		}
		c.tell()
		answer(w, http.StatusNoContent, nil)
	})
	on("GET /ari/channels/{channel}/variable", func(w http.ResponseWriter, r *http.Request, c *Caller) {
		value, ok := c.variables[r.URL.Query().Get("variable")]
		if !ok {
			refuse(w, http.StatusNotFound, "Provided variable was not found")
			return
		}
		answer(w, http.StatusOK, map[string]string{"value": value})
	})
	locked("GET /ari/bridges", func(w http.ResponseWriter, _ *http.Request) {
		list := make([]*bridging, 0, len(s.bridges))
		for _, b := range s.bridges {
			list = append(list, b.snapshot())
		}
		answer(w, http.StatusOK, list)
	})
	locked("POST /ari/bridges/{bridge}", func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Type, Name string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Type != "mixing" {
			refuse(w, http.StatusBadRequest, "Error parsing request body")
			return
		}
		id := r.PathValue("bridge")
		if s.bridges[id] != nil {
			refuse(w, http.StatusConflict, "Bridge with id '"+id+"' already exists")
			return
		}
		s.bridges[id] = &bridge{server: s, id: id, name: body.Name, created: time.Now()}
		answer(w, http.StatusOK, s.bridges[id].snapshot())
	})
	onBridge := func(pattern string, h func(w http.ResponseWriter, r *http.Request, b *bridge)) {
		locked(pattern, func(w http.ResponseWriter, r *http.Request) {
			b := s.bridges[r.PathValue("bridge")]
			if b == nil {
				refuse(w, http.StatusNotFound, "Bridge not found")
				return
			}
			h(w, r, b)
		})
	}
	onBridge("GET /ari/bridges/{bridge}", func(w http.ResponseWriter, _ *http.Request, b *bridge) {
		answer(w, http.StatusOK, b.snapshot())
	})
	onBridge("DELETE /ari/bridges/{bridge}", func(w http.ResponseWriter, _ *http.Request, b *bridge) {
		for len(b.in) > 0 {
			b.in[0].leaveBridge()
		}
		delete(s.bridges, b.id)
		s.emit(event{Type: "BridgeDestroyed", Bridge: b.snapshot()})
		answer(w, http.StatusNoContent, nil)
	})
	onBridge("POST /ari/bridges/{bridge}/addChannel", func(w http.ResponseWriter, r *http.Request, b *bridge) {
		for _, c := range s.named(w, r) {
			b.add(c)
		}
	})
	onBridge("POST /ari/bridges/{bridge}/removeChannel", func(w http.ResponseWriter, r *http.Request, b *bridge) {
		for _, c := range s.named(w, r, b) {
			c.leaveBridge()
		}
	})
}

// named are the channels a request names. It answers the request, and returns
// none where one is not there, or not in the bridge it must be in.
func (s *Server) named(w http.ResponseWriter, r *http.Request, in ...*bridge) []*Caller {
	var callers []*Caller
	for _, id := range strings.Split(r.URL.Query().Get("channel"), ",") {
		c := s.channels[id]
		switch {
		case c == nil:
			refuse(w, http.StatusBadRequest, "Channel not found")
			return nil
		case c.channel.inDialplan || c.rings():
			refuse(w, http.StatusUnprocessableEntity, "Channel not in Stasis application")
			return nil
		case len(in) > 0 && c.bridge != in[0]:
			refuse(w, http.StatusUnprocessableEntity, "Channel not in this bridge")
			return nil
		}
		callers = append(callers, c)
	}
	answer(w, http.StatusNoContent, nil)
	return callers
}
