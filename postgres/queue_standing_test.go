package postgres_test

import (
	"testing"
	"time"

	"ringback/queue"
	"ringback/queue/queuetest"
)

// Far back in the line the place is counted by the second: it is right but for
// those who rang in the same one.
func TestStandingFarBack(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	// Five in each second, a few of a greater priority, others of another
	// language or for the dialogue.
	l.exec(`insert into tickets (id, topic, language, wish, reason, priority, rang_at, state, call_id)
		select gen_random_uuid(), 'booking', case when n % 10 = 9 then 'en' else 'de' end,
			case when n % 10 = 8 then 'self' else 'person' end, 'asked', case when n % 100 = 0 then 1 else 0 end,
			$1::timestamptz + n * interval '200 ms', 'waiting', gen_random_uuid()
		from generate_series(1, 5000) n`, c.Now())
	for _, sql := range []string{
		`select id from tickets where language = 'de' and wish = 'person' and priority = 0 order by rang_at limit 1`,
		`select id from tickets where language = 'de' and wish = 'person' and priority = 0 order by rang_at offset 300 limit 1`,
		`select id from tickets where language = 'de' and wish = 'person' and priority = 0 order by rang_at offset 3000 limit 1`,
		`select id from tickets where language = 'de' and wish = 'person' and priority = 0 order by rang_at desc limit 1`,
		`select id from tickets where language = 'de' and wish = 'person' and priority = 1 order by rang_at desc limit 1`,
		`select id from tickets where language = 'en' order by rang_at desc limit 1`,
	} {
		id := parseID(t, l.texts(t, `select id::text from (`+sql+`) one`)[0])
		got, err := l.Standing(t.Context(), id)
		want := int(l.number(`select count(*) from tickets a, tickets b where b.id = $1 and a.language = b.language
			and a.wish = b.wish and (-a.priority, a.rang_at, a.id) < (-b.priority, b.rang_at, b.id)`, id))
		if exact := want < 500; err != nil || exact && got.Ahead != want || got.Ahead > want || got.Ahead < want-5 {
			t.Errorf("%s: %d ahead, %v; want %d", sql, got.Ahead, err, want)
		}
	}
}

// The wait is estimated from what happened lately, and the first that is told
// stays with the ticket to be compared.
func TestExpectedWait(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLine(t, queuetest.Rules(), c.Now)
	ctx := t.Context()
	l.SignIn(t, everything("anna"))
	for i := range 20 { // talks of two minutes
		l.join(t, numberOf(i))
		turn, ok := l.Match(t)
		if !ok {
			t.Fatal("nobody is bound")
		}
		if err := l.Joined(ctx, turn); err != nil {
			t.Fatal(err)
		}
		c.pass(2*time.Minute - queuetest.Rules().WrapUp)
		if err := l.Talked(ctx, turn); err != nil {
			t.Fatal(err)
		}
		c.pass(queuetest.Rules().WrapUp)
		l.Sweep(t)
	}
	first := l.join(t, numberOf(30))
	c.pass(time.Second)
	second := l.join(t, numberOf(31))
	ready, err := l.Standing(ctx, first.ID)
	if err != nil || ready.Low != 0 || ready.High != time.Minute {
		t.Errorf("with an agent ready: %+v, %v", ready, err)
	}
	if _, ok := l.Match(t); !ok {
		t.Fatal("nobody is bound")
	}
	st, err := l.Standing(ctx, second.ID)
	want, _ := queue.Expect(1, 1, 0, queue.Recent{Talks: 20, Talked: 40 * time.Minute})
	low, high := want.Said()
	if err != nil || st != (queue.Standing{Ahead: 1, Low: low, High: high, Agents: 1}) {
		t.Errorf("%+v, %v; want %v to %v", st, err, low, high)
	}
	if n := l.number(`select count(*) from tickets where id = $1 and told_at = $2 and told_low = $3 and told_high = $4`, second.ID, c.Now(), low, high); n != 1 {
		t.Error("what was told is not kept")
	}
	told := c.Now()
	c.pass(time.Minute)
	if _, err := l.Standing(ctx, second.ID); err != nil {
		t.Fatal(err)
	}
	if n := l.number(`select count(*) from tickets where id = $1 and told_at = $2`, second.ID, told); n != 1 {
		t.Error("what was told first is forgotten")
	}
	// In line anew, it is told anew.
	if err := l.Leave(ctx, second.ID, second.CallID); err != nil {
		t.Fatal(err)
	}
	a := l.arrival(numberOf(31))
	a.Ticket = second.ID
	if _, err := l.Join(ctx, a); err != nil {
		t.Fatal(err)
	}
	if n := l.number(`select count(*) from tickets where id = $1 and told_at is null`, second.ID); n != 1 {
		t.Error("what was told of the wait before is compared with this one")
	}
}
