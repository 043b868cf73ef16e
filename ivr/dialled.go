package ivr

// Dialled is what became of a call out, for a process that did not begin it.
type Dialled string

// What a call out came to.
const (
	DialledNever Dialled = "never" // nothing was dialled, as far as is known
	DialledRings Dialled = "rings" // or is being dialled: not answered yet
	DialledLed   Dialled = "led"   // answered, and its line is up
	DialledOver  Dialled = "over"  // dialled, and its line is gone
)
