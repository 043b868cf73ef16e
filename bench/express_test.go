package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"ringback/e164"
	"ringback/phone"
	"ringback/postgres"
	"ringback/postgres/pgtest"
	"ringback/queue"
)

// TestExpress measures how many callers a second the express intake serves on a
// real Asterisk: each is answered, promised an hour, and hung up on after the
// good-bye. Callers, Asterisk, controller and database share the machine.
func TestExpress(t *testing.T) {
	r := measuring(t)
	e := newExchange(t, 0)
	database := pgtest.URL(t)
	var u used
	c := newChild(t, "controller", leading{
		URL: e.url(), User: ariUser, Password: ariPassword, App: ariApp, Database: database,
		Speech: folder(t), Pico: tools(t).Pico, Stage: queue.StageExpress,
	}, &u)
	defer c.end()
	db, err := postgres.Open(t.Context(), database, postgres.Options{Name: "bench"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	line := postgres.NewQueue(db, queue.NewRules())
	rush(t, e, 1, 1, 0) // what nobody has heard yet is spoken for the first

	best, first := 0.0, 10
	for _, rate := range []float64{5, 10, 20, 30} {
		before, asterisk := u, cpuTime(t, e.cmd.Process.Pid)
		calls := max(1, int(rate*scaledFor(30*time.Second).Seconds()))
		began := time.Now()
		served := rush(t, e, rate, calls, first)
		took := time.Since(began)
		c.ask("use", 0, &u)
		asterisk = cpuTime(t, e.cmd.Process.Pid) - asterisk
		promised := 0
		for i := range calls {
			found, err := line.Find(t.Context(), expressNumber(first+i))
			if err != nil {
				t.Fatal(err)
			}
			if len(found) == 1 && found[0].State == queue.StatePromised {
				promised++
			}
		}
		first += calls
		lengths := spread(served, "s")
		r.add(fmt.Sprintf("%.0f callers a second", rate),
			append([]figure{{"callers", float64(calls), ""}, {"promised an hour", float64(promised), ""}, {"all over after", took.Seconds(), "s"},
				{"Asterisk", asterisk.Seconds() * 1000 / float64(calls), "ms of CPU a call"},
				{"controller", float64(u.CPU-before.CPU) / 1e6 / float64(calls), "ms of CPU a call"}}, lengths[1:]...)...)
		// Nobody may be kept waiting: the announcement is as long as it is for one.
		if promised == calls && lengths[2].Value < 16 {
			best = rate
		}
	}
	r.add("all served in 16 s", figure{"callers a second", best, ""})
	r.write()
}

func expressNumber(n int) e164.Number { return e164.Number(fmt.Sprintf("+49231%07d", 6000000+n)) }

// rush has callers ring one after another, at a rate a second, listen until they
// are hung up on, and returns how long each was on the line, in seconds; those who
// were not answered are left out.
func rush(t *testing.T, e *exchange, rate float64, calls, first int) (served []float64) {
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
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	var failed error
	tick := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer tick.Stop()
	for i := range calls {
		all.Go(func() {
			length, err := expressCall(ctx, telephone, e, expressNumber(first+i))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = errors.Join(failed, err)
			} else {
				served = append(served, length.Seconds())
			}
		})
		<-tick.C
	}
	all.Wait()
	if failed != nil {
		t.Logf("not served: %v", failed)
	}
	return served
}

func expressCall(ctx context.Context, telephone *phone.Phone, e *exchange, from e164.Number) (time.Duration, error) {
	call, err := telephone.Dial(ctx, phone.CallOptions{To: "sip:" + hotline + "@" + e.sip, From: string(from), Codecs: []phone.Codec{phone.ALaw}})
	if err != nil {
		return 0, err
	}
	answered := time.Now()
	select {
	case <-call.Done():
		return time.Since(answered), nil
	case <-ctx.Done():
		return 0, errors.Join(context.Cause(ctx), call.HangUp(context.WithoutCancel(ctx)))
	}
}
