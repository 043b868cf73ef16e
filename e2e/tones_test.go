package e2e

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"ringback/phone"
)

// dual is the tones of keys in the audio, 100 ms each with a pause as long
// (ITU-T Q.23: one tone a row, one a column; Q.24 asks for 40 ms of each).
func dual(keys string) (pcm []int16) {
	const rest = phone.Rate / 10
	low, high := []float64{697, 770, 852, 941}, []float64{1209, 1336, 1477}
	for _, k := range keys {
		at := strings.IndexRune("123456789*0#", k)
		for i := range rest {
			w := 2 * math.Pi * float64(i) / phone.Rate
			pcm = append(pcm, int16(6000*math.Sin(w*low[at/3])+6000*math.Sin(w*high[at%3])))
		}
		pcm = append(pcm, make([]int16, rest)...)
	}
	return pcm
}

// TestTones: a trunk that offers no telephone events is understood by the
// tones in its audio, while prompts sound too, and each key counts once.
func TestTones(t *testing.T) {
	t.Parallel()
	number := newNumber()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	call, err := telephone.Dial(ctx, phone.CallOptions{
		To: "sip:" + system.info.Number + "@" + system.info.SIP, From: number, NoEvents: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = call.HangUp(ctx) }() // again, after the end below, is no error
	for _, step := range []struct{ line, keys string }{
		{"welcome.language", "1"}, {"main.menu", "1"}, {"born.ask", "24121935"}, {"born.read", "1"},
	} {
		reached(t, number, step.line)
		if err := call.Speak(ctx, dual(step.keys)); err != nil {
			t.Fatal(err)
		}
	}
	reached(t, number, "postcode.ask")
	if err := call.HangUp(ctx); err != nil {
		t.Fatal(err)
	}
	if last := system.lastCall(t, number); last.Outcome.Result != "hung_up" {
		t.Errorf("the call ended as %+v", *last.Outcome)
	}
	gone(t, number)
}
