package aritest

// Again lets a call that went on in the dialplan try Stasis() once more, as the
// fallback does. It reports whether there was an application to take it.
func (c *Caller) Again() bool {
	took := false
	c.locked(func() {
		s := c.server
		if !c.channel.inDialplan || s.socket == nil || s.channels[c.channel.ID] != c {
			return
		}
		took = true
		c.channel.inDialplan = false
		c.sentOn = make(chan struct{})
		args := []string{"again", c.channel.Caller.Number, "allowed_not_screened", "trunk"}
		s.emit(event{Type: "StasisStart", Args: args, Channel: c.snapshot()})
	})
	return took
}

// Send lets a call go on in the dialplan, as a watchdog does.
func (c *Caller) Send() { c.locked(c.continueInDialplan) }
