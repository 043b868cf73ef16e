package api

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"ringback/queue"
)

// TestEnums: the words the document lists are those the line has.
func TestEnums(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		of    any
		field string
		words string
	}{
		{Ticket{}, "State", list(queue.States)},
		{Ticket{}, "Topic", list(queue.Topics)},
		{Ticket{}, "Reason", list(queue.Reasons)},
		{Ticket{}, "Wish", list([]queue.Wish{queue.WishPerson, queue.WishSelf})},
		{Ticket{}, "End", "," + list(queue.Ends)},
		{Attempt{}, "Fate", "," + list(queue.Fates)},
		{Agent{}, "State", list(queue.AgentStates)},
		{ticketsInput{}, "State", list(queue.States)},
		{ticketsInput{}, "Topic", list(queue.Topics)},
		{Figure{}, "Unit", list([]queue.Unit{queue.UnitCount, queue.UnitShare, queue.UnitSeconds})},
	} {
		f, _ := reflect.TypeOf(tt.of).FieldByName(tt.field)
		if got := f.Tag.Get("enum"); got != tt.words {
			t.Errorf("%T.%s is one of %q in the document, and of %q in the line", tt.of, tt.field, got, tt.words)
		}
	}
}

func list[T ~string](words []T) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(words), "[]"), " ", ",")
}
