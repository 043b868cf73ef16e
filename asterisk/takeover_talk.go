package asterisk

import (
	"context"
	"strings"
)

// dialling is what Asterisk calls the application of a channel that it rings
// (begin_dial_prerun in main/dial.c, 22.10.1).
const dialling = "AppDial2"

// talkData is a caller's talk that another process joined.
type talkData struct {
	leg  string
	here bool // the agent is still in it
}

// talks are the talks of callers, by their channel.
func (f found) talks() map[string]*talkData {
	talks := map[string]*talkData{}
	for bridge, in := range f.bridges {
		leg, ours := strings.CutSuffix(bridge, bridgeOf(""))
		if !ours {
			continue
		}
		for _, id := range in {
			if id != leg {
				talks[id] = &talkData{leg: leg, here: inBridge(in, leg) && f.up[leg] != nil}
			}
		}
	}
	return talks
}

// resume leaves a caller in the talk that another process joined, until the
// call's dialogue says what comes next.
func (l *Line) resume(c *call, talk *talkData) {
	t, _ := l.expect(talk.leg, false)
	if !talk.here {
		l.gone(t, hangup{})
	}
	t.made()
	t.enter()
	c.takeUp(t)
	c.resumed = true
}

// adoptTelephones looks after the telephones that another process rang. Those of
// calls that are over are ended, one after another; calls out that are still
// being rung stand in the books, for Await and InUse. Bridges nobody is in are
// deleted.
func (l *Line) adoptTelephones(ctx context.Context, f found) {
	for id := range f.ours {
		ch := f.up[id]
		if ch == nil || ch.isCall() || l.telephone(id) != nil {
			continue
		}
		args := ch.stasisArgs()
		if !ch.inStasis() {
			role, err := l.ari.variable(ctx, id, roleVariable)
			if err != nil {
				continue // gone meanwhile, or none of ours
			}
			args = strings.Split(role, ",")
		}
		call, ok := parseID(args)
		if !ok || direction(args) != agentLeg && direction(args) != outgoing {
			continue
		}
		t, _ := l.expect(id, direction(args) == outgoing)
		t.made()
		t.ringing()
		// Its end, or its answer, may have been told before it stood in the books.
		there, err := l.look(ctx, t)
		switch {
		case err == nil && !there:
			l.gone(t, hangup{})
		case t.out && l.on(id) != nil:
			l.strike(t)
		case !t.out && !t.isWanted():
			l.strayed(t, call)
		}
	}
	for bridge, in := range f.bridges {
		leg, ours := strings.CutSuffix(bridge, bridgeOf(""))
		if ours && len(in) == 0 && f.up[leg] == nil && l.telephone(leg) == nil {
			l.endBridge(ctx, bridge)
		}
	}
}
