package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"ringback/api"
	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
)

// morning is when these tests look, in a zone two hours before UTC.
var morning = time.Date(2127, 2, 3, 9, 0, 0, 0, time.FixedZone("there", 2*3600))

func ticketID(n byte) uuid.UUID {
	u := uuid.MustParse("018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a00")
	u[15] = n
	return u
}

// lineOfThree is an api.Line that keeps what it was told. What it does not
// answer itself is not to be asked.
type lineOfThree struct {
	api.Line
	mu      sync.Mutex // of tickets and away
	tickets []queue.Ticket
	told    []string
	full    bool
	away    error
	on      bool
}

func newLineOfThree() *lineOfThree {
	return &lineOfThree{on: true, tickets: []queue.Ticket{
		{
			ID: ticketID(1), Number: "+4923150012345", Topic: queue.TopicBooking, Language: "de", Wish: queue.WishPerson, Reason: queue.Asked,
			RangAt: morning.Add(-4 * time.Minute), State: queue.StateWaiting, Node: "n1", Scene: "wait", Known: []byte(`{"born":"1935-12-24"}`),
		},
		{
			ID: ticketID(2), Short: "40771", Topic: queue.TopicOther, Language: "en", Wish: queue.WishPerson, Reason: queue.NoKeys, Keyless: true,
			RangAt: morning.Add(-3 * time.Second), State: queue.StateWaiting, Agent: "Bea",
		},
		{
			ID: ticketID(3), Number: "+4915112345678", Topic: queue.TopicBooking, Language: "de", Wish: queue.WishSelf, Reason: queue.Broken, Priority: -1,
			RangAt: morning.Add(-26 * time.Hour), State: queue.StatePromised, Tries: 1,
			Window: queue.Window{From: morning.Add(5 * time.Hour), To: morning.Add(6 * time.Hour)}, DueAt: morning.Add(5 * time.Hour),
		},
	}}
}

func (l *lineOfThree) set(tickets []queue.Ticket, away error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tickets, l.away = tickets, away
}

func (l *lineOfThree) List(_ context.Context, f queue.Filter) ([]queue.Ticket, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []queue.Ticket
	for _, t := range l.tickets {
		behind := f.After.IsZero() || queue.Less(queue.Ticket{Priority: f.After.Priority, RangAt: f.After.RangAt, ID: f.After.ID}, t)
		if behind && (f.State == "" || f.State == t.State) && (f.Number == "" || f.Number == t.Number) && len(found) < f.Limit {
			found = append(found, t)
		}
	}
	return found, l.away
}

func (l *lineOfThree) Get(_ context.Context, id uuid.UUID) (queue.Ticket, error) {
	if i := slices.IndexFunc(l.tickets, func(t queue.Ticket) bool { return t.ID == id }); i >= 0 {
		return l.tickets[i], nil
	}
	return queue.Ticket{}, fmt.Errorf("get: %w", queue.ErrNoTicket)
}

func (l *lineOfThree) Standing(context.Context, uuid.UUID) (queue.Standing, error) {
	return queue.Standing{Ahead: 1, Low: 4 * time.Minute, High: 9 * time.Minute, Agents: 2}, nil
}

func (l *lineOfThree) Attempts(context.Context, uuid.UUID) ([]queue.Ringing, error) {
	return []queue.Ringing{
		{ID: ticketID(0x31), Node: "n1", Agent: "Bea", Began: morning.Add(-time.Hour), Ended: morning.Add(-time.Hour + 25*time.Second), Fate: queue.FateBusy},
		{ID: ticketID(0x32), Node: "n1", Began: morning.Add(-7 * time.Second)},
	}, nil
}

func (l *lineOfThree) Audit(context.Context, uuid.UUID) ([]queue.Change, error) {
	return []queue.Change{{At: morning.Add(-time.Minute), Deed: queue.DeedMove, What: "priority 0 to -1", By: "Anna", Why: "not urgent"}}, nil
}

