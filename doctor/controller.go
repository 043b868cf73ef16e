package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

// readiness is what a controller answers to /readyz.
type readiness struct {
	Checks []struct {
		Name   string
		Ready  bool
		Reason string
	}
}

// controller looks who answers where this controller's pages should be. An
// address that can still be taken has nobody.
func controller(ctx context.Context, s *site) []Finding {
	ctx, cancel := context.WithTimeout(ctx, answering)
	defer cancel()
	listen := s.Config.HTTP.Listen
	const mend = "Set http.listen to an address of this machine and a port this user may take (above 1023, or with CAP_NET_BIND_SERVICE)."
	var lc net.ListenConfig
	l, taken := lc.Listen(ctx, "tcp", listen)
	switch {
	case taken == nil:
		l.Close()
		return warned(fmt.Sprintf("no controller runs here; %s is free for it", listen), "Start `ringback serve` with the same configuration.")
	case errors.Is(taken, syscall.EADDRNOTAVAIL):
		return failed(fmt.Sprintf("%s (http.listen) is no address of this machine", listen), mend)
	}
	answer, err := askReady(ctx, pagesAt(listen))
	switch {
	case errors.Is(err, errNotOurs):
		return failed(fmt.Sprintf("another program than Ringback answers at %s (http.listen)", listen), "End it, or choose another address for http.listen.")
	case errors.Is(err, syscall.ECONNREFUSED):
		return failed(fmt.Sprintf("no controller runs here, and %s (http.listen) cannot be taken: %s", listen, reason(taken)), mend)
	case err != nil:
		return failed(fmt.Sprintf("a program holds %s (http.listen) and does not answer: %s", listen, reason(err)),
			"If it is the controller, it hangs: start it anew; its calls are taken over.")
	}
	var all []Finding
	for _, c := range answer.Checks {
		if !c.Ready {
			all = append(all, failed(fmt.Sprintf("the controller takes no calls: %s: %s", c.Name, c.Reason),
				"Look at the findings above, then at the controller's log; one that was told to stop (draining) ends by itself.")...)
		}
	}
	if all != nil {
		return all
	}
	return fine("a controller answers at %s and takes calls", listen)
}

// pagesAt is how this machine reaches an address that is listened on.
func pagesAt(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen // it was checked when it was loaded
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

var errNotOurs = errors.New("not a controller")

// askReady fails with errNotOurs when what answers is no controller.
func askReady(ctx context.Context, address string) (readiness, error) {
	var r readiness
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return r, err
	}
	own := &http.Transport{DisableKeepAlives: true} // no proxy of the environment
	resp, err := own.RoundTrip(req)
	if err != nil {
		return r, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return r, err
	}
	if json.Unmarshal(body, &r) != nil || len(r.Checks) == 0 {
		return r, errNotOurs
	}
	return r, nil
}
