//go:build race

package dispatch_test

// raceDetector says that the race detector watches.
const raceDetector = true
