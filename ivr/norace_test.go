//go:build !race

package ivr_test

const raceDetector = false
