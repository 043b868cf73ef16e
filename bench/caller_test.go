package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ringback/phone"
)

// crowd is callers who ring at the same time and press keys.
type crowd struct {
	to     string // SIP address of the exchange
	number string // that they dial
	calls  int
	keys   int                       // each, after those that lead into the menu
	rest   func(i int) time.Duration // before the i-th key
	last   time.Duration             // after the last key
}

// intoMenu are the keys that lead to the main menu: the language, and 9, which
// cuts the notice short and then repeats the menu, slower at first.
const intoMenu = "19999"

// heard is what came of the crowd's keys.
type heard struct {
	sounds []float64 // ms from each key's release to the next prompt's first packet
	misses int       // keys after which no other prompt was heard within 2 s
	silent []string  // in which calls, and at which of their keys
}

// ring has the crowd ring, press its keys and hang up. Ready, if not nil, is
// called when all are in the menu, and then they begin; over, when all have
// pressed their last key and before they hang up.
func (c crowd) ring(t *testing.T, ready, over func()) heard {
	t.Helper()
	telephone, err := phone.New(phone.Options{NoReply: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := telephone.Close(); err != nil {
			t.Error(err)
		}
	}()
	var all, inMenu, done sync.WaitGroup
	begin, end := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	var result heard
	var failed error
	inMenu.Add(c.calls)
	done.Add(c.calls)
	for i := range c.calls {
		all.Go(func() {
			// Not all in the same millisecond: 20 calls a second.
			pause(t.Context(), time.Duration(i)*50*time.Millisecond)
			h, err := c.call(t.Context(), telephone, i, &inMenu, begin, &done, end)
			mu.Lock()
			defer mu.Unlock()
			result.sounds = append(result.sounds, h.sounds...)
			if h.misses > 0 {
				h.silent = []string{fmt.Sprintf("call %d, keys %s", i+1, strings.Join(h.silent, " "))}
			}
			result.misses += h.misses
			result.silent = append(result.silent, h.silent...)
			failed = errors.Join(failed, err)
		})
	}
	inMenu.Wait()
	if ready != nil {
		ready()
	}
	close(begin)
	done.Wait()
	if over != nil {
		over()
	}
	close(end)
	all.Wait()
	if failed != nil {
		t.Fatalf("callers of %s: %v", c.number, failed)
	}
	return result
}

func (c crowd) call(ctx context.Context, telephone *phone.Phone, i int, inMenu *sync.WaitGroup, begin chan struct{}, done *sync.WaitGroup, end chan struct{}) (h heard, err error) {
	entered, pressed := sync.OnceFunc(inMenu.Done), sync.OnceFunc(done.Done)
	defer entered()
	defer pressed()
	call, err := telephone.Dial(ctx, phone.CallOptions{
		To: "sip:" + c.number + "@" + c.to, From: fmt.Sprintf("+49231%07d", 5000000+i), Codecs: []phone.Codec{phone.ALaw},
	})
	if err != nil {
		return h, err
	}
	defer func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, call.HangUp(bounded))
	}()
	for _, k := range []byte(intoMenu) {
		pause(ctx, 700*time.Millisecond)
		if err := call.Hold(ctx, k, phone.KeyLength); err != nil {
			return h, fmt.Errorf("key %c: %w", k, err)
		}
	}
	entered()
	<-begin
	var released []time.Duration
	for n := range c.keys {
		pause(ctx, c.rest(n))
		if err := call.Hold(ctx, '9', phone.KeyLength); err != nil {
			return h, fmt.Errorf("key %d: %w", n+1, err)
		}
		released = append(released, call.LastKey())
	}
	pause(ctx, c.last)
	pressed()
	<-end
	h = match(call.Packets(), call.Heard(), released)
	return h, nil
}

// match finds, for every release of a key, the first packet of the other tone.
func match(packets []phone.Packet, pcm []int16, released []time.Duration) (h heard) {
	at, sounding := 0, ""
	for n, r := range released {
		next := ""
		for ; at < len(packets); at++ {
			p := packets[at]
			if p.Offset+p.Samples > len(pcm) {
				break
			}
			tone := pitch(pcm[p.Offset : p.Offset+p.Samples])
			if p.Arrived <= r {
				if tone != "" {
					sounding = tone
				}
				continue
			}
			if p.Arrived > r+2*time.Second {
				break
			}
			if tone != "" && tone != sounding {
				next = tone
				h.sounds = append(h.sounds, float64(p.Arrived-r)/float64(time.Millisecond))
				break
			}
		}
		if next == "" {
			h.misses++
			h.silent = append(h.silent, strconv.Itoa(n+1))
		} else {
			sounding = next
		}
	}
	return h
}