func (l *lineOfThree) Depth(context.Context) ([]queue.Depth, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return []queue.Depth{
		{Topic: queue.TopicBooking, State: queue.StateWaiting, Tickets: 1, RangAt: morning.Add(-4 * time.Minute)},
		{Topic: queue.TopicBooking, State: queue.StatePromised, Tickets: 1, RangAt: morning.Add(-26 * time.Hour)},
	}, l.away
}

func (l *lineOfThree) Agents(context.Context) ([]queue.Agent, error) {
	return []queue.Agent{{
		Name: "Bea", Address: "sip:bea@192.0.2.7", Languages: []prompts.Language{"de", "en"}, Topics: []queue.Topic{queue.TopicBooking},
		State: queue.AgentWrapUp, Since: morning.Add(-5 * time.Second), Until: morning.Add(10 * time.Second),
	}}, nil
}

func (l *lineOfThree) Stats(_ context.Context, from, to time.Time) (queue.Stats, error) {
	l.tell("stats %s %s", from.Format(time.RFC3339), to.Format(time.RFC3339))
	return queue.Stats{From: from, To: to, Answered: 6, Within: 5, AnswerMean: 85 * time.Second, Busy: 3 * time.Hour, SignedIn: 4 * time.Hour}, nil
}

func (l *lineOfThree) Outgoing(context.Context) (queue.Outgoing, error) {
	if l.on {
		return queue.Outgoing{On: true}, nil
	}
	return queue.Outgoing{Since: morning, By: "Anna", Why: "trunk"}, nil
}

func (l *lineOfThree) tell(format string, args ...any) {
	l.told = append(l.told, fmt.Sprintf(format, args...))
}

func (l *lineOfThree) Remove(_ context.Context, id uuid.UUID, by, why string) error {
	l.tell("remove %s %s %s", id, by, why)
	return nil
}

func (l *lineOfThree) Move(_ context.Context, id uuid.UUID, m queue.Move, _, why string) error {
	if l.full {
		return fmt.Errorf("move: %w", queue.ErrWindowFull)
	}
	priority, window := "as it was", "as it was"
	if m.Priority != nil {
		priority = fmt.Sprint(*m.Priority)
	}
	if m.Window != nil {
		window = m.Window.From.Format(time.RFC3339) + "/" + m.Window.To.Format(time.RFC3339)
	}
	l.tell("move %s %s %s %s", id, priority, window, why)
	return nil
}

func (l *lineOfThree) SetOutgoing(_ context.Context, on bool, _, why string) error {
	l.on = on
	l.tell("outgoing %v %s", on, why)
	return nil
}

func (l *lineOfThree) Windows(context.Context, int) ([]queue.Window, error) {
	return []queue.Window{{From: morning.Add(time.Hour), To: morning.Add(2 * time.Hour)}, {From: morning.Add(29 * time.Hour), To: morning.Add(30 * time.Hour)}}, nil
}

func (l *lineOfThree) RingAgain(_ context.Context, n e164.Number, _, why string) error {
	l.tell("ring again %s %s", n, why)
	return nil
}

func (l *lineOfThree) Unwanted(_ context.Context, f queue.UnwantedFilter) ([]queue.Unwanted, error) {
	var found []queue.Unwanted
	for i := range 2 * page {
		u := queue.Unwanted{Number: e164.Number(fmt.Sprintf("+492315%06d", i)), Since: morning.Add(-time.Duration(i) * time.Minute), By: "Anna", Why: "letter"}
		if (f.After.Number == "" || u.Since.Before(f.After.Since)) && (f.Number == "" || u.Number == f.Number) && len(found) < f.Limit {
			found = append(found, u)
		}
	}
	return found, nil
}

func (l *lineOfThree) DoNotRing(_ context.Context, n e164.Number, _, why string) error {
	l.tell("do not ring %s %s", n, why)
	return nil
}

