package bench

import (
	"fmt"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/postgres"
	"ringback/postgres/pgtest"
	"ringback/prompts"
	"ringback/queue"
)

// lengths are how many stand in line while it is measured.
var lengths = []int{100, 10_000, 100_000}

const (
	lineClients = 8
	lineAgents  = 1000
)

// TestLine measures what the line costs in Postgres while it is short, long and
// very long: joining it, finding the place of a number that rings again, where a
// ticket stands, and binding the next ticket to a free agent.
func TestLine(t *testing.T) {
	r := measuring(t)
	joined, matched := map[int]float64{}, map[int]float64{}
	for _, length := range lengths {
		length = scaled(length)
		l := newBenchLine(t, length)
		steps := scaled(2000)

		took, rate := l.many(t, steps, func(n int) error {
			_, err := l.queue.Join(t.Context(), arrival(length+n))
			return err
		})
		figures := spread(took, "ms")
		joined[length] = figures[2].Value
		r.add(fmt.Sprintf("join, %d in line", length), append(figures, figure{"rate", rate, "/s"})...)
		r.atMost(fmt.Sprintf("join p99, %d in line", length), figures[2].Value, 20, "ms")

		took, rate = l.many(t, steps, func(n int) error {
			found, err := l.queue.Find(t.Context(), lineNumber(n%length))
			if err == nil && len(found) != 1 {
				err = fmt.Errorf("%d tickets of number %d", len(found), n%length)
			}
			return err
		})
		figures = spread(took, "ms")
		r.add(fmt.Sprintf("find, %d in line", length), append(figures, figure{"rate", rate, "/s"})...)
		r.atMost(fmt.Sprintf("find p99, %d in line", length), figures[2].Value, 20, "ms")

		took, rate = l.many(t, steps, func(n int) error {
			_, err := l.queue.Standing(t.Context(), lineTicket(n*7919%length))
			return err
		})
		figures = spread(took, "ms")
		r.add(fmt.Sprintf("standing, %d in line", length), append(figures, figure{"rate", rate, "/s"})...)
		r.atMost(fmt.Sprintf("standing p99, %d in line", length), figures[2].Value, 20, "ms")

		took, rate = l.match(t)
		figures = spread(took, "ms")
		matched[length] = figures[2].Value
		r.add(fmt.Sprintf("match one, %d in line, %d agents", length, l.agents), append(figures, figure{"rate of 100 at once", rate, "/s"})...)
		r.atMost(fmt.Sprintf("match p99, %d in line", length), figures[2].Value, 20, "ms")
		if length > lineAgents {
			r.atLeast(fmt.Sprintf("matches, %d in line", length), rate, 500, "/s")
		}
	}
	short, long := scaled(lengths[0]), scaled(lengths[len(lengths)-1])
	r.add(fmt.Sprintf("%d in line beside %d", long, short),
		figure{"join p99", joined[long] / joined[short], "times"}, figure{"match p99", matched[long] / matched[short], "times"})
	r.write()
}

// benchLine is a line with tickets and agents in a database of its own.
type benchLine struct {
	queue  *postgres.Queue
	agents int
}

func lineNumber(n int) e164.Number { return e164.Number(fmt.Sprintf("+4923%09d", n)) }

func lineTicket(n int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("00000000-0000-4000-8000-%012d", n))
}

func arrival(n int) queue.Arrival {
	return queue.Arrival{
		CallID: lineTicket(n), Node: "node", At: time.Now(), Number: lineNumber(n), Topic: queue.TopicBooking,
		Language: prompts.German, Wish: queue.WishPerson, Reason: queue.Asked,
	}
}

// newBenchLine has so many callers in line, who rang one a second, and agents
// who are ready.
func newBenchLine(t *testing.T, length int) *benchLine {
	t.Helper()
	url := pgtest.URL(t)
	db, err := postgres.Open(t.Context(), url, postgres.Options{StatementTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	fill := exec.CommandContext(t.Context(), beside(t, "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1",
		fmt.Sprintf("--set=length=%d", length), "--file=testdata/line.sql", url)
	if out, err := fill.CombinedOutput(); err != nil {
		t.Fatalf("psql: %v: %s", err, out)
	}
	return &benchLine{queue: postgres.NewQueue(db, queue.NewRules()), agents: lineAgents}
}

// many does something so many times, by several at once, and returns how long
// each took in ms and how many were done a second.
func (l *benchLine) many(t *testing.T, times int, do func(n int) error) (took []float64, rate float64) {
	t.Helper()
	took = make([]float64, times)
	var next atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range lineClients {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < times; n = int(next.Add(1)) - 1 {
				at := time.Now()
				if err := do(n); err != nil {
					t.Error(err)
					return
				}
				took[n] = float64(time.Since(at)) / float64(time.Millisecond)
			}
		})
	}
	all.Wait()
	return took, float64(times) / time.Since(began).Seconds()
}

// match binds tickets one at a time, as when one agent gets free after the
// other, and then all that are free at once.
func (l *benchLine) match(t *testing.T) (took []float64, rate float64) {
	t.Helper()
	agents := make([]queue.Agent, l.agents)
	for i := range agents {
		agents[i] = queue.Agent{
			Name: fmt.Sprintf("agent%04d", i), Address: "sip:agent@192.0.2.1",
			Languages: []prompts.Language{prompts.German}, Topics: queue.Topics,
		}
	}
	if err := l.queue.SetAgents(t.Context(), agents); err != nil {
		t.Fatal(err)
	}
	const alone = 200
	for range alone {
		at := time.Now()
		turns, err := l.queue.Match(t.Context(), at, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(turns) == 0 {
			break // all in line have an agent
		}
		took = append(took, float64(time.Since(at))/float64(time.Millisecond))
	}
	began, matched := time.Now(), 0
	for {
		turns, err := l.queue.Match(t.Context(), time.Now(), 100)
		if err != nil {
			t.Fatal(err)
		}
		if matched += len(turns); len(turns) == 0 {
			break
		}
	}
	if matched == 0 { // in a short line
		return took, float64(len(took)) * 1000 / sum(took)
	}
	return took, float64(matched) / time.Since(began).Seconds()
}

func sum(values []float64) float64 {
	s := 0.0
	for _, v := range values {
		s += v
	}
	return s
}
