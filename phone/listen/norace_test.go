//go:build !race

package listen

const thinned = 1