// ask runs a command of the line.
func ask(t *testing.T, l *lineOfThree, args ...string) (string, error) {
	t.Helper()
	rules := queue.NewRules()
	var err error
	if rules.Ringing, err = queue.ParseHours("Mon-Sat 08:00-21:00", "Europe/Helsinki", ""); err != nil {
		t.Fatal(err)
	}
	rules.Hours = rules.Ringing
	var out bytes.Buffer
	root := &cobra.Command{SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(queueCommand(func(*cobra.Command) (*desk, error) {
		return &desk{
			Line: l, rules: rules, region: "DE",
			now: func() time.Time { return morning }, zone: morning.Location(), close: func() {},
		}, nil
	}))
	root.SetArgs(append([]string{"queue"}, args...))
	root.SetOut(&out)
	err = root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestQueueShows(t *testing.T) {
	t.Parallel()
	const heading = "RANG FIRST   NOW                  NUMBER          TOPIC    LANGUAGE  FOR     WHY      PRIORITY  TRIES  TICKET\n"
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"list"}, heading +
			"4 min ago    waits                ••••••••••••45  booking  de        person  asked    0         0      018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a01\n" +
			"3 s ago      waits, meets Bea     ticket 40771    other    en        person  no_keys  0         0      018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a02\n" +
			"1 d 2 h ago  rung 14:00 to 15:00  ••••••••••••78  booking  de        self    broken   -1        1      018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a03\n"},
		{[]string{"list", "--numbers", "--number", "0231 50012345"}, "+4923150012345"},
		{[]string{"list", "--limit", "1"}, "There are more: --limit 2 shows"},
		{[]string{"list", "--state", "left"}, "Nobody.\n"},
		{[]string{"show", "6f8a03"}, "ticket      018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a03\n" +
			"number      ••••••••••••78\n" +
			"now         rung 14:00 to 15:00\n" +
			"rang first  Sun 2127-02-02 07:00:00, 1 d 2 h ago\n" +
			"for         self, booking in de, because: broken\n" +
			"ahead       1 ticket; expected wait 4 min to 9 min; agents at work for such tickets: 2\n" +
			"priority    -1\n" +
			"promised    14:00 to 15:00\n" +
			"due         14:00:00\n" +
			"call        -\n" +
			"\nRung: 2 times\n" +
			"AT        CAME TO    AFTER  AGENT  NODE  CALL\n" +
			"08:00:00  busy       25 s   Bea    n1    018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a31\n" +
			"08:59:53  under way  7 s    -      n1    018f0f3e-8f4b-7cc3-9d0e-6a2f1f6f8a32\n" +
			"\nChanged: 1 time\n" +
			"AT        WHAT                    WHY         BY\n" +
			"08:59:00  move: priority 0 to -1  not urgent  Anna\n"},
		{[]string{"show", "40771"}, "without keys"},
		{[]string{"show", ticketID(1).String(), "--numbers"}, "+4923150012345"},
		{[]string{"agents"}, "AGENT  DOES     FOR  FREE IN  LANGUAGES  TOPICS   TELEPHONE          TICKET\n" +
			"Bea    wrap_up  5 s  10 s     de, en     booking  sip:bea@192.0.2.7  -\n"},
		{[]string{"outgoing"}, "Calls out are on.\n"},
		{[]string{"do-not-ring", "list", "--number", "02315 000002"}, "NUMBER         SINCE     BY    WHY\n•••••••••••02  08:58:00  Anna  letter\n"},
		{[]string{"do-not-ring", "list", "--numbers"}, "+492315000999"},
		{[]string{"do-not-ring", "list", "--number", "02315 999999"}, "None.\n"},
	} {
		out, err := ask(t, newLineOfThree(), tt.args...)
		if err != nil || !strings.Contains(out, tt.want) {
			t.Errorf("%s: %v\n got %s\nwant %s", tt.args, err, out, tt.want)
		}
		if strings.Contains(out, "1935") {
			t.Errorf("%s tells a date of birth: %s", tt.args, out)
		}
	}
}

