package postgres

import (
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"ringback/booking"
)

// violations is what a broken constraint means to callers of a Store.
var violations = map[string]error{
	"appointments_one_a_person":   booking.ErrAlreadyBooked,
	"appointments_max_per_number": booking.ErrTooMany,
	"appointments_one_a_seat":     booking.ErrHoldGone,
	"recordings_appointment":      booking.ErrNoAppointment,
}

// domainError turns a violated constraint into the domain's error. All others
// pass unchanged.
func domainError(err error) error {
	if meaning := violations[violated(err)]; meaning != nil {
		return meaning
	}
	return err
}

// violated is the name of the constraint that the error says was violated, or
// empty.
func violated(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.ConstraintName
	}
	return ""
}

// connectionLost says that the network, not Postgres, ended the statement.
func connectionLost(err error) bool {
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &network)
}
