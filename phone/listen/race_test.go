//go:build race

package listen

// thinned is how much less the costly tests try under the race detector, which
// makes arithmetic twenty times slower.
const thinned = 8
