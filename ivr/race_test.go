//go:build race

package ivr_test

// raceDetector says that the race detector watches.
const raceDetector = true
