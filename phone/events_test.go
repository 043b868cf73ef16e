package phone_test

import (
	"errors"
	"testing"

	"ringback/phone"
	"ringback/phone/phonetest"
)

// A telephone that offers no telephone events sends none, though the far end
// would take them.
func TestNoEvents(t *testing.T) {
	t.Parallel()
	p, h, ctx := setup(t, phone.Options{}, func(l *phonetest.Line) {
		_ = l.Answer()
		<-l.Gone()
	})
	for none, want := range map[bool]error{false: nil, true: phone.ErrNoEvents} {
		c := dial(ctx, t, p, h, phone.CallOptions{From: "+4923150012345", NoEvents: none})
		if err := c.Press(ctx, "1"); !errors.Is(err, want) {
			t.Errorf("NoEvents %v: pressing a key: %v, want %v", none, err, want)
		}
		if err := c.HangUp(ctx); err != nil {
			t.Error(err)
		}
	}
}
