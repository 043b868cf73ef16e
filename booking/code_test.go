package booking

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

func TestCheckDigitOfTheThesis(t *testing.T) {
	t.Parallel()
	if got := checkDigit("572"); got != 4 {
		t.Errorf("check digit of 572 is %d, want 4 as in Damm's example", got)
	}
}

func TestNewCodeIsValid(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 500 {
		code := draw(t)
		if !ValidCode(code) {
			t.Fatalf("%q is not valid", code)
		}
		seen[code] = true
	}
	// 500 of 90 million: two equal pairs have odds of one in a million.
	if len(seen) < 499 {
		t.Errorf("500 draws gave %d different codes", len(seen))
	}
}

func TestCodeFindsEveryWrongDigit(t *testing.T) {
	t.Parallel()
	for range 50 {
		code := draw(t)
		for i := range code {
			for d := byte('0'); d <= '9'; d++ {
				wrong := []byte(code)
				wrong[i] = d
				if d != code[i] && ValidCode(string(wrong)) {
					t.Fatalf("%s for %s is taken as valid", wrong, code)
				}
			}
		}
	}
}

func TestCodeFindsEveryExchangeOfNeighbours(t *testing.T) {
	t.Parallel()
	for range 200 {
		code := draw(t)
		for i := range len(code) - 1 {
			wrong := []byte(code)
			wrong[i], wrong[i+1] = wrong[i+1], wrong[i]
			if string(wrong) != code && ValidCode(string(wrong)) {
				t.Fatalf("%s for %s is taken as valid", wrong, code)
			}
		}
	}
	// All pairs of neighbours in every place, not only those that chance drew.
	for interim := range byte(10) {
		for a := range byte(10) {
			for b := range byte(10) {
				if a != b && damm[damm[interim][a]][b] == damm[damm[interim][b]][a] {
					t.Errorf("after %d the pair %d%d cannot be told from %d%d", interim, a, b, b, a)
				}
			}
		}
	}
}

func TestValidCodeRefusesOtherShapes(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "0", "000000000", "12345678", "1234567890", "12345678a", "１２３", strings.Repeat("0", 9)} {
		if ValidCode(s) {
			t.Errorf("%q is taken as valid", s)
		}
	}
}

func TestNewCodeTellsWhenChanceFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("no entropy")
	if _, err := NewCode(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	if code, err := NewCode(bytes.NewReader(make([]byte, 8))); err != nil || !strings.HasPrefix(code, "10000000") {
		t.Errorf("the lowest draw gives %q, %v", code, err)
	}
}

func draw(t *testing.T) string {
	t.Helper()
	code, err := NewCode(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return code
}
