package demo

// capacity is how many calls the demo's lines carry at once; 0: as many as
// Asterisk does.
type capacity int

// keepOut is how many of them are kept for calls out.
func (c capacity) keepOut() int { return max(min((int(c)+9)/10, int(c)-1), 0) }

// in is how many are for calls in: what the dialplan counts.
func (c capacity) in() int { return int(c) - c.keepOut() }
