// Package bench measures what Ringback costs and how fast it answers, on real
// telephones, beside the best that can be had without it: the figures of
// docs/MEASUREMENTS.md. It must not be a test: a slow machine fails nothing,
// and nothing here runs except by `make bench`.
package bench
