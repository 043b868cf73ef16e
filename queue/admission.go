package queue

// Stage is what a caller who rings now is given, by how many lines are left.
type Stage string

// The stages, in the order of need.
const (
	StageFull     Stage = "full"     // the whole dialogue
	StageExpress  Stage = "express"  // answered, promised an hour in fifteen seconds
	StageEarly    Stage = "early"    // the same before the call is answered, and released
	StageRegister Stage = "register" // taken down from the INVITE, and released
)

// Stages are all stages, in the order of need.
var Stages = []Stage{StageFull, StageExpress, StageEarly, StageRegister}

// Load is how much of the lines is in use, on one node.
type Load struct {
	Lines int // permitted at once, calls out included
	InUse int // without the call that asks
	Out   int // of those in use, calls out
	Keep  int // kept free for calls out
}

// What is left of the lines for callers decides. A dialogue holds its line for
// three minutes and an express intake for fifteen seconds, so the last quarter
// of the lines takes down some four times as many callers as the other three
// serve. The last tenth costs the caller nothing, because it is not answered.
const (
	// expressQuarter is the part of the lines that dialogues are not begun in.
	expressQuarter = 4
	// earlyTenth is the part of the lines that are not answered.
	earlyTenth = 10
	// fewest is the number of lines from which they are parted at all. Of fewer
	// every one is for dialogues.
	fewest = 4
)

// Admit is the stage for one more call. Lines that are kept for calls out, and
// those in use by them, are none to callers. It gets no better when more lines
// are in use or kept, and no worse when there are more lines.
func Admit(l Load) Stage {
	callers := l.Lines - max(0, l.Keep, l.Out)
	left := l.Free()
	switch {
	case left <= 0:
		return StageRegister
	case callers < fewest:
		return StageFull
	case left <= (callers+earlyTenth-1)/earlyTenth:
		return StageEarly
	case left <= callers/expressQuarter:
		return StageExpress
	}
	return StageFull
}

// Free is how many lines are left for callers.
func (l Load) Free() int {
	kept := max(0, l.Keep-max(0, l.Out)) // and not in use
	return max(0, l.Lines-kept-max(0, l.InUse))
}
