package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"ringback/postgres"
	"ringback/postgres/pgtest"
	"ringback/queue/queuetest"
)

// Changes of the line are told to who listens, through a broken connection too.
func TestListen(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	p, through := newProxy(t, address)
	heard, err := postgres.Open(t.Context(), through, postgres.Options{Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(heard.Close)
	told, err := postgres.Open(t.Context(), address, postgres.Options{Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(told.Close)
	rules := queuetest.Rules()
	l := line{postgres.NewQueue(told, rules), fixture{t: t, db: told}, time.Now}

	ctx, stop := context.WithCancelCause(t.Context())
	woke := make(chan struct{}, 1000)
	ended := make(chan error, 1)
	go func() {
		ended <- postgres.NewQueue(heard, rules).Listen(ctx, func() { woke <- struct{}{} })
	}()
	<-woke // it listens
	l.join(t, numberOf(1))
	<-woke
	p.cut()
	<-p.tried // it tried to listen again
	l.join(t, numberOf(2))
	p.heal()
	<-woke // what was missed is made good
	l.join(t, numberOf(3))
	<-woke
	over := errors.New("over")
	stop(over)
	if err := <-ended; !errors.Is(err, over) {
		t.Errorf("ended with %v", err)
	}
}

// However much is told at once, the others are woken a few times.
func TestNewsIsCoalesced(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	woke := make(chan struct{}, 1000)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Listen(ctx, func() { woke <- struct{}{} }) }()
	<-woke
	began := time.Now()
	for i := range 100 {
		l.join(t, numberOf(i))
	}
	<-woke
	most := int(time.Since(began)/(50*time.Millisecond)) + 2
	stop()
	<-ended
	if n := len(woke) + 1; n > most {
		t.Errorf("woken %d times, at most %d are allowed", n, most)
	}
}