func TestQueueStats(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args       []string
		want, span string
	}{
		{[]string{"stats"}, "00:00:00 to 09:00:00\n", "2127-02-02T22:00:00Z 2127-02-03T07:00:00Z"},
		{[]string{"stats", "--from", "8:00", "--to", "8:30"}, "\nservice_level        83.3 %      Answered within 20 seconds of", "2127-02-03T06:00:00Z 2127-02-03T06:30:00Z"},
		{[]string{"stats", "--from", "2127-02-01", "--to", "2127-02-02"}, "\nanswer_mean          1 min 25 s  Average speed of answer", "2127-01-31T22:00:00Z 2127-02-01T22:00:00Z"},
		{[]string{"stats"}, "\nhandling_mean        -           Handling time", ""},
		{[]string{"stats", "--json"}, `"answer_mean":{"value":85,"unit":"seconds","definition":"Average speed of answer`, ""},
	} {
		l := newLineOfThree()
		out, err := ask(t, l, tt.args...)
		if err != nil || !strings.Contains(out, tt.want) || len(l.told) != 1 || !strings.Contains(l.told[0], tt.span) {
			t.Errorf("%s: %v, told %q, wrote\n%s\nwant %q", tt.args, err, l.told, out, tt.want)
		}
	}
}

func TestQueueChanges(t *testing.T) {
	t.Parallel()
	third := ticketID(3).String()
	for _, tt := range []struct {
		args       []string
		want, told string
	}{
		{[]string{"remove", "6f8a03", "--why", " wrong number ", "--by", "Anna"}, "is removed", "remove " + third + " Anna (ringback queue of "},
		{[]string{"move", third, "--priority", "7", "--why", "x"}, "Ticket " + third, "move " + third + " 7 as it was x"},
		{[]string{"move", third, "--priority", "0", "--at", "now", "--why", "x"}, "priority", "move " + third + " 0 0001-01-01T00:00:00Z/0001-01-01T00:00:00Z x"},
		{[]string{"move", third, "--at", "14:30", "--why", "x"}, "", "move " + third + " as it was 2127-02-03T12:00:00Z/2127-02-03T13:00:00Z x"},
		{[]string{"move", third, "--at", "2127-02-05 10:00", "--why", "x"}, "", "2127-02-05T08:00:00Z/2127-02-05T09:00:00Z"},
		{[]string{"move", third, "--at", "2127-02-05T10:00:00+01:00", "--why", "x"}, "", "2127-02-05T09:00:00Z/2127-02-05T10:00:00Z"},
		{[]string{"outgoing", "off", "--why", "trunk"}, "Calls out are OFF: nobody is rung, since 09:00:00, by Anna: trunk\n", "outgoing false trunk"},
		{[]string{"do-not-ring", "0231 50012345", "--why", "x"}, "••••••••••••45 is not rung any more.\n", "do not ring +4923150012345 x"},
		{[]string{"ring-again", "0231 50012345", "--why", "x"}, "••••••••••••45 may be rung again.\n", "ring again +4923150012345 x"},
	} {
		l := newLineOfThree()
		out, err := ask(t, l, tt.args...)
		if err != nil || !strings.Contains(out, tt.want) || len(l.told) != 1 || !strings.Contains(l.told[0], tt.told) {
			t.Errorf("%s: %v, wrote %q, want %q; told %q, want %q", tt.args, err, out, tt.want, l.told, tt.told)
		}
	}
}

func TestQueueSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"list", "--state", "open"}, "take one of waiting, left, promised"},
		{[]string{"list", "--topic", "all"}, "take one of booking"},
		{[]string{"list", "--number", "hello"}, `"hello" is no telephone number`},
		{[]string{"list", "--limit", "0"}, "shows nothing"},
		{[]string{"show", ticketID(9).String()}, "there is no ticket " + ticketID(9).String()},
		{[]string{"show", "first"}, "names no ticket"},
		{[]string{"show", "01"}, "last 6 digits"},
		{[]string{"show", "99999999"}, "no open ticket is called"},
		{[]string{"remove", "6f8a01"}, `"why" not set`},
		{[]string{"remove", "6f8a01", "--why", " "}, "say why"},
		{[]string{"move", "6f8a01", "--why", "x"}, "at least one of the flags in the group [priority at]"},
		{[]string{"move", "6f8a01", "--why", "x", "--priority", "2000"}, "from -1000 to 1000"},
		{[]string{"move", "6f8a01", "--why", "x", "--at", "noon"}, `"noon" is no time`},
		{[]string{"move", "6f8a01", "--why", "x", "--at", "2020-01-01 10:00"}, "in the past"},
		{[]string{"move", "6f8a01", "--why", "x", "--at", "8:30"}, "08:30 is in the past"},
		{[]string{"move", "6f8a01", "--why", "x", "--at", "22:30"}, "nobody is rung at 22:30; the next hour after it is Tue 2127-02-04 08:00 to 09:00"},
		{[]string{"move", "6f8a01", "--why", "x", "--at", "2128-02-04 10:00"}, "hours are promised 7 d ahead at most"},
		{[]string{"stats", "--from", "9:30"}, "from 09:30 to 09:00 is no span"},
		{[]string{"stats", "--to", "noon"}, "is no time"},
		{[]string{"outgoing", "off"}, "say why"},
		{[]string{"outgoing", "maybe", "--why", "x"}, `invalid argument "maybe"`},
		{[]string{"do-not-ring", "anonymous", "--why", "x"}, "no telephone number"},
		{[]string{"do-not-ring", "02315 000002"}, `"why" not set`},
		{[]string{"do-not-ring", "list", "--number", "hello"}, "no telephone number"},
		{[]string{"do-not-ring", "list", "02315 000002"}, "unknown command"},
		{[]string{"list", "--config", "a", "--dir", "b"}, "none of the others"},
	} {
		l := newLineOfThree()
		out, err := ask(t, l, tt.args...)
		if err == nil || !strings.Contains(err.Error(), tt.want) || len(l.told) > 0 {
			t.Errorf("%s: %v, want %q; wrote %q, told %q", tt.args, err, tt.want, out, l.told)
		}
	}

	l := newLineOfThree()
	l.full = true
	if _, err := ask(t, l, "move", "6f8a01", "--why", "x", "--at", "14:00"); err == nil || !strings.Contains(err.Error(), "promised 14:00 to 15:00 already: there is room 10:00 to 11:00, ") {
		t.Errorf("a full hour: %v", err)
	}
	twice := newLineOfThree()
	twice.tickets[1].ID[0] = 9
	twice.tickets[1].ID[15] = 1
	if _, err := ask(t, twice, "show", "6f8a01"); err == nil || !strings.Contains(err.Error(), "2 tickets are called") {
		t.Errorf("two of one name: %v", err)
	}
}

// TestQueueWatch: the picture is drawn each second, and a database that is away
// for a while ends nothing.
func TestQueueWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLineOfThree()
		d := &desk{Line: l, now: func() time.Time { return morning }, zone: morning.Location()}
		ctx, stop := context.WithCancel(t.Context())
		var out bytes.Buffer
		ended := make(chan error, 1)
		go func() { ended <- d.watch(ctx, &out, false) }()
		synctest.Wait()
		first := out.String()
		for _, want := range []string{
			"09:00:00  Calls out are on.\n",
			"TOPIC        waiting  due  ringing  talking  promised  left  LONGEST WAIT\n",
			"booking      1        0    0        0        1         0     4 min\n",
			"appointment  0        0    0        0        0         0     -\n",
			"wrap_up", "ticket 40771", "rung 14:00 to 15:00",
		} {
			if !strings.Contains(first, want) {
				t.Errorf("%q is not in\n%s", want, first)
			}
		}

		l.set(l.tickets, errors.New("connection refused"))
		time.Sleep(refresh)
		synctest.Wait()
		if !strings.HasSuffix(out.String(), "cannot be seen at present: connection refused\n") {
			t.Errorf("while it was away:\n%s", out.String()[len(first):])
		}
		l.set(nil, nil)
		time.Sleep(refresh)
		synctest.Wait()
		if !strings.HasSuffix(out.String(), "Nobody is in line.\n") {
			t.Errorf("afterwards:\n%s", out.String())
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
