package booking

import (
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
)

// CodeLength is the number of digits of an appointment's code: eight drawn at
// random and one check digit. It is spoken as three groups of three.
const CodeLength = 9

// damm is the quasigroup of order ten from H. Michael Damm, "Total
// anti-symmetrische Quasigruppen", Marburg 2004, page 111. Being weakly totally
// anti-symmetric it finds every single wrong digit and every two neighbours
// exchanged, the two mistakes people make most when they copy a number.
var damm = [10][10]byte{
	{0, 3, 1, 7, 5, 9, 8, 6, 4, 2},
	{7, 0, 9, 2, 1, 5, 4, 8, 6, 3},
	{4, 2, 0, 6, 8, 7, 1, 3, 5, 9},
	{1, 7, 5, 0, 9, 8, 3, 4, 2, 6},
	{6, 1, 2, 3, 0, 4, 5, 9, 7, 8},
	{3, 6, 7, 4, 2, 0, 9, 5, 8, 1},
	{5, 8, 6, 9, 7, 2, 0, 1, 3, 4},
	{8, 9, 4, 5, 3, 6, 2, 0, 1, 7},
	{9, 4, 3, 8, 6, 1, 7, 2, 0, 5},
	{2, 5, 8, 1, 4, 3, 6, 7, 9, 0},
}

// NewCode draws a code: CodeLength digits, the first one not zero, because a
// leading zero gets lost when somebody types the code into a form.
func NewCode(random io.Reader) (string, error) {
	const lowest, count = 10_000_000, 90_000_000
	n, err := rand.Int(random, big.NewInt(count))
	if err != nil {
		return "", fmt.Errorf("draw an appointment code: %w", err)
	}
	digits := fmt.Sprintf("%d", lowest+n.Int64())
	return digits + string('0'+checkDigit(digits)), nil
}

// ValidCode says whether the digits are a code NewCode could have drawn. It
// tells a slip of the finger from a code that is not known.
func ValidCode(code string) bool {
	if len(code) != CodeLength || code[0] == '0' {
		return false
	}
	for i := range len(code) {
		if code[i] < '0' || code[i] > '9' {
			return false
		}
	}
	// With its check digit at the end the whole number sums up to zero.
	return checkDigit(code) == 0
}

// checkDigit is Damm's digit over decimal digits.
func checkDigit(digits string) byte {
	var interim byte
	for i := range len(digits) {
		interim = damm[interim][digits[i]-'0']
	}
	return interim
}
