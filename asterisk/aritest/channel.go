package aritest

// What Asterisk does with a caller's channel. Everything here is called with
// server.mu held.

func (c *Caller) tell() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// away says that no application hears of this call.
func (c *Caller) away() bool {
	return c.channel.inDialplan || c.server.channels[c.channel.ID] != c
}

func (c *Caller) snapshot() *channel {
	s := c.channel
	return &s
}

func (c *Caller) answer() {
	if c.channel.State == "Up" {
		return
	}
	c.channel.State = "Up"
	c.server.emit(event{Type: "ChannelStateChange", Channel: c.snapshot()})
	c.tell()
}

func (c *Caller) vanish() {
	c.clear()
	c.bridge.remove(c)
	delete(c.server.channels, c.channel.ID)
	c.close()
}

func (c *Caller) continueInDialplan() {
	c.clear()
	c.leaveBridge()
	c.server.emit(event{Type: "StasisEnd", Channel: c.snapshot()})
	c.channel.inDialplan = true
	close(c.sentOn)
	c.tell()
}

// statistics are the variables that Asterisk sets when a channel with audio ends.
var statistics = []string{"RTPAUDIOQOS", "RTPAUDIOQOSJITTER", "RTPAUDIOQOSLOSS", "RTPAUDIOQOSRTT", "RTPAUDIOQOSMES"}

// drop ends the line, for a Q.850 cause. What sounds or records ends between the
// request to hang up and the end of Stasis, a playback as failed.
func (c *Caller) drop(request event, cause int) {
	if c.server.channels[c.channel.ID] != c {
		return
	}
	in := !c.channel.inDialplan && !c.rings()
	silent := request.Soft && *request.Cause == device
	if in && (c.channel.State == "Up" || c.early) && !silent {
		c.measure()
	}
	if in || c.rings() {
		request.Type, request.Channel = "ChannelHangupRequest", c.snapshot()
		c.server.emit(request)
	}
	if in {
		if len(c.operations) > 0 {
			c.operations[0].finish("failed")
		}
		c.leaveBridge()
		c.server.emit(event{Type: "StasisEnd", Channel: c.snapshot()})
	}
	if c.rung != nil {
		c.destroy(cause, request.TechCause)
	}
	c.clear()
	c.bridge.remove(c)
	delete(c.server.channels, c.channel.ID)
	c.close()
}

// varset tells that Asterisk set a variable.
func (c *Caller) varset(name, value string) {
	c.server.emit(event{Type: "ChannelVarset", Variable: name, Value: &value, Channel: c.snapshot()})
}

// measure tells what audio came, the other one in a bridge too.
func (c *Caller) measure() {
	other := c.bridge.other(c)
	for _, v := range statistics {
		c.varset(v, "0")
		if other != nil {
			other.varset(v+"BRIDGED", "0")
		}
	}
}

func (c *Caller) close() {
	close(c.done)
	c.tell()
}
