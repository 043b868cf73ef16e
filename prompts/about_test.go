package prompts

import (
	"testing"
	"time"
)

// TestWaitHoldsWhatIsExpected: whatever the estimate, the range that is said
// holds it, is no wider than a step at either end, and stays as it is when it is
// rounded again.
func TestWaitHoldsWhatIsExpected(t *testing.T) {
	t.Parallel()
	for low := time.Duration(0); low < 7*time.Hour; low = low*11/10 + 7*time.Second {
		for high := low + 1; high < 8*time.Hour; high = high*11/10 + 13*time.Second {
			r := Wait{low, high}.Rounded()
			if r.Low > low || r.High < high {
				t.Fatalf("%v to %v is said as %v to %v", low, high, r.Low, r.High)
			}
			if low-r.Low > max(step(low), 2*time.Minute) || r.High-high > max(step(high), 2*time.Minute) {
				t.Fatalf("%v to %v is widened to %v to %v", low, high, r.Low, r.High)
			}
			if again := r.Rounded(); again != r {
				t.Fatalf("%v becomes %v when rounded again", r, again)
			}
		}
	}
}

// TestPeopleAreNearlyRight: the number said is within a tenth or five of the
// right one, and nobody is told of nobody while somebody is there.
func TestPeopleAreNearlyRight(t *testing.T) {
	t.Parallel()
	for n := People(0); n < 200_000; n++ {
		r := n.Rounded()
		if off := max(n-r, r-n); off > max(5, n/10) || n <= 10 && off != 0 {
			t.Fatalf("%d people are said as %d", n, r)
		}
		if r.Rounded() != r {
			t.Fatalf("%d becomes %d when rounded again", r, r.Rounded())
		}
	}
}
