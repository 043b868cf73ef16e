package memory

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"ringback/booking"
	"ringback/booking/bookingtest"
)

type fixture struct{ *Store }

func (f fixture) Expire(t *testing.T, hold uuid.UUID) {
	t.Helper()
	for _, x := range f.seats {
		if x.hold == hold {
			x.until = time.Now().Add(-time.Second)
			return
		}
	}
	t.Fatalf("no hold %s", hold)
}

func TestStore(t *testing.T) {
	t.Parallel()
	bookingtest.TestStore(t, func(*testing.T) bookingtest.Fixture { return fixture{New()} })
}

func TestHoldExpiresInVirtualTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New()
		c := s.AddCentre(booking.Centre{Name: "Dortmund", TimeZone: "Europe/Berlin"}, 51.5, 7.5)
		s.AddSlot(c.ID, time.Now().Add(24*time.Hour), 1)
		first := booking.Search{CallID: uuid.New(), Centre: c.ID}
		if _, err := s.Offer(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		<-time.After(booking.HoldFor - time.Nanosecond) // virtual time
		second := booking.Search{CallID: uuid.New(), Centre: c.ID}
		if _, err := s.Offer(t.Context(), second); !errors.Is(err, booking.ErrNothingFree) {
			t.Fatalf("a moment before it expires: %v", err)
		}
		<-time.After(time.Nanosecond) // virtual time
		if _, err := s.Offer(t.Context(), second); err != nil {
			t.Fatalf("when it expired: %v", err)
		}
	})
}
