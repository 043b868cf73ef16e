package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"ringback/phone"
)

// fate is what became of a caller, as the telephone saw it.
type fate struct {
	number  string
	dialled time.Time
	early   bool // something was heard before the answer, or instead of it
	status  int  // 200, or what it was refused with
	err     error
}

// crowd rings as many callers at once as there are numbers. They listen to
// nobody, press nothing, and hang up after a while if the hotline does not.
func (h *hotline) crowd(t *testing.T, numbers []string) []fate {
	t.Helper()
	p, err := phone.New(phone.Options{NoReply: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	fates := make([]fate, len(numbers))
	var all sync.WaitGroup
	tick := time.NewTicker(10 * time.Millisecond) // 100 a second, in an order that can be told
	defer tick.Stop()
	for i, number := range numbers {
		<-tick.C
		all.Go(func() { fates[i] = h.one(ctx, p, number) })
	}
	all.Wait()
	return fates
}

// one is the call of one of the crowd.
func (h *hotline) one(ctx context.Context, p *phone.Phone, number string) fate {
	f := fate{number: number, dialled: time.Now()}
	var heard *phone.Call
	call, err := p.Dial(ctx, phone.CallOptions{
		To: "sip:" + h.info.Number + "@" + h.info.SIP, From: number, Early: func(c *phone.Call) { heard = c },
	})
	var refused *phone.Refused
	switch {
	case errors.As(err, &refused):
		f.status = refused.Status
		f.early = heard != nil && len(heard.Packets()) > 0
	case err != nil:
		f.err = err
	default:
		f.status = 200
		rest(ctx, call, 25*time.Second)
		f.err = call.HangUp(ctx)
	}
	return f
}

// TestTwentyLines: 300 people ring a hotline of twenty lines at once. Each is
// given the dialogue or a promise with a time, in the order in which they rang;
// who is sent away was registered before.
func TestTwentyLines(t *testing.T) {
	t.Parallel()
	h := own(t, "--lines", "20")
	numbers := make([]string, 300)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("+49231700%04d", i)
	}
	fates := h.crowd(t, numbers)

	counts := map[string]int{}
	for _, f := range fates {
		if f.err != nil {
			t.Errorf("%s: %v", f.number, f.err)
			continue
		}
		if f.status != 200 && f.status != 480 {
			t.Errorf("%s was refused with %d", f.number, f.status)
		}
		last := h.lastCall(t, f.number)
		promised := h.count(t, `SELECT count(*) FROM tickets WHERE number = $1 AND promised AND window_to IS NOT NULL AND due_at IS NOT NULL`, f.number) == 1
		dialogue := slices.ContainsFunc(last.Transcript, func(e entry) bool { return e.Line == "welcome.greeting" })
		switch {
		case promised && last.Outcome.Result == "callback":
			counts[fmt.Sprintf("promised, status %d, early media %v", f.status, f.early)]++
		case f.status == 200 && dialogue:
			counts["dialogue"]++
		default:
			t.Errorf("%s has neither the dialogue nor a promise: status %d, %+v, promised %v", f.number, f.status, last, promised)
		}
	}
	t.Logf("%v", counts)
	if counts["dialogue"] == 0 || counts["promised, status 480, early media false"] == 0 {
		t.Errorf("not every stage was needed: %v", counts)
	}
	h.inOrder(t, fates)
}

// inOrder fails the test where who rang clearly later has the better place.
func (h *hotline) inOrder(t *testing.T, fates []fate) {
	t.Helper()
	rows, err := h.db.Query(t.Context(), `SELECT number FROM tickets WHERE promised ORDER BY priority DESC, rang_at, id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	dialled := map[string]time.Time{}
	for _, f := range fates {
		dialled[f.number] = f.dialled
	}
	var latest time.Time
	for rows.Next() {
		var number string
		if err := rows.Scan(&number); err != nil {
			t.Fatal(err)
		}
		at := dialled[number]
		if latest.Sub(at) > time.Second { // INVITEs sent again come that late
			t.Errorf("%s, who rang %v before somebody ahead, stands behind them", number, latest.Sub(at))
		}
		if at.After(latest) {
			latest = at
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
