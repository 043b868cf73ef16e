package queue_test

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"ringback/e164"
	"ringback/prompts"
	"ringback/queue"
	"ringback/queue/memory"
)

// Two people ring, and one agent is there. The second does not want to wait, and
// is rung back when it is her turn.
func Example() {
	ctx := context.Background()
	rules := queue.NewRules()
	rules.Ringing = queue.Hours{} // at all hours, whenever this runs
	line := memory.New(rules)
	line.SignIn(queue.Agent{Name: "anna", Languages: []prompts.Language{prompts.German}, Topics: queue.Topics})
	call := func(number e164.Number) queue.Arrival {
		return queue.Arrival{
			CallID: uuid.New(), At: time.Now(), Number: number, Topic: queue.TopicBooking,
			Language: prompts.German, Wish: queue.WishPerson, Reason: queue.Asked,
		}
	}
	state := func(what string, ticket uuid.UUID) {
		fmt.Printf("%-22s %s\n", what+":", line.Ticket(ticket).State)
	}

	first, _ := line.Join(ctx, call("+49231500121"))
	second := call("+49231500122")
	ticket, _ := line.Join(ctx, second)
	standing, _ := line.Standing(ctx, ticket.ID)
	fmt.Println("before the second:    ", standing.Ahead)
	_, _ = line.Promise(ctx, second, queue.Window{})
	state("she is promised", ticket.ID)

	turn, _ := line.Match() // the first, who rang first
	_ = line.Joined(ctx, turn)
	_ = line.Talked(ctx, turn)
	state("the first", first.ID)

	line.SignOut("anna") // a pause, instead of her wrap-up
	line.SignIn(line.Agent("anna"))
	turn, _ = line.Match()
	attempt, _ := line.Attempt(ticket.ID)
	state("her telephone rings", ticket.ID)
	_, _ = line.Resolve(ctx, attempt.ID, queue.FateReached) // she pressed 1
	state("reached", ticket.ID)
	_ = line.Joined(ctx, turn)
	state("joined with "+turn.Agent, ticket.ID)

	// Output:
	// before the second:     1
	// she is promised:       due
	// the first:             closed
	// her telephone rings:   ringing
	// reached:               waiting
	// joined with anna:      talking
}
