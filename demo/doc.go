// Package demo brings the whole hotline up on one machine: it fetches what is
// missing, starts a private Postgres, Asterisk, the controller and its watchdog
// in one folder, keeps them running, and stops them.
// It must not know how a call is led or a seat is booked.
package demo
