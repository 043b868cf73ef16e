package ivrtest

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/queue"
)

// own is the last ticket of the caller; the zero Ticket if there is none.
func (l *Line) own() (own queue.Ticket) {
	for _, t := range l.mine() {
		newer := t.RangAt.Compare(own.RangAt)
		if t.Open() != own.Open() {
			newer = map[bool]int{true: 1, false: -1}[t.Open()]
		}
		if cmp.Or(newer, t.ClosedAt.Compare(own.ClosedAt)) > 0 || own.ID == uuid.Nil {
			own = t
		}
	}
	return own
}

// mine are all tickets of the caller.
func (l *Line) mine() (mine []queue.Ticket) {
	for _, t := range l.Tickets() {
		other := false
		for _, id := range l.others {
			other = other || t.ID == id
		}
		if !other {
			mine = append(mine, t)
		}
	}
	return mine
}

// check says how a fact of the line is, in its words:
//
//	a callback to NUMBER | a callback to a spoken number | no callback
//	the ticket is waiting | … left | … promised | … due | … closed as served
//	the ticket is for the dialogue | the ticket is for a person
//	the ticket is in choose
//	N tickets | N open tickets
//	the attempt is reached
func (l *Line) check(f Fact, attempt uuid.UUID) (got string, err error) {
	own := l.own()
	switch words := strings.Fields(f.Text); {
	case f.Text == "no callback", strings.HasPrefix(f.Text, "a callback"):
		if !own.Promised || !own.Open() {
			return "no callback", nil
		}
		if own.Number != e164.Withheld {
			return "a callback to " + string(own.Number), nil
		}
		if _, ok := l.Spoken(own.ID); ok {
			return "a callback to a spoken number", nil
		}
		return "a callback to nobody", nil
	case strings.HasPrefix(f.Text, "the ticket is for"):
		if own.Wish == queue.WishSelf {
			return "the ticket is for the dialogue", nil
		}
		return "the ticket is for a person", nil
	case strings.HasPrefix(f.Text, "the ticket is in "):
		return "the ticket is in " + own.Scene, nil
	case strings.HasPrefix(f.Text, "the ticket is"):
		if own.State == queue.StateClosed {
			return "the ticket is closed as " + string(own.End), nil
		}
		return "the ticket is " + string(own.State), nil
	case strings.HasSuffix(f.Text, "open tickets"):
		n := 0
		for _, t := range l.mine() {
			if t.Open() {
				n++
			}
		}
		return strconv.Itoa(n) + " open tickets", nil
	case len(words) == 2 && words[1] == "tickets":
		return strconv.Itoa(len(l.mine())) + " tickets", nil
	case strings.HasPrefix(f.Text, "the attempt is"):
		return "the attempt is " + strings.ReplaceAll(string(l.Fate(attempt)), "_", " "), nil
	}
	return "", fmt.Errorf("line %d: nobody knows how to check %q", f.Line, f.Text)
}
